"""The verbs that ask: what a running gateway serves and saw, whether it is ready, what a manifest may hold."""

import json
from typing import Annotated, Any

import typer

import gateway.errors as errors
import gateway.look as look
from gateway.verbs.options import PROBLEMS, Admin, Config, Json, State, Token, client, examples, settings_of

verbs = typer.Typer(rich_markup_mode=None)


@verbs.command(short_help="Show mounts and fragments.", epilog=examples("portico routes", "portico routes --json"))
def routes(admin: Admin = None, token: Token = "", state: State = None, as_json: Json = False) -> None:
    """Show what the running gateway serves: mounts and fragments, whose they are and where they come from."""
    with client(admin, token, state) as registry:
        table = registry.table()
    typer.echo(json.dumps(table) if as_json else "\n".join(look.routes(table)))


@verbs.command(
    short_help="Show requests that left their mount.",
    epilog=examples("portico leaks --team hotels", "portico leaks --clear"),
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
    with client(admin, token, state) as registry:
        found = [] if clear else registry.leaks(team)
        if clear:
            registry.forget_leaks(team)
    if as_json:
        typer.echo(json.dumps({"leaks": found, "cleared": clear}))
    else:
        typer.echo("Leaks are forgotten." if clear else "\n".join(look.leaks(found)))


@verbs.command(
    short_help="Forget stored answers.", epilog=examples("portico purge --tag hotels", "portico purge --url /hotels/")
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
    with client(admin, token, state) as registry:
        number = registry.purge(kind, value)
    told = {"kind": kind, "value": value, "number": number}
    typer.echo(json.dumps(told) if as_json else f"Answers of {kind} {value} are forgotten.")


@verbs.command(
    short_help="Print the JSON Schema of a manifest.",
    epilog=examples("portico schema > manifest.schema.json", "portico schema --settings"),
)
def schema(
    settings: Annotated[bool, typer.Option("--settings", help="That of portico.yaml instead.")] = False,
    as_json: Json = False,
) -> None:
    """Print the JSON Schema of a manifest, for editors."""
    typer.echo(json.dumps(_settings_schema() if settings else _manifest_schema(), indent=None if as_json else 2))


@verbs.command(
    short_help="Ask whether a gateway is ready.",
    epilog=examples("portico healthcheck", "portico healthcheck --url http://127.0.0.1:8080"),
)
def healthcheck(
    url: Annotated[str | None, typer.Option(help="The portal.  [default: where the settings let it listen]")] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Ask a gateway whether it is ready to serve; for containers that have no curl."""
    from gateway.registry.client import address

    portal = address(url or settings_of(config).listen)
    status = _status(f"{portal}/-/health/ready")
    ready = status == 200
    told = {"url": portal, "ready": ready, "status": status}
    typer.echo(json.dumps(told) if as_json else f"{portal} is {'ready' if ready else f'not ready ({status})'}.")
    if not ready:
        raise typer.Exit(PROBLEMS)


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
