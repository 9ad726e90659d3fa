"""What is asked for in the bench: bodies of a told size, made up but alike in every run, and what must come out.

Nothing here knows a server. A shell is the same text for everybody; only what marks its slots differs.
"""

import random
import re
from collections.abc import Callable
from html import unescape

SLOTS = 5
SHELL_BYTES = 31_000
FRAGMENT_BYTES = 3_000
WORDS = (
    *("harbour", "lantern", "meadow", "copper", "willow", "station", "evening", "garden", "window", "orchard"),
    *("ferry", "market", "stone", "river", "bicycle", "kitchen", "letter", "summer", "bridge", "castle"),
    *("morning", "valley", "paper", "mountain", "village", "island", "theatre", "museum", "bakery", "lake"),
)

Mark = Callable[[int], str]


def plain(size: int) -> bytes:
    """A body that nobody has a reason to look into."""
    chance = random.Random(size)
    return "".join(chance.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(size)).encode()


def shell(mark: Mark) -> str:
    """A page of 31 KB with five slots in its main part; `mark` says how a slot is spelled."""
    chance = random.Random(31)
    opening = _opening("A portal of many teams")
    share = (SHELL_BYTES - len(opening) - len(_CLOSING)) // (SLOTS + 1)
    sections = [_sized(share, lambda: _article(chance)) for _ in range(SLOTS + 1)]
    slots = [f"<div>{mark(number)}</div>" for number in range(1, SLOTS + 1)]
    filled = "".join(section + slot for section, slot in zip(sections, [*slots, ""], strict=True))
    return opening + filled + _CLOSING


def fragment(number: int) -> str:
    """A fragment of 3 KB: a heading and a list of offers."""
    chance = random.Random(number)
    opening = f'<section class="offers"><h2>Offers of team {number}</h2><ul>'
    closing = "</ul></section>\n"
    return opening + _sized(FRAGMENT_BYTES - len(opening) - len(closing), lambda: _offer(chance)) + closing


def page(size: int) -> str:
    """A whole page of an application that believes to live at `/`."""
    chance = random.Random(size)
    opening = _opening("An application of its own")
    return opening + _sized(size - len(opening) - len(_CLOSING), lambda: _article(chance)) + _CLOSING


def text(html: str) -> str:
    """What a person reads: no markup, no scripts, white space as one space."""
    readable = re.sub(r"(?s)<script\b.*?</script>|<!--.*?-->", " ", html)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", readable)).split())


def links(html: str) -> list[str]:
    """Where its elements lead, in order; what a gateway brings along of its own left out."""
    return [url for url in re.findall(r'\s(?:href|src|action)="([^"]*)"', html) if not url.startswith("/-/")]


def _opening(title: str) -> str:
    sheets = "".join(f'<link rel="stylesheet" href="/assets/{name}.css">' for name in ("base", "type", "grid"))
    entries = "".join(f'<li><a href="/{word}/">{word.title()}</a></li>' for word in WORDS[:8])
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>{sheets}'
        '<script src="/assets/site.js" defer></script></head>\n'
        f"<body><header><nav><ul>{entries}</ul></nav></header><main>\n"
    )


_CLOSING = '</main><footer><form action="/search"><input name="q"></form></footer></body></html>\n'


def _article(chance: random.Random) -> str:
    word = chance.choice(WORDS)
    return (
        f'<article class="card card--wide"><h3><a href="/{word}/{chance.randrange(9999)}">{word.title()}</a></h3>'
        f'<img src="/assets/{word}.jpg" alt="{word}" width="320" height="180">'
        f"<p>{_prose(chance, 60)}</p></article>\n"
    )


def _offer(chance: random.Random) -> str:
    number = chance.randrange(9999)
    return f'<li><a href="/offers/{number}">{_prose(chance, 12)}</a> <b>{number} EUR</b></li>'


def _prose(chance: random.Random, count: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(count)) + "."


def _sized(size: int, make: Callable[[], str]) -> str:
    """As many as fit, and a comment that brings it to the byte."""
    made: list[str] = []
    room = size - len("<!---->")
    while room >= len(more := make()):
        made.append(more)
        room -= len(more)
    return "".join(made) + f"<!--{'.' * room}-->"
