"""Scripts, modules and what else of a piece means the page as a whole: what is taken over, and what is taken away."""

from __future__ import annotations

import pytest

from fragments.head import HeadItem
from fragments.piece import Piece, read
from fragments.plan import Context
from fragments.urls import Place

CART = Place("/cart", base="/cart/fragments/mini")


def piece(source: str, context: Context = Context.FLOW) -> Piece:
    return read(source.encode(), "text/html", CART, context)


def codes(source: str, context: Context = Context.FLOW) -> list[str]:
    return [said.code for said in piece(source, context).diagnostics]


def test_a_module_that_mounts_is_taken_out_and_hinted_at() -> None:
    found = piece("<script type=module mf-mount src=/app.js crossorigin></script><p>x")
    assert (found.html, found.module, found.base) == (b"<p>x</p>", "/cart/app.js", "/cart/")
    assert found.head == (
        HeadItem(
            "modulepreload",
            "modulepreload href=/cart/app.js",
            b'<link rel="modulepreload" href="/cart/app.js">',
        ),
    )
    assert found.diagnostics == ()


MOUNTING = [
    pytest.param("<script type=module mf-mount src=a.js>", "/cart/fragments/a.js", [], id="relative to the piece"),
    pytest.param(
        "<script type=module mf-mount src=/a.js></script><script type=module mf-mount src=/b.js></script>",
        "/cart/a.js",
        ["piece-mounts"],
        id="the first of several",
    ),
    pytest.param("<script mf-mount src=/a.js></script>", "", ["piece-mount"], id="no classic script"),
    pytest.param("<script type=module mf-mount>1</script>", "", ["piece-mount"], id="none without an address"),
    pytest.param(
        "<template><script type=module mf-mount src=/a.js></script></template>", "", ["piece-mount"], id="none hidden"
    ),
]


@pytest.mark.parametrize(("source", "module", "said"), MOUNTING)
def test_which_module_mounts(source: str, module: str, said: list[str]) -> None:
    found = piece(source)
    assert (found.module, [each.code for each in found.diagnostics]) == (module, said)
    assert b"mf-mount" not in found.html


ONCE = [
    pytest.param(
        "<script src=/a.js mf-once></script>", [("script", b'<script src="/cart/a.js"></script>')], "", id="a script"
    ),
    pytest.param(
        "<script src=/a.js mf-once defer type=text/javascript></script>" * 2,
        [("script", b'<script src="/cart/a.js" defer="" type="text/javascript"></script>')],
        "",
        id="twice is once",
    ),
    pytest.param(
        "<script src=/a.js></script>", [], '<script src="/cart/a.js"></script>', id="any other stays in its order"
    ),
    pytest.param("<script mf-once>1</script>", [], "<script>1</script>", id="so does one without an address"),
    pytest.param(
        "<script mf-once type=text/x src=/a></script>", [], '<script type="text/x" src="/a"></script>', id="no script"
    ),
]


@pytest.mark.parametrize(("source", "head", "html"), ONCE)
def test_classic_scripts_that_are_wanted_once(source: str, head: list[tuple[str, bytes]], html: str) -> None:
    found = piece(source)
    assert [(item.kind, item.html) for item in found.head] == head
    assert found.html.decode().replace('/cart/a"', '/a"') == html


def test_speculation_rules_are_mapped_for_a_primary_slot() -> None:
    found = piece('<script type=speculationrules>{"prefetch":[{"urls":["/x"]}]}</script>y')
    assert [(item.kind, item.html) for item in found.head] == [
        ("speculationrules", b'<script type="speculationrules">{"prefetch":[{"urls":["/cart/x"]}]}</script>')
    ]
    assert found.html == b"y"


RULES = [
    pytest.param("<template><script type=speculationrules>{}</script></template>", id="hidden"),
    pytest.param("<script type=speculationrules>{'<!--<script>'", id="that would not end"),
]


@pytest.mark.parametrize("source", RULES)
def test_speculation_rules_that_are_left_out(source: str) -> None:
    assert (codes(source), piece(source).head) == (["piece-rules"], ())


DEFINES = [
    pytest.param("customElements.define('x-a', class {})", {"x-a"}, id="one"),
    pytest.param('window.customElements . define( "x-b",C); customElements.define(`x-c`,C)', {"x-b", "x-c"}, id="two"),
    pytest.param("customElements.define(name, C)", set(), id="who knows which"),
    pytest.param("customElements.get('x-a')", set(), id="none"),
]


@pytest.mark.parametrize(("script", "expected"), DEFINES)
def test_which_custom_elements_it_says_it_defines(script: str, expected: set[str]) -> None:
    assert piece(f"<script>{script}</script>").defines == expected
    assert piece(f"<script type=module>{script}</script>").defines == expected


def test_ids_are_those_that_a_page_can_find() -> None:
    source = "<p id=a><svg><g id=b></g></svg><template><p id=c></template><noscript><p id=d></noscript>"
    assert piece(source).ids == {"a", "b"}


DETAILS = [
    pytest.param("<details name=d open></details>", '<details name="/cart/ d" open=""></details>', id="its own"),
    pytest.param('<details name="/cart/ d"></details>', '<details name="/cart/ d"></details>', id="once"),
    pytest.param("<details name></details>", '<details name=""></details>', id="without a name"),
]


@pytest.mark.parametrize(("source", "expected"), DETAILS)
def test_a_piece_shuts_no_details_of_the_page(source: str, expected: str) -> None:
    assert piece(source).html.decode() == expected


SHADOWS = [
    pytest.param(Context.SELECT, "<template>x</template>", ["piece-shadow"], id="no element of ours around it"),
    pytest.param(Context.FLOW, '<template shadowrootmode="open">x</template>', [], id="the slot's own"),
    pytest.param(Context.PHRASE, '<template shadowrootmode="open">x</template>', [], id="in a paragraph"),
]


@pytest.mark.parametrize(("context", "expected", "said"), SHADOWS)
def test_a_shadow_root_is_never_the_shells(context: Context, expected: str, said: list[str]) -> None:
    source = "<template shadowrootmode=open>x</template>"
    assert (piece(source, context).html.decode(), codes(source, context)) == (expected, said)


def test_a_shadow_root_of_an_element_of_the_piece_stays() -> None:
    source = '<option><template shadowrootmode="open">x</template></option>'
    assert piece(source, Context.SELECT).html.decode() == source


LEFT_OUT = [
    pytest.param("<!--[if IE]><p>x<![endif]-->y", "y", id="conditional comments"),
    pytest.param("<![if !IE]><p>x</p><![endif]>", "<p>x</p>", id="and those that show"),
    pytest.param(
        "<link rel=icon href=/i><link rel=manifest href=/m><meta name=theme-color content=x>y", "y", id="icons"
    ),
]


@pytest.mark.parametrize(("source", "expected"), LEFT_OUT)
def test_what_does_not_stand_in_the_slot(source: str, expected: str) -> None:
    assert piece(source).html.decode() == expected


def test_what_changes_with_each_reading_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fragments.parse.comes_back", lambda *_: False)
    assert not piece("<p>x").stable


UNTOUCHED = [
    pytest.param('<svg srcdoc="/x" href="#a"></svg>', id="what is no document where it stands"),
    pytest.param('<script type="application/json">{"a":"/x"}</script>', id="data"),
    pytest.param('<script type="application/ld+json">{"@id":"/x"}</script>', id="linked data"),
    pytest.param('<script type="text/template"><a href="/x"></script>', id="a template"),
    pytest.param('<x-y><template shadowrootmode="open"><slot></slot></template>z</x-y>', id="a shadow root"),
]


@pytest.mark.parametrize("source", UNTOUCHED)
def test_what_stays_as_it_is(source: str) -> None:
    assert (piece(source).html.decode(), codes(source)) == (source, [])
