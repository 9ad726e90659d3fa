"""Laws of rewriting on documents nobody wrote for them: twice is once, cut anywhere is whole, foreign bytes stay."""

import random
import re

import pytest

import fragments.rewrite as rewrite
from fragments.urls import Place
from tests.fragments.documents_of_strangers import made_up, pages

PLACE = Place("/hotels", frozenset({"http://hotels.internal:8000"}), ("/pets",), public="http://shop.test")
OPENING = b'<script src="/-/browser/mount.js"></script>'
FILES = pages()


def rewritten(source: bytes, opening: bytes = b"", cuts: random.Random | None = None) -> bytes:
    rewriting = rewrite.rewriter("text/html", PLACE, opening)
    assert rewriting is not None
    parts, at = [], 0
    while at < len(source):
        size = len(source) if cuts is None else cuts.choice([1, 2, 3, 17, 400, 5000])
        parts.append(rewriting.feed(source[at : at + size]))
        at += size
    return b"".join(parts) + rewriting.close()


def test_there_are_a_hundred() -> None:
    assert len(FILES) >= 100


@pytest.mark.parametrize("source", [pytest.param(path.read_bytes(), id=path.stem) for path in FILES])
def test_page(source: bytes) -> None:
    once = rewritten(source, OPENING)
    assert rewritten(once, OPENING) == once
    assert rewritten(source, OPENING, random.Random(len(source))) == once
    assert (OPENING in once) is source.lstrip().startswith(b"<")  # what begins with text has no head of its own


@pytest.mark.parametrize("source", [pytest.param(path.read_bytes(), id=path.stem) for path in FILES])
def test_what_is_no_url_of_this_application_stays(source: bytes) -> None:
    """Taking the prefix out again gives the page as it was, where it had none."""
    assert b"/hotels" not in source
    below = re.sub(rb"(?<![A-Za-z0-9])/hotels(?=/)", b"", rewritten(source))
    assert below == source


def test_made_up_documents() -> None:
    for number, document in enumerate(made_up(3000, 42)):
        source = document.encode()
        once = rewritten(source)
        assert rewritten(once) == once, document
        assert rewritten(source, cuts=random.Random(number)) == once, document
