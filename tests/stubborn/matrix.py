"""Every application at the root of its own host and below two prefixes, and the page of the docs that says how it went.

    python -m tests.stubborn.matrix [NAME…] [--write]

tries the named applications, or all of them, and prints what differs; --write puts their rows into docs/stubborn.md.
"""

import json
import re
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Error

import tests.kit.browser
from tests.live.portal import Portal, gateway_for
from tests.stubborn import apps, js_apps
from tests.stubborn.crawl import App, Seen, Visit, differences, used, visiting

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "stubborn.md"
APPS = {app.name: app for app in (*apps.APPS, *js_apps.APPS)}
PREFIXES = {"one": "/apps/one", "two": "/x"}
TABLE = re.compile(r"^\| Application \|.*\n(?:\|.*\n)+", re.MULTILINE)


class Row(NamedTuple):
    """What the docs say of one application."""

    title: str
    one: str
    two: str
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one application did below one prefix."""

    prefix: str
    differences: list[str]
    rescued: int
    pages: int
    steps: int

    def __str__(self) -> str:
        if self.differences:
            return f"{len(self.differences)} difference{'s' * (len(self.differences) > 1)}"
        rescued = f", {self.rescued} rescued" if self.rescued else ""
        return f"same ({self.steps} steps, {self.pages} pages{rescued})"


def tried(app: App, browser: Browser, folder: Path) -> list[Outcome]:
    """The application directly, then below each prefix of one gateway, each time as a visitor who was never there."""
    direct = _directly(app, browser, folder / "direct")
    with ExitStack() as life:
        hosts = {name: life.enter_context(app.start(made(folder / name))) for name in PREFIXES}
        portal = life.enter_context(gateway_for(folder / "gateway", manifests(app, hosts)))
        return [_below(app, browser, portal, prefix, hosts, direct) for prefix in PREFIXES.values()]


def _directly(app: App, browser: Browser, folder: Path) -> Seen:
    with app.start(made(folder)) as origin, browser.new_context() as context, visiting(app, context, origin) as visit:
        return used(visit)


def _below(app: App, browser: Browser, portal: Portal, prefix: str, hosts: dict[str, str], direct: Seen) -> Outcome:
    with (
        browser.new_context() as context,
        visiting(app, context, portal.url + prefix, frozenset(hosts.values())) as visit,
    ):
        try:
            used(visit)
            stuck = []
        except (AssertionError, Error) as error:
            stuck = [f"stuck after {_last(visit)}: {str(error).strip().splitlines()[0]}, at {visit.told()}"]
        found = stuck + differences(direct, visit.seen)
        return Outcome(prefix, found, len(visit.seen.rescued), len(visit.seen.pages), len(visit.seen.steps))


def _last(visit: Visit) -> str:
    return list(visit.seen.steps)[-1] if visit.seen.steps else "the start"


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def manifests(app: App, hosts: dict[str, str]) -> dict[str, str]:
    """Each copy is another team's. JSON is YAML."""
    return {
        name: json.dumps(
            {
                "team": name,
                "upstreams": {name: {"origins": [host]}},
                "mounts": {PREFIXES[name]: {"upstream": name, **app.mount}},
            }
        )
        for name, host in hosts.items()
    }


def rows() -> dict[str, Row]:
    """The rows of the table in the docs, by the application's title."""
    found = [Row(*map(str.strip, line.strip("|").split("|"))) for line in _table()[0].splitlines()[2:]]
    return {row.title: row for row in found}


def write(outcomes: dict[str, list[Outcome]]) -> None:
    """Puts what was found into the table, and leaves the reasons that somebody wrote."""
    known, untried = rows(), Row("", "not tried", "not tried", "")
    table = _table()
    lines = table[0].splitlines()[:2]
    for app in APPS.values():
        row = known.get(app.title, untried)._replace(title=app.title)
        if app.name in outcomes:
            one, two = map(str, outcomes[app.name])
            row = row._replace(one=one, two=two)
        lines.append(f"| {' | '.join(row)} |")
    text = PAGE.read_text()
    PAGE.write_text(text[: table.start()] + "\n".join(lines) + "\n" + text[table.end() :])


def _table() -> re.Match[str]:
    found = TABLE.search(PAGE.read_text())
    assert found, f"{PAGE} has no table of applications"
    return found


def main(words: list[str]) -> int:
    names = [word for word in words if not word.startswith("--")] or list(APPS)
    found: dict[str, list[Outcome]] = {}
    with tests.kit.browser.launched(tests.kit.browser.find()) as browser:
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                found[name] = tried(APPS[name], browser, Path(folder))
            _say(name, found[name])
            if "--write" in words:
                write(found)
    return int(any(outcome.differences for outcomes in found.values() for outcome in outcomes))


def _say(name: str, outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        print(f"{name} below {outcome.prefix}: {outcome}", flush=True)
        for line in outcome.differences:
            print(f"    {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
