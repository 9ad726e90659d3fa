"""What fields say of keeping: which field counts, what dates and numbers are, what is nonsense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.directives as directives
from gateway.message import Fields, Head

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("value", "at"),
    [
        pytest.param(b"Tue, 14 Nov 2023 22:13:20 GMT", NOW, id="as it is written today"),
        pytest.param(b"Tuesday, 14-Nov-23 22:13:20 GMT", NOW, id="as RFC 850 wrote it"),
        pytest.param(b"Tue Nov 14 22:13:20 2023", NOW, id="as C writes it"),
        pytest.param(b"Sun Nov  6 08:49:37 1994", 784111777.0, id="as C writes early days"),
        pytest.param(b"Sunday, 06-Nov-94 08:49:37 GMT", 784111777.0, id="of the last century"),
        pytest.param(b"TUE, 14 NOV 2023 22:13:20 gMT", NOW, id="in any case"),
        pytest.param(b" Tue, 14 Nov 2023 22:13:20 GMT ", NOW, id="white space around it"),
        pytest.param(b"Tue, 14 Nov 2023 22:13:60 GMT", NOW + 39, id="a leap second"),
        pytest.param(b"Tue, 14 Nov 2023 22:13:20 UTC", None, id="another word for the zone"),
        pytest.param(b"Tue, 14 Nov 2023 22:13:20 +0000", None, id="a zone in digits"),
        pytest.param(b"Tue, 14 Nov 23 22:13:20 GMT", None, id="a year of two digits"),
        pytest.param(b"Tue 14 Nov 2023 22:13:20 GMT", None, id="no comma"),
        pytest.param(b"Tue, 14  Nov  2023 22:13:20 GMT", None, id="many spaces"),
        pytest.param(b"Tue, 14-Nov-2023 22:13:20 GMT", None, id="dashes"),
        pytest.param(b"Tue, 14 Nov 2023 22.13.20 GMT", None, id="points in the time"),
        pytest.param(b"Tue, 14 Nov 2023 2:13:20 GMT", None, id="an hour of one digit"),
        pytest.param(b"Tue, 31 Feb 2023 22:13:20 GMT", None, id="a day that never was"),
        pytest.param(b"Tue, 14 Foo 2023 22:13:20 GMT", None, id="a month that never was"),
        pytest.param(b"Tue, 14 Nov 2023 25:13:20 GMT", None, id="an hour that never was"),
        pytest.param(b"Tue, 14 Nov 2023 22:13:20 GMT" + b" " * 99, None, id="longer than any date"),
        pytest.param(b"0", None, id="a number"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_date(value: bytes, at: float | None) -> None:
    assert directives.date(value) == at


@given(st.binary(max_size=40))
def test_any_bytes_are_a_date_or_none(value: bytes) -> None:
    at = directives.date(value)
    assert at is None or isinstance(at, float)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (b"0", 0.0),
        (b"003600", 3600.0),
        (b" 60 ", 60.0),
        (b"99999999999", directives.LONGEST),
        (b"-1", None),
        (b"1.5", None),
        (b"1e3", None),
        (b"'60'", None),
        (b"60a", None),
        ("\u0666".encode(), None),
        (None, None),
    ],
)
def test_seconds(value: bytes | None, number: float | None) -> None:
    assert directives.seconds(value) == number


CONTROL = (b"cache-control", b"max-age=1")


@pytest.mark.parametrize(
    ("fields", "lasts"),
    [
        pytest.param([CONTROL], 1.0, id="Cache-Control"),
        pytest.param([CONTROL, (b"surrogate-control", b"max-age=2")], 2.0, id="the surrogate's goes before it"),
        pytest.param([CONTROL, (b"surrogate-control", b'content="ESI/1.0"')], 1.0, id="if it says a time"),
        pytest.param(
            [CONTROL, (b"surrogate-control", b"max-age=2"), (b"cdn-cache-control", b"max-age=3")],
            3.0,
            id="a targeted one goes before that",
        ),
        pytest.param(
            [CONTROL, (b"cdn-cache-control", b"max-age=3"), (b"mf-cache-control", b"max-age=4")],
            4.0,
            id="ours before all",
        ),
        pytest.param([(b"cdn-cache-control", b"max-age=3, s-maxage=5")], 5.0, id="s-maxage in it, too"),
        pytest.param([CONTROL, (b"cdn-cache-control", b'max-age="3"')], 0.0, id="of another type: stale"),
        pytest.param([(b"cdn-cache-control", b"public"), CONTROL], None, id="silent: then nobody else speaks"),
        pytest.param(
            [(b"surrogate-control", b"max-age=2"), (b"cache-control", b"no-cache")], 2.0, id="no-cache is others'"
        ),
        pytest.param([(b"cache-control", b"no-cache")], 0.0, id="no-cache lasts no time"),
    ],
)
def test_which_field_says_how_long(fields: Fields, lasts: float | None) -> None:
    told = directives.read(Head(fields))
    assert told.lasts == lasts
    assert told.until is None
    assert directives.read(Head([*fields, (b"age", b"7")])).age == 7.0


@pytest.mark.parametrize(
    ("fields", "never"),
    [
        pytest.param(
            [(b"cache-control", b"no-store"), (b"cdn-cache-control", b"max-age=9")], "", id="a targeted one alone"
        ),
        pytest.param([CONTROL, (b"cdn-cache-control", b"no-store")], "no-store", id="either way"),
        pytest.param([CONTROL, (b"cdn-cache-control", b"private")], "private", id="private for caches at the edge"),
        pytest.param([CONTROL, (b"cdn-cache-control", b'private="x-a"')], "", id="private for some fields"),
        pytest.param([CONTROL, (b"cdn-cache-control", b"max-age=9, &&&")], "", id="a broken one is not there"),
        pytest.param(
            [(b"cache-control", b"no-store"), (b"cdn-cache-control", b"max-age=9, &&&")],
            "no-store",
            id="and helps nobody",
        ),
        pytest.param(
            [(b"cache-control", b"private"), (b"surrogate-control", b"max-age=9")], "private", id="no time shares"
        ),
        pytest.param(
            [(b"cache-control", b"no-store"), (b"surrogate-control", b"max-age=9")], "no-store", id="nor stores"
        ),
        pytest.param([CONTROL, (b"surrogate-control", b"no-store")], "no-store", id="the surrogate's own no-store"),
        pytest.param(
            [(b"cdn-cache-control", b"max-age=9"), (b"set-cookie", b"a=b")], "set-cookie", id="a cookie, never"
        ),
        pytest.param([CONTROL, (b"vary", b"a, *")], "vary", id="a star in Vary"),
        pytest.param(
            [CONTROL, (b"vary", b",".join(b"x%d" % at for at in range(32)))],
            "",
            id="as many fields as it may depend on",
        ),
        pytest.param([CONTROL, (b"vary", b",".join(b"x%d" % at for at in range(33)))], "vary", id="one more"),
        pytest.param([(b"cache-control", b"no-store, must-understand")], "", id="must-understand lifts no-store"),
    ],
)
def test_what_nobody_may_keep(fields: Fields, never: str) -> None:
    assert directives.read(Head(fields)).never == never
