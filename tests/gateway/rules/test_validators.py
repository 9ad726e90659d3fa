"""A viewer that holds the bytes is told so, and gets none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.validators as validators
from gateway.message import Fields, Request, Response, Stream


def asked(value: bytes | None, method: bytes = b"GET") -> Request:
    return Request(method, b"/", [] if value is None else [(b"if-none-match", value)])


@pytest.mark.parametrize(
    ("request_", "status", "etag", "held"),
    [
        pytest.param(asked(b'"a"'), 200, b'"a"', True, id="the very bytes"),
        pytest.param(asked(b'W/"a"'), 200, b'"a"', True, id="weak comparison"),
        pytest.param(asked(b'"a"'), 200, b'W/"a"', True, id="weak comparison, other way round"),
        pytest.param(asked(b'"b", W/"a"'), 200, b'"a"', True, id="one of a list"),
        pytest.param(asked(b'"x", "a,b"'), 200, b'W/"a,b"', True, id="a comma may stand in one"),
        pytest.param(asked(b'"x,a"'), 200, b'"a"', False, id="and is no end of one"),
        pytest.param(asked(b"a,b"), 200, b"b", True, id="some have no quotes"),
        pytest.param(asked(b"*"), 200, b'"a"', True, id="a star"),
        pytest.param(asked(b'"a"', b"HEAD"), 200, b'"a"', True, id="HEAD"),
        pytest.param(asked(b'"b"'), 200, b'"a"', False, id="other bytes"),
        pytest.param(asked(b'"A"'), 200, b'"a"', False, id="another case is other bytes"),
        pytest.param(asked(None), 200, b'"a"', False, id="no condition"),
        pytest.param(asked(b'"a"'), 200, None, False, id="no validator"),
        pytest.param(asked(b'"a"', b"POST"), 200, b'"a"', False, id="a method that changes things"),
        pytest.param(asked(b'"a"'), 404, b'"a"', False, id="an answer that is no success"),
    ],
)
def test_not_modified(request_: Request, status: int, etag: bytes | None, held: bool) -> None:
    fields: Fields = [] if etag is None else [(b"etag", etag)]
    assert validators.not_modified(request_, Response(status, fields)) is held


@given(st.binary(max_size=40), st.binary(min_size=1, max_size=8))
def test_any_bytes_are_compared(sent: bytes, etag: bytes) -> None:
    validators.not_modified(asked(sent), Response(200, [(b"etag", etag)]))
    tag = b'"' + etag.replace(b'"', b"") + b'"'
    assert validators.not_modified(asked(b'"x", ' + tag), Response(200, [(b"etag", tag)]))


class Body(Stream):
    closed = False

    def close(self) -> None:
        self.closed = True


def test_bodiless_keeps_what_a_304_says_and_lets_the_body_go() -> None:
    kept: Fields = [
        (name, b"x")
        for name in (b"cache-control", b"content-location", b"etag", b"expires", b"vary", b"age", b"cache-status")
    ]
    gone: Fields = [(b"content-type", b"text/html"), (b"content-length", b"5"), (b"content-encoding", b"gzip")]
    body = Body()
    response = validators.bodiless(Response(200, [*kept, *gone], body))
    assert (response.status, response.headers, response.body) == (304, kept, b"")
    assert body.closed


def test_bodiless_keeps_cookies_and_security_fields_of_the_answer() -> None:
    """A 304 updates what the viewer holds (RFC 9110 section 15.4.5); a cookie must not be lost on the way."""
    response = validators.bodiless(Response(200, [(b"etag", b'"a"'), (b"set-cookie", b"s=1")], b"x"))
    assert (b"set-cookie", b"s=1") in response.headers


@pytest.mark.parametrize("name", ["hotels.deals", "100%", "%.1f"])
def test_server_timing_is_told_again_with_other_times(name: str) -> None:
    template = validators.server_timing_of([(name, "hit", 0.0), ("pets.new", "miss", 0.0)])
    assert template % (1.0, 2.0) == validators.server_timing([(name, "hit", 0.001), ("pets.new", "miss", 0.002)])


def test_server_timing_names_each_fragment() -> None:
    told = validators.server_timing([("hotels.deals", "hit", 0.0), ("pets.new", "timeout", 0.5004)])
    assert told == b'hotels.deals;desc="hit";dur=0.0, pets.new;desc="timeout";dur=500.4'


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("/cart/f", b"_cart_f", id="a-path"),
        pytest.param('a;desc="b", c', b"a_desc__b___c", id="what-would-be-another-metric"),
        pytest.param("a\r\nset-cookie: x", b"a__set-cookie__x", id="what-would-be-another-field"),
        pytest.param("\u65e5\u672c", b"__", id="other-scripts"),
    ],
)
def test_a_metric_is_named_by_a_token(name: str, told: bytes) -> None:
    assert validators.server_timing([(name, "hit", 0.0)]) == told + b';desc="hit";dur=0.0'
