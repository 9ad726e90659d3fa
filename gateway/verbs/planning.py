"""The verb that shows a shell as composing sees it: its plan."""

import json
from typing import Annotated

import typer

import gateway.verbs.pages as pages
from gateway.verbs.options import Admin, Json, State, Token, examples, exits
from gateway.verbs.pages import At, Dialects, Manifests

verbs = typer.Typer(rich_markup_mode=None)


@verbs.command(
    short_help="Show a shell as it is compiled.",
    epilog=exits("Exit codes", {0: "a plan, with warnings at most", 1: "the shell cannot be read, or has errors"})
    + "\n\n"
    + examples("portico plan home.html", "portico plan http://127.0.0.1:8000/ --manifest 'teams/*.yaml' --json"),
)
def plan(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL", help="A page with slots: a file, or its address at its origin.", show_default=False
        ),
    ],
    manifests: Manifests = None,
    dialects: Dialects = None,
    at: At = None,
    admin: Admin = None,
    token: Token = "",
    state: State = None,
    as_json: Json = False,
) -> None:
    """Show a shell as it is compiled: what is sent byte for byte, and the slots between, each in its place.

    In the text between are marked the end of the head, where pieces' sheets and scripts go; the place of the one
    import map; the title and metadata a primary piece replaces; and the end of the body, where late pieces go.
    """
    import gateway.trial.outline as outline

    shell = pages.read(source, pages.Asked(manifests, dialects, at, admin, token, state))
    if as_json:
        typer.echo(json.dumps(outline.as_json(shell)))
    else:
        for line in outline.lines(shell):
            typer.echo(line)
        pages.tell_remarks(shell)
    raise typer.Exit(shell.code)
