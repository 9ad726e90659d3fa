"""What stands where a slot is filled later, and what is sent for it."""

import pytest

import fragments.late as late
import fragments.parse as parse
import fragments.plan as plan
from fragments.contain import Fitted
from fragments.head import HeadItem
from fragments.plan import Slot

RUNTIME = (HeadItem("module", "runtime", b"<script type=module src=/r.js></script>"),)


def slot(markup: str) -> Slot:
    return plan.compile(f"<!doctype html><body>{markup}</body>".encode()).slots[0]


@pytest.mark.parametrize(
    ("markup", "stands"),
    [
        pytest.param(
            "<mf-slot name=x late><i>wait</i></mf-slot>",
            '<?start name="mf-M"?><mf-slot name="x" data-mf-slot="M"><i>wait</i></mf-slot><?end?>',
            id="marks stand outside the wrapper, so that a shadow root in it is one",
        ),
        pytest.param(
            "<p><mf-slot name=x late></mf-slot>",
            '<?start name="mf-M"?><mf-slot name="x" data-mf-slot="M"></mf-slot><?end?>',
            id="in a paragraph",
        ),
        pytest.param(
            "<table><template mf-slot=x late><tr><td>wait</template></table>",
            '<?start name="mf-M"?><!--mf:M--><tbody><tr><td>wait</td></tr></tbody><!--/mf:M--><?end?>',
            id="rows are closed, or the last mark would fall into them",
        ),
        pytest.param(
            "<table><tbody><!--mf:slot name=x late--></table>",
            '<?start name="mf-M"?><!--mf:M--><!--/mf:M--><?end?>',
            id="without a fallback",
        ),
    ],
)
def test_waiting(markup: str, stands: str) -> None:
    given = slot(markup)
    made = late.waiting(given, RUNTIME)
    assert made.html.decode() == stands.replace("M", given.mark)
    assert made.head == RUNTIME


@pytest.mark.parametrize(
    ("html", "whole"),
    [
        ('<mf-slot name="x"><b>x</b></mf-slot>', True),
        ('<mf-slot name="x"><template shadowrootmode="open"><b>x</b></template></mf-slot>', True),
        ("<tr><td>x</td></tr>", True),
        ("", True),
        ("</template><p>out", False),
        ("<!--", False),
        ("<script>", False),
        ("<textarea>", False),
        ('<a title="', False),
    ],
)
def test_a_patch_holds_what_is_in_it(html: str, whole: bool) -> None:
    given = slot("<mf-slot name=x late></mf-slot>")
    patch = late.patch(given, html.encode())
    if not whole:
        assert patch is None
        return
    assert patch is not None
    name = f"mf-{given.mark}"
    assert patch.decode() == f'<template for="{name}" data-mf-late="{given.mark}">{html}</template><!---->'
    inside = [node for node in parse.part(patch.decode(), "body") if isinstance(node, parse.Element)]
    assert [node.name for node in inside] == ["template"]


def test_lazy() -> None:
    given = slot("<mf-slot name=x lazy class=c><i>wait</i></mf-slot>")
    made = late.lazy(given, '/-/fragment/x?a="&b', RUNTIME)
    assert made.html.decode() == (
        f'<mf-slot name="x" data-mf-slot="{given.mark}" class="c" data-mf-lazy="/-/fragment/x?a=&quot;&amp;b">'
        '<i>wait</i><noscript><iframe src="/-/fragment/x?a=&quot;&amp;b" title="x" loading="lazy" '
        'style="width:100%;border:0"></iframe></noscript></mf-slot>'
    )
    assert isinstance(made, Fitted)
    assert made.head == RUNTIME
