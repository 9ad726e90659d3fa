"""Reads what came through a proxy as a browser would, without a line of the code that is tested: the standard library.

Every reader takes the text of one marker and returns the URLs it carries, in order, as a parser would hand them on.
"""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urljoin
from xml.etree import ElementTree

Read = Callable[[str], list[str]]


class _Tags(HTMLParser):
    """Start tags with their attributes decoded, and the raw text that follows each."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named: dict[str, str] = {}
        for name, value in attrs:
            named.setdefault(name, value or "")  # the first of a name counts (HTML, 13.2.5.33)
        self.tags.append((tag, named))
        self.texts.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data


def _parsed(markup: str) -> _Tags:
    tags = _Tags()
    tags.feed(markup)
    tags.close()
    return tags


def values(markup: str, name: str) -> list[str]:
    """The values of one attribute, over all elements."""
    return [named[name] for _, named in _parsed(markup).tags if name in named]


def attribute(name: str, then: Read | None = None) -> Read:
    """URLs in an attribute: the value itself, or what another reader finds in it."""

    def read(markup: str) -> list[str]:
        found = values(markup, name)
        return found if then is None else [url for value in found for url in then(value)]

    return read


def text(then: Read) -> Read:
    """What another reader finds in the text of the elements."""
    return lambda markup: then("".join(_parsed(markup).texts))


def words(value: str) -> list[str]:
    return value.split()


def candidates(value: str) -> list[str]:
    """The URLs of a srcset; the ones written here have a descriptor each."""
    return re.findall(r"([^\s,]\S*)\s+[\d.]+[wx]", value)


def refreshed(value: str) -> list[str]:
    """`5; url=/x`, with or without `url=` and quotes (HTML, shared declarative refresh steps)."""
    found = re.fullmatch(r"\s*[\d.]+\s*[;,]?\s*(?:url\s*=\s*)?([\"']?)(.*?)\1\s*", value, re.IGNORECASE | re.DOTALL)
    return [found[2]] if found else []


_CSS = re.compile(
    r"""/\*(?:\#\s*sourceMappingURL=(?P<map>\S+))?.*?\*/
    | (?i:url)\(\s*
      (?:"(?P<double>(?:[^"\\]|\\.)*)"
        |'(?P<single>(?:[^'\\]|\\.)*)'
        |(?P<bare>(?:\\[0-9a-fA-F]{1,6}\s?|\\.|[^\s)\\"'])*))
      \s*(?:\)|$)
    | (?:@import\s+|image-set\(\s*|,\s*)(?:"(?P<string>[^"]*)"|'(?P<other>[^']*)')""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|(.))", re.DOTALL)


def sheet(css: str) -> list[str]:
    """The URLs of a style sheet (CSS Syntax, 4.3), in names and values with their escapes undone where they stand."""
    plain = re.sub(r"u\\72\s?l", "url", css)
    return [_unescaped(url) for found in _CSS.finditer(plain) for url in found.groups() if url is not None]


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], value)


def member(pointer: str) -> Read:
    """The string at one place of a JSON document (RFC 6901)."""

    def read(document: str) -> list[str]:
        found: object = json.loads(document.removeprefix("\ufeff"))
        for step in pointer.split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            found = found[int(step)] if isinstance(found, list) else found[step] if isinstance(found, dict) else None
        return [found] if isinstance(found, str) else []

    return read


def keys(pointer: str) -> Read:
    """The names of the members at one place of a JSON document."""

    def read(document: str) -> list[str]:
        found: object = json.loads(document)
        for step in pointer.split("/")[1:]:
            assert isinstance(found, dict)
            found = found[step]
        return list(found) if isinstance(found, dict) else []

    return read


def element(name: str, attribute: str | None = None) -> Read:
    """The text, or one attribute, of every element of a name in an XML document; `{space}name` with a name space."""

    def read(document: str) -> list[str]:
        found = ElementTree.fromstring(document.encode()).iter(name)
        told = [(each.text or "").strip() if attribute is None else each.get(attribute) for each in found]
        return [each for each in told if each is not None]

    return read


def matched(pattern: str) -> Read:
    """The first group of every match."""
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda value: compiled.findall(value)


def whole(value: str) -> list[str]:
    return [value.strip()]


def resolved(url: str, base: str) -> str:
    """The URL as a browser goes there (WHATWG URL, 4.4): edges trimmed, tabs and newlines dropped, `\\` is `/`."""
    cleaned = re.sub(r"[\t\n\r]", "", url.strip("".join(map(chr, range(0x21)))))
    end = min(at for at in (cleaned.find("?"), cleaned.find("#"), len(cleaned)) if at >= 0)
    return urljoin(base, cleaned[:end].replace("\\", "/") + cleaned[end:])
