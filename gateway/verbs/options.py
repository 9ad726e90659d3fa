"""What the verbs share: their options and exit codes, where a gateway and its token are found, how JSON is said.

Imports happen when a verb runs, so that `portico --help` is there at once.
"""

import glob
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import gateway.errors as errors
import gateway.look as look
from gateway.look import ADMIN

if TYPE_CHECKING:
    from gateway.registry.check import Problem
    from gateway.registry.client import Client
    from gateway.settings import Settings

STATE = Path(".portico")

PROBLEMS, USAGE, UNREACHABLE, REFUSED = 1, 2, 3, 4


def examples(*lines: str) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def exits(subject: str, codes: Mapping[int, str]) -> str:
    """How the end of a verb's help tells its own exit codes."""
    return "\b\n" + f"{subject}:\n" + "\n".join(f"  {code}  {meaning}" for code, meaning in codes.items())


def remember(ctx: typer.Context, wanted: bool) -> bool:
    """So that an error is JSON as well."""
    ctx.meta["json"] = wanted
    return wanted


Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.", callback=remember)]
Admin = Annotated[
    str | None,
    typer.Option(
        help=f"Where the gateway's registry listens.  [default: {ADMIN}]", envvar="PORTICO_ADMIN", metavar="URL"
    ),
]
Token = Annotated[
    str,
    typer.Option(
        help="The operator's token, or a team's.  [default: admin.token in the state folder]",
        envvar=["PORTICO_TOKEN", "PORTICO_ADMIN_TOKEN"],
        show_envvar=True,
        metavar="TOKEN",
    ),
]
State = Annotated[
    Path | None,
    typer.Option(help="The gateway's state folder.  [default: .portico]", envvar="PORTICO_STATE", metavar="FOLDER"),
]
Config = Annotated[
    Path | None, typer.Option(help="The settings file, portico.yaml.", envvar="PORTICO_CONFIG", metavar="FILE")
]
Source = Annotated[str, typer.Argument(metavar="FILE|URL", help="A manifest, YAML or JSON.", show_default=False)]
TeamName = Annotated[str, typer.Argument(metavar="TEAM", help="The team's name.", show_default=False)]


def settings_of(config: Path | None, **overrides: object) -> "Settings":
    import gateway.settings as settings

    return settings.read(config, overrides=overrides)


def client(admin: str | None, token: str, state: Path | None) -> "Client":
    from gateway.registry.client import Client, address

    where = address(admin or ADMIN)
    return Client(where, token or _kept_token(where, state))


def _kept_token(admin: str, state: Path | None) -> str:
    """The token as a gateway on this machine keeps it: in the folder said, the demo's that listens there, or here."""
    import gateway.demo.control as control
    import gateway.settings as settings

    demos = [Path(demo.state) for demo in control.live() if demo.admin == admin]
    places = [state] if state else [*demos, STATE]
    return next((kept for place in places if (kept := settings.kept_token(place))), "")


def is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def files_of(patterns: Iterable[str]) -> list[str]:
    """Files that patterns mean, each once; one that means none is taken as the name of a file."""
    found = [file for pattern in patterns for file in sorted(glob.glob(pattern)) or [pattern]]
    return list(dict.fromkeys(found))


def text_of(source: str) -> str:
    """A manifest's text."""
    if is_url(source):
        from gateway.registry.client import fetch

        return fetch(source)
    import gateway.settings as settings

    return settings.open_text(Path(source))


def tell_problems(source: str, text: str, problems: Sequence["Problem"], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"problems": [problem.as_json() for problem in problems]}))
        return
    look.problems(source, text, problems)


def checked(text: str, admin: str | None, token: str, state: Path | None) -> tuple[Sequence["Problem"], str]:
    """Problems, and who found them. A gateway that was named must answer; the usual one may be away."""
    import gateway.registry.check as checking

    try:
        with client(admin, token, state) as registry:
            return registry.check(text), f"asked {registry.admin}"
    except (errors.Unreachable, errors.Unauthorized, errors.Forbidden):
        if admin is not None:
            raise
    return checking.check(text).problems, "by itself; no gateway was asked what other teams own"
