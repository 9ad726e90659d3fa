"""The verbs of `portico`: what was asked goes to the room that can do it, what comes back is said to people or as JSON.

Nothing is decided here. A verb imports what it needs when it runs, so that `portico --help` is there at once.
"""

import glob
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

import gateway.errors as errors
import gateway.look as look
from gateway.look import ADMIN

if TYPE_CHECKING:
    from gateway.demo.control import Verb
    from gateway.demo.stage import Demo
    from gateway.registry.check import Problem
    from gateway.registry.client import Client
    from gateway.settings import Settings

STATE = Path(".portico")

PROBLEMS, USAGE, UNREACHABLE, REFUSED = 1, 2, 3, 4
EXITS = """\b
Exit codes:
  0  done, nothing to complain about
  1  problems found, or what was asked for could not be done
  2  the command was not understood
  3  the gateway, or the URL to read, does not answer
  4  the gateway refuses: no or the wrong token (401, 403), or a conflict (409)

\b
Examples:
  portico demo
  portico serve --config portico.yaml"""


def _examples(*lines: str) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


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
    epilog=EXITS,
    help="A portal of many teams' applications: mounts each below a path, stitches their fragments into pages.",
)
demo = typer.Typer(rich_markup_mode=None, invoke_without_command=True)


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


def _remember(ctx: typer.Context, wanted: bool) -> bool:
    ctx.meta["json"] = wanted
    return wanted


Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.", callback=_remember)]
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


# Running.


@app.command(
    short_help="Run the gateway.",
    epilog=_examples("portico serve --config portico.yaml", "portico serve --manifests 'teams/*.yaml'"),
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
        bool, typer.Option("--json", help="First say the settings in force as JSON.", callback=_remember)
    ] = False,
) -> None:
    """Run the gateway until it is told to end. Options win over PORTICO_… variables, these over the file."""
    settings = _settings(
        config, listen=listen, admin=admin, redis=redis, manifests=manifests or None, workers=workers, state=state
    )
    if as_json:
        typer.echo(json.dumps(_plain(settings)))
    import gateway.app as running

    raise typer.Exit(running.serve(settings))


@demo.callback(epilog=_examples("portico demo", "portico demo --port 9000 --smoke", "portico demo kill hotels"))
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


@demo.command("kill", epilog=_examples("portico demo kill hotels", "portico demo kill pets --json"))
def demo_kill(team: TeamName, state: Near = None, as_json: Json = False) -> None:
    """Kill a team's server in the running demo."""
    _tell_demo(state, "kill", team, 0.0, as_json)


@demo.command("start", epilog=_examples("portico demo start hotels", "portico demo start pets --json"))
def demo_start(team: TeamName, state: Near = None, as_json: Json = False) -> None:
    """Start a team's server again."""
    _tell_demo(state, "start", team, 0.0, as_json)


@demo.command("slow", epilog=_examples("portico demo slow hotels 3s", "portico demo slow hotels 0s"))
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


app.add_typer(demo, name="demo", short_help="Run a portal of several teams on this machine.")


def _tell_demo(state: Path | None, verb: "Verb", team: str, seconds: float, as_json: bool) -> None:
    import gateway.demo.control as control

    said = control.ask(state, control.Wish(verb, team, seconds))
    typer.echo(json.dumps({"said": said}) if as_json else f"{said}.")


# Registering.


@app.command(
    short_help="Register a team's manifest.",
    epilog=_examples("portico register hotels.yaml", "portico register http://hotels:8000/portico.yaml"),
)
def register(
    source: Source, admin: Admin = None, token: Token = "", state: State = None, as_json: Json = False
) -> None:
    """Register a team's manifest with the running gateway: live within a second, or refused with every reason."""
    import gateway.registry.check as check
    from gateway.registry.client import Faulty

    text = _text(source)
    manifest, _ = check.parse(text)
    if manifest is None:
        _tell_problems(source, text, _all_problems(text, admin, token, state), as_json)
        raise typer.Exit(PROBLEMS)
    with _client(admin, token, state) as client:
        try:
            taken = client.register(manifest.team, text)
        except Faulty as faulty:
            _tell_problems(source, text, faulty.problems, as_json)
            raise typer.Exit(PROBLEMS) from faulty
        where = client.admin
    if as_json:
        warnings = [problem.as_json() for problem in taken.warnings]
        typer.echo(json.dumps({"team": taken.team, "revision": taken.revision, "problems": warnings}))
        return
    look.problems(source, text, taken.warnings)
    typer.echo(f"{taken.team} is registered at {where}, revision {taken.revision}.")


@app.command(
    short_help="Take a team's manifest out.",
    epilog=_examples("portico withdraw deals", "portico withdraw deals --admin http://gateway:8081"),
)
def withdraw(
    team: TeamName, admin: Admin = None, token: Token = "", state: State = None, as_json: Json = False
) -> None:
    """Take a team's manifest out of the running gateway."""
    with _client(admin, token, state) as client:
        client.withdraw(team)
        where = client.admin
    typer.echo(json.dumps({"team": team, "withdrawn": True}) if as_json else f"{team} is withdrawn from {where}.")


@app.command(
    short_help="Issue a team's token.", epilog=_examples("portico token hotels", "portico token hotels --json")
)
def token(
    team: TeamName,
    admin: Admin = None,
    operator: Token = "",
    state: State = None,
    as_json: Json = False,
) -> None:
    """Issue a token with which a team registers itself. The team's token before is worth nothing from now on."""
    with _client(admin, operator, state) as client:
        issued = client.issue_token(team)
    typer.echo(json.dumps({"team": team, "token": issued}) if as_json else issued)


TRIED = """\b
Exit codes for an application:
  0  nothing leaks
  1  what leaks is closed by the runtime, the rescue or the router
  2  some of it nothing closes"""


@app.command(
    short_help="Say every problem of a manifest, or every leak of an application.",
    epilog=TRIED
    + "\n\n"
    + _examples("portico check hotels.yaml", "portico check http://127.0.0.1:8000 --pages 50 --links-to /pets"),
)
def check(
    source: Annotated[
        str,
        typer.Argument(metavar="FILE|URL", help="A manifest, or the address of an application.", show_default=False),
    ],
    pages: Annotated[int, typer.Option(help="Pages of an application to read.", min=1, max=10_000)] = 30,
    links_to: Annotated[
        list[str] | None, typer.Option(help="Another mount the application may link to; may be repeated.")
    ] = None,
    admin: Admin = None,
    token: Token = "",
    state: State = None,
    as_json: Json = False,
) -> None:
    """Say every problem of a manifest: asked of the running gateway, which knows the other teams, else by itself.

    An application (a URL that does not end in .yaml, .yml or .json) is read by GET, some pages far, and shown below
    two prefixes: what still leads outside of them is told, with its place, what closes it, and what mends it.
    """
    if _is_application(source):
        raise typer.Exit(_tried(source, pages, links_to or (), as_json))
    text = _text(source)
    problems, by = _checked(text, admin, token, state)
    _tell_problems(source, text, problems, as_json)
    if look.wrong(problems):
        raise typer.Exit(PROBLEMS)
    if not as_json:
        typer.echo(f"{source} is fine ({by}).")


@app.command(
    short_help="Say every problem of settings and manifest files.",
    epilog=_examples("portico validate --config portico.yaml", "portico validate teams/*.yaml"),
)
def validate(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]...", help="Manifests besides the settings'.")
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Say every problem of the settings and of all manifest files, without starting or asking anything."""
    settings = _settings(config)
    found = _validated(settings, files or [])
    if as_json:
        rows = [{"file": file} | problem.as_json() for file, _, problems in found for problem in problems]
        typer.echo(json.dumps({"problems": rows}))
    else:
        for file, text, problems in found:
            look.problems(file, text, problems)
    wrong = sum(look.wrong(problems) for _, _, problems in found)
    if wrong:
        raise typer.Exit(PROBLEMS)
    if not as_json:
        typer.echo(f"The settings and {look.count(len(found), 'manifest')} are fine.")


# Asking.


@app.command(short_help="Show mounts and fragments.", epilog=_examples("portico routes", "portico routes --json"))
def routes(admin: Admin = None, token: Token = "", state: State = None, as_json: Json = False) -> None:
    """Show what the running gateway serves: mounts and fragments, whose they are and where they come from."""
    with _client(admin, token, state) as client:
        table = client.table()
    typer.echo(json.dumps(table) if as_json else "\n".join(look.routes(table)))


@app.command(
    short_help="Show requests that left their mount.",
    epilog=_examples("portico leaks --team hotels", "portico leaks --clear"),
)
def leaks(
    team: Annotated[str | None, typer.Option(help="Of this team only.  [default: all the token may see]")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Forget them, so that what still leaks shows again.")] = False,
    admin: Admin = None,
    token: Token = "",
    state: State = None,
    as_json: Json = False,
) -> None:
    """Show requests of pages that left their mount and were led back: which page asked, how often, what mends it."""
    with _client(admin, token, state) as client:
        found = [] if clear else client.leaks(team)
        if clear:
            client.forget_leaks(team)
    if as_json:
        typer.echo(json.dumps({"leaks": found, "cleared": clear}))
    else:
        typer.echo("Leaks are forgotten." if clear else "\n".join(look.leaks(found)))


@app.command(
    short_help="Forget stored answers.", epilog=_examples("portico purge --tag hotels", "portico purge --url /hotels/")
)
def purge(
    url: Annotated[str | None, typer.Option(help="The answers of one public path.", metavar="PATH")] = None,
    tag: Annotated[str | None, typer.Option(help="The answers with this tag.")] = None,
    team: Annotated[str | None, typer.Option(help="All answers of a team.")] = None,
    admin: Admin = None,
    token: Token = "",
    state: State = None,
    as_json: Json = False,
) -> None:
    """Forget stored answers, in every gateway that shares the registry."""
    wanted = [(kind, value) for kind, value in (("url", url), ("tag", tag), ("team", team)) if value]
    if len(wanted) != 1:
        raise typer.BadParameter("Give one of --url, --tag and --team.", param_hint="purge")
    ((kind, value),) = wanted
    with _client(admin, token, state) as client:
        number = client.purge(kind, value)
    told = {"kind": kind, "value": value, "number": number}
    typer.echo(json.dumps(told) if as_json else f"Answers of {kind} {value} are forgotten.")


@app.command(
    short_help="Print the JSON Schema of a manifest.",
    epilog=_examples("portico schema > manifest.schema.json", "portico schema --settings"),
)
def schema(
    settings: Annotated[bool, typer.Option("--settings", help="That of portico.yaml instead.")] = False,
    as_json: Json = False,
) -> None:
    """Print the JSON Schema of a manifest, for editors."""
    typer.echo(json.dumps(_settings_schema() if settings else _manifest_schema(), indent=None if as_json else 2))


@app.command(
    short_help="Ask whether a gateway is ready.",
    epilog=_examples("portico healthcheck", "portico healthcheck --url http://127.0.0.1:8080"),
)
def healthcheck(
    url: Annotated[str | None, typer.Option(help="The portal.  [default: where the settings let it listen]")] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Ask a gateway whether it is ready to serve; for containers that have no curl."""
    from gateway.registry.client import address

    portal = address(url or _settings(config).listen)
    status = _status(f"{portal}/-/health/ready")
    ready = status == 200
    told = {"url": portal, "ready": ready, "status": status}
    typer.echo(json.dumps(told) if as_json else f"{portal} is {'ready' if ready else f'not ready ({status})'}.")
    if not ready:
        raise typer.Exit(PROBLEMS)


def main() -> None:
    app(prog_name="portico")


# What the verbs share.


def _settings(config: Path | None, **overrides: object) -> "Settings":
    import gateway.settings as settings

    return settings.read(config, overrides=overrides)


def _plain(settings: "Settings") -> dict[str, object]:
    from dataclasses import asdict

    told: dict[str, object] = json.loads(json.dumps(asdict(settings), default=str))
    return told | {"admin_token": "set" if settings.admin_token else ""}


def _client(admin: str | None, token: str, state: Path | None) -> "Client":
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


def _is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def _text(source: str) -> str:
    if _is_url(source):
        from gateway.registry.client import fetch

        return fetch(source)
    import gateway.settings as settings

    return settings.open_text(Path(source))


def _is_application(source: str) -> bool:
    """Manifests are published under names that say what they are."""
    return _is_url(source) and not source.partition("?")[0].endswith((".yaml", ".yml", ".json"))


def _tried(url: str, pages: int, links_to: Sequence[str], as_json: bool) -> int:
    """An application's leaks, said; the exit code that tells how bad they are."""
    import gateway.trial.trial as trial

    with look.console(err=True).status(f"reading {url}") as status:

        def tell(line: str) -> None:
            status.update(look.printable(line)[:100])

        outcome = trial.run(url, pages=pages, links_to=links_to, tell=tell)
    typer.echo(json.dumps(outcome.as_json()) if as_json else "\n".join(trial.lines(outcome)))
    return outcome.code


def _checked(text: str, admin: str | None, token: str, state: Path | None) -> tuple[Sequence["Problem"], str]:
    """Problems, and who found them. A gateway that was named must answer; the usual one may be away."""
    import gateway.registry.check as checking

    try:
        with _client(admin, token, state) as client:
            return client.check(text), f"asked {client.admin}"
    except (errors.Unreachable, errors.Unauthorized, errors.Forbidden):
        if admin is not None:
            raise
    return checking.check(text).problems, "by itself; no gateway was asked what other teams own"


def _all_problems(text: str, admin: str | None, token: str, state: Path | None) -> Sequence["Problem"]:
    """What the gateway says of a broken manifest; a gateway that is away keeps nobody from hearing the rest."""
    import gateway.registry.check as checking

    try:
        return _checked(text, admin, token, state)[0]
    except (errors.Unreachable, errors.Unauthorized, errors.Forbidden):
        return checking.check(text).problems


def _validated(settings: "Settings", files: Iterable[str]) -> list[tuple[str, str, list["Problem"]]]:
    """Each manifest file with its text and its problems, next to all the others."""
    import gateway.registry.check as checking
    import gateway.settings as reading

    found = [file for pattern in settings.manifests for file in sorted(glob.glob(pattern))]
    names = list(dict.fromkeys([os.path.relpath(file) for file in found] + [os.path.relpath(file) for file in files]))
    texts = {name: reading.open_text(Path(name)) for name in names}
    manifests = {name: checking.check(text).manifest for name, text in texts.items()}
    listeners = (reading.address(settings.listen), reading.address(settings.admin))
    checked = []
    for name, text in texts.items():
        others = [other for file, other in manifests.items() if other is not None and file != name]
        around = checking.Surroundings(others, settings.origin_networks, listeners, trusted=True)
        checked.append((name, text, [*_second(name, manifests), *checking.check(text, around).problems]))
    return checked


def _second(name: str, manifests: dict[str, Any]) -> Iterator["Problem"]:
    """A team that an earlier file declares already."""
    from gateway.registry.check import Problem

    own = manifests[name]
    for earlier in list(manifests)[: list(manifests).index(name)]:
        other = manifests[earlier]
        if own is not None and other is not None and own.team == other.team:
            message = f"Team '{own.team}' is declared by {earlier} already."
            yield Problem("team", message, "Keep one file per team.", code="owned")


def _status(url: str) -> int:
    """How an address answers. The standard library's client, for it starts in a tenth of the time."""
    import urllib.error
    import urllib.request

    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=3) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except (OSError, ValueError) as error:
        raise errors.Unreachable(f"No gateway answers at {url} ({error}).") from error


def _manifest_schema() -> dict[str, Any]:
    from gateway.model import Manifest

    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Manifest.model_json_schema()


def _settings_schema() -> dict[str, Any]:
    """Of the record itself; durations and sizes may also be written with their unit, lists as words."""
    from pydantic import TypeAdapter

    from gateway.settings import Settings

    told = TypeAdapter(Settings).json_schema()
    for name, spec in told["properties"].items():
        if name in ("page_deadline", "moved_for") or name.endswith("_bytes"):
            spec["type"] = ["number", "string"]
        elif spec.get("type") == "boolean":
            spec["type"] = ["boolean", "string"]
        elif spec.get("type") == "array":
            spec["type"] = ["array", "string"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "additionalProperties": False} | told


def _ready_json(demo: "Demo") -> None:
    from dataclasses import asdict

    told = {key: value for key, value in asdict(demo.running()).items() if key not in ("secret", "control")}
    typer.echo(json.dumps(told))


def _tell_problems(source: str, text: str, problems: Sequence["Problem"], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"problems": [problem.as_json() for problem in problems]}))
        return
    look.problems(source, text, problems)
