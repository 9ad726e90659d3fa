"""What stands around a slot, and how its content is read."""

from __future__ import annotations

import pytest

from fragments.slot import Context, Slot, around, bare, parsed_as
from tests.fragments.shells import SLOT, only

WRAPPERS = [
    pytest.param(SLOT, '<mf-slot name="n" data-mf-slot="@">', "</mf-slot>", id="an element"),
    pytest.param(
        "<mf-slot name=n class=c></mf-slot>", '<mf-slot name="n" data-mf-slot="@" class="c">', "</mf-slot>", id="kept"
    ),
    pytest.param(f"<table>{SLOT}", "<!--mf:@-->", "<!--/mf:@-->", id="comments in a table"),
    pytest.param(f"<head>{SLOT}</head>", "<!--mf:@-->", "<!--/mf:@-->", id="comments in a head"),
    pytest.param(f"<svg>{SLOT}", '<g data-mf-name="n" data-mf-slot="@">', "</g>", id="a group in svg"),
    pytest.param(f"<math>{SLOT}", '<mrow data-mf-name="n" data-mf-slot="@">', "</mrow>", id="a row in mathml"),
]


@pytest.mark.parametrize(("shell", "before", "after"), WRAPPERS)
def test_wrapper(shell: str, before: str, after: str) -> None:
    slot = only(shell)
    assert slot.wrapper() == (before.replace("@", slot.mark), after.replace("@", slot.mark))


def test_the_bare_wrapper_has_no_attributes() -> None:
    slot = only("<mf-slot name=n class=c></mf-slot>")
    assert (bare(slot), bare(slot, "section")) == (("<mf-slot>", "</mf-slot>"), ("<section>", "</section>"))
    assert bare(only(f"<table>{SLOT}")) == only(f"<table>{SLOT}").wrapper()


def test_around() -> None:
    slot = Slot("n", chain=("html", "body", "p"), quirks=True)
    assert (around(slot).chain, around(slot).wrapper, around(slot).quirks) == (slot.chain, bare(slot), True)


READ_IN = [
    (Context.FLOW, ("div", "html")),
    (Context.PHRASE, ("div", "html")),
    (Context.HEAD, ("head", "html")),
    (Context.TBODY, ("tbody", "html")),
    (Context.SVG, ("svg", "svg")),
    (Context.MATH, ("math", "math")),
]


@pytest.mark.parametrize(("context", "element"), READ_IN)
def test_what_content_is_parsed_in(context: Context, element: tuple[str, str]) -> None:
    assert parsed_as(context) == element
