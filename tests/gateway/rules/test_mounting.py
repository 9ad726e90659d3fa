"""An answer's fields below its mount: URLs mapped, cookies bound, nothing of the inside or of the whole domain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.mounting as mounting
from fragments.urls import Place
from gateway.message import Fields
from gateway.rules.fields import HOP_BY_HOP

ORIGINS = frozenset({"http://hotels.internal:8000", "http://shop.test"})
HOTELS = Place("/hotels", ORIGINS)
LINKED = Place("/hotels", ORIGINS, ("/pets",))


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(b"/login", (b"/hotels/login",), id="a root path"),
        pytest.param(b"/login?next=%2Fx", (b"/hotels/login?next=%2Fx",), id="its query is not looked into"),
        pytest.param(b"login", (b"login",), id="a relative path"),
        pytest.param(b"../up", (b"../up",), id="a relative path upwards"),
        pytest.param(b"?p=2", (b"?p=2",), id="a query alone"),
        pytest.param(b"http://hotels.internal:8000/x", (b"http://shop.test/hotels/x", b"/hotels/x"), id="the origin"),
        pytest.param(b"//hotels.internal:8000/x", (b"/hotels/x",), id="the origin without a scheme"),
        pytest.param(b"http://shop.test/x", (b"http://shop.test/hotels/x", b"/hotels/x"), id="the public host"),
        pytest.param(b"/hotels/x", (b"/hotels/x",), id="what is below already"),
        pytest.param(
            b"http://shop.test/hotels/x", (b"http://shop.test/hotels/x", b"/hotels/x"), id="what is below, absolute"
        ),
        pytest.param(b"https://other.example/x", (b"https://other.example/x",), id="another host"),
        pytest.param(b"//other.example/x", (b"//other.example/x",), id="another host without a scheme"),
        pytest.param(b"/\\other.example", (b"/\\other.example",), id="a backslash is no way to make another host"),
        pytest.param(b"/pets/1", (b"/hotels/pets/1",), id="another mount's path is the application's own"),
        pytest.param(b"", (b"",), id="nothing"),
    ],
)
@pytest.mark.parametrize("name", [b"location", b"content-location"])
def test_location(name: bytes, said: bytes, left: tuple[bytes, ...]) -> None:
    ((_, value),) = mounting.answer([(name, said)], HOTELS)
    assert value in left


def test_location_of_a_linked_mount_stays() -> None:
    assert mounting.answer([(b"location", b"/pets/1")], LINKED) == [(b"location", b"/pets/1")]


@pytest.mark.parametrize(
    ("field", "left"),
    [
        pytest.param((b"refresh", b"5; url=/x"), b"5; url=/hotels/x", id="Refresh"),
        pytest.param((b"refresh", b"0;URL='/x'"), b"0;URL='/hotels/x'", id="Refresh, quoted"),
        pytest.param((b"refresh", b"5"), b"5", id="Refresh without a URL"),
        pytest.param((b"refresh", b"5; url=x"), b"5; url=x", id="Refresh, relative"),
        pytest.param((b"link", b"</a.css>; rel=preload"), b"</hotels/a.css>; rel=preload", id="Link"),
        pytest.param(
            (b"link", b'</a>; rel=next; title="</b>", <//c.example/d>; rel=x'),
            b'</hotels/a>; rel=next; title="</b>", <//c.example/d>; rel=x',
            id="Link: only targets, not what parameters quote",
        ),
        pytest.param((b"link", b"</a>, </b>"), b"</hotels/a>, </hotels/b>", id="Link: every target"),
        pytest.param((b"sourcemap", b"/a.js.map"), b"/hotels/a.js.map", id="SourceMap"),
        pytest.param((b"x-sourcemap", b"/a.js.map"), b"/hotels/a.js.map", id="X-SourceMap"),
        pytest.param((b"set-cookie", b"s=1; Path=/"), b"s=1; Path=/hotels", id="Set-Cookie"),
        pytest.param((b"service-worker-allowed", b"/"), b"/hotels/", id="a service worker stays in its mount"),
        pytest.param((b"x-own", b"/x"), b"/x", id="an unknown field is nobody's business"),
        pytest.param((b"etag", b'"1"'), b'"1"', id="a validator of untouched bytes"),
    ],
)
def test_field(field: tuple[bytes, bytes], left: bytes) -> None:
    assert mounting.answer([field], HOTELS) == [(field[0], left)]


@pytest.mark.parametrize(
    "name",
    [
        b"server",
        b"x-powered-by",
        b"via",
        b"x-accel-redirect",
        b"strict-transport-security",
        b"clear-site-data",
        b"alt-svc",
        *sorted(HOP_BY_HOP),
    ],
)
def test_field_that_goes(name: bytes) -> None:
    assert mounting.answer([(name, b"x"), (b"x-own", b"y")], HOTELS) == [(b"x-own", b"y")]


def test_what_connection_names_goes() -> None:
    assert mounting.answer([(b"connection", b"X-Hop"), (b"x-hop", b"1"), (b"x-own", b"2")], HOTELS) == [
        (b"x-own", b"2")
    ]


def test_cookies_stay_lines_of_their_own_in_order() -> None:
    said: Fields = [(b"set-cookie", b"a=1"), (b"x-own", b"x"), (b"set-cookie", b"b=2; Expires=Thu, 01 Jan 2026")]
    assert mounting.answer(said, HOTELS) == [
        (b"set-cookie", b"a=1; Path=/hotels"),
        (b"x-own", b"x"),
        (b"set-cookie", b"b=2; Expires=Thu, 01 Jan 2026; Path=/hotels"),
    ]


def test_hop_drops_what_is_of_the_hop_and_no_more() -> None:
    said: Fields = [(b"connection", b"x-hop"), (b"x-hop", b"1"), (b"te", b"x"), (b"server", b"s"), (b"location", b"/x")]
    assert mounting.hop(said) == [(b"server", b"s"), (b"location", b"/x")]


def test_rewritten_leaves_nothing_that_spoke_of_other_bytes() -> None:
    gone = [b"content-length", b"content-md5", b"digest", b"repr-digest", b"content-digest", b"accept-ranges"]
    said: Fields = [*((name, b"x") for name in gone), (b"content-encoding", b"gzip"), (b"content-type", b"text/html")]
    assert mounting.rewritten(said, "r1") == [(b"content-type", b"text/html")]


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(b'"abc"', b'W/"abc~r1"', id="strong becomes weak"),
        pytest.param(b'W/"abc"', b'W/"abc~r1"', id="weak stays weak"),
        pytest.param(b'""', b'W/"~r1"', id="empty"),
    ],
)
def test_etag(said: bytes, left: bytes) -> None:
    assert mounting.rewritten([(b"etag", said)], "r1") == [(b"etag", left)]


def test_version_follows_the_rules() -> None:
    assert mounting.version(HOTELS) == mounting.version(Place("/hotels", frozenset()))
    assert len({mounting.version(place) for place in (HOTELS, LINKED, Place("/stays", ORIGINS))}) == 3


@pytest.mark.parametrize(
    ("name", "said", "seen"),
    [
        pytest.param(b"if-none-match", b'W/"abc~r1"', b'W/"abc"', id="ours is turned back"),
        pytest.param(b"if-none-match", b'W/"a~r1", "b"', b'W/"a", "b"', id="in a list"),
        pytest.param(b"if-match", b'W/"abc~r1"', b'W/"abc"', id="If-Match too"),
        pytest.param(b"if-none-match", b'W/"abc~r0"', b'W/"abc~r0"', id="other rules' is nobody's"),
        pytest.param(b"if-none-match", b"*", b"*", id="a star"),
        pytest.param(b"x-own", b'W/"abc~r1"', b'W/"abc~r1"', id="no other field"),
    ],
)
def test_conditions(name: bytes, said: bytes, seen: bytes) -> None:
    assert mounting.conditions([(name, said)], "r1") == [(name, seen)]


@given(st.text("ab/\\.:?#%2e=;'\"<>, url0", max_size=30), st.sampled_from([b"location", b"refresh", b"link"]))
def test_twice_is_once(value: str, name: bytes) -> None:
    once = mounting.answer([(name, value.encode())], HOTELS)
    assert mounting.answer(once, HOTELS) == once


@given(st.binary(max_size=40), st.sampled_from(sorted(mounting.RULES)))
def test_any_bytes_are_mapped_to_one_line(value: bytes, name: bytes) -> None:
    clean = value.translate(None, b"\r\n\0")
    ((_, left),) = mounting.answer([(name, clean)], HOTELS)
    assert not set(left) & set(b"\r\n\0")
