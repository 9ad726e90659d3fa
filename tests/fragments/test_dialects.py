"""Pages in other include languages become plans; ids name the behaviour of Varnish, ledge, nodesi, ATS or the ESI note
that a row pins down."""

from typing import Any

import pytest

import fragments.dialects as dialects
import fragments.plan as plans
from fragments.errors import OverBudget
from fragments.plan import Context, Include, Plan
from fragments.values import Asked


def planned(text: str | bytes, *allowed: str, failed: tuple[int, ...] = (), foreign: Any = None, **asked: Any) -> Plan:
    source = text if isinstance(text, bytes) else text.encode()
    page = dialects.read(source, dialects.spoken(source, allowed), foreign)
    shell = dialects.say(page, Asked(**asked), failed)
    plan = plans.compile(shell.text, shell.includes, foreign)
    return plans.compile(shell.text, shell.includes, foreign) if plan is None else plan


def said(text: str | bytes, *allowed: str, **more: Any) -> str:
    """The markup, with each include as {its address}."""
    plan = planned(text, *allowed, **more)
    parts = [plan.literals[0]]
    for slot, literal in zip(plan.slots, plan.literals[1:], strict=True):
        assert slot.include is not None
        parts += [b"{%b}" % slot.include.source.encode(), literal]
    return b"".join(parts).decode()


def include(text: str, *allowed: str, **more: Any) -> Include:
    (slot,) = planned(text, *allowed, **more).slots
    assert slot.include is not None
    return slot.include


INCLUDE = '<esi:include src="/cart/f"/>'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("<p>a</p>", "<p>a</p>", id="e00000-no-esi-content"),
        pytest.param(f"a<esi:remove>b{INCLUDE}<esi:comment text='x'/></esi:remove>c", "ac", id="e00001-remove"),
        pytest.param(
            "a<esi:remove>b<![CDATA[</esi:remove>]]>c</esi:remove>d", "ad", id="e00002-cdata-in-remove-is-opaque"
        ),
        pytest.param(f"a<![CDATA[{INCLUDE}]]>b", f"a<![CDATA[{INCLUDE}]]>b", id="e00002-cdata-is-opaque"),
        pytest.param(f"a{INCLUDE}<p>x", "a{/cart/f}<p>x", id="e00003-include"),
        pytest.param(f"a<!--esi {INCLUDE}-->b", "a {/cart/f}b", id="e00004-unwrapped"),
        pytest.param("a<!--esi <p>x</p>-->b", "a <p>x</p>b", id="e00004-unwrapped-without-an-include"),
        pytest.param("a<!--esi <p>x</p>", "a<!--esi <p>x</p>", id="e00004-never-closed-is-a-comment"),
        pytest.param("a<!--esix <p>x</p>-->b", "a<!--esix <p>x</p>-->b", id="e00004-another-comment"),
        pytest.param('<esi:include src="f?a=1"/>', "{/dir/f?a=1}", id="e00005-relative"),
        pytest.param('<esi:include src="../f"/>', "{/f}", id="e00005-relative-upwards"),
        pytest.param('<esi:include src="../../../f"/>', "{/f}", id="e00005-never-above-the-root"),
        pytest.param('<esi:include src="?a=1"/>', "{/dir/page?a=1}", id="e00005-relative-query"),
        pytest.param('<esi:include src="http://x.test/f"/>', "{http://x.test/f}", id="e00006-absolute"),
        pytest.param('a<esi:include src=""/>b', "ab", id="e00006-an-empty-url-goes"),
        pytest.param("a<esi:include/>b", "ab", id="e00008-an-include-without-src-goes"),
        pytest.param("a<esi:include src=/f />b", "a{/f}b", id="e00008-no-quotes"),
        pytest.param("a<esi:include src='/f'></esi:include>b", "a{/f}b", id="e00008-an-end-tag-of-include-goes"),
        pytest.param("a<esi:include\n\tsrc\n=\n'/f'\n/>b", "a{/f}b", id="e00008-white-space"),
        pytest.param('a<esi:include src="/f"', 'a<esi:include src="/f"', id="e00019-cut-off-at-the-end"),
        pytest.param('a<esi:include src="/f', 'a<esi:include src="/f', id="e00019-cut-off-in-a-value"),
        pytest.param("a</esi:remove>b", "ab", id="e00008-a-stray-end-tag-goes"),
        pytest.param("a<esi:remove>b", "ab", id="e00008-a-removal-without-end-removes-nothing"),
        pytest.param("a<esi:bogus x='1'>b</esi:bogus>c", "abc", id="e00008-an-unknown-element-goes"),
        pytest.param("a<esi:comment text='x'/>b", "ab", id="w3c-comment"),
        pytest.param("a<esi:comment>x</esi:comment>b", "ab", id="w3c-comment-with-content"),
        pytest.param("a<esi:inline name='x'>y</esi:inline>b", "ab", id="w3c-inline-is-not-shown"),
        pytest.param("<esix:include src='/a'/>", "<esix:include src='/a'/>", id="e00010-another-prefix"),
        pytest.param("<esi>x</esi>", "<esi>x</esi>", id="e00010-no-prefix"),
        pytest.param("<ESI:INCLUDE SRC='/a'/>", "<ESI:INCLUDE SRC='/a'/>", id="e00010-xml-is-case-sensitive"),
        pytest.param(" \n\t ", " \n\t ", id="e00013-white-space-only"),
        pytest.param("a <!-- x --> b", "a <!-- x --> b", id="e00014-nothing-to-detect"),
        pytest.param(
            "".join(f'<esi:include src="/{n:0500d}"/>' for n in range(20)),
            "".join(f"{{/{n:0500d}}}" for n in range(20)),
            id="e00017-twenty-includes-with-long-urls",
        ),
        pytest.param('<esi:include src="/f?a=1&amp;b=2&#38;c"/>', "{/f?a=1&b=2&c}", id="e00018-entities-in-src"),
        pytest.param(f"<b>\0\x01</b>{INCLUDE}", "<b>\0\x01</b>{/cart/f}", id="e00009-odd-bytes-stay"),
        pytest.param(
            f"<script>var a = '{INCLUDE}'</script>", "<script>var a = ''</script>", id="w3c-no-html-awareness"
        ),
        pytest.param(f"<p title='{INCLUDE}'>x", "<p title=''>x", id="nowhere-to-put-it-in-an-attribute"),
        pytest.param(f"<!-- {INCLUDE} -->", "<!--  -->", id="nor-in-a-comment"),
        pytest.param(f"<!-- a -->{INCLUDE}<!-- b -->", "<!-- a -->{/cart/f}<!-- b -->", id="comments-around-stay"),
        pytest.param('<esi:include src="/a b"/>', "{/a b}", id="a-blank-in-an-address"),
    ],
)
def test_esi(text: str, expected: str) -> None:
    assert said(text, "esi", url="/dir/page?q=1") == expected


def test_bytes_that_are_no_text_stay() -> None:
    source = b"<p>\xff\xfe</p>" + INCLUDE.encode()
    assert planned(source, "esi").literals == (b"<p>\xff\xfe</p>", b"")


TRY = f"<esi:try> <esi:attempt>A{INCLUDE}</esi:attempt> <esi:except>E</esi:except> </esi:try>"
NESTED = f"<esi:try><esi:attempt>A{TRY}</esi:attempt><esi:except>O</esi:except></esi:try>"


@pytest.mark.parametrize(
    ("text", "failed", "expected"),
    [
        pytest.param(TRY, (), "A{/cart/f}", id="w3c-the-attempt"),
        pytest.param(TRY, (0,), "E", id="w3c-the-except-when-an-include-in-it-fails"),
        pytest.param(TRY + TRY, (1,), "A{/cart/f}E", id="each-try-by-itself"),
        pytest.param(NESTED, (0,), "AE", id="w3c-an-inner-try"),
        pytest.param(NESTED, (0, 1), "O", id="w3c-the-outer-try"),
        pytest.param("<esi:try><esi:attempt>A</esi:attempt></esi:try>", (0,), "", id="no-except-is-nothing"),
        pytest.param("<esi:try><esi:except>E</esi:except></esi:try>", (), "", id="no-attempt-is-nothing"),
        pytest.param("<esi:attempt>A</esi:attempt>", (), "A", id="an-attempt-of-no-try"),
        pytest.param(f"<esi:try><esi:attempt>A{INCLUDE}", (), "A{/cart/f}", id="never-closed"),
        pytest.param(f"<esi:try>x{INCLUDE}<esi:attempt>A</esi:attempt></esi:try>", (), "A", id="nothing-beside-them"),
    ],
)
def test_try(text: str, failed: tuple[int, ...], expected: str) -> None:
    assert said(text, "esi", failed=failed) == expected


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param(INCLUDE, (True, False, None), id="w3c-its-failure-is-the-page's"),
        pytest.param('<esi:include src="/f" onerror="continue"/>', (False, True, None), id="w3c-onerror-continue"),
        pytest.param('<esi:include src="/f" onerror="other"/>', (True, False, None), id="w3c-no-other-onerror"),
        pytest.param(TRY, (False, False, 0), id="w3c-in-an-attempt-it-fails-that"),
        pytest.param(
            '<esi:try><esi:attempt><esi:include src="/f" onerror="continue"/></esi:attempt></esi:try>',
            (False, True, None),
            id="w3c-continue-is-no-failure-in-an-attempt",
        ),
    ],
)
def test_what_an_includes_failure_means(text: str, wanted: tuple[bool, bool, int | None]) -> None:
    found = include(text, "esi")
    assert (found.required, found.optional, found.group) == wanted


def test_an_alternative() -> None:
    assert include('<esi:include src="/f" alt="g"/>', "esi", url="/a/b").alternative == "/a/g"


def test_an_inner_except_fails_the_outer_attempt() -> None:
    text = TRY.replace("E", INCLUDE)
    outer = f"<esi:try><esi:attempt>{text}</esi:attempt><esi:except>O</esi:except></esi:try>"
    assert include(outer, "esi", failed=(0,)).group == 1


CHOOSE = (
    '<esi:choose>x<esi:when test="$(HTTP_COOKIE{g})==\'a\'">A</esi:when><esi:when test="$(HTTP_COOKIE{g})">B'
    '<esi:include src="/f?g=$(HTTP_COOKIE{g})"/></esi:when><esi:otherwise>O</esi:otherwise></esi:choose>'
)


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        pytest.param(CHOOSE, {"cookies": {"g": "a"}}, "A", id="ledge-the-first-that-holds"),
        pytest.param(CHOOSE, {"cookies": {"g": "b/&"}}, "B{/f?g=b%2F%26}", id="ledge-the-second"),
        pytest.param(CHOOSE, {}, "O", id="ledge-otherwise"),
        pytest.param(
            '<esi:choose><esi:otherwise>O</esi:otherwise><esi:when test="1==1">A</esi:when></esi:choose>',
            {},
            "A",
            id="w3c-otherwise-is-last-wherever-it-stands",
        ),
        pytest.param("<esi:choose><esi:when>A</esi:when></esi:choose>", {}, "", id="no-test-never-holds"),
        pytest.param("<esi:when test='1'>A</esi:when>", {}, "A", id="w3c-a-when-of-no-choose"),
        pytest.param('<esi:choose><esi:when test="1 < 2">A</esi:when></esi:choose>', {}, "A", id="a-raw-less-than"),
        pytest.param("<p>$(HTTP_HOST)", {"host": "x"}, "<p>$(HTTP_HOST)", id="w3c-a-variable-outside-vars-is-text"),
        pytest.param("<esi:vars>$(HTTP_HOST)</esi:vars>$(HTTP_HOST)", {"host": "x"}, "x$(HTTP_HOST)", id="w3c-vars"),
        pytest.param("<esi:vars>$(HTTP_COOKIE{a})</esi:vars>", {"cookies": {"a": "<b>"}}, "&lt;b&gt;", id="ledge-xss"),
        pytest.param("<esi:vars>$(HTTP_COOKIE{a}|d)</esi:vars>", {}, "d", id="w3c-a-default"),
        pytest.param("<esi:vars>$(HTTP_COOKIE{a}|'d e')</esi:vars>", {}, "d e", id="w3c-a-quoted-default"),
        pytest.param("<esi:vars>$(QUERY_STRING{q})</esi:vars>", {"url": "/?q=1%202"}, "1 2", id="w3c-a-query-argument"),
        pytest.param("<esi:vars>$(ESI_ARGS{q})</esi:vars>", {"url": "/?q=1"}, "1", id="ledge-esi-args"),
        pytest.param("<esi:vars>$(QUERY_STRING)</esi:vars>", {"url": "/?a&b"}, "a&amp;b", id="w3c-the-query"),
        pytest.param("<esi:vars>$(HTTP_REFERER)</esi:vars>", {"referer": "/r"}, "/r", id="w3c-the-referer"),
        pytest.param(
            "<esi:vars>$(HTTP_ACCEPT_LANGUAGE{DE})$(HTTP_ACCEPT_LANGUAGE{fr})</esi:vars>",
            {"languages": "en, de;q=0.5"},
            "truefalse",
            id="w3c-a-language",
        ),
        pytest.param(
            "<esi:vars>$(HTTP_USER_AGENT{browser}) $(HTTP_USER_AGENT{version}) $(HTTP_USER_AGENT{os})</esi:vars>",
            {"agent": "Mozilla/5.0 (Windows NT 10.0)"},
            "MOZILLA 5.0 WIN",
            id="w3c-the-user-agent",
        ),
        pytest.param(
            "<esi:vars>$(HTTP_USER_AGENT{browser}) $(HTTP_USER_AGENT{version}) $(HTTP_USER_AGENT{os})</esi:vars>",
            {"agent": "Mozilla/4.0 (compatible; MSIE 6.0; X11)"},
            "MSIE 6.0 UNIX",
            id="w3c-an-older-user-agent",
        ),
        pytest.param("<esi:vars>$(NOBODY)$(HTTP_HOST{x})</esi:vars>", {"host": "x"}, "", id="w3c-unknown-is-nothing"),
        pytest.param(
            "<esi:vars>$(HTTP_COOKIE)</esi:vars>", {"cookies": {"a": "1", "b": "2"}}, "a=1; b=2", id="cookies"
        ),
        pytest.param("<esi:vars>$(HTTP_HOST</esi:vars>", {}, "$(HTTP_HOST", id="a-variable-cut-off-is-text"),
        pytest.param(
            '<esi:vars><script src="$(QUERY_STRING{u})"></script></esi:vars>',
            {"url": "/?u=//evil.test/x.js"},
            '<script src=""></script>',
            id="ledge-no-script-of-strangers",
        ),
        pytest.param(
            '<esi:include src="$(QUERY_STRING{u})"/>',
            {"url": "/?u=http://169.254.169.254/"},
            "{/http%3A%2F%2F169.254.169.254%2F}",
            id="ledge-ssrf",
        ),
        pytest.param(
            "<esi:vars>$(QUERY_STRING{u})</esi:vars>",
            {"url": "/?u=%3Cesi:include%20src='/x'/%3E"},
            "&lt;esi:include src=&#39;/x&#39;/&gt;",
            id="ledge-no-include-comes-out-of-a-variable",
        ),
        pytest.param(
            "<esi:vars>$(QUERY_STRING{u})</esi:vars>", {"url": "/?u=$(HTTP_HOST)"}, "$(HTTP_HOST)", id="nor-a-variable"
        ),
    ],
)
def test_choose_and_vars(text: str, asked: dict[str, Any], expected: str) -> None:
    assert said(text, "esi", **asked) == expected


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        pytest.param('<!--#include virtual="/f" -->', {}, "{/f}", id="include"),
        pytest.param("<!--#include virtual='f?a=1'-->", {}, "{/d/f?a=1}", id="include-relative"),
        pytest.param('a<!--#include file="x.html" -->b', {}, "ab", id="no-file"),
        pytest.param('a<!--#exec cmd="ls" -->b', {}, "ab", id="no-exec"),
        pytest.param('a<!--# include virtual="/f" -->b', {}, "a{/f}b", id="nginx-a-blank-behind-the-sign"),
        pytest.param('a<!-- #include virtual="/f" -->b', {}, 'a<!-- #include virtual="/f" -->b', id="a-comment"),
        pytest.param('a<!--#include virtual="/f"', {}, 'a<!--#include virtual="/f"', id="cut-off"),
        pytest.param('<!--#echo var="HTTP_HOST" -->', {"host": "<x>"}, "&lt;x&gt;", id="echo-is-escaped"),
        pytest.param(
            '<!--#echo var="arg_q" encoding="none" -->', {"url": "/?q=<b>"}, "&lt;b&gt;", id="echo-always-is-escaped"
        ),
        pytest.param('<!--#echo var="nothing" default="d" -->', {}, "d", id="echo-default"),
        pytest.param('<!--#echo var="cookie_a" -->', {"cookies": {"a": "1"}}, "1", id="nginx-cookie"),
        pytest.param(
            '<!--#echo var="DOCUMENT_URI" --> <!--#echo var="QUERY_STRING" -->', {"url": "/p?q"}, "/p q", id="cgi-names"
        ),
        pytest.param(
            '<!--#set var="a" value="x$arg_q" --><!--#echo var="a" -->', {"url": "/?q=1"}, "x1", id="set-and-echo"
        ),
        pytest.param(
            '<!--#set var="a" value="1" --><!--#set var="a" value="${a}2" --><!--#include virtual="/f?a=$a" -->',
            {},
            "{/f?a=12}",
            id="set-in-an-address",
        ),
        pytest.param(
            '<!--#if expr="$arg_q = a" -->A<!--#elif expr="$arg_q" -->B<!--#else -->C<!--#endif -->D',
            {"url": "/?q=a"},
            "AD",
            id="if",
        ),
        pytest.param(
            '<!--#if expr="$arg_q = a" -->A<!--#elif expr="$arg_q" -->B<!--#else -->C<!--#endif -->D',
            {"url": "/?q=b"},
            "BD",
            id="elif",
        ),
        pytest.param(
            '<!--#if expr="$arg_q = a" -->A<!--#elif expr="$arg_q" -->B<!--#else -->C<!--#endif -->D',
            {},
            "CD",
            id="else",
        ),
        pytest.param(
            '<!--#if expr="1" --><!--#if expr="$no" -->A<!--#else -->B<!--#endif --><!--#endif -->',
            {},
            "B",
            id="if-in-if",
        ),
        pytest.param('<!--#if expr="1" -->A', {}, "A", id="if-without-end"),
        pytest.param("A<!--#else -->B<!--#endif -->C", {}, "ABC", id="else-and-endif-of-no-if"),
        pytest.param(
            '<!--#if expr="$no" --><!--#set var="a" value="1" --><!--#endif --><!--#echo var="a" -->',
            {},
            "(none)",
            id="what-is-not-chosen-sets-nothing",
        ),
    ],
)
def test_ssi(text: str, asked: dict[str, Any], expected: str) -> None:
    assert said(text, "ssi", **{"url": "/d/p", **asked}) == expected


@pytest.mark.parametrize(
    ("text", "fallback"),
    [
        pytest.param('<!--#include virtual="/f" -->', b"", id="nothing-is-shown"),
        pytest.param('<!--#config errmsg="<oh>" --><!--#include virtual="/f" -->', b"&lt;oh&gt;", id="errmsg"),
        pytest.param(
            '<!--#block name="b" --><i>x</i><!--#endblock --><!--#include virtual="/f" stub="b" -->',
            b"<i>x</i>",
            id="nginx-stub",
        ),
    ],
)
def test_what_a_failing_ssi_include_shows(text: str, fallback: bytes) -> None:
    (slot,) = planned(text, "ssi").slots
    assert (slot.fallback, slot.optional, slot.required) == (fallback, not fallback, False)


def test_tailors_attributes() -> None:
    text = '<fragment id="a" src="http://h/f" primary async timeout="100" fallback-src="/g" public><i>x</i></fragment>y'
    (slot,) = planned(text, "tailor").slots
    assert slot.include is not None
    assert (slot.include.source, slot.include.alternative) == ("http://h/f", "/g")
    assert (slot.name, slot.primary, slot.timeout, slot.fallback) == ("/f", True, 0.1, b"<i>x</i>")
    assert slot.include.late and not slot.late  # a primary piece is waited for
    assert slot.kept == (("id", "a"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("<h-include src='/f'>x</h-include>y", "{/f}y", id="h-include"),
        pytest.param("<turbo-frame id=a src='f'>x</turbo-frame>y", "{/d/f}y", id="turbo-frame"),
        pytest.param("<turbo-frame id=a>x</turbo-frame>y", "<turbo-frame id=a>x</turbo-frame>y", id="nothing-to-fetch"),
        pytest.param("<h-include src='/f' media=x>", "<h-include src='/f' media=x>", id="what-its-script-decides"),
        pytest.param("<h-include src='/f'>x", "<h-include src='/f'>x", id="never-closed"),
        pytest.param(
            "<h-include src='/f'><h-include src='/g'></h-include></h-include>", "{/f}", id="one-in-another-is-fallback"
        ),
        pytest.param("<p title='<h-include src=/f>'>", "<p title='<h-include src=/f>'>", id="in-an-attribute"),
        pytest.param(
            "<script>'<h-include src=/f>'</script>", "<script>'<h-include src=/f>'</script>", id="in-a-script"
        ),
    ],
)
def test_elements(text: str, expected: str) -> None:
    assert said(text, "include", url="/d/p") == expected


def test_an_element_that_fails_is_left_to_its_own_script() -> None:
    (slot,) = planned("<h-include src='/f'>x</h-include>", "include").slots
    assert slot.fallback == b"<h-include src='/f'>x</h-include>"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"<p><turbo-frame id='a'>x</turbo-frame>y", b"<turbo-frame id='a'>x</turbo-frame>", id="found"),
        pytest.param(b"<turbo-frame id=b>x</turbo-frame>", None, id="another"),
        pytest.param(b"<turbo-frame id=a>x", None, id="never-closed"),
        pytest.param(
            b"<turbo-frame id=a><turbo-frame id=b></turbo-frame></turbo-frame>",
            b"<turbo-frame id=a><turbo-frame id=b></turbo-frame></turbo-frame>",
            id="with-another-inside",
        ),
    ],
)
def test_the_frame_of_an_answer(body: bytes, expected: bytes | None) -> None:
    assert dialects.framed(body, "a") == expected


ALL_OF_THEM = (
    f"{INCLUDE}<!--#include virtual='/f' --><fragment src='/f'></fragment><h-include src='/f'></h-include>"
    "<esi:vars>$(HTTP_HOST)</esi:vars><!--#echo var='HTTP_HOST' -->"
)


@pytest.mark.parametrize(
    "allowed", [(), *((each,) for each in dialects.ALL)], ids=lambda allowed: "-".join(allowed) or "none"
)
def test_only_what_is_allowed_is_read(allowed: tuple[str, ...]) -> None:
    text = said(ALL_OF_THEM, *allowed, host="shop.test")
    assert ("<esi:include" in text) is ("esi" not in allowed)
    assert ("<!--#include" in text) is ("ssi" not in allowed)
    assert ("<fragment" in text) is ("tailor" not in allowed)
    assert ("<h-include" in text) is ("include" not in allowed)
    assert ("shop.test" in text) is ("esi" in allowed or "ssi" in allowed)


def test_all_at_once_and_beside_our_own() -> None:
    plan = planned(ALL_OF_THEM + '<mf-slot name="own.slot"></mf-slot>', *dialects.ALL, host="shop.test")
    assert [slot.name for slot in plan.slots] == ["/cart/f", "/f", "/f", "/f", "own.slot"]


@pytest.mark.parametrize(
    ("text", "context"),
    [
        pytest.param(f"<table><tr>{INCLUDE}</tr></table>", Context.TR, id="a-table-row"),
        pytest.param(f"<head>{INCLUDE}</head><body>", Context.HEAD, id="the-head"),
        pytest.param(f"<ul>{INCLUDE}</ul>", Context.FLOW, id="flow"),
    ],
)
def test_an_include_stands_where_its_place_is(text: str, context: Context) -> None:
    (slot,) = planned(text, "esi").slots
    assert slot.context is context


def test_what_a_viewer_brought_is_text() -> None:
    foreign = b"/evil"
    text = "<p><esi:include src='/evil'/><!--#include virtual='/evil' --><fragment src='/evil'></fragment>" + INCLUDE
    assert said(text, *dialects.ALL, foreign=lambda tag: foreign in tag) == text.replace(INCLUDE, "{/cart/f}")


def test_markers_of_a_page_itself_mean_nothing() -> None:
    """Who guesses how includes are marked while a page is put together marks none."""
    page = dialects.read(INCLUDE.encode(), ("esi",))
    (mark,) = dialects.say(page, Asked()).includes
    text = f"{INCLUDE}<p>{mark.decode()}"
    assert said(text, "esi") == f"{{/cart/f}}<p>{mark.decode()}"


def test_the_same_text_elsewhere_is_another_plan() -> None:
    text = '<esi:include src="f"/>'
    assert planned(text, "esi", url="/a/").digest != planned(text, "esi", url="/b/").digest


def test_a_text_is_said_within_limits() -> None:
    with pytest.raises(OverBudget):
        dialects.read(b"x" * (64 << 20), ("esi",))
    doubling = "".join('<!--#set var="a" value="$a$a$a$ax" -->' for _ in range(1000)) + '<!--#echo var="a" -->'
    assert len(said(doubling, "ssi")) <= 64 * 1024
