"""Shells in other languages: every include in its place, under its conditions, with where it leads."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gateway.table as tables
import gateway.trial.shells as shells
import gateway.trial.spoken as spoken
from gateway.model import Manifest
from gateway.trial.shells import Around, Inclusion, Shell, Source

ALL = ("esi", "ssi", "tailor", "include")
PAGE = b"""<!doctype html>
<title>Shop</title>
<body>
<esi:include src="/cart?of=$(HTTP_COOKIE{user})"/>
<esi:choose>
  <esi:when test="$(HTTP_COOKIE{group})=='a'">
    <table><tbody><esi:include src="/rows"
        alt="/older"
        onerror="continue"/></tbody></table>
  </esi:when>
  <esi:otherwise><mf-slot name="team.box"></mf-slot>
    <esi:try><esi:attempt><esi:include src="http://other.test/"/></esi:attempt>
      <esi:except><esi:include src="sorry.html"/></esi:except></esi:try>
  </esi:otherwise>
</esi:choose>
<!--#if expr="$arg_lang = de" --><!--#include virtual="/de" --><!--#else --><!--#include virtual="/en" --><!--#endif -->
<fragment src="http://shop:8000/nav"
    primary>
  its content
</fragment>
<h-include src="/later" alt="/never">
</h-include>
<mf-slot name="team.last"></mf-slot>
<script>"<esi:include src='/json'/>"</script>
"""


def read(body: bytes, languages: Sequence[str] = ALL, around: Around = shells.NOWHERE) -> Shell:
    return spoken.read(Source("shop.html", body), around, languages)


def at(line: int, shell: Shell) -> Inclusion:
    (found,) = [each for each in shell.inclusions if each.line == line]
    return found


def test_every_include_of_every_branch_is_told_in_the_line_where_it_stands() -> None:
    told = [(each.line, each.language, each.source) for each in read(PAGE).inclusions]
    assert told == [
        (4, "esi", "/cart?of=$(HTTP_COOKIE{user})"),
        (7, "esi", "/rows"),
        (12, "esi", "http://other.test/"),
        (13, "esi", "sorry.html"),
        (16, "ssi", "/de"),
        (16, "ssi", "/en"),
        (17, "tailor", "http://shop:8000/nav"),
        (21, "include", "/later"),
        (24, "esi", "/json"),
    ]


def test_slots_of_ours_keep_their_lines_behind_whatever_went() -> None:
    assert [(slot.line, slot.name) for slot in read(PAGE).slots] == [(11, "team.box"), (23, "team.last")]


def test_each_stands_where_it_really_does() -> None:
    slot = at(7, read(PAGE)).slot
    assert slot is not None
    assert (slot.context.value, slot.chain) == ("tbody", ("html", "body", "table", "tbody"))


@pytest.mark.parametrize(
    ("line", "when", "depends"),
    [
        pytest.param(4, (), ("$(HTTP_COOKIE{user})",), id="a value in its address"),
        pytest.param(7, ("$(HTTP_COOKIE{group})=='a'",), ("$(HTTP_COOKIE{group})",), id="a test around it"),
        pytest.param(12, ("none of the tests before holds",), (), id="otherwise"),
        pytest.param(13, ("none of the tests before holds", "an include of its attempt fails"), (), id="except"),
        pytest.param(17, (), (), id="none"),
    ],
)
def test_what_of_the_request_decides(line: int, when: tuple[str, ...], depends: tuple[str, ...]) -> None:
    found = at(line, read(PAGE))
    assert (found.when, found.depends) == (when, depends)


def test_tests_of_ssi_are_told_as_written() -> None:
    told = [(each.when, each.depends) for each in read(PAGE).inclusions if each.line == 16]
    assert told == [(("$arg_lang = de",), ("${arg_lang}",)), (("none of the tests before holds",), ())]


@pytest.mark.parametrize(
    ("line", "failing"),
    [
        pytest.param(4, "no page (502)", id="ESI: the page's failure"),
        pytest.param(7, "/older, then nothing", id="alt, then onerror=continue"),
        pytest.param(12, "the except of its try", id="in an attempt"),
        pytest.param(17, "its own content", id="Tailor: its content"),
        pytest.param(21, "/never, then the element as it is", id="h-include: alt, then the viewer's script"),
    ],
)
def test_what_is_shown_if_it_fails(line: int, failing: str) -> None:
    assert at(line, read(PAGE)).failing == failing


def test_a_stub_of_ssi_stands_in() -> None:
    (found,) = read(
        b'<!--# block name="b" -->sorry<!--# endblock --><!--# include virtual="/x" stub="b" -->'
    ).inclusions
    assert found.failing == "its stub"


def test_an_include_where_no_markup_can_be_is_refused() -> None:
    shell = read(PAGE)
    found = at(24, shell)
    assert (found.refused, found.slot) == (True, None)
    assert [(remark.code, remark.line) for remark in shell.remarks] == [("include-in-text", 24)]
    assert shell.code == 1


PORTAL = tables.compile(
    [
        Manifest.model_validate(
            {
                "team": "shop",
                "upstreams": {"shop": {"origins": ["http://shop:8000"], "dialects": list(ALL)}},
                "mounts": {"/shop": {"upstream": "shop", "composes": True}},
            }
        ),
        Manifest.model_validate(
            {
                "team": "cart",
                "upstreams": {"cart": {"origins": ["http://cart:9000"]}},
                "mounts": {"/cart": {"upstream": "cart"}},
            }
        ),
    ]
)


@pytest.mark.parametrize(
    ("source", "leads"),
    [
        pytest.param("/cart/box?n=1", "http://cart:9000/box?n=1, upstream 'cart' of team 'cart'", id="another's mount"),
        pytest.param("/menu", "http://shop:8000/menu, upstream 'shop' of team 'shop'", id="nobody's: the page's own"),
        pytest.param("box", "http://shop:8000/deep/box, upstream 'shop' of team 'shop'", id="beside the page"),
        pytest.param("http://cart:9000/x", "http://cart:9000/x, upstream 'cart' of team 'cart'", id="a mounted origin"),
        pytest.param("http://evil.test/", "no mount of this portal owns it", id="nobody's origin"),
        pytest.param("/-/health/live", "no mount of this portal owns it", id="the gateway's own"),
        pytest.param("javascript:x", "it is no path and no address", id="no address"),
    ],
)
def test_where_an_include_leads_next_to_manifests(source: str, leads: str) -> None:
    around = Around(PORTAL, "next to two manifests", True, "/shop/deep/page")
    shell = read(f"<!doctype html><esi:include src='{source}'/>".encode(), around=around)
    (found,) = shell.inclusions
    assert found.leads == leads
    assert found.refused == ("http" not in leads) == (shell.code == 1)


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        pytest.param("/x", False, id="a path"),
        pytest.param("http://shop:8000/", False, id="an origin that may have a mount"),
        pytest.param("/-/browser/x.js", True, id="the gateway's own"),
        pytest.param("/-/u/shop/x", False, id="an upstream without a mount"),
        pytest.param("/a%00b", True, id="what no viewer may ask for"),
        pytest.param("mailto:x", True, id="no address"),
    ],
)
def test_where_an_include_leads_as_far_as_it_can_be_said(source: str, refused: bool) -> None:
    (found,) = read(f"<esi:include src='{source}'/>".encode()).inclusions
    assert found.refused is refused


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        pytest.param(b"\n<esi:if>x</esi:if>", "esi-unknown", 2, id="an element nobody knows"),
        pytest.param(b"\n\n<esi:when test=1>x</esi:when>", "esi-misplaced", 3, id="a when without a choose"),
        pytest.param(b"\n<!--#include file=x -->", "ssi-file", 2, id="a file"),
        pytest.param(b"<esi:include/>", "include-without-src", 1, id="nothing named"),
        pytest.param(
            b"<esi:choose><esi:when test='$(HOST'>x</esi:when></esi:choose>", "test-unreadable", 1, id="half a test"
        ),
        pytest.param(b"\n<esi:try>\n", "try-without-one-attempt", 2, id="no attempt"),
    ],
)
def test_what_is_wrong_with_directives(body: bytes, code: str, line: int) -> None:
    assert (code, line) in [(remark.code, remark.line) for remark in read(body).remarks]


def test_a_slot_in_a_branch_is_said_to_be_wrong_in_its_line() -> None:
    shell = read(b"<!doctype html>\n<esi:choose>\n<esi:when test=1>x</esi:when>\n<esi:otherwise><mf-slot>")
    assert ("slot-without-name", 4) in [(remark.code, remark.line) for remark in shell.remarks]


def test_what_nobody_speaks_is_read_as_an_ordinary_shell() -> None:
    shell = read(b"<!doctype html><mf-slot name=x></mf-slot>")
    assert (shell.inclusions, [slot.name for slot in shell.slots]) == ((), ["x"])


def test_the_languages_asked_for_are_read_and_no_others() -> None:
    shell = read(PAGE, ("ssi",))
    assert {each.language for each in shell.inclusions} == {"ssi"}
    assert shell.unread == ("tailor", "esi", "include")


def test_a_page_of_many_branches_is_not_read_for_ever() -> None:
    one = b"<esi:choose>" + b"<esi:when test=1>\n<esi:include src=/x /></esi:when>" * 100 + b"</esi:choose>"
    shell = read(b"<!doctype html>" + one)
    assert len(shell.inclusions) == 100
    assert "more" in [remark.code for remark in shell.remarks]


def test_nested_choices_are_each_looked_into() -> None:
    inner = b"<esi:choose><esi:when test=1><esi:include src=/%b1 /></esi:when><esi:otherwise><esi:include src=/%b2 />"
    inner += b"</esi:otherwise></esi:choose>"
    page = b"<esi:choose><esi:when test=2>" + inner.replace(b"%b", b"a") + b"</esi:when><esi:otherwise>"
    page += inner.replace(b"%b", b"b") + b"</esi:otherwise></esi:choose>"
    shell = read(page)
    assert [each.source for each in shell.inclusions] == ["/a1", "/a2", "/b1", "/b2"]
    assert all(each.slot for each in shell.inclusions)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"<!--#echo var=x -->" + b"a" * shells.LARGEST, "shell-too-large", id="too large"),
        pytest.param(b"<esi:include src=/x />" + b"<div>" * 600, "shell-over-budget", id="too deep"),
        pytest.param(b"", "shell-empty", id="nothing"),
    ],
)
def test_odd_files_are_told(body: bytes, code: str) -> None:
    shell = read(body)
    assert (shell.plan, [remark.code for remark in shell.remarks]) == (None, [code])


WORDS = (
    "<esi:choose>|</esi:choose>|<esi:when test='1'>|</esi:when>|<esi:otherwise>|</esi:otherwise>|<esi:try>|</esi:try>|"
    "<esi:attempt>|<esi:include src='/x'/>|<esi:vars>$(HTTP_HOST)|<!--#if expr='$x' -->|<!--#else -->|<!--#endif -->|'|"
    "<!--#include virtual='/y' -->|<table>|<fragment src=/z>|</fragment>|<mf-slot name=a>|</mf-slot>|<script>|</script>"
)
PIECES = st.sampled_from([b"\n", b"<!--", *WORDS.encode().split(b"|")])


@given(st.lists(PIECES, max_size=24))
@settings(max_examples=150, deadline=None)
def test_no_page_raises_and_every_line_is_one_of_it(pieces: list[bytes]) -> None:
    body = b"<!doctype html>" + b"".join(pieces)
    shell = read(body)
    lines = range(1, body.count(b"\n") + 2)
    assert {each.line for each in shell.inclusions} | {slot.line for slot in shell.slots} <= {*lines}
    assert all(remark.line in lines or not remark.line for remark in shell.remarks)
