"""A Dash application of two pages: its layout, its callbacks and its routes all go by root paths in the browser."""

from dash import Dash, Input, Output, State, callback, dcc, html

app = Dash(__name__, suppress_callback_exceptions=True)
server = app.server
app.layout = html.Div(
    [
        dcc.Location(id="where"),
        html.Nav([dcc.Link("Start", href="/"), " ", dcc.Link("Sums", href="/sums")]),
        html.Div(id="page"),
    ]
)


@callback(Output("page", "children"), Input("where", "pathname"))
def page(pathname):
    match pathname:
        case "/":
            return [html.H1("Board"), html.Img(src="/assets/board.svg", alt="A board")]
        case "/sums":
            asked = dcc.Input(id="number", type="number", value=2, debounce=False)
            return [html.H1("Sums"), asked, html.Button("Double", id="double"), html.P(id="sum")]
    return html.H1(f"There is no page {pathname}.")


@callback(Output("sum", "children"), Input("double", "n_clicks"), State("number", "value"), prevent_initial_call=True)
def double(_, number):
    return f"Twice {number} is {2 * number}."
