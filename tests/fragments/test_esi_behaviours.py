"""What other ESI processors pin down, a row for each: what of it is about the text alone.

An id begins with its source: Varnish's e000NN.vtc, the W3C's note, ledge, nodesi. What needs origins and viewers
stands in `tests/gateway/proxy/test_includes_behaviours.py`, which counts that no number is missing.
"""

from typing import Any
from urllib.parse import quote

import pytest

import fragments.dialects as dialects
from fragments.errors import OverBudget
from fragments.values import Asked
from tests.fragments.saying import include, planned, said

INCLUDE = '<esi:include src="/f"/>'
E00008 = '<html>Before include<!--esi <esi:include src="/body"/> -->After include<!-- normal comment -->'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("<html><p>nothing here</p>", "<html><p>nothing here</p>", id="e00000 no ESI content"),
        pytest.param(
            f"a<esi:remove>b{INCLUDE}<esi:comment text='x'/></esi:remove>c",
            "ac",
            id="e00001 remove swallows a nested include and comment",
        ),
        pytest.param(
            "a<esi:remove>b<![CDATA[</esi:remove>]]>c</esi:remove>d",
            "ad",
            id="e00002 CDATA inside remove is opaque",
        ),
        pytest.param(
            "<html>a<esi:remove><![CDATA[<-wrong|</esi:remove>]]>gone</esi:remove>b",
            "<html>ab",
            id="e00002 whatever stands in it",
        ),
        pytest.param(f"a<![CDATA[{INCLUDE}]]>b", f"a<![CDATA[{INCLUDE}]]>b", id="e00002 CDATA outside is opaque, too"),
        pytest.param("a<esi:remove><![CDATA[b</esi:remove>c", "ac", id="e00002 CDATA that never ends is none"),
        pytest.param(f"<p>a{INCLUDE}<p>b", "<p>a{/f}<p>b", id="e00003 an include"),
        pytest.param(f"a<!--esi {INCLUDE} -->b", "a {/f} b", id="e00004 <!--esi --> is unwrapped"),
        pytest.param("a<!--esi<b>x</b>-->c", "a<b>x</b>c", id="e00004 without a blank"),
        pytest.param("a<!--esi\n<p>x</p>\n-->b", "a\n<p>x</p>\nb", id="e00004 over lines"),
        pytest.param("a<!--esi b <!-- c --> d", "a b <!-- c  d", id="e00004 it ends at the first end of a comment"),
        pytest.param("a<!--esi <p>x", "a<!--esi <p>x", id="e00004 one that never ends stays"),
        pytest.param('<esi:include src="body"/>', "{/foo/body}", id="e00005 a relative URL"),
        pytest.param('<esi:include src="../body"/>', "{/body}", id="e00005 upwards"),
        pytest.param('<esi:include src="./a/./b"/>', "{/foo/a/b}", id="e00005 with dots"),
        pytest.param('<esi:include src="/../../body"/>', "{/body}", id="e00005 never above the root"),
        pytest.param('<esi:include src="a/.."/>', "{/foo/}", id="e00005 dots at the end"),
        pytest.param('<esi:include src="?a=1"/>', "{/foo/bar?a=1}", id="e00005 a query alone"),
        pytest.param('<esi:include src="http://bozz/body"/>', "{http://bozz/body}", id="e00006 http://, another host"),
        pytest.param(
            '<esi:include src="https://bozz/body"/>', "{https://bozz/body}", id="e00006 https:// is an address, too"
        ),
        pytest.param('a<esi:include src=""/>b', "ab", id="e00006 no URL at all: it goes"),
        pytest.param(f"{INCLUDE}\0\x01\x02", "{/f}\0\x01\x02", id="e00009 odd bytes stay"),
        pytest.param("<esix:include src='/f'/>", "<esix:include src='/f'/>", id="e00010 another prefix"),
        pytest.param("<esi>x</esi><es><e>", "<esi>x</esi><es><e>", id="e00010 the beginning of one"),
        pytest.param("<b>a<b", "<b>a<b", id="e00010 a tag cut off"),
        pytest.param("< esi:include src='/f'/>", "< esi:include src='/f'/>", id="e00010 a blank before the name"),
        pytest.param("<!--es <p>--><!-- esi --><!---->", "<!--es <p>--><!-- esi --><!---->", id="e00010 comments"),
        pytest.param("<ESI:include src='/f'/>", "<ESI:include src='/f'/>", id="e00010 XML minds case"),
        pytest.param(" \n\t ", " \n\t ", id="e00013 white space only"),
        pytest.param("", "", id="e00013 nothing"),
        pytest.param("a<b>c</b>:include", "a<b>c</b>:include", id="e00014 a detector that looks for <esi:"),
        pytest.param(
            f"no markup, {INCLUDE}", "no markup, {/f}", id="e00014 text before the first tag does not stop it"
        ),
        pytest.param(
            "".join(f'<esi:include src="/{n:01000d}"/>' for n in range(20)),
            "".join(f"{{/{n:01000d}}}" for n in range(20)),
            id="e00017 twenty includes with long URLs",
        ),
        pytest.param(
            '<esi:include src="/f?a=1&amp;b=&lt;&gt;&quot;&apos;&#x26;c"/>',
            "{/f?a=1&b=<>\"'&c}",
            id="e00018 entities in src",
        ),
        pytest.param("<1></esi:comment foo><1><2><esi:comment / ><2>", "<1><1><2><2>", id="e00019 odd comment tags"),
        pytest.param("<2><esi:comment doo><2>", "<2><2>", id="e00019 a comment that never ends: its tag goes"),
        pytest.param('<3><esi:remove foo="bar"></esi:remove><3>', "<3><3>", id="e00019 a remove with attributes"),
        pytest.param('<4><esi:include src="foo"><esi:incl><4>', "<4>{/foo/foo}<4>", id="e00019 unknown and unclosed"),
        pytest.param(
            f"<H1><esi:remove>{'x' * 65536}</esi:remove></H1><esi:comment/>y",
            "<H1></H1>y",
            id="e00019 a remove longer than any chunk",
        ),
        pytest.param('a<esi:include src="/f"', 'a<esi:include src="/f"', id="e00019 cut off at the end"),
        pytest.param('a<esi:include src="/f', 'a<esi:include src="/f', id="e00019 cut off in a value"),
        pytest.param("a<esi:", "a<esi:", id="e00019 cut off in the name"),
    ],
)
def test_varnish(text: str, expected: str) -> None:
    assert said(text, "esi", url="/foo/bar") == expected


E00008_KINDS = [
    pytest.param("<esi:bogosity/>", "", id="an unknown element"),
    pytest.param("<esi:bogosity>x</esi:bogosity>", "x", id="an unknown element around something"),
    pytest.param("<esi:comment>\n foo\n </esi:comment>", "", id="a comment with content"),
    pytest.param("<esi:comment bar />", "", id="a comment with a bare attribute"),
    pytest.param("<esi:comment/>", "", id="a comment without a text"),
    pytest.param("</esi:comment>", "", id="a comment's end alone"),
    pytest.param("<esi:remove><esi:comment foo/></esi:remove>", "", id="a comment in a remove"),
    pytest.param("<esi:remove><esi:remove>bar</esi:remove></esi:remove>", "", id="a remove in a remove"),
    pytest.param("</>", "</>", id="an end of nothing"),
    pytest.param("<esi:remove/>x", "x", id="an empty remove"),
    pytest.param("</esi:remove>x", "x", id="a remove's end alone"),
    pytest.param("<esi:remove>x", "x", id="a remove that never ends"),
    pytest.param("<esi:remove foo=1 bar>x</esi:remove >", "", id="a remove with attributes"),
    pytest.param("<esi:include\n\n   >", "", id="an include without attributes over lines"),
    pytest.param("<esi:include/>", "", id="an include without attributes"),
    pytest.param("<esi:include  aaa />", "", id="an attribute without a value"),
    pytest.param("<esi:include  k?=./>", "", id="an attribute with an odd name"),
    pytest.param("<esi:include  src/>", "", id="src without a value"),
    pytest.param("<esi:include  src=/>", "", id="src= and the slash that closes"),
    pytest.param("<esi:include  src= />", "", id="src= and a blank"),
    pytest.param("<esi:include  src=/a/>", "{/a}", id="no quotes and the slash that closes"),
    pytest.param("<esi:include  src=''/>", "", id="src='' "),
    pytest.param("<esi:include  src='  '/>", "", id="src of blanks"),
    pytest.param("</esi:include>", "", id="an include's end alone"),
    pytest.param("<esi:include  foo=bar src=/body2 />", "{/body2}", id="another attribute before src"),
    pytest.param("<esi:include  src=/body2 foo />", "{/body2}", id="a bare one behind it"),
    pytest.param("<esi:include  src=/body2 src=/body3 />", "{/body2}", id="src twice: the first counts"),
    pytest.param("<esi:include  src='/a'src='/b'/>", "{/a}", id="no blank between two attributes"),
    pytest.param("<esi:include src = '/a' / >", "{/a}", id="blanks around the sign and the slash"),
    pytest.param("<esi:include src='/a\"b'/>", '{/a"b}', id="the other quote in a value"),
    pytest.param("<esi:include src='/a>b'/>", "{/a>b}", id="a greater-than in a value"),
    pytest.param("<esi:include  src=/a></esi:include>", "{/a}", id="an end tag of include"),
    pytest.param("<esi:include src='/a' bogus='b'/>", "{/a}", id="an unknown attribute"),
    pytest.param("<esi:include-x src='/a'/>", "<esi:include-x src='/a'/>", id="a longer name is another one"),
    pytest.param("<esi:/>", "<esi:/>", id="no name"),
    pytest.param("<!--esi", "<!--esi", id="an opened comment at the end"),
    pytest.param("<!--esi-->", "<!--esi-->", id="an empty one is a comment"),
    pytest.param("<![CDATA[fooo", "<![CDATA[fooo", id="CDATA that never ends"),
    pytest.param('<esi:include src="foofof />', '<esi:include src="foofof />', id="a quote that never ends"),
]
assert len(E00008_KINDS) >= 38


@pytest.mark.parametrize(("text", "expected"), E00008_KINDS)
def test_e00008_no_error_hurts_what_stands_around_it(text: str, expected: str) -> None:
    before, after = "<p>1</p><esi:include src='/one'/>", "<p>2</p>"
    assert said(f"{before}{text}{after}", "esi", url="/") == f"<p>1</p>{{/one}}{expected}<p>2</p>"


def test_e00008_all_errors_at_once() -> None:
    whole = [each for each in E00008_KINDS if "never" not in str(each.id) and "at the end" not in str(each.id)]
    found = said(E00008 + "".join(str(each.values[0]) for each in whole), "esi", url="/")
    assert found == "<html>Before include {/body} After include<!-- normal comment -->" + "".join(
        str(each.values[1]) for each in whole
    )


def test_e00033_each_error_is_told_with_its_line() -> None:
    page = dialects.read(b"<p>\n<esi:bogosity/>\n\n</esi:remove>\n<esi:include/>", ("esi",))
    told = [(each.code, each.message[-9:]) for each in dialects.say(page, Asked()).diagnostics]
    assert told == [("esi-unknown", " (line 2)"), ("esi-stray-end", " (line 4)"), ("include-without-src", " (line 5)")]


# The note, https://www.w3.org/TR/esi-lang

TRY = f"<esi:try><esi:attempt>A{INCLUDE}</esi:attempt><esi:except>E</esi:except></esi:try>"
TWO = TRY.replace(INCLUDE, INCLUDE * 2)
NESTED = f"<esi:try><esi:attempt>O{TRY}</esi:attempt><esi:except>X</esi:except></esi:try>"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param(INCLUDE, (True, False, None), id="w3c 3.1 an include that fails is an error for the client"),
        pytest.param(
            '<esi:include src="/f" onerror="continue"/>', (False, True, None), id="w3c 3.1 continue removes it silently"
        ),
        pytest.param('<esi:include src="/f" onerror="stop"/>', (True, False, None), id="w3c 3.1 no other value does"),
        pytest.param(TRY, (False, False, 0), id="w3c 3.6 in an attempt, that fails"),
        pytest.param(
            "<esi:try><esi:attempt><esi:include src='/f' onerror='continue'/></esi:attempt></esi:try>",
            (False, True, None),
            id="w3c 3.6 unless it may fail",
        ),
    ],
)
def test_what_a_failure_means(text: str, wanted: tuple[bool, bool, int | None]) -> None:
    found = include(text, "esi")
    assert (found.required, found.optional, found.group) == wanted


def test_w3c_3_1_alt_is_where_it_is_found_otherwise() -> None:
    found = include('<esi:include src="a" alt="b" onerror="continue"/>', "esi", url="/d/p")
    assert (found.source, found.alternative) == ("/d/a", "/d/b")


@pytest.mark.parametrize(
    ("text", "failed", "expected"),
    [
        pytest.param(TRY, (), "A{/f}", id="w3c 3.6 the attempt"),
        pytest.param(TRY, (0,), "E", id="w3c 3.6 the except, and nothing of the attempt"),
        pytest.param(TWO, (0,), "E", id="w3c 3.6 one failure of two is enough"),
        pytest.param(NESTED, (0,), "OE", id="w3c 3.6 the inner of two"),
        pytest.param(NESTED, (0, 1), "X", id="w3c 3.6 the outer of two"),
        pytest.param(
            TRY.replace("</esi:try>", "<esi:except>F</esi:except></esi:try>"), (0,), "E", id="w3c 3.6 one except counts"
        ),
        pytest.param(
            "<esi:try><esi:attempt>A</esi:attempt><esi:attempt>B</esi:attempt></esi:try>",
            (),
            "A",
            id="w3c 3.6 one attempt counts",
        ),
        pytest.param("<esi:try>x</esi:try>y", (), "y", id="w3c 3.6 only attempt and except are in a try"),
        pytest.param("<esi:except>x</esi:except>", (), "x", id="w3c 3.6 an except alone: its tags go"),
    ],
)
def test_try(text: str, failed: tuple[int, ...], expected: str) -> None:
    assert said(text, "esi", failed=failed) == expected


def when(test: str, **more: str) -> str:
    return f'<esi:choose><esi:when test="{test}">Y</esi:when><esi:otherwise>N</esi:otherwise></esi:choose>'


COOKIES = {"cookies": {"group": "Advanced", "n": "10", "empty": ""}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(when("$(HTTP_COOKIE{group})=='Advanced'"), "Y", id="w3c 3.5 when"),
        pytest.param(when("$(HTTP_COOKIE{group})=='advanced'"), "N", id="w3c 3.5 otherwise; texts mind case"),
        pytest.param(
            '<esi:choose><esi:when test="1==1">A</esi:when><esi:when test="2==2">B</esi:when></esi:choose>',
            "A",
            id="w3c 3.5 the first that is true, and no other",
        ),
        pytest.param(
            '<esi:choose>x<b>y</b><esi:when test="1==1">A</esi:when>z</esi:choose>',
            "A",
            id="w3c 3.5 nothing else is in a choose",
        ),
        pytest.param('<esi:choose><esi:when test="1==2">A</esi:when></esi:choose>', "", id="w3c 3.5 none is true"),
        pytest.param(
            f'<esi:choose><esi:when test="1==1"><b>{INCLUDE}</b></esi:when></esi:choose>',
            "<b>{/f}</b>",
            id="w3c 3.5 markup and includes are in a when",
        ),
        pytest.param(
            '<esi:choose><esi:when test="1==1">' + when("1==2") + "</esi:when></esi:choose>",
            "N",
            id="w3c 3.5 a choose in a when",
        ),
        pytest.param(when("$(HTTP_COOKIE{n}) > 9"), "Y", id="w3c 4.4 numbers compare as numbers"),
        pytest.param(when("$(HTTP_COOKIE{n}) > '9x'"), "N", id="w3c 4.4 and texts as texts"),
        pytest.param(when("!(1==1)"), "N", id="w3c 4.4 not"),
        pytest.param(when("1==1 & 2==3"), "N", id="w3c 4.4 and"),
        pytest.param(when("1==1 | 2==3"), "Y", id="w3c 4.4 or"),
        pytest.param(when("1==2 | 2==2 & 3==3"), "Y", id="w3c 4.4 and binds more than or"),
        pytest.param(when("1!=1"), "N", id="w3c 4.4 unequal"),
        pytest.param(when("2<=2"), "Y", id="w3c 4.4 at most"),
        pytest.param(when("2>=3"), "N", id="w3c 4.4 at least"),
        pytest.param(when("$(HTTP_COOKIE{none})=='x'"), "N", id="w3c 4.4 what says nothing compares to nothing"),
        pytest.param(when("$(HTTP_COOKIE{none})!='x'"), "N", id="w3c 4.4 not as unequal either"),
        pytest.param(when("$(HTTP_COOKIE{group})"), "Y", id="ledge a variable alone is true where it says something"),
        pytest.param(when("$(HTTP_COOKIE{empty})"), "N", id="ledge and false where it does not"),
        pytest.param(when("$(HTTP_COOKIE{group}) ~= 'A'"), "N", id="ledge an unknown sign is never true"),
        pytest.param(when("1 = 1"), "Y", id="ledge a single sign, as people write it"),
        pytest.param(when("'a' == 'a' &amp;&amp; 'b' == 'b'"), "Y", id="ledge doubled signs, as entities"),
        pytest.param(when("1=="), "N", id="ledge half a test is never true"),
        pytest.param(when("$(HTTP_COOKIE{group}|'x')=='Advanced'"), "Y", id="ledge a default in a test"),
        pytest.param(
            "<esi:vars>$(HTTP_COOKIE{group})</esi:vars> $(HTTP_COOKIE{group})",
            "Advanced $(HTTP_COOKIE{group})",
            id="w3c 4 variables are said in vars and nowhere else",
        ),
        pytest.param(
            '<esi:include src="/f?g=$(HTTP_COOKIE{group})"/>', "{/f?g=Advanced}", id="w3c 4 and in ESI's attributes"
        ),
        pytest.param("<esi:vars>$(HTTP_COOKIE{none}|d)</esi:vars>", "d", id="w3c 4.2 a default"),
        pytest.param("<esi:vars>$(HTTP_COOKIE{none}|'d e')</esi:vars>", "d e", id="w3c 4.2 a default in quotes"),
        pytest.param("<esi:vars>$(HTTP_COOKIE{empty}|d)</esi:vars>", "d", id="w3c 4.2 for what is empty, too"),
        pytest.param("<esi:vars>$(HTTP_COOKIE{none})</esi:vars>", "", id="w3c 4.2 nothing without one"),
        pytest.param("<esi:vars>$(NO_SUCH)$(no)$X</esi:vars>", "$(no)$X", id="w3c 4 an unknown variable is nothing"),
        pytest.param("<esi:vars>$(QUERY_STRING{a})</esi:vars>", "1 2", id="w3c 4.1 an argument of the query"),
        pytest.param("<esi:vars>$(QUERY_STRING)</esi:vars>", "a=1+2&amp;b", id="w3c 4.1 the query as a whole"),
        pytest.param("<esi:vars>$(ESI_ARGS{a})</esi:vars>", "1 2", id="ledge ESI_ARGS"),
        pytest.param("<esi:vars>$(HTTP_HOST)</esi:vars>", "h.test", id="w3c 4.1 the host"),
        pytest.param("<esi:vars>$(HTTP_REFERER)</esi:vars>", "http://r/", id="w3c 4.1 the referer"),
        pytest.param(
            "<esi:vars>$(HTTP_ACCEPT_LANGUAGE{de}) $(HTTP_ACCEPT_LANGUAGE{fr})</esi:vars>",
            "true false",
            id="w3c 4.1 languages are a list",
        ),
        pytest.param(
            "<esi:vars>$(HTTP_USER_AGENT{browser}) $(HTTP_USER_AGENT{version}) $(HTTP_USER_AGENT{os})</esi:vars>",
            "MOZILLA 5.0 MAC",
            id="w3c 4.1 the user agent taken apart",
        ),
        pytest.param(
            "<esi:vars>$(HTTP_ACCEPT_LANGUAGE); $(HTTP_USER_AGENT)</esi:vars>",
            "da, de;q=0.5; Mozilla/5.0 (Macintosh; Intel Mac OS X)",
            id="w3c 4.1 lists and dictionaries as a whole",
        ),
        pytest.param(
            "<esi:vars>$(HTTP_COOKIE)</esi:vars>", "group=Advanced; n=10; empty=", id="w3c 4.1 cookies are a dictionary"
        ),
        pytest.param("a<!--esi <p>b</p>-->c", "a <p>b</p>c", id="w3c 3.7 <!--esi --> goes where ESI is read"),
        pytest.param(
            f"<script>var a = '{INCLUDE}'</script><p title='{INCLUDE}'><!-- {INCLUDE} -->",
            "<script>var a = ''</script><p title=''><!--  -->",
            id="w3c 1 no HTML awareness: a tag counts in scripts, attributes, comments; it goes, as none can be there",
        ),
        pytest.param(
            '<p class="$(HTTP_COOKIE{group})"><esi:vars><b class="$(HTTP_COOKIE{group})">x</b></esi:vars>',
            '<p class="$(HTTP_COOKIE{group})"><b class="Advanced">x</b>',
            id="w3c 3.4 vars around markup",
        ),
        pytest.param("<esi:comment text='no'/>x", "x", id="w3c 3.3 a comment is not sent"),
        pytest.param("<esi:inline name='/x' fetchable='yes'>y</esi:inline>z", "z", id="w3c 3.2 inline is not shown"),
    ],
)
def test_choose_and_variables(text: str, expected: str) -> None:
    asked: dict[str, Any] = {
        **COOKIES,
        "host": "h.test",
        "url": "/p?a=1+2&b",
        "languages": "da, de;q=0.5",
        "agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X)",
        "referer": "http://r/",
    }
    assert said(text, "esi", **asked) == expected


INJECTED = "</script><esi:include src='/secret'/>\"'><img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("<p>{}</p>", id="text"),
        pytest.param('<p title="{}">', id="an-attribute"),
        pytest.param("<p title={}>", id="an-attribute-without-quotes"),
        pytest.param("<script>var a = '{}'</script>", id="a-script"),
        pytest.param("<a onclick=\"f('{}')\">", id="a-handler"),
        pytest.param("<style>a{{content:'{}'}}</style>", id="a-sheet"),
        pytest.param('<p style="color:{}">', id="a-style"),
        pytest.param("<title>{}</title>", id="a-title"),
        pytest.param("<textarea>{}</textarea>", id="a-textarea"),
        pytest.param("<!-- {} -->", id="a-comment"),
        pytest.param('<a href="{}">', id="a-link"),
        pytest.param('<script src="{}"></script>', id="the-address-of-a-script"),
        pytest.param("<esi:include src='/f?q={}'/>", id="the-address-of-an-include"),
        pytest.param("<{}>", id="a-tags-name"),
    ],
)
@pytest.mark.parametrize("source", ["QUERY_STRING{q}", "HTTP_COOKIE{q}", "HTTP_REFERER", "HTTP_HOST"])
def test_ledge_nothing_comes_out_of_a_variable(place: str, source: str) -> None:
    """ledge's XSS, and its order: tags are looked for before values are written."""
    text = "<esi:vars>" + place.format(f"$({source})") + "</esi:vars>"
    asked: dict[str, Any] = {
        "url": "/?q=" + quote(INJECTED),
        "cookies": {"q": INJECTED},
        "referer": INJECTED,
        "host": INJECTED,
    }
    plan = planned(text, "esi", **asked)
    written = b"".join(plan.literals).decode()
    assert "<img" not in written and "<esi:" not in written and "</script><" not in written.replace("</script></", "")
    assert [slot.include.source for slot in plan.slots if slot.include and "secret" in slot.include.source] == (
        ["/f?q=" + quote(INJECTED, safe="")] if "include" in place else []
    )


@pytest.mark.parametrize(
    "address",
    ["http://169.254.169.254/", "//evil.test/", "/\\evil.test", "https:evil", "../../x", "@evil.test/", "\r\nX: y"],
)
def test_ledge_no_variable_leads_an_include_elsewhere(address: str) -> None:
    found = include('<esi:include src="$(HTTP_COOKIE{u})"/>', "esi", cookies={"u": address}, url="/d/p")
    assert found.source.startswith("/") and not found.source.startswith(("//", "/\\"))
    assert not set("\r\n@\\") & set(found.source)


# nodesi


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('a<esi:include src="/f" b', 'a<esi:include src="/f" b', id="nodesi a tag that is never closed"),
        pytest.param(f"<section>{INCLUDE}</section>{INCLUDE}", "<section>{/f}</section>{/f}", id="nodesi several"),
        pytest.param("<esi:include src='/f'></esi:include>", "{/f}", id="nodesi a tag with an end tag"),
        pytest.param("<esi:include src='/f'>x</esi:include>", "{/f}x", id="nodesi what stands within it stays"),
        pytest.param("<esi:include\nsrc='/f'\n/>", "{/f}", id="nodesi a tag over lines"),
        pytest.param("<esi:remove>x</esi:remove>y<esi:remove>z</esi:remove>", "y", id="nodesi removes"),
        pytest.param("Ünïcödé " + INCLUDE, "Ünïcödé {/f}", id="nodesi letters of all kinds"),
        pytest.param('<esi:include src="/f?é=ü"/>', "{/f?é=ü}", id="nodesi letters of all kinds in an address"),
    ],
)
def test_nodesi(text: str, expected: str) -> None:
    assert said(text, "esi") == expected


def test_e00029_directives_in_one_another_end_somewhere() -> None:
    """Varnish bounds documents in documents; here none is in another, so this bounds what is within one."""
    deep = "<esi:remove>" * 200 + "x" + "</esi:remove>" * 200
    assert said(deep, "esi") == ""
    vars_ = "<esi:vars>" * 200 + "$(HTTP_HOST)" + "</esi:vars>" * 200
    assert said(vars_, "esi", host="h") == "h"


@pytest.mark.parametrize(
    ("text", "depends"),
    [
        pytest.param(INCLUDE, False, id="an-include"),
        pytest.param(TRY, False, id="an-attempt"),
        pytest.param(TRY.replace("E", "<esi:vars>$(HTTP_HOST)</esi:vars>"), True, id="an-except-that-says-something"),
        pytest.param('<esi:include src="/f?$(QUERY_STRING)"/>', True, id="an-address-that-does"),
        pytest.param('<esi:include src="/f" alt="/f?$(QUERY_STRING)"/>', True, id="an-alternative-that-does"),
        pytest.param(when("1==1"), True, id="a-choice"),
    ],
)
def test_ledge_what_depends_on_its_viewer_is_known(text: str, depends: bool) -> None:
    assert dialects.read(text.encode(), ("esi",)).depends is depends


def test_what_opens_a_comment_of_esi_is_text_when_the_viewer_brought_it() -> None:
    text = f"a<!--esi b-->c{INCLUDE}"
    assert said(text, "esi", foreign=lambda tag: tag.startswith(b"<!--esi")) == "a<!--esi b-->c{/f}"


def test_e00016_what_a_text_may_grow_to_is_bounded() -> None:
    """Varnish says 'ESI 1xxx' of its stack; here a text that grows without end is left as it is."""
    with pytest.raises(OverBudget):
        said("<p>" + "x" * dialects.GROWTH + INCLUDE, "esi")
    text = "<esi:vars>" + "$(HTTP_COOKIE{a})" * 1000 + "</esi:vars>"
    assert len(said(text, "esi", cookies={"a": "x" * 100_000})) <= 1 << 20
    with pytest.raises(OverBudget):
        dialects.read(b"x" * (64 << 20), ("esi",))
