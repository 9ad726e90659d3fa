"""What nginx's tests pin down of SSI, a row for each: what of it is about the text alone.

An id begins with its source: nginx's own suite by file, its documentation, Apache's. What needs origins stands in
`tests/gateway/proxy/test_includes_behaviours.py`. Where a row says less than nginx does, its id says why.
"""

from typing import Any

import pytest

import fragments.dialects as dialects
from fragments.errors import OverBudget
from fragments.values import Asked
from tests.fragments.saying import include, planned, said


def asked(query: str) -> dict[str, Any]:
    return {"url": "/d/page" + ("?" + query if query else ""), "host": "h.test:8080"}


def setting(value: str, encoding: str = "") -> str:
    how = f' encoding="{encoding}"' if encoding else ""
    return f'X<!--#set var="blah" value="{value}" --><!--#echo var="blah"{how} -->X'


ECHO = 'X<!--#echo var="arg_test" -->X'


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        pytest.param(ECHO, "test=test", "XtestX", id="ssi.t echo variable"),
        pytest.param(ECHO, "", "X(none)X", id="ssi.t no variable"),
        pytest.param(ECHO, "test=", "XX", id="ssi.t an empty variable is one"),
        pytest.param('X<!--#echo var="no" default="d" -->X', "", "XdX", id="ssi.t echo with a default"),
        pytest.param('X<!--#echo var="no" default="" -->X', "", "XX", id="ssi.t echo with an empty default"),
        pytest.param(
            'X<!--#include virtual="/test1.html?test=test" -->X', "", "X{/test1.html?test=test}X", id="ssi.t include"
        ),
        pytest.param(
            'X<!--#include virtual="test1.html" -->X', "", "X{/d/test1.html}X", id="ssi.t include of a relative address"
        ),
        pytest.param(
            'X<!--#include virtual="/check?$args" -->X', "a=1&b=2", "X{/check?a=1&b=2}X", id="ssi.t include with args"
        ),
        pytest.param(
            'X<!--#include virtual="/check?a=$arg_a" -->X',
            "a=1%262%3D3",
            "X{/check?a=1%262%3D3}X",
            id="ssi.t an argument stays one, whatever it says",
        ),
        pytest.param(
            '<!--#set var="a" value="x=1&y=" --><!--#include virtual="/check?$a$arg_a" -->',
            "a=1%262",
            "{/check?x=1&y=1%262}",
            id="ssi.t also by way of a set variable, of which the page's own part is as written",
        ),
        pytest.param(
            '<!--#set var="a" value="$arg_a" --><!--#include virtual="/check?a=$a" -->',
            "a=1%26b%3D2",
            "{/check?a=1%26b%3D2}",
            id="ssi.t or is all that was asked",
        ),
        pytest.param(setting("test"), "", "XtestX", id="ssi.t set"),
        pytest.param(setting("<test>"), "", "X&lt;test&gt;X", id="ssi.t set, echo encodes as entities by itself"),
        pytest.param(setting("<test>", "entity"), "", "X&lt;test&gt;X", id="ssi.t set, echo entity"),
        pytest.param(setting("<te st>", "url"), "", "X%3Cte%20st%3EX", id="ssi.t set, echo url"),
        pytest.param(
            setting("<test>", "none"), "", "X&lt;test&gt;X", id="ssi.t set, echo none: no value becomes markup here"
        ),
        pytest.param(setting("$arg_test"), "test=t", "XtX", id="ssi.t set to another variable"),
        pytest.param(setting("a${arg_test}b"), "test=t", "XatbX", id="ssi.t set to one in braces"),
        pytest.param(setting("a$no"), "", "XaX", id="ssi.t set to one that is none: nothing of it"),
        pytest.param(
            '<!--#set var="a" value="1" --><!--#set var="a" value="2" --><!--#echo var="a" -->',
            "",
            "2",
            id="ssi.t set twice",
        ),
        pytest.param(
            '<!--#echo var="a" --><!--#set var="a" value="1" -->', "", "(none)", id="ssi.t set behind the echo"
        ),
        pytest.param(
            '<!--#echo var="HTTP_HOST" --> <!--#echo var="host" --> <!--#echo var="server_name" -->',
            "",
            "h.test:8080 h.test:8080 h.test",
            id="ssi.t the host",
        ),
        pytest.param(
            '<!--#echo var="uri" --> <!--#echo var="request_uri" --> <!--#echo var="query_string" -->',
            "a=1",
            "/d/page /d/page?a=1 a=1",
            id="ssi.t the address",
        ),
        pytest.param(
            '<!--#echo var="http_referer" --><!--#echo var="http_cookie" --><!--#echo var="remote_addr" -->',
            "",
            "(none)(none)(none)",
            id="ssi.t what was not sent, and what a page is not told",
        ),
        pytest.param(
            '<!--#config timefmt="%Y" --><!--#echo var="date_gmt" -->',
            "",
            "(none)",
            id="ssi.t a date: a page that is kept would say an old one",
        ),
        pytest.param('X<!--#include file="x.html" -->X', "", "XX", id="nginx include file: no path of a site"),
        pytest.param('X<!--#exec cmd="ls" -->X', "", "XX", id="apache exec: never"),
        pytest.param('X<!--#printenv -->X<!--#fsize file="x" -->X', "", "XXX", id="apache others: unknown to nginx"),
        pytest.param(
            'X<!--#include virtual="/a" set="b" --><!--#echo var="b" -->',
            "",
            "X(none)",
            id="nginx include set: not taken, and not shown where it was not to be",
        ),
        pytest.param(
            '<!--#include virtual="/a" wait="yes" --><!--#include virtual="/b" -->',
            "",
            "{/a}{/b}",
            id="ssi_waited.t wait: all are side by side and in order",
        ),
        pytest.param("<!--#include virtual='/a'-->", "", "{/a}", id="nginx single quotes, no blank before the end"),
        pytest.param("<!--# include virtual=/a -->", "", "{/a}", id="nginx a blank behind the sign, no quotes"),
        pytest.param("<!--#\n\tinclude\n virtual\n=\n'/a'\n-->", "", "{/a}", id="nginx over lines"),
        pytest.param(
            '<!--#include virtual="/a\\"b" -->', "", '{/a"b}', id="nginx a quote behind a backslash is part of a value"
        ),
        pytest.param("<!-- #echo var='uri' -->", "", "<!-- #echo var='uri' -->", id="nginx a blank before: a comment"),
        pytest.param("<!-#echo var='uri' -->", "", "<!-#echo var='uri' -->", id="nginx one line: no comment"),
        pytest.param("<!--#echo var='uri'", "", "<!--#echo var='uri'", id="nginx cut off: as it is"),
        pytest.param("a<!--#elif expr='1' -->b<!--#else -->c", "", "abc", id="nginx elif and else of no if"),
        pytest.param("<!--#echo -->x", "", "x", id="nginx echo of nothing"),
        pytest.param("<!--#set value='x' -->x", "", "x", id="nginx set of nothing"),
        pytest.param("<!--#include -->x", "", "x", id="nginx include of nothing"),
        pytest.param("<!--#unknown a='b' -->x", "", "x", id="nginx an unknown command: its error is nothing here"),
        pytest.param(
            "<p title='<!--#echo var='arg_a' -->'>",
            "a='><b>",
            "<p title='&#39;&gt;&lt;b&gt;'>",
            id="nginx in an attribute",
        ),
        pytest.param(
            "<script>a='<!--#echo var='arg_a' -->'</script>",
            "a=';x",
            r"<script>a='\u0027\u003bx'</script>",
            id="in a script",
        ),
    ],
)
def test_ssi(text: str, query: str, expected: str) -> None:
    assert said(text, "ssi", **asked(query)) == expected


# ssi_if.t

IF = '<!--#if expr="$arg_if" -->IF<!--#elif expr="$arg_elif" -->ELIF<!--#else -->ELSE<!--#endif -->'
MULTI = "".join(f'x<!--#if expr="$arg_{n}" -->IF{n}<!--#else -->ELSE{n}<!--#endif -->' for n in range(1, 6))
IFIF = (
    f'x<!--#if expr="$arg__if" -->IFx{IF}<!--#elif expr="$arg__elif" -->ELIFx{IF}<!--#else -->ELSEx{IF}<!--#endif -->x'
)


def one(expression: str) -> str:
    return f"x<!--#if expr='{expression}' -->OK<!--#endif -->x"


def zigzag() -> str:
    """Ifs in ifs, sixteen deep, turning at every step."""
    zig = zag = "GOOD"
    for n in range(15, 0, -1):
        first, other = (str(n), zig) if n % 2 else (zig, str(n))
        third, fourth = (zag, str(n)) if n % 2 else (str(n), zag)
        zig, zag = (
            f"<!--#if expr='$arg_{n}' -->{first}<!--#else -->{other}<!--#endif -->",
            f"<!--#if expr='$arg_{n}' -->{third}<!--#else -->{fourth}<!--#endif -->",
        )
    return f"x<!--#if expr='$arg_0' -->{zig}<!--#else -->{zag}<!--#endif -->x"


IF_INCLUDE = (
    'x<!--#if expr="$arg_if" --><!--#include virtual="/1" --><!--#else --><!--#include virtual="/2" --><!--#endif -->x'
)


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        pytest.param(one("$arg_v"), "v=1", "xOKx", id="if variable exists"),
        pytest.param(one("$arg_v"), "", "xx", id="if variable not exists"),
        pytest.param(one("$arg_v = equal"), "v=equal", "xOKx", id="if var = text"),
        pytest.param(one("$arg_v = equal"), "v=notequal", "xx", id="if var = text (false)"),
        pytest.param(one("equal != $arg_v"), "v=notequal", "xOKx", id="if text != var"),
        pytest.param(one("equal != $arg_v"), "v=equal", "xx", id="if text != var (false)"),
        pytest.param(
            one("$arg_v = /re+gexp?/"),
            "v=XreeeegexX",
            "xx",
            id="if var = /regex/: never true here, being a stranger's time",
        ),
        pytest.param(one("$arg_v = /re+gexp?/"), "v=XrgxX", "xx", id="if var = /regex/ (false)"),
        pytest.param(one("$arg_v != /re+gexp?/"), "v=XrgxX", "xx", id="if var != /regex/: never true either"),
        pytest.param(one("$arg_v != /re+gexp?/"), "v=XreeeegexX", "xx", id="if var != /regex/ (false)"),
        pytest.param(one("$arg_v = var$arg_v2"), "v=varHERE&v2=HERE", "xOKx", id="if var = complex"),
        pytest.param(
            one("$arg_v = /(CAP\\d).*(CAP\\d)/"), "v=hereCAP1andCAP2", "xx", id="if regex with captures: never"
        ),
        pytest.param(one("$arg_v = /(?P<ncap>HERE)/"), "v=HERE", "xx", id="if regex with named capture: never"),
        pytest.param(f"x{IF}x", "if=1", "xIFx", id="if"),
        pytest.param(f"x{IF}x", "if=1&elif=1", "xIFx", id="if suppresses elif"),
        pytest.param(f"x{IF}x", "elif=1", "xELIFx", id="elif"),
        pytest.param(f"x{IF}x", "", "xELSEx", id="else"),
        pytest.param(MULTI, "1=t&2=t&3=t&4=t&5=t", "xIF1xIF2xIF3xIF4xIF5", id="multiple if (sequentially)"),
        pytest.param(MULTI, "1=t&3=t&5=t", "xIF1xELSE2xIF3xELSE4xIF5", id="multiple if (interlaced)"),
        pytest.param(MULTI, "2=t&4=t", "xELSE1xIF2xELSE3xIF4xELSE5", id="multiple if (interlaced reversed)"),
        pytest.param(
            'x<!--#if expr="$arg_if" --><!--#set var="v" value="IF" --><!--#else --><!--#set var="v" value="ELSE" -->'
            '<!--#endif --><!--#echo var="v" -->x',
            "if=1",
            "xIFx",
            id="if config-set-echo",
        ),
        pytest.param(
            'x<!--#if expr="$arg_if" --><!--#set var="v" value="IF" --><!--#else --><!--#set var="v" value="ELSE" -->'
            '<!--#endif --><!--#echo var="v" -->x',
            "",
            "xELSEx",
            id="else config-set-echo",
        ),
        pytest.param(
            IF_INCLUDE,
            "if=1",
            "x{/1}x",
            id="if include",
        ),
        pytest.param(
            IF_INCLUDE,
            "",
            "x{/2}x",
            id="else include",
        ),
        pytest.param(IFIF, "_if=1&if=1", "xIFxIFx", id="if if"),
        pytest.param(IFIF, "_if=1&elif=1", "xIFxELIFx", id="if elif"),
        pytest.param(IFIF, "_if=1", "xIFxELSEx", id="if else"),
        pytest.param(IFIF, "_elif=1&if=1", "xELIFxIFx", id="elif if"),
        pytest.param(IFIF, "_elif=1&elif=1", "xELIFxELIFx", id="elif elif"),
        pytest.param(IFIF, "_elif=1", "xELIFxELSEx", id="elif else"),
        pytest.param(IFIF, "if=1", "xELSExIFx", id="else if"),
        pytest.param(IFIF, "elif=1", "xELSExELIFx", id="else elif"),
        pytest.param(IFIF, "", "xELSExELSEx", id="else else"),
        pytest.param(zigzag(), "0=t&2=t&4=t&6=t&8=t&10=t&12=t&14=t", "xGOODx", id="zigzag"),
        pytest.param(zigzag(), "1=t&3=t&5=t&7=t&9=t&11=t&13=t&15=t", "xGOODx", id="zagzig"),
    ],
)
def test_ssi_if_t(text: str, query: str, expected: str) -> None:
    assert said(text, "ssi", **asked(query)) == expected


GONE = 'x<!--#include virtual="/404?$args" stub="one" -->x'


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        pytest.param('<!--#block name="one" -->STUB<!--#endblock -->' + GONE, "", "STUB", id="nginx stub"),
        pytest.param(f'<!--#block name="one" -->{IF}<!--#endblock -->{GONE}', "if=1", "IF", id="if (in block)"),
        pytest.param(
            f'<!--#block name="one" -->{IF}<!--#endblock -->{GONE}',
            "if=1&elif=1",
            "IF",
            id="if suppresses elif (in block)",
        ),
        pytest.param(f'<!--#block name="one" -->{IF}<!--#endblock -->{GONE}', "elif=1", "ELIF", id="elif (in block)"),
        pytest.param(f'<!--#block name="one" -->{IF}<!--#endblock -->{GONE}', "", "ELSE", id="else (in block)"),
        pytest.param(
            '<!--#if expr="$arg_if" --><!--#block name="one" -->IF<!--#endblock -->'
            f'<!--#else --><!--#block name="one" -->ELSE<!--#endblock --><!--#endif -->{GONE}',
            "if=1",
            "IF",
            id="if block",
        ),
        pytest.param(
            '<!--#if expr="$arg_if" --><!--#block name="one" -->IF<!--#endblock -->'
            f'<!--#else --><!--#block name="one" -->ELSE<!--#endblock --><!--#endif -->{GONE}',
            "",
            "ELSE",
            id="else block",
        ),
        pytest.param(
            f'<!--#block name="one" -->{zigzag()}<!--#endblock -->{GONE}',
            "0=t&2=t&4=t&6=t&8=t&10=t&12=t&14=t",
            "xGOODx",
            id="zigzag block",
        ),
        pytest.param(
            f'<!--#block name="one" -->{zigzag()}<!--#endblock -->{GONE}',
            "1=t&3=t&5=t&7=t&9=t&11=t&13=t&15=t",
            "xGOODx",
            id="zagzig block",
        ),
        pytest.param(
            "<!--#block name=one --><b title='<!--#echo var=arg_a -->'><!--#echo var=arg_a --></b>"
            f"<!--#endblock -->{GONE}",
            "a=<i>'",
            "<b title='&lt;i&gt;&#39;'>&lt;i&gt;&#39;</b>",
            id="a value in a block is escaped for its place there",
        ),
        pytest.param(
            f"<!--#block name=one -->a<!--#include virtual='/b' -->c<!--#endblock -->{GONE}",
            "",
            "ac",
            id="an include in a block is not asked for",
        ),
        pytest.param(f"{GONE}<!--#block name=one -->late<!--#endblock -->", "", "", id="a block behind its include"),
        pytest.param(GONE, "", "", id="no such block"),
        pytest.param(
            f"<!--#block name=one -->1<!--#endblock --><!--#block name=one -->2<!--#endblock -->{GONE}",
            "",
            "2",
            id="the last",
        ),
        pytest.param(f"{GONE}<!--#block name=one -->", "", "", id="a block that never ends is none, and hides nothing"),
        pytest.param(f"<!--#config errmsg='<oh>' -->{GONE}", "", "&lt;oh&gt;", id="config errmsg"),
        pytest.param(
            f"<!--#config errmsg='oh' --><!--#block name=one --><!--#endblock -->{GONE}",
            "",
            "",
            id="an empty block, not errmsg",
        ),
        pytest.param(
            "<!--#if expr='$arg_if' --><!--#config errmsg='1' --><!--#else --><!--#config errmsg='2' -->"
            f"<!--#endif -->{GONE}",
            "if=1",
            "1",
            id="config in an if",
        ),
    ],
)
def test_what_stands_for_an_include_that_fails(text: str, query: str, expected: str) -> None:
    """And nothing of a block stands where it is written."""
    plan = planned(text, "ssi", **asked(query))
    shown = [slot.fallback.decode() for slot in plan.slots if slot.include and slot.include.source.startswith("/404")]
    assert shown == ([expected] if shown else [])
    assert b"".join(plan.literals) in (b"xx", b"")


@pytest.mark.parametrize(
    ("text", "depends"),
    [
        pytest.param(
            f"<!--#block name=one -->stub<!--#endblock -->{GONE[:-1].replace('$args', '')}", False, id="a-block"
        ),
        pytest.param(
            "<!--#block name=one --><!--#echo var=arg_a --><!--#endblock -->", True, id="one-that-says-something"
        ),
        pytest.param("<!--#config errmsg='oh' -->", False, id="an-error"),
        pytest.param("<!--#set var=a value=b -->", True, id="a-variable"),
    ],
)
def test_what_depends_on_its_viewer_is_known(text: str, depends: bool) -> None:
    assert dialects.read(text.encode(), ("ssi",)).depends is depends


@pytest.mark.parametrize("end", ["</h-include>", "</turbo-frame>", "</fragment>"])
def test_an_end_that_ends_nothing_is_text(end: str) -> None:
    assert said(f"a{end}b<h-include src=/f></h-include>", "include", "tailor") == f"a{end}b{{/f}}"


def test_an_if_that_is_too_deep_leaves_the_others_tests_alone() -> None:
    ifs = "<!--#if expr='1' -->" * 32 + "<!--#if expr='$no' -->x"
    assert said(ifs, "ssi") == "x"


def test_an_include_may_always_fail() -> None:
    found = include('<!--#include virtual="/f" -->', "ssi")
    assert (found.required, found.optional, found.group) == (False, True, None)


def test_stubs_many_times_over_are_counted() -> None:
    block = "<!--#block name=one -->" + "x" * 100_000 + "<!--#endblock -->"
    page = dialects.read((block + GONE * 100).encode(), ("ssi",))
    with pytest.raises(OverBudget):
        dialects.say(page, Asked())


def test_a_set_that_doubles_does_not_grow_an_address_without_end() -> None:
    doubling = '<!--#set var="a" value="$arg_a/" -->' + '<!--#set var="a" value="$a$a" -->' * 200
    found = include(doubling + '<!--#include virtual="/f?a=$a" -->', "ssi", **asked("a=x"))
    assert len(found.source) <= 8 * 1024 and found.source.startswith("/f?a=x")
