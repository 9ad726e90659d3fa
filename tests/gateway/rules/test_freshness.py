"""How long an answer is kept, whether at all, and what may be done with what is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.freshness as freshness
from gateway.message import Entry, Fields, Response
from gateway.model import CachePolicy
from gateway.rules.freshness import Hit, Lifetime, Miss, Stale

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
DATE = (b"date", b"Tue, 14 Nov 2023 22:13:20 GMT")
MINUTE = CachePolicy.model_validate({"ttl": "1m", "stale_while_revalidate": "5m", "stale_if_error": "1d"})
ENTRY = Entry(200, (), b"x", b"d", stored=NOW, fresh=NOW + 10, revalidate=NOW + 20, error=NOW + 30)
LATE = Entry(200, (), b"x", b"d", stored=NOW, fresh=NOW + 10, revalidate=NOW + 10, error=NOW + 30)


def said(value: bytes) -> Fields:
    return [(b"cache-control", value)]


def told(status: int, fields: Fields, policy: CachePolicy | None, *, cookies: bool = False) -> Lifetime | str:
    return freshness.lifetime(Response(status, fields), policy, NOW, cookies=cookies)


@pytest.mark.parametrize(
    ("entry", "after", "verdict"),
    [
        pytest.param(None, 0, Miss("uri-miss"), id="nothing kept"),
        pytest.param(ENTRY, 0, Hit(ENTRY, 10), id="fresh"),
        pytest.param(ENTRY, 9.5, Hit(ENTRY, 0), id="fresh to the end"),
        pytest.param(ENTRY, 10, Stale(ENTRY, 0), id="stale, to be refreshed meanwhile"),
        pytest.param(ENTRY, 19, Stale(ENTRY, -9), id="stale, with the age beyond freshness"),
        pytest.param(ENTRY, 20, Miss("stale", ENTRY), id="stale, good enough for an outage"),
        pytest.param(LATE, 10, Miss("stale", LATE), id="no window to refresh in"),
        pytest.param(ENTRY, 30, Miss("stale"), id="good for nothing"),
    ],
)
def test_judge(entry: Entry | None, after: float, verdict: freshness.Verdict) -> None:
    assert freshness.judge(entry, NOW + after) == verdict


@pytest.mark.parametrize(
    ("value", "members"),
    [
        pytest.param(b"max-age=60", {b"max-age": b"60"}, id="a number"),
        pytest.param(b'Max-Age="60"', {b"max-age": b"60"}, id="quoted, upper case"),
        pytest.param(b"no-store", {b"no-store": None}, id="a word"),
        pytest.param(
            b"public, max-age=1,s-maxage=2", {b"public": None, b"max-age": b"1", b"s-maxage": b"2"}, id="list"
        ),
        pytest.param(
            b'private="set-cookie, x", max-age=1', {b"private": b"set-cookie, x", b"max-age": b"1"}, id="named"
        ),
        pytest.param(b"max-age=1, max-age=2", {b"max-age": b"1"}, id="the first of a name counts"),
        pytest.param(b"", {}, id="nothing"),
        pytest.param(b", ,=,;", {}, id="nonsense"),
        pytest.param(b"a=b=c", {b"a": b"b=c"}, id="an equals sign in a value"),
    ],
)
def test_directives(value: bytes, members: dict[bytes, bytes | None]) -> None:
    assert freshness.directives(value) == members


@pytest.mark.parametrize(
    ("status", "fields", "policy", "life"),
    [
        pytest.param(200, said(b"max-age=60"), None, Lifetime(60), id="max-age"),
        pytest.param(200, said(b"max-age=60, s-maxage=9"), None, Lifetime(9), id="s-maxage is for us"),
        pytest.param(200, said(b"MAX-AGE=60"), None, Lifetime(60), id="in any case"),
        pytest.param(200, said(b'max-age="60"'), None, Lifetime(60), id="quoted"),
        pytest.param(200, [*said(b"max-age=60"), (b"age", b"20")], None, Lifetime(40, age=20), id="its age so far"),
        pytest.param(
            200, [*said(b"max-age=60"), (b"age", b"nonsense")], None, Lifetime(60), id="an age that is none is none"
        ),
        pytest.param(
            200,
            [(b"expires", b"Tue, 14 Nov 2023 22:14:20 GMT"), DATE],
            None,
            Lifetime(60),
            id="Expires less Date",
        ),
        pytest.param(200, [(b"expires", b"Tue, 14 Nov 2023 22:13:50 GMT")], None, Lifetime(30), id="Expires less now"),
        pytest.param(
            200,
            [*said(b"max-age=5"), (b"expires", b"Tue, 14 Nov 2023 23:00:00 GMT")],
            None,
            Lifetime(5),
            id="max-age beats Expires",
        ),
        pytest.param(200, [(b"expires", b"0")], None, "stale-on-arrival", id="an Expires that is no date is the past"),
        pytest.param(200, said(b"max-age=-1"), None, "stale-on-arrival", id="a negative age is nonsense, so stale"),
        pytest.param(200, said(b"max-age=1.5"), None, "stale-on-arrival", id="a fraction is nonsense, so stale"),
        pytest.param(200, said(b"max-age"), None, "stale-on-arrival", id="no number is nonsense, so stale"),
        pytest.param(200, said(b"max-age=0"), None, "stale-on-arrival", id="nothing is nothing"),
        pytest.param(
            200, [*said(b"max-age=60"), (b"age", b"70")], None, "stale-on-arrival", id="older than it may become"
        ),
        pytest.param(200, said(b"max-age=999999999999999"), None, Lifetime(freshness.LONGEST), id="at most a year"),
        pytest.param(
            200,
            said(b"max-age=1, stale-while-revalidate=2, stale-if-error=3"),
            None,
            Lifetime(1, 2, 3),
            id="windows of RFC 5861",
        ),
        pytest.param(
            200, said(b"max-age=0, stale-while-revalidate=5"), None, Lifetime(0, 5, 0), id="only within the window"
        ),
        pytest.param(200, [], None, "no-freshness", id="silence without a policy"),
        pytest.param(200, said(b"public"), None, "no-freshness", id="public without a time"),
        pytest.param(200, [], MINUTE, Lifetime(60, 300, 86400), id="silence with a policy"),
        pytest.param(
            200, said(b"max-age=5"), MINUTE, Lifetime(5, 300, 86400), id="the origin's time, the policy's windows"
        ),
        pytest.param(
            200,
            said(b"max-age=5, stale-while-revalidate=0, stale-if-error=1"),
            MINUTE,
            Lifetime(5, 0, 1),
            id="the origin's windows beat the policy's",
        ),
        pytest.param(
            200, said(b"max-age=5, must-revalidate"), MINUTE, Lifetime(5), id="must-revalidate leaves no window"
        ),
        pytest.param(
            200, said(b"max-age=5, proxy-revalidate"), MINUTE, Lifetime(5), id="proxy-revalidate leaves no window"
        ),
        pytest.param(200, [], CachePolicy(), "no-freshness", id="an empty policy says nothing"),
        pytest.param(200, said(b"no-store"), MINUTE, "no-store", id="no-store"),
        pytest.param(200, said(b"private"), MINUTE, "private", id="private"),
        pytest.param(200, said(b'private="x-a", max-age=60'), None, "private", id="private for some fields"),
        pytest.param(200, said(b"no-cache, max-age=60"), MINUTE, "no-cache", id="no-cache"),
        pytest.param(
            200, [*said(b"max-age=60"), (b"cache-control", b"no-store")], None, "no-store", id="several lines are one"
        ),
        pytest.param(200, [*said(b"max-age=60"), (b"set-cookie", b"s=1")], MINUTE, "set-cookie", id="Set-Cookie"),
        pytest.param(200, [*said(b"max-age=60"), (b"vary", b"a, *")], None, "vary", id="a star in Vary"),
        pytest.param(301, said(b"max-age=60"), None, Lifetime(60), id="a redirect for good"),
        pytest.param(404, said(b"max-age=60"), None, Lifetime(60), id="a 404 that says so"),
        pytest.param(404, [], MINUTE, "status", id="a 404 is not kept on the policy's word"),
        pytest.param(302, said(b"max-age=60"), MINUTE, "status", id="a redirect for now"),
        pytest.param(206, said(b"max-age=60"), MINUTE, "status", id="a part"),
        pytest.param(500, said(b"max-age=60"), MINUTE, "status", id="a failure"),
        pytest.param(503, [], MINUTE, "status", id="an outage"),
    ],
)  # fmt: skip
def test_lifetime(status: int, fields: Fields, policy: CachePolicy | None, life: Lifetime | str) -> None:
    assert told(status, fields, policy) == life


@pytest.mark.parametrize(
    ("fields", "policy", "life"),
    [
        pytest.param(said(b"max-age=60"), None, "cookie", id="silence about sharing means no"),
        pytest.param(said(b"public, max-age=60"), None, Lifetime(60), id="public means yes"),
        pytest.param(said(b"s-maxage=60"), None, Lifetime(60), id="s-maxage means yes"),
        pytest.param([], MINUTE, Lifetime(60, 300, 86400), id="the mount's policy means yes"),
        pytest.param(said(b"private"), MINUTE, "private", id="private means no, whatever the policy"),
    ],
)
def test_lifetime_of_answers_to_requests_with_cookies(
    fields: Fields, policy: CachePolicy | None, life: Lifetime | str
) -> None:
    assert told(200, fields, policy, cookies=True) == life


NAMES = b"max-age s-maxage public private no-store no-cache must-revalidate stale-if-error stale-while-revalidate"
WORDS = st.sampled_from([*NAMES.split(), *b'= , " \\ ; 0 5 -1 99999999999999999999 \xff'.split(), b" "])


@given(st.lists(WORDS, max_size=14).map(b"".join))
def test_any_cache_control_is_judged(value: bytes) -> None:
    life = told(200, said(value), MINUTE)
    if isinstance(life, Lifetime):
        for seconds in (life.fresh, life.revalidate, life.error):
            assert 0 <= seconds <= freshness.LONGEST
    for word in (b"no-store", b"private", b"no-cache"):
        if word in freshness.directives(value):
            assert isinstance(life, str)


@given(st.binary(max_size=40))
def test_any_bytes_are_judged(value: bytes) -> None:
    for name in (b"cache-control", b"expires", b"age", b"vary"):
        fields = [(b"cache-control", b"max-age=60"), (name, value)] if name != b"cache-control" else said(value)
        assert isinstance(told(200, fields, None), (Lifetime, str))
    assert isinstance(told(200, [(b"expires", value)], None), (Lifetime, str))
