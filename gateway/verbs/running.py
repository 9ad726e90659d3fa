"""The verbs that run something until it is told to end: the gateway, and the demo with its teams."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import gateway.look as look
from gateway.verbs.options import Config, Json, TeamName, examples, remember, settings_of

if TYPE_CHECKING:
    from gateway.demo.control import Verb
    from gateway.demo.stage import Demo
    from gateway.settings import Settings

verbs = typer.Typer(rich_markup_mode=None)
demo = typer.Typer(rich_markup_mode=None, invoke_without_command=True)


@verbs.command(
    short_help="Run the gateway.",
    epilog=examples("portico serve --config portico.yaml", "portico serve --manifests 'teams/*.yaml'"),
)
def serve(
    config: Config = None,
    listen: Annotated[str | None, typer.Option(help="Where visitors come, such as 0.0.0.0:8080.")] = None,
    admin: Annotated[str | None, typer.Option(help="Where the registry listens, such as 127.0.0.1:8081.")] = None,
    redis: Annotated[str | None, typer.Option(help="A Redis to share, such as redis://localhost:6379/0.")] = None,
    manifests: Annotated[list[str] | None, typer.Option(help="Manifest files to follow; may be repeated.")] = None,
    workers: Annotated[str | None, typer.Option(help="Processes that serve, or auto.")] = None,
    state: Annotated[Path | None, typer.Option(help="The folder for registrations and the token.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="First say the settings in force as JSON.", callback=remember)
    ] = False,
) -> None:
    """Run the gateway until it is told to end. Options win over PORTICO_… variables, these over the file."""
    settings = settings_of(
        config, listen=listen, admin=admin, redis=redis, manifests=manifests or None, workers=workers, state=state
    )
    if as_json:
        typer.echo(json.dumps(_plain(settings)))
    import gateway.app as running

    raise typer.Exit(running.serve(settings))


def _plain(settings: "Settings") -> dict[str, object]:
    from dataclasses import asdict

    told: dict[str, object] = json.loads(json.dumps(asdict(settings), default=str))
    return told | {"admin_token": "set" if settings.admin_token else ""}


@demo.callback(epilog=examples("portico demo", "portico demo --port 9000 --smoke", "portico demo kill hotels"))
def demo_itself(
    ctx: typer.Context,
    port: Annotated[int | None, typer.Option(help="The portal's port.  [default: 8080, or the next free]")] = None,
    admin_port: Annotated[
        int | None, typer.Option(help="The registry's port.  [default: 8081, or the next free]")
    ] = None,
    redis: Annotated[str, typer.Option(help="A Redis for the cache and registrations.", metavar="URL")] = "",
    state: Annotated[
        Path | None, typer.Option(help="An empty folder to keep what it writes.", metavar="FOLDER")
    ] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="Walk all pages, say what failed, and end.")] = False,
    opens: Annotated[bool, typer.Option("--open/--no-open", help="Open the portal in a browser.")] = False,
    as_json: Json = False,
) -> None:
    """Run a portal of several teams and its gateway on this machine, nothing else needed. Ctrl-C ends all of it."""
    if ctx.invoked_subcommand is not None:
        return
    import asyncio

    import gateway.demo.life as life

    order = life.Order(port, admin_port, redis, state, smoke, opens, _program())
    say = look.log(err=as_json)
    raise typer.Exit(asyncio.run(life.run(order, say, _ready_json if as_json else look.ready)))


def _program() -> str:
    """How this command is called again from this folder."""
    import shutil
    import sys

    on_path = shutil.which("portico")
    if on_path and Path(on_path).parent == Path(sys.executable).parent:
        return "portico"
    return "./dev portico" if Path("dev").is_file() else f"{os.path.relpath(sys.executable)} -m gateway"


Near = Annotated[Path | None, typer.Option("--state", help="The demo's state folder, when several run.")]


@demo.command("kill", epilog=examples("portico demo kill hotels", "portico demo kill pets --json"))
def demo_kill(team: TeamName, state: Near = None, as_json: Json = False) -> None:
    """Kill a team's server in the running demo."""
    _tell_demo(state, "kill", team, 0.0, as_json)


@demo.command("start", epilog=examples("portico demo start hotels", "portico demo start pets --json"))
def demo_start(team: TeamName, state: Near = None, as_json: Json = False) -> None:
    """Start a team's server again."""
    _tell_demo(state, "start", team, 0.0, as_json)


@demo.command("slow", epilog=examples("portico demo slow hotels 3s", "portico demo slow hotels 0s"))
def demo_slow(
    team: TeamName,
    by: Annotated[str, typer.Argument(metavar="DURATION", help="How much later it answers; 0s ends it.")],
    state: Near = None,
    as_json: Json = False,
) -> None:
    """Let a team's server answer later."""
    from gateway.model import seconds

    try:
        later = seconds(by)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.", param_hint="DURATION") from error
    _tell_demo(state, "slow", team, later, as_json)


verbs.add_typer(demo, name="demo", short_help="Run a portal of several teams on this machine.")


def _tell_demo(state: Path | None, verb: "Verb", team: str, seconds: float, as_json: bool) -> None:
    import gateway.demo.control as control

    said = control.ask(state, control.Wish(verb, team, seconds))
    typer.echo(json.dumps({"said": said}) if as_json else f"{said}.")


def _ready_json(demo: "Demo") -> None:
    from dataclasses import asdict

    told = {key: value for key, value in asdict(demo.running()).items() if key not in ("secret", "control")}
    typer.echo(json.dumps(told))
