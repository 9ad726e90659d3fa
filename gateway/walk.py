"""Walks a portal as a visitor's browser would: from one page along its links, stylesheets, scripts and pictures.

Stays on the site it began with, tells what it saw as values, and judges nothing.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx

# Attributes a browser or a visitor follows by GET. A form is not a link: what it sends is the visitor's to say.
LINKS = {
    "a": ("href",),
    "area": ("href",),
    "audio": ("src",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href", "imagesrcset"),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
UNFETCHED = {"dns-prefetch", "preconnect"}
HIDDEN = {"script", "style", "template", "title", "noscript"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
CSS_URL = re.compile(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^\s"')]*))\s*\)|@import\s+(?:"([^"]*)"|'([^']*)')""", re.I)
SLOT = re.compile(r"""<(?:mf-slot|!--mf:slot)\b[^>]*?\bname="([^"]+)"|<template\b[^>]*?\bmf-slot="([^"]+)\"""")
CSS_COMMENT = re.compile(r"/\*.*?\*/", re.S)


@dataclass(frozen=True, slots=True)
class Step:
    """One address, who named it, and how it answered. Status 0: not at all, `fault` says why."""

    url: str
    via: str
    status: int
    kind: str = ""
    fault: str = ""

    @property
    def good(self) -> bool:
        return self.status == 200


async def walk(client: httpx.AsyncClient, start: str, limit: int = 200) -> list[Step]:
    """Breadth first from `start`, at most `limit` addresses; a redirect counts as what it leads to."""
    site = _site(start)
    waiting = deque([(start, "")])
    known = {start}
    steps: list[Step] = []
    while waiting and len(steps) < limit:
        url, via = waiting.popleft()
        step, base, text = await _visit(client, url, via)
        steps.append(step)
        for link in sorted(links(text, base, step.kind)) if step.good else ():
            if _site(link) == site and link not in known:
                known.add(link)
                waiting.append((link, url))
    return steps


def links(text: str, base: str, kind: str) -> set[str]:
    """The addresses a page or a stylesheet names, absolute, without their `#…`."""
    match kind:
        case "text/html":
            page = _Page()
            page.feed(text)
            page.close()
            found: Iterator[str] = iter(page.links)
            base = _absolute(base, page.base) or base
        case "text/css":
            found = _css(text)
        case _:
            return set()
    absolute = (_absolute(base, link.strip()) for link in found if link.strip())
    return {link for link in absolute if link.startswith(("http://", "https://"))}


def _absolute(base: str, link: str) -> str:
    """A link with its base and without its fragment; empty when it is none."""
    try:
        return urldefrag(urljoin(base, link)).url
    except ValueError:
        return ""


def words(html: str) -> str:
    """What a reader sees of a page: its text, one blank between words."""
    return _read(html).text


def headline(piece: str) -> str:
    """What a piece is known by on a page: its first heading, else its first words."""
    page = _read(piece)
    return page.heading or page.text[:40].strip()


def slots(shell: str) -> list[str]:
    """The fragments a shell names, as its origin wrote them, in order."""
    return [match[1] or match[2] for match in SLOT.finditer(shell)]


async def _visit(client: httpx.AsyncClient, url: str, via: str) -> tuple[Step, str, str]:
    try:
        answer = await client.get(url, follow_redirects=True)
    except httpx.HTTPError as error:
        return Step(url, via, 0, fault=f"{type(error).__name__}: {error}".rstrip(": ")), url, ""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    text = answer.text if kind in ("text/html", "text/css") else ""
    return Step(url, via, answer.status_code, kind), str(answer.url), text


def _site(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _css(text: str) -> Iterator[str]:
    for match in CSS_URL.finditer(CSS_COMMENT.sub("", text)):
        yield next((group for group in match.groups() if group), "")


def _srcset(value: str) -> Iterator[str]:
    """Candidates of a srcset; data: URLs hold commas and are not fetched, so they may fall apart."""
    for candidate in re.split(r",\s+|,$", value):
        yield candidate.strip().partition(" ")[0]


def _read(html: str) -> "_Page":
    page = _Page()
    page.feed(html)
    page.close()
    return page


class _Page(HTMLParser):
    """Reads a page's links, text and first heading in one go."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.base = ""
        self._words: list[str] = []
        self._heading: list[str] = []
        self._hidden: list[str] = []
        self._in_heading = 0

    @property
    def text(self) -> str:
        return " ".join("".join(self._words).split())

    @property
    def heading(self) -> str:
        return " ".join("".join(self._heading).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "base" and not self.base:
            self.base = values.get("href", "")
        if not (tag == "link" and UNFETCHED & set(values.get("rel", "").lower().split())):
            self._take(tag, values)
        self.links += _css(values.get("style", ""))
        if tag in HIDDEN and "shadowrootmode" not in values:
            self._hidden.append(tag)
        if tag in HEADINGS and not self.heading:
            self._in_heading += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in HIDDEN and tag in self._hidden:
            self._hidden.remove(tag)
        if tag in HEADINGS and self._in_heading:
            self._in_heading -= 1

    def handle_data(self, data: str) -> None:
        if self._hidden and self._hidden[-1] == "style":
            self.links += _css(data)
        if not self._hidden:
            self._words.append(data)
            if self._in_heading:
                self._heading.append(data)

    def _take(self, tag: str, values: dict[str, str]) -> None:
        for name in LINKS.get(tag, ()):
            value = values.get(name, "")
            self.links += _srcset(value) if name.endswith("srcset") else [value]
