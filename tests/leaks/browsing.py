"""Runs the escapes in a browser on pages below a prefix, and says of each how it ended: at home, rescued, or elsewhere.

What arrives at the root has left the mount; the two sites' own records say so, not the browser.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Browser, Error, Page

from tests.leaks.escapes import ESCAPES, GOING, KEPT, OPENING, Escape, Kept
from tests.leaks.origin import Site
from tests.leaks.stage import Stage

PATIENCE = 5.0  # seconds until what did not arrive is lost

Ending = Literal["runtime", "rescued", "leaked"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`runtime`: it never left. `rescued`: it left, and the gateway brought it back."""

    escape: Escape
    ending: Ending
    why: str = ""


@dataclass(slots=True)
class Visit:
    """One window on the application's pages, and what the browser complains of, less what names places."""

    site: Site
    page: Page
    complaints: Counter[str] = field(default_factory=Counter)

    def watch(self) -> None:
        self.page.on("pageerror", lambda error: self._complain(f"error: {error}"))
        self.page.on("console", lambda said: self._complain(said.text) if said.type == "error" else None)

    def show(self, path: str) -> None:
        self.page.goto(f"{self.site.public}{self.site.prefix}{path}", wait_until="commit")

    def told(self, path: str) -> dict[str, str]:
        """What the snippets of a page report, once all have run."""
        self.show(path)
        self.page.wait_for_function("window.over", timeout=20_000)
        told: dict[str, str] = self.page.evaluate("window.told")
        return told

    def _complain(self, said: str) -> None:
        self.complaints[re.sub(r"\b(?:https?|ws)://\S+", "…", said)] += 1


@contextmanager
def visiting(browser: Browser, site: Site) -> Iterator[Visit]:
    """A window of a profile of its own. Pages are left, never closed: closing one in mid-commit may never end."""
    context = browser.new_context()
    context.set_default_timeout(1000 * PATIENCE)
    visit = Visit(site, context.new_page())
    visit.watch()
    try:
        yield visit
    finally:
        context.close()


def outcomes(visit: Visit, root: Site | None) -> list[Outcome]:
    """Every escape tried once. Without a root, at `/`, nothing can leave."""
    told = visit.told("/js/staying")
    staying = [each for each in ESCAPES if not each.goes]
    _soon(lambda: all(set(each.asks) <= set(visit.site.asked) for each in staying if each.layer == "E"))
    return [
        *(_stayed(each, told, visit.site, root) for each in staying),
        *(_gone(each, visit, root, _went) for each in GOING),
        *(_gone(each, visit, root, _opened) for each in OPENING),
    ]


def kept(visit: Visit) -> list[tuple[Kept, str, str]]:
    """What snippets that do not escape report, and what was meant."""
    told = visit.told("/js/kept")
    return [(each, told.get(each.id, "nothing"), each.tells.replace("%X", visit.site.prefix)) for each in KEPT]


def _stayed(escape: Escape, told: dict[str, str], site: Site, root: Site | None) -> Outcome:
    said, meant = told.get(escape.id, ""), escape.tells.replace("%X", site.prefix)
    if said != meant:
        return Outcome(escape, "leaked", f"it says '{said}', not '{meant}'")
    missed = [path for path in escape.asks if path not in site.asked]
    return Outcome(escape, "leaked", f"{missed} was never asked for") if missed else _arrived(escape, root)


def _arrived(escape: Escape, root: Site | None) -> Outcome:
    left = root is not None and any(path in root.asked for path in (escape.url, *escape.asks))
    return Outcome(escape, "rescued" if left else "runtime")


def _gone(escape: Escape, visit: Visit, root: Site | None, go: Callable[[Visit, Escape], str]) -> Outcome:
    try:
        address = go(visit, escape)
    except Error as error:
        return Outcome(escape, "leaked", str(error).splitlines()[0])
    if address != f"{visit.site.public}{visit.site.prefix}{escape.url}":
        return Outcome(escape, "leaked", f"the address is {address}")
    arrived = _soon(lambda: escape.url in visit.site.asked)
    return _arrived(escape, root) if arrived else Outcome(escape, "leaked", "the application was never asked")


def _went(visit: Visit, escape: Escape) -> str:
    visit.show(f"/js/{escape.id}")
    visit.page.wait_for_url(re.compile(rf"{re.escape(escape.url)}\??(#.*)?$"))
    return visit.page.url.rstrip("?")


def _opened(visit: Visit, escape: Escape) -> str:
    with visit.page.expect_popup() as opened:
        visit.show(f"/js/{escape.id}")
    opened.value.wait_for_url(re.compile(rf"{re.escape(escape.url)}$"))
    return opened.value.url


def _soon(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return held


def tried(browser: Browser, stage: Stage) -> tuple[list[Outcome], Counter[str]]:
    """All outcomes below the stage's prefix, and what the browser complained of."""
    with visiting(browser, stage.site) as visit:
        return outcomes(visit, stage.root), visit.complaints
