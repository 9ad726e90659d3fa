"""A rewritten document, as Chromium reads it, is the original with its URLs mapped, and nothing else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

import fragments.rewrite as rewrite
from fragments.urls import Place
from tests.browser.dom import differences, read
from tests.fragments.documents_of_strangers import made_up, pages

PLACE = Place("/hotels", frozenset({"http://hotels.internal:8000"}), ("/pets",), public="http://shop.test")


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def wrong(page: Page, sources: list[str]) -> list[str]:
    """Documents that came out as something else, each with the first difference."""
    rewritten = [rewrite.html(source.encode(), PLACE).decode() for source in sources]
    found = []
    for source, before, after in zip(sources, read(page, sources), read(page, rewritten), strict=True):
        if first := next(differences(before, after, PLACE), None):
            found.append(f"{first}\n  in {source[:400]!r}")
    return found


def test_pages_of_packages(page: Page) -> None:
    sources = [path.read_text("utf-8") for path in pages()]
    assert len(sources) >= 100
    assert wrong(page, sources) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_thousand_made_up_documents(page: Page, seed: int) -> None:
    found = wrong(page, list(made_up(1000, seed)))
    assert not found, f"{len(found)} of 1000:\n" + "\n".join(found[:10])


@pytest.mark.long
def test_fifty_thousand_more(page: Page) -> None:
    """In one of ten thousand it takes the tree to know whether a tag counts at all, which a scanner does not build."""
    found = wrong(page, list(made_up(50_000, 1_000)))
    assert len(found) <= 5, f"{len(found)} of 50000:\n" + "\n".join(found[:10])
