"""The verbs of `portico`: what was asked goes to the room that can do it, what comes back is said to people or as JSON.

Nothing is decided here. A verb imports what it needs when it runs, so that `portico --help` is there at once.
"""

import glob
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

import gateway.errors as errors

if TYPE_CHECKING:
    from gateway.demo.control import Verb
    from gateway.demo.leash import Say
    from gateway.demo.stage import Demo
    from gateway.registry.check import Problem
    from gateway.registry.client import Client
    from gateway.settings import Settings

ADMIN = "http://127.0.0.1:8081"
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
    say = _log(err=as_json)
    raise typer.Exit(asyncio.run(life.run(order, say, _ready_json if as_json else _ready)))


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
    _show(source, text, taken.warnings)
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


@app.command(
    short_help="Say every problem of a manifest.",
    epilog=_examples("portico check hotels.yaml", "portico check hotels.yaml --json"),
)
def check(source: Source, admin: Admin = None, token: Token = "", state: State = None, as_json: Json = False) -> None:
    """Say every problem of a manifest: asked of the running gateway, which knows the other teams, else by itself."""
    text = _text(source)
    problems, by = _checked(text, admin, token, state)
    _tell_problems(source, text, problems, as_json)
    if _wrong(problems):
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
            _show(file, text, problems)
    wrong = sum(_wrong(problems) for _, _, problems in found)
    if wrong:
        raise typer.Exit(PROBLEMS)
    if not as_json:
        typer.echo(f"The settings and {_count(len(found), 'manifest')} are fine.")


# Asking.


@app.command(short_help="Show mounts and fragments.", epilog=_examples("portico routes", "portico routes --json"))
def routes(admin: Admin = None, token: Token = "", state: State = None, as_json: Json = False) -> None:
    """Show what the running gateway serves: mounts and fragments, whose they are and where they come from."""
    with _client(admin, token, state) as client:
        table = client.table()
    typer.echo(json.dumps(table) if as_json else "\n".join(_routes(table)))


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
        if name == "page_deadline" or name.endswith("_bytes"):
            spec["type"] = ["number", "string"]
        elif spec.get("type") == "boolean":
            spec["type"] = ["boolean", "string"]
        elif spec.get("type") == "array":
            spec["type"] = ["array", "string"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "additionalProperties": False} | told


# How it looks.


def _console(*, err: bool = False) -> Any:
    """Colours on a terminal only, and not where NO_COLOR is set; lines are never broken."""
    from rich.console import Console

    return Console(stderr=err, highlight=False, soft_wrap=True, markup=False, emoji=False)


def _tell_problems(source: str, text: str, problems: Sequence["Problem"], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"problems": [problem.as_json() for problem in problems]}))
        return
    _show(source, text, problems)


def _wrong(problems: Iterable["Problem"]) -> int:
    return sum(problem.level == "error" for problem in problems)


def _show(source: str, text: str, problems: Sequence["Problem"]) -> None:
    """Each problem with the line it stands in; their number at the end."""
    if not problems:
        return
    from rich.text import Text

    console = _console()
    lines = text.splitlines()
    for problem in problems:
        colour = "red" if problem.level == "error" else "yellow"
        at = f"{source}:{problem.line}:{problem.column}" if problem.line else source
        console.print(Text.assemble((at, "bold"), "  ", (problem.path, "cyan"), "  ", (problem.message, colour)))
        for row in _excerpt(lines, problem):
            console.print(Text(row, "dim"))
        if problem.hint:
            console.print(Text(f"    hint: {problem.hint}"))
    wrong = _wrong(problems)
    counts = [_count(wrong, "problem")] if wrong else []
    counts += [_count(len(problems) - wrong, "warning")] if len(problems) > wrong else []
    console.print(Text(f"{source}: {' and '.join(counts)}.", "bold"))


def _excerpt(lines: Sequence[str], problem: "Problem") -> Iterator[str]:
    """The offending line and a caret below its column; long lines are shown around it."""
    if not problem.line or problem.line > len(lines):
        return
    line, column = lines[problem.line - 1].expandtabs(1), problem.column or 1
    start = max(0, column - 60)
    yield f"    {problem.line:>4} | {line[start : start + 110].rstrip()}"
    yield f"         | {' ' * (column - 1 - start)}^"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _routes(table: dict[str, Any]) -> Iterator[str]:
    """Mounts and fragments in columns; where an upstream's origins are several, all of them."""
    origins = {upstream["name"]: ", ".join(upstream["origins"]) for upstream in table["upstreams"]}
    mounts = [(*_named(row["prefix"], row), origins.get(row["upstream"], "")) for row in table["mounts"]]
    fragments = [(*_named(row["name"], row), row["path"], *_times(row)) for row in table["fragments"]]
    yield from _columns([("MOUNT", "TEAM", "UPSTREAM", "ORIGINS"), *mounts])
    yield ""
    yield from _columns([("FRAGMENT", "TEAM", "UPSTREAM", "PATH", "WAITS AT MOST", "KEPT"), *fragments])
    yield ""
    yield f"Table {table['number']}: {_count(len(mounts), 'mount')}, {_count(len(fragments), 'fragment')}."


def _named(name: str, row: dict[str, Any]) -> tuple[str, str, str]:
    hosts = " on " + ", ".join(row["hosts"]) if row.get("hosts") else ""
    return name + hosts, row["team"], row["upstream"]


def _times(fragment: dict[str, Any]) -> tuple[str, str]:
    from gateway.model import CachePolicy, kept, spoken

    cache = fragment["cache"]
    return spoken(fragment["timeout"]), kept(None if cache is None else CachePolicy.model_validate(cache))


COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_red")


def _log(*, err: bool) -> "Say":
    """One log of all processes: who speaks is told by name and colour."""
    from rich.text import Text

    console = _console(err=err)
    colours: dict[str, str] = {"demo": "bold", "smoke": "bold"}

    def say(who: str, what: str) -> None:
        colour = colours.setdefault(who, COLOURS[len(colours) % len(COLOURS)])
        console.print(Text.assemble((f"{who:>8} │ ", colour), Text.from_ansi(_for_people(what))))

    return say


def _for_people(line: str) -> str:
    """A fact of the gateway, which writes JSON into a pipe, as one reads it; any other line stays."""
    try:
        fact = json.loads(line) if line.startswith('{"fact"') else {}
        clock = time.strftime("%H:%M:%S", time.localtime(fact.get("at", 0)))
        match fact.get("fact"):
            case "served":
                took = f"{fact['seconds'] * 1000:.1f} ms"
                words = (fact["method"], fact["target"], took, fact["cache"], fact["error"])
                told = f"{clock} {fact['status']} {' '.join(word for word in words if word)}"
            case "degraded":
                told = (
                    f"{clock} slot {fact['fragment']} of {fact['team'] or 'nobody'}: {fact['outcome']}, {fact['why']}"
                )
            case "noticed":
                told = f"{clock} {fact['room']}: {fact['what']}"
            case _:
                return line
    except (ValueError, KeyError, TypeError, AttributeError):
        return line
    return "".join(letter if letter.isprintable() else "�" for letter in told)


def _ready(demo: "Demo") -> None:
    """Where everything is, and three things to try, each with its way back."""
    from rich.text import Text

    console = _console()
    rows = [("Portal", f"{demo.portal}/"), ("Registry", f"{demo.admin}/")]
    rows += [("its token", os.path.relpath(demo.state / "admin.token"))]
    console.print()
    for label, value in rows:
        console.print(Text.assemble(f"  {label:<22}", (value, "bold")))
    console.print("\n  Three things to try, in another terminal:\n")
    for label, command in _tries(demo):
        console.print(Text.assemble(f"  {label:<22}", (command, "bold cyan")))
    console.print("\n  Ctrl-C ends everything.\n")


def _tries(demo: "Demo") -> Iterator[tuple[str, str]]:
    where = f" --state {os.path.relpath(demo.state)}" if demo.keeps_state else ""
    admin = "" if demo.admin == ADMIN else f" --admin {demo.admin}"
    victim, slow = _victims(demo)
    yield "kill a team", f"{demo.program} demo kill {victim}{where}"
    yield "  and back", f"{demo.program} demo start {victim}{where}"
    yield "slow a team", f"{demo.program} demo slow {slow} 3s{where}"
    yield "  and back", f"{demo.program} demo slow {slow} 0s{where}"
    for team in demo.newcomers[:1]:
        yield "register a fragment", f"{demo.program} register {os.path.relpath(demo.manifest(team))}{admin}{where}"
        yield "  and back", f"{demo.program} withdraw {team.name}{admin}{where}"


def _victims(demo: "Demo") -> tuple[str, str]:
    """Teams that may fail before one's eyes: those that do not own the page itself."""
    names = [team.name for team in demo.crew if team.registered and team.name != "shell"]
    return names[0], names[-1] if len(names) < 2 else names[1]


def _ready_json(demo: "Demo") -> None:
    from dataclasses import asdict

    told = {key: value for key, value in asdict(demo.running()).items() if key not in ("secret", "control")}
    typer.echo(json.dumps(told))
