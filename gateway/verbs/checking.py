"""The verbs that look for what is wrong, before anything is served: in manifests, settings, applications and shells."""

import glob
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import gateway.look as look
import gateway.verbs.pages as pages
from gateway.trial.columns import count, printable
from gateway.verbs.options import (
    PROBLEMS,
    Admin,
    Config,
    Json,
    State,
    Token,
    checked,
    examples,
    exits,
    is_url,
    settings_of,
    tell_problems,
    text_of,
)
from gateway.verbs.pages import At, Dialects, Manifests

if TYPE_CHECKING:
    from gateway.registry.check import Problem
    from gateway.settings import Settings
    from gateway.trial.shells import Shell

verbs = typer.Typer(rich_markup_mode=None)


@verbs.command(
    short_help="Say every problem of a manifest, a shell or an application.",
    epilog="\n\n".join(
        [
            exits(
                "Exit codes for a manifest or a shell",
                {0: "fine, or warnings only", 1: "problems; for a shell, slots that are not what was written"},
            ),
            exits(
                "Exit codes for an application",
                {
                    0: "nothing leaks",
                    1: "what leaks is closed by the runtime, the rescue or the router; or its shells have problems",
                    2: "some of it nothing closes",
                },
            ),
            examples(
                "portico check hotels.yaml",
                "portico check home.html --manifest 'teams/*.yaml' --json",
                "portico check shop.shtml --dialects ssi,esi --at /shop/home",
                "portico check http://127.0.0.1:8000 --pages 50 --links-to /pets",
            ),
        ]
    ),
)
def check(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL",
            help="A manifest, a shell (HTML), or the address of an application.",
            show_default=False,
        ),
    ],
    pages_read: Annotated[
        int, typer.Option("--pages", help="Pages of an application to read.", min=1, max=10_000)
    ] = 30,
    links_to: Annotated[
        list[str] | None, typer.Option(help="Another mount the application may link to; may be repeated.")
    ] = None,
    manifests: Manifests = None,
    dialects: Dialects = None,
    at: At = None,
    admin: Admin = None,
    token: Token = "",
    state: State = None,
    as_json: Json = False,
) -> None:
    """Say every problem of a manifest: asked of the running gateway, which knows the other teams, else by itself.

    A shell (a file that is HTML, by its name or its first byte) is compiled as composing compiles it. Each slot is
    told with its place, and what is wrong with a line, a cause and what mends it. With --manifest or --admin, slots
    are held against the fragments that there are.

    An application (a URL that does not end in .yaml, .yml or .json) is read by GET, some pages far, and shown below
    two prefixes: what still leads outside of them is told, with its place, what closes it, and what mends it. Those
    of its pages that have slots are checked as shells.
    """
    asked = pages.Asked(manifests, dialects, at, admin, token, state)
    if _is_application(source):
        raise typer.Exit(_tried(source, pages_read, links_to or (), asked, as_json))
    if not is_url(source) and pages.is_page(source):
        raise typer.Exit(_linted(pages.read(source, asked), as_json))
    text = text_of(source)
    problems, by = checked(text, admin, token, state)
    tell_problems(source, text, problems, as_json)
    if look.wrong(problems):
        raise typer.Exit(PROBLEMS)
    if not as_json:
        typer.echo(f"{source} is fine ({by}).")


def _is_application(source: str) -> bool:
    """Manifests are published under names that say what they are."""
    return is_url(source) and not source.partition("?")[0].endswith((".yaml", ".yml", ".json"))


def _tried(url: str, pages_read: int, links_to: Sequence[str], asked: pages.Asked, as_json: bool) -> int:
    """An application's leaks, said; the exit code that tells how bad they are."""
    import gateway.trial.trial as trial

    around = asked.around(url)
    languages = asked.languages(around)
    with look.console(err=True).status(f"reading {url}") as status:

        def tell(line: str) -> None:
            status.update(printable(line)[:100])

        outcome = trial.run(url, pages=pages_read, links_to=links_to, around=around, languages=languages, tell=tell)
    if as_json:
        typer.echo(json.dumps(outcome.as_json()))
        return outcome.code
    typer.echo("\n".join(trial.lines(outcome)))
    for shell in outcome.shells:
        typer.echo()
        _linted(shell, as_json=False)
    return outcome.code


def _linted(shell: "Shell", as_json: bool) -> int:
    """A shell's slots and problems, said; 1 if one of them is an error."""
    import gateway.trial.listing as listing

    if as_json:
        typer.echo(json.dumps(listing.as_json(shell)))
        return shell.code
    for line in listing.lines(shell):
        typer.echo(line)
    pages.tell_remarks(shell)
    if not shell.remarks:
        typer.echo(f"{shell.source.name} is fine ({shell.around.told or pages.ALONE}).")
    return shell.code


@verbs.command(
    short_help="Say every problem of settings and manifest files.",
    epilog=examples("portico validate --config portico.yaml", "portico validate teams/*.yaml"),
)
def validate(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]...", help="Manifests besides the settings'.")
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Say every problem of the settings and of all manifest files, without starting or asking anything."""
    settings = settings_of(config)
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
        typer.echo(f"The settings and {count(len(found), 'manifest')} are fine.")


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
