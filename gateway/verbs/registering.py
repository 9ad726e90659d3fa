"""The verbs that change what a running gateway serves: a team's manifest put in and taken out, a team's token."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

import gateway.errors as errors
import gateway.look as look
from gateway.verbs.options import (
    PROBLEMS,
    Admin,
    Json,
    Source,
    State,
    TeamName,
    Token,
    checked,
    client,
    examples,
    tell_problems,
    text_of,
)

if TYPE_CHECKING:
    from gateway.registry.check import Problem

verbs = typer.Typer(rich_markup_mode=None)


@verbs.command(
    short_help="Register a team's manifest.",
    epilog=examples("portico register hotels.yaml", "portico register http://hotels:8000/portico.yaml"),
)
def register(
    source: Source, admin: Admin = None, token: Token = "", state: State = None, as_json: Json = False
) -> None:
    """Register a team's manifest with the running gateway: live within a second, or refused with every reason."""
    import gateway.registry.check as check
    from gateway.registry.client import Faulty

    text = text_of(source)
    manifest, _ = check.parse(text)
    if manifest is None:
        tell_problems(source, text, _all_problems(text, admin, token, state), as_json)
        raise typer.Exit(PROBLEMS)
    with client(admin, token, state) as registry:
        try:
            taken = registry.register(manifest.team, text)
        except Faulty as faulty:
            tell_problems(source, text, faulty.problems, as_json)
            raise typer.Exit(PROBLEMS) from faulty
        where = registry.admin
    if as_json:
        warnings = [problem.as_json() for problem in taken.warnings]
        typer.echo(json.dumps({"team": taken.team, "revision": taken.revision, "problems": warnings}))
        return
    look.problems(source, text, taken.warnings)
    typer.echo(f"{taken.team} is registered at {where}, revision {taken.revision}.")


@verbs.command(
    short_help="Take a team's manifest out.",
    epilog=examples("portico withdraw deals", "portico withdraw deals --admin http://gateway:8081"),
)
def withdraw(
    team: TeamName, admin: Admin = None, token: Token = "", state: State = None, as_json: Json = False
) -> None:
    """Take a team's manifest out of the running gateway."""
    with client(admin, token, state) as registry:
        registry.withdraw(team)
        where = registry.admin
    typer.echo(json.dumps({"team": team, "withdrawn": True}) if as_json else f"{team} is withdrawn from {where}.")


@verbs.command(
    short_help="Issue a team's token.", epilog=examples("portico token hotels", "portico token hotels --json")
)
def token(
    team: TeamName,
    admin: Admin = None,
    operator: Token = "",
    state: State = None,
    as_json: Json = False,
) -> None:
    """Issue a token with which a team registers itself. The team's token before is worth nothing from now on."""
    with client(admin, operator, state) as registry:
        issued = registry.issue_token(team)
    typer.echo(json.dumps({"team": team, "token": issued}) if as_json else issued)


def _all_problems(text: str, admin: str | None, token: str, state: Path | None) -> Sequence["Problem"]:
    """What the gateway says of a broken manifest; a gateway that is away keeps nobody from hearing the rest."""
    import gateway.registry.check as checking

    try:
        return checked(text, admin, token, state)[0]
    except (errors.Unreachable, errors.Unauthorized, errors.Forbidden):
        return checking.check(text).problems
