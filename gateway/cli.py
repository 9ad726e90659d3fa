"""The command `portico`: every verb gathered; what went wrong in one becomes a sentence and an exit code.

The verbs are in `gateway.verbs`, and nothing is decided here.
"""

import json
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

import gateway.errors as errors
import gateway.verbs.asking as asking
import gateway.verbs.checking as checking
import gateway.verbs.planning as planning
import gateway.verbs.registering as registering
import gateway.verbs.running as running
from gateway.verbs.options import PROBLEMS, REFUSED, UNREACHABLE, USAGE, examples, exits

EXITS = exits(
    "Exit codes",
    {
        0: "done, nothing to complain about",
        PROBLEMS: "problems found, or what was asked for could not be done",
        USAGE: "the command was not understood",
        UNREACHABLE: "the gateway, or the URL to read, does not answer",
        REFUSED: "the gateway refuses: no or the wrong token (401, 403), or a conflict (409)",
    },
)


class Verbs(TyperGroup):
    """Turns what went wrong in a verb into a sentence and an exit code; a defect of ours keeps its trace."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except errors.GatewayError as error:
            _fail(error, as_json=bool(ctx.meta.get("json")))


def _fail(error: errors.GatewayError, *, as_json: bool) -> NoReturn:
    code = _code(error)
    if as_json:
        typer.echo(json.dumps({"error": str(error), "exit": code}))
    else:
        typer.echo(f"portico: {error}", err=True)
    raise typer.Exit(code)


def _code(error: errors.GatewayError) -> int:
    match error:
        case errors.Unreachable():
            return UNREACHABLE
        case errors.Unauthorized() | errors.Forbidden() | errors.Conflict():
            return REFUSED
        case _:
            return PROBLEMS


app = typer.Typer(
    cls=Verbs,
    name="portico",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=EXITS + "\n\n" + examples("portico demo", "portico serve --config portico.yaml"),
    help="A portal of many teams' applications: mounts each below a path, stitches their fragments into pages.",
)
for room in (running, registering, checking, planning, asking):
    app.add_typer(room.verbs)


def _version(wanted: bool) -> None:
    if wanted:
        from gateway import __version__

        typer.echo(f"portico {__version__}")
        raise typer.Exit


@app.callback()
def portico(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    pass


def main() -> None:
    app(prog_name="portico")
