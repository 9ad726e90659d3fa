"""The page about mounting shows what the code does: its tables are made from the code's own.

`python -m tests.gateway.test_docs_mounting` writes them.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import fragments.rewrite as rewrite
import fragments.urls as urls
import fragments.xml as xml
import gateway.rules.fields as fields
import gateway.rules.mounting as mounting
import gateway.table as tables
from gateway.trial.spot import CHANNELS

PAGE = Path(__file__).parents[2] / "docs" / "mounting.md"
MARKED = re.compile(r"(<!-- generated: (\w+) -->\n)(.*?)(<!-- end -->)", re.S)

TAG = re.compile(r"mf\.([0-9a-f]{8})\.")

WORDS: dict[str, str] = {
    "url": "the URL",
    "public_url": "the URL, absolute as it was",
    "url_list": "each URL",
    "htmx_url": "the URL, unless it is a word",
    "htmx_location": "the URL, or `path` of the JSON",
    "refresh": "the URL after `url=`",
    "link": "every target, its anchor, and `imagesrcset`",
    "alternates": "every variant",
    "members": "every member that is a URL",
    "set_cookie": "name, Path and Domain; see cookies",
    "scope": "never reaches above the mount",
    "challenge": "realms of Basic get the mount's name",
    "referrer": "inside the site the page is told, so that the rescue works; outside as before",
    "put_below": "sources and reports of the application, by the grammar of policies",
    "permissions": "origins of the application",
    "entries": "every address reports go to",
    "report_to": "every address reports go to",
    "origin": "the application's origin becomes the public one",
    "origins": "the application's origin becomes the public one",
}
KINDS: dict[str, str] = {
    "application/xhtml+xml": "pages, in XML syntax",
    "text/css": "`url()`, `@import`, `image-set()`, the source map's comment",
    "application/manifest+json": "web manifests: start URL, scope, icons and the like",
    "application/ld+json": "JSON-LD: members that are URLs",
    "application/importmap+json": "import maps",
    "application/speculationrules+json": "speculation rules",
}
CLOSED = {
    "runtime": "the runtime",
    "rescue": "the rescue",
    "router": "`router`",
    "nothing": "nothing",
    "notice": "no leak, but good to know",
}


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(heads), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"|{'|'.join(f' {cell} ' if cell != '---' else cell for cell in line)}|\n" for line in lines)


def named(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def of_fields() -> str:
    """By what is done to them, in the order of the rules."""
    rules: dict[str, list[str]] = {}
    for name, rule in mounting.RULES.items():
        rules.setdefault(WORDS[rule.__name__], []).append(name.decode())
    return table(("Field", "What is mapped"), ((named(names), what) for what, names in rules.items()))


def of_dropped() -> str:
    return named(sorted(name.decode() for name in mounting.DROPPED - fields.HOP_BY_HOP)) + "\n"


def of_bodies() -> str:
    kinds: dict[str, list[str]] = {"pages": ["text/html"]}
    for kind in rewrite._REWRITERS:
        kinds.setdefault(KINDS.get(kind) or _family(kind), []).append(kind)
    for target in rewrite._BY_TARGET:
        kinds.setdefault(f"`{target.decode()}`", []).append("text/plain")
    return table(("Content type", "What is mapped"), ((named(names), what) for what, names in kinds.items()))


def _family(kind: str) -> str:
    if "mpegurl" in kind:
        return "playlists (HLS)"
    assert re.search(r"xml|opml|xsl", kind), f"say what {kind} is"
    return "XML documents whose root is " + named(root.decode() for root in xml.VOCABULARIES)


def of_attributes() -> str:
    changes: dict[str, dict[str, list[str]]] = {}
    for element, attributes in urls.CARRIERS.items():
        for attribute, change in attributes.items():
            changes.setdefault(change.__name__, {}).setdefault(attribute.decode(), []).append(element.decode())
    words = {
        "below": "a URL",
        "action": "a URL",
        "listed": "URLs set apart by white space",
        "candidates": "candidates of images",
    }
    rows = [
        (f"`{attribute}`", named(elements), words[change])
        for change, attributes in changes.items()
        for attribute, elements in attributes.items()
    ]
    return table(("Attribute", "Of", "What it holds"), rows)


def of_scripted() -> str:
    endings = named(f"data-*{ending}" for ending in urls.SCRIPTED_ENDINGS)
    return f"{named(urls.SCRIPTED.split())}; {endings}; `data-*srcset`, `data-*bgset`\n"


def of_channels() -> str:
    rows = [(name, known.what, CLOSED[known.closed], known.fix) for name, known in CHANNELS.items() if name != "X"]
    return table(("Channel", "What leaks", "What closes it", "What mends it"), rows)


MADE: dict[str, Callable[[], str]] = {
    "fields": of_fields,
    "dropped": of_dropped,
    "bodies": of_bodies,
    "attributes": of_attributes,
    "scripted": of_scripted,
    "channels": of_channels,
}


@pytest.mark.parametrize("part", MADE)
def test_the_page_shows_what_the_code_does(part: str) -> None:
    shown = {found[2]: found[3] for found in MARKED.finditer(PAGE.read_text())}
    assert shown[part] == MADE[part](), "run python -m tests.gateway.test_docs_mounting"


def test_names_of_cookies_are_those_of_the_example() -> None:
    assert set(TAG.findall(PAGE.read_text())) == {tables.tag("pets", "pets")}


def test_no_other_part_is_said_to_be_generated() -> None:
    assert {found[2] for found in MARKED.finditer(PAGE.read_text())} == set(MADE)


if __name__ == "__main__":
    PAGE.write_text(MARKED.sub(lambda found: found[1] + MADE[found[2]]() + found[4], PAGE.read_text()))
