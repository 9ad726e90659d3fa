"""A viewer that holds the bytes is told so, and gets none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.validators as validators
from gateway.message import Fields, Head, Request, Response, Stream


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


MODIFIED = (b"last-modified", b"Tue, 14 Nov 2023 22:13:20 GMT")
SINCE, BEFORE = b"Tue, 14 Nov 2023 22:13:20 GMT", b"Tue, 14 Nov 2023 22:13:19 GMT"
MADE = (b"date", b"Tue, 14 Nov 2023 22:14:20 GMT")
NONE_MATCH, SINCE_NAME = b"if-none-match", b"if-modified-since"


@pytest.mark.parametrize(
    ("asked", "stored", "held"),
    [
        pytest.param([(NONE_MATCH, b'"a"')], [(b"etag", b'"a"')], True, id="its validator"),
        pytest.param([(NONE_MATCH, b'W/"a"')], [(b"etag", b'"a"')], True, id="weak comparison"),
        pytest.param([(NONE_MATCH, b'"x", "a"')], [(b"etag", b'"a"')], True, id="one of a list"),
        pytest.param([(NONE_MATCH, b'"x"'), (NONE_MATCH, b'"a"')], [(b"etag", b'"a"')], True, id="lists on two lines"),
        pytest.param([(NONE_MATCH, b"*")], [], True, id="a star holds for whatever there is"),
        pytest.param([(NONE_MATCH, b'"a"')], [], False, id="no validator to compare with"),
        pytest.param([(SINCE_NAME, SINCE)], [MODIFIED], True, id="not modified since then"),
        pytest.param([(SINCE_NAME, b"Tue, 14 Nov 2023 22:59:59 GMT")], [MODIFIED], True, id="nor long after"),
        pytest.param([(SINCE_NAME, b"Tuesday, 14-Nov-23 22:13:20 GMT")], [MODIFIED], True, id="in another form"),
        pytest.param([(SINCE_NAME, BEFORE)], [MODIFIED], False, id="modified since"),
        pytest.param([(SINCE_NAME, SINCE)], [MADE], False, id="dated by its Date"),
        pytest.param([(SINCE_NAME, b"Tue, 14 Nov 2023 22:14:20 GMT")], [MADE], True, id="and not since that"),
        pytest.param([(SINCE_NAME, SINCE)], [], False, id="dated by when it was stored"),
        pytest.param([(SINCE_NAME, b"Wed, 15 Nov 2023 22:13:20 GMT")], [], True, id="and not since that either"),
        pytest.param([(SINCE_NAME, b"yesterday")], [MODIFIED], False, id="no date"),
        pytest.param([(SINCE_NAME, SINCE), (SINCE_NAME, SINCE)], [MODIFIED], False, id="two dates"),
        pytest.param(
            [(NONE_MATCH, b'"b"'), (SINCE_NAME, SINCE)],
            [(b"etag", b'"a"'), MODIFIED],
            False,
            id="the date is not asked",
        ),
        pytest.param(
            [(NONE_MATCH, b'"a"'), (SINCE_NAME, BEFORE)], [(b"etag", b'"a"'), MODIFIED], True, id="either way"
        ),
        pytest.param([], [MODIFIED], False, id="no condition"),
    ],
)
def test_held(asked: Fields, stored: Fields, held: bool) -> None:
    for method, answer in ((b"GET", held), (b"HEAD", held), (b"POST", False)):
        assert validators.held(Request(method, b"/", asked), Head(stored), 1_700_000_100.0) is answer


@pytest.mark.parametrize(
    ("asked", "made", "refused"),
    [
        pytest.param([(b"if-match", b'"a"')], [(b"etag", b'"a"')], False, id="it is that one"),
        pytest.param([(b"if-match", b'"x", "a"')], [(b"etag", b'"a"')], False, id="one of a list"),
        pytest.param([(b"if-match", b"*")], [], False, id="there is one"),
        pytest.param([(b"if-match", b'"b"')], [(b"etag", b'"a"')], True, id="it is another"),
        pytest.param([(b"if-match", b'W/"a"')], [(b"etag", b'W/"a"')], True, id="strong comparison"),
        pytest.param([(b"if-match", b'"a"')], [], True, id="it has none"),
        pytest.param([(b"if-unmodified-since", SINCE)], [MODIFIED], False, id="unmodified"),
        pytest.param([(b"if-unmodified-since", BEFORE)], [MODIFIED], True, id="modified"),
        pytest.param([(b"if-unmodified-since", BEFORE)], [], False, id="nobody knows when"),
        pytest.param([(b"if-unmodified-since", b"x")], [MODIFIED], False, id="no date"),
        pytest.param(
            [(b"if-match", b'"a"'), (b"if-unmodified-since", BEFORE)],
            [(b"etag", b'"a"'), MODIFIED],
            False,
            id="the validator goes before the date",
        ),
        pytest.param([], [MODIFIED], False, id="no condition"),
    ],
)
def test_refused(asked: Fields, made: Fields, refused: bool) -> None:
    assert validators.refused(Request(b"GET", b"/", asked), Head(made)) is refused


@pytest.mark.parametrize(
    ("name", "origins"), [(b"if-match", True), (b"if-unmodified-since", True), (NONE_MATCH, False), (b"accept", False)]
)
def test_which_conditions_are_the_origins_to_judge(name: bytes, origins: bool) -> None:
    assert validators.is_for_the_origin(Head([(name, b'"a"')])) is origins


RANGE = (b"range", b"bytes=0-1")


@pytest.mark.parametrize(
    ("asked", "stored", "part"),
    [
        pytest.param([RANGE], [], b"bytes=0-1", id="a range"),
        pytest.param([], [], None, id="none"),
        pytest.param([RANGE, RANGE], [], None, id="two fields"),
        pytest.param([RANGE], [(b"content-encoding", b"gzip")], None, id="of coded bytes the whole"),
        pytest.param([RANGE, (b"if-range", b'"a"')], [(b"etag", b'"a"')], b"bytes=0-1", id="if it is still that one"),
        pytest.param([RANGE, (b"if-range", b'"b"')], [(b"etag", b'"a"')], None, id="it is another: the whole"),
        pytest.param([RANGE, (b"if-range", b'W/"a"')], [(b"etag", b'W/"a"')], None, id="a weak validator: the whole"),
        pytest.param([RANGE, (b"if-range", SINCE)], [MODIFIED, MADE], b"bytes=0-1", id="if it has that very date"),
        pytest.param([RANGE, (b"if-range", BEFORE)], [MODIFIED, MADE], None, id="another date: the whole"),
        pytest.param(
            [RANGE, (b"if-range", SINCE)], [MODIFIED, (b"date", SINCE)], None, id="a date of the moment it was made"
        ),
        pytest.param([RANGE, (b"if-range", SINCE)], [MODIFIED], None, id="made nobody knows when"),
        pytest.param([RANGE, (b"if-range", b"x")], [MADE], None, id="nonsense: the whole"),
    ],
)
def test_range_of(asked: Fields, stored: Fields, part: bytes | None) -> None:
    assert validators.range_of(Request(b"GET", b"/", asked), Head(stored)) == part
    assert validators.range_of(Request(b"HEAD", b"/", asked), Head(stored)) is None


def test_partial() -> None:
    whole: Fields = [(b"content-length", b"9"), (b"etag", b'"a"')]
    assert validators.partial(whole, 0, 3, 9) == [(b"etag", b'"a"'), (b"content-range", b"bytes 0-3/9")]
    assert validators.unsatisfiable(9) == [(b"content-range", b"bytes */9")]
