"""A site whose pages carry the slots runtime. It stands in for a gateway: what it sends looks as what a gateway sends.

Pages are text, or chunks and pauses of a page that streams. Everything that was asked for is remembered.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page

from gateway.browser.scripts import OWN, slots_tag
from tests.kit import browser as chromium
from tests.kit.origin import Answer, Origin, Seen

KINDS = {"js": "text/javascript", "css": "text/css", "json": "application/json"}
ICON = '<link rel="icon" href="data:,">'
Chunks = list[str | float]


@dataclass
class Site:
    pages: dict[str, str | Chunks] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    fields: list[tuple[str, str]] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    nonce: str = ""
    soft: bool = False
    shell: str = "5e11"

    def __post_init__(self) -> None:
        self.origin = Origin(self.answer)

    @property
    def tag(self) -> str:
        tag = slots_tag(self.shell, self.soft).decode()
        return tag.replace("<script", f'<script nonce="{self.nonce}"') if self.nonce else tag

    def page(self, body: str, head: str = "", title: str = "a page") -> str:
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{ICON}{self.tag}{head}'
            f"</head><body>{body}</body></html>"
        )

    def fragment(self, path: str, inside: str, head: str = "", name: str = "x", **more: str) -> None:
        """What the gateway answers below /-/fragment/: a small document around the filled slot."""
        told = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in more.items())
        slot = f'<mf-slot name="{name}" data-mf-slot="0"{told}>{inside}</mf-slot>'
        self.pages[path] = (
            f'<!doctype html><html><head><meta charset="utf-8"><title>x</title>{head}</head><body>{slot}</body></html>'
        )

    def plan(
        self,
        path: str,
        title: str | None,
        *slots: tuple[str, str],
        shell: str | None = None,
        kept: Sequence[Sequence[str]] = (),
    ) -> None:
        """What the gateway answers below /-/slots: marks and sources of a page's slots, and their own attributes."""
        told = [{"mark": mark, "name": "x", "src": source, "kept": kept} for mark, source in slots]
        answer = {"shell": self.shell if shell is None else shell, "title": title, "slots": told}
        self.files["/-/slots" + path] = json.dumps(answer)

    def asked(self, path: str) -> int:
        return sum(target == path for target in self.origin.targets)

    def answer(self, seen: Seen) -> Answer:
        delay = self.slow.get(seen.target, 0.0)
        if found := OWN.get(seen.path.encode()):
            return Answer(found[1], headers=[("Content-Type", found[0].decode()), ("Cache-Control", "max-age=600")])
        if seen.target in self.files:
            kind = "application/json" if seen.path.startswith("/-/slots") else KINDS[seen.path.rpartition(".")[2]]
            headers = [("Content-Type", kind), ("Cache-Control", "no-store")]
            return Answer(self.files[seen.target].encode(), headers=headers, delay=delay)
        if seen.target in self.moved:
            return Answer(b"", 302, [("Location", self.moved[seen.target])])
        page = self.pages.get(seen.target)
        if page is None:
            return Answer(b"nobody", 404, [("Content-Type", "text/plain")])
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"), *self.fields]
        if isinstance(page, str):
            return Answer(page.encode(), headers=headers, delay=delay)
        return Answer([each.encode() if isinstance(each, str) else each for each in page], headers=headers)


@dataclass
class Visit:
    """A tab on the site, and all that was complained of in it."""

    site: Site
    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", self._error)

    @property
    def path(self) -> str:
        return str(self.run("location.pathname + location.search + location.hash"))

    def open(self, body: str | Chunks, head: str = "", path: str = "/page", ends: bool = True) -> None:
        """Shows a page with this body; one that streams is given whole, and not waited for unless it `ends`."""
        self.site.pages[path] = body if isinstance(body, list) else self.site.page(body, head)
        self.page.goto(self.site.origin.url + path, wait_until="load" if ends else "commit")

    def run(self, script: str) -> object:
        result: object = self.page.evaluate(script)
        return result

    def until(self, condition: str) -> None:
        """Asks from outside: what a page asks of itself again and again, a strict policy forbids."""
        end = time.monotonic() + 10
        while not self._holds(condition):
            assert time.monotonic() < end, f"not yet: {condition}; {self.complaints}"
            self.page.wait_for_timeout(20)

    def _holds(self, condition: str) -> bool:
        try:
            return self.run(f"!!({condition})") is True
        except Error as error:  # between two pages there is none to ask
            if "context was destroyed" not in error.message:
                raise
            return False

    def text(self, selector: str) -> str:
        return " ".join(str(self.run(f"document.querySelector({selector!r}).textContent")).split())

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _error(self, error: Error) -> None:
        self.complaints.append(error.message)


@contextmanager
def visiting(context: BrowserContext, site: Site | None = None) -> Iterator[Visit]:
    site = site or Site()
    with site.origin:
        page = context.new_page()
        try:
            yield Visit(site, page)
        finally:
            page.close()


@contextmanager
def without_patching(browser: Browser) -> Iterator[Browser]:
    """The same browser before it knew `<template for>`; `browser` itself knows it."""
    found = chromium.find()
    other = browser.browser_type.launch(
        executable_path=found.path,
        args=[*chromium.QUIET, "--disable-blink-features=DocumentPatching"],
        env={**os.environ, **found.env},
        chromium_sandbox=False,
    )
    try:
        yield other
    finally:
        other.close()


# ---- What pages and fragments are written with ----------------------------------------------------------------------

ERRORS = (
    "<script>addEventListener('mf:error', "
    "(event) => (window.errors ||= []).push([event.target.localName, event.detail]))</script>"
)
RUNS = "window.ran = (window.ran || []).concat"
SHADE = '<template shadowrootmode="open"><style></style>{}</template>'

MODULE = """
const note = (what, element, { base, name }) =>
  (window.notes ||= []).push([what, element.localName ?? "shadow", base, name, element.children.length])
export const mount = (element, context) => {
  note("mount", element, context)
  window.signal = context.signal
  window.context = context
  return () => window.notes.push("unmount " + context.signal.aborted)
}
"""
HYDRATES = MODULE + "export const hydrate = (...all) => { note('hydrate', ...all); return mount(...all) }"


def module(inside: str = "", address: str = "/hotels/app.js", more: str = "") -> str:
    told = f'data-mf-module="{address}" data-mf-base="/hotels/"{more}'
    return f'<mf-slot name="x" data-mf-slot="1" {told}>{inside}</mf-slot>'


def lazy(address: str = "/-/fragment/x?a=1", fallback: str = "<p>wait</p>", mark: str = "7", more: str = "") -> str:
    frame = f'<noscript><iframe src="{address}"></iframe></noscript>'
    return f'<mf-slot name="x" data-mf-slot="{mark}" data-mf-lazy="{address}"{more}>{fallback}{frame}</mf-slot>'
