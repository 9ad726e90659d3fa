"""What came with a request: values a page may say, and tags it may not act on."""

import base64
import json
import time
from urllib.parse import quote

import pytest

import gateway.rules.brought as brought
from gateway.message import Request
from gateway.rules.brought import Form

TAG = b'<esi:include src="/cart/f"/>'
OWN = b'<esi:include src="/cart/own"/>'
ENCODED = quote(TAG.decode(), safe="")


def request(
    query: str = "", *fields: tuple[str, str], body: bytes = b"", path: str = "/", method: bytes = b"GET"
) -> Request:
    target = path + (f"?{query}" if query else "")
    headers = [(name.encode(), value.encode()) for name, value in fields]
    return Request(method, target.encode(), headers, body)


def is_foreign(asked: Request, tag: bytes) -> bool:
    told = brought.foreign(asked)
    return told is not None and told(tag)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(request(f"q={ENCODED}"), id="percent-encoded"),
        pytest.param(request(f"q={quote(ENCODED)}"), id="percent-encoded-twice"),
        pytest.param(request("q=<esi:include+src=/cart/f/>"), id="as-it-is-with-other-quotes"),
        pytest.param(request("q=%3CESI:INCLUDE%09src%3D'/cart/f'"), id="in-other-letters-and-blanks"),
        pytest.param(request("q=%26lt%3Besi:include src=/cart/f".replace(" ", "+")), id="as-an-entity"),
        pytest.param(request("q=%26%2360%3Besi:include+src=/cart/f"), id="as-a-number"),
        pytest.param(request("q=\\u003cesi:include+src=/cart/f"), id="as-json-writes-it"),
        pytest.param(request("q=\\x3cesi:include+src=/cart/f"), id="as-javascript-writes-it"),
        pytest.param(request("q=%3Cesi:include&r=+src=/cart/f/>"), id="in-two-values"),
        pytest.param(request("q=%3Ces&r=i:include+src=/cart/f/>"), id="in-two-values-within-a-word"),
        pytest.param(request("q=%3C&r=esi:include+src=/cart/f/>"), id="in-two-values-behind-its-sign"),
        pytest.param(request("q=%3C&lt=esi:include+src=/cart/f/>"), id="of-which-one-has-an-entitys-name"),
        pytest.param(request("r=clude+src=/cart/f/>&q=esi:in&p=%3C"), id="in-three-values-in-another-order"),
        pytest.param(request(path="/%3C/esi:include%20src=%2Fcart%2Ff"), id="in-two-segments-of-the-path"),
        pytest.param(request("q=%3C", ("cookie", "a=1; r=esi:include src=/cart/f/>")), id="in-a-value-and-a-cookie"),
        pytest.param(request("q=%3C", body=b"r=esi:include src=/cart/f/>"), id="in-a-value-and-a-form"),
        pytest.param(request(body=b'{"q": "<", "r": ["esi:include src=/cart/f/>"]}'), id="in-two-values-of-json"),
        pytest.param(request(body=b'{"q": "<esi:inc", "r": "lude src=/cart/f/>"}'), id="in-two-words-of-json"),
        pytest.param(
            request(body=b"--x\r\n\r\n<esi:in\r\n--x\r\n\r\nclude src=/cart/f/>\r\n--x--"), id="in-two-parts-of-a-form"
        ),
        pytest.param(
            request("", ("content-type", "application/json"), body=b'{"q": "<esi:include\\n\\tsrc=/cart/f/>"}'),
            id="in-json-over-lines",
        ),
        pytest.param(
            request("", ("content-type", "multipart/form-data"), body=b"--x\r\n\r\n" + TAG + b"\r\n--x--"),
            id="in-a-part",
        ),
        pytest.param(request("q=%3Cesi:inc"), id="its-beginning-up-to-the-end-of-a-value"),
        pytest.param(request(f"{ENCODED}=1"), id="in-a-name"),
        pytest.param(request(f"q={ENCODED}and more"), id="with-more-behind"),
        pytest.param(request(f"q=a%20b{ENCODED}"), id="with-more-before"),
        pytest.param(request(path=f"/{ENCODED}"), id="in-the-path"),
        pytest.param(request("", ("cookie", f"a=1; b={ENCODED}")), id="in-a-cookie"),
        pytest.param(request("", ("referer", f"http://x.test/?q={ENCODED}")), id="in-a-referer"),
        pytest.param(request("", ("user-agent", TAG.decode())), id="in-a-field"),
        pytest.param(request(body=b"a=1&q=" + ENCODED.encode(), method=b"POST"), id="in-a-form"),
        pytest.param(request(body=json.dumps({"q": TAG.decode()}).encode(), method=b"POST"), id="in-json"),
        pytest.param(
            request(body=json.dumps({"q": TAG.decode()}).replace("<", "\\u003C").encode(), method=b"POST"),
            id="in-json-with-escapes",
        ),
        pytest.param(request(body=b"--x\r\n\r\n" + TAG + b"\r\n--x--", method=b"POST"), id="in-a-multipart-form"),
    ],
)
def test_a_tag_that_came_with_the_request_is_foreign(asked: Request) -> None:
    assert is_foreign(asked, TAG)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(request(), id="nothing"),
        pytest.param(request("q=hello&u=/cart/f"), id="its-address-alone"),
        pytest.param(request(f"q={ENCODED}"), id="another-tag"),
        pytest.param(request("q=a%3Cb"), id="less-than"),
        pytest.param(request("q=" + quote(quote(quote(quote(ENCODED))))), id="encoded-more-often-than-anybody-decodes"),
        pytest.param(request("q=%3C/esi:include%3E"), id="the-end-tag-of-one"),
        pytest.param(request("q=%3C&r=hello+world"), id="an-opening-and-another-word"),
        pytest.param(request("q=%3C3"), id="a-heart"),
        pytest.param(request("id=a3c3cf&color=%233c3c3c"), id="digits-that-look-like-an-escape"),
        pytest.param(request("", ("accept", "text/html;q=0.9")), id="everyday-fields"),
        pytest.param(request("q=" + base64.b64encode(TAG).decode()), id="what-no-page-reads"),
    ],
)
def test_a_pages_own_tag_is_its_own(asked: Request) -> None:
    assert not is_foreign(asked, OWN)


@pytest.mark.parametrize(
    "tag",
    [
        b'<mf-slot name="cart.mini" city="x">',
        b'<!--mf:slot name="cart.mini"-->',
        b'<template mf-slot="cart.mini">',
        b'<!--#include virtual="/cart/f" -->',
        b'<!--#echo var="x" -->',
        b"<esi:vars>",
        b"</esi:remove>",
        b'<!--esi <esi:include src="/x"/> -->',
        b'<fragment src="http://cart/f">',
        b'<h-include src="/cart/f">',
        b'<turbo-frame id="a" src="/cart/f">',
    ],
    ids=lambda tag: tag.decode(),
)
def test_every_kind_of_tag(tag: bytes) -> None:
    asked = request("q=" + quote(tag.decode(), safe=""))
    assert brought.carries(asked)
    assert is_foreign(asked, tag)
    assert not is_foreign(asked, OWN)


@pytest.mark.parametrize(
    ("asked", "carries"),
    [
        pytest.param(request(f"q={ENCODED}"), True, id="a-tag"),
        pytest.param(request("q=%3C"), True, id="what-may-become-one"),
        pytest.param(request("q=1"), False, id="nothing"),
        pytest.param(request("q=1+%3C+2"), False, id="a-comparison"),
        pytest.param(request("id=a3c&b=%233c3c"), False, id="digits"),
        pytest.param(request("", ("x-forwarded-for", "1.2.3.4"), ("cookie", "a=b")), False, id="everyday-fields"),
    ],
)
def test_what_carries_an_opening_is_not_kept(asked: Request, carries: bool) -> None:
    assert brought.carries(asked) is carries


@pytest.mark.parametrize(
    ("chunks", "tag", "foreign"),
    [
        pytest.param([b"q=%3Cesi:incl", b"ude+src=/cart/f/>"], TAG, True, id="split-over-chunks"),
        pytest.param([b"q=%3Cesi:incl", b"ude+src=/cart/f/>"], OWN, False, id="another-tag"),
        pytest.param([b"q=%", b"3Cesi:include+src=/cart/f/>"], TAG, True, id="split-in-an-escape"),
        pytest.param(
            [b"a" * brought.FORM, b"&q=<esi:include src=/cart/f/>"], TAG, True, id="behind-what-is-remembered"
        ),
        pytest.param([b"a" * brought.FORM, b"&q=", b"<esi:include src=/x>"], OWN, True, id="then-every-tag-is"),
        pytest.param([b"a" * brought.FORM, b"bcd"], OWN, False, id="a-long-body-of-nothing"),
        pytest.param([b"a" * 100_000], OWN, False, id="a-long-chunk-of-nothing"),
        pytest.param([b"q=%3C&r=", b"a" * brought.FORM], OWN, True, id="its-sign-and-more-than-is-remembered"),
    ],
)
def test_a_body_is_watched_on_its_way(chunks: list[bytes], tag: bytes, foreign: bool) -> None:
    form = Form()
    for chunk in chunks:
        form.add(chunk)
    told = brought.foreign(request(method=b"POST"), form)
    assert (told is not None and told(tag)) is foreign


def test_many_openings_take_time_for_their_length_only() -> None:
    asked = request(
        "", ("x-long", "".join(f"<esi:include {n}" for n in range(4000))), body=b"<e" * 30_000, method=b"POST"
    )
    began = time.process_time()
    told = brought.foreign(asked)
    assert told is not None and told(OWN)  # who sends that many has all taken for theirs
    some = brought.foreign(request("", ("x-long", "".join(f"<esi:include {n}" for n in range(500)))))
    assert some is not None and not any(some(OWN) for _ in range(10_000))
    assert time.process_time() - began < 2


def test_what_a_page_may_say_of_the_request() -> None:
    asked = brought.asked(
        request("q=1", ("cookie", "a=root; mf.1a2b3c4d.a=own; mf.99999999.b=other; s=site"), ("user-agent", "U")),
        b"https://shop.test",
        b"/hotels/?q=1",
        "1a2b3c4d",
        [b"s"],
    )
    assert (asked.host, asked.url, asked.agent) == ("shop.test", "/hotels/?q=1", "U")
    assert asked.cookies == {"a": "own", "s": "site"}
