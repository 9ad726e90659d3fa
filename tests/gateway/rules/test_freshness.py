"""How long an answer is kept, whether at all, and what may be done with what is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.freshness as freshness
from gateway.message import Entry, Field, Fields, Head, Response
from gateway.model import CachePolicy
from gateway.rules.freshness import UNMET, Asked, Hit, Lifetime, Miss, Stale

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
        pytest.param(b'private="a", private', {b"private": None}, id="all of it, wherever that is said"),
        pytest.param(b'private, private="a"', {b"private": None}, id="in either order"),
        pytest.param(b'no-cache="a", no-cache="b"', {b"no-cache": b"a, b"}, id="fields of both"),
        pytest.param(b'private=""', {b"private": None}, id="no field named means all"),
        pytest.param(b"private=a", {b"private": None}, id="fields without quotes mean all"),
        pytest.param(b'private="a=b"', {b"private": None}, id="what is no field's name means all"),
        pytest.param(
            b'x="max-age=5", max-age=1', {b"x": b"max-age=5", b"max-age": b"1"}, id="nothing is read in quotes"
        ),
        pytest.param(b"max-age=5; private", {b"max-age": b"5", b"private": None}, id="a semicolon hides nothing"),
        pytest.param(b"max-age =5", {b"max-age": None, b"5": None}, id="no space before the equals sign"),
        pytest.param(b"x.max-age=5", {b"x.max-age": b"5"}, id="another name"),
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
        pytest.param(
            200, said(b"must-revalidate"), MINUTE, Lifetime(60), id="must-revalidate leaves no window of the policy's"
        ),
        pytest.param(
            200, said(b"stale-if-error=5"), MINUTE, Lifetime(60, 300, 5), id="the policy's time, the origin's window"
        ),
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
        pytest.param(
            200,
            said(b'private="X-A, x-b", no-cache="x-c", max-age=60'),
            None,
            Lifetime(60, less=frozenset({b"x-a", b"x-b", b"x-c"})),
            id="private for some fields: kept without them",
        ),
        pytest.param(200, said(b"no-cache, max-age=60"), MINUTE, "no-cache", id="no-cache"),
        pytest.param(
            200, [*said(b"max-age=60"), (b"cache-control", b"no-store")], None, "no-store", id="several lines are one"
        ),
        pytest.param(200, [*said(b"max-age=60"), (b"set-cookie", b"s=1")], MINUTE, "set-cookie", id="Set-Cookie"),
        pytest.param(200, [*said(b"max-age=60"), (b"vary", b"a, *")], None, "vary", id="a star in Vary"),
        pytest.param(301, said(b"max-age=60"), None, Lifetime(60), id="a redirect for good"),
        pytest.param(404, said(b"max-age=60"), None, Lifetime(10), id="a 404 that says so, for seconds"),
        pytest.param(404, [], MINUTE, "status", id="a 404 is not kept on the policy's word"),
        pytest.param(302, said(b"max-age=60"), MINUTE, Lifetime(60, 300, 86400), id="a redirect for now that says so"),
        pytest.param(302, [], MINUTE, "status", id="a redirect for now that says nothing"),
        pytest.param(206, said(b"max-age=60"), MINUTE, "status", id="a part"),
        pytest.param(500, said(b"max-age=60"), MINUTE, Lifetime(10), id="a failure that says so, for seconds"),
        pytest.param(429, said(b"max-age=60"), MINUTE, "status", id="one viewer's own trouble"),
        pytest.param(401, said(b"public, max-age=60"), MINUTE, "status", id="a challenge"),
        pytest.param(101, said(b"max-age=60"), MINUTE, "status", id="another protocol"),
        pytest.param(600, said(b"max-age=60"), MINUTE, "status", id="no status at all"),
        pytest.param(299, said(b"max-age=60"), None, Lifetime(60), id="one that nobody knows, and that says so"),
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


NEGATIVE = CachePolicy.model_validate({"ttl": "1m", "negative": {404: "30s", 503: "2s"}})
GUESSING = CachePolicy(heuristic=True)
TEN_DAYS_OLD = (b"last-modified", b"Sat, 04 Nov 2023 22:13:20 GMT")


@pytest.mark.parametrize(
    ("status", "fields", "policy", "life"),
    [
        pytest.param(404, [], NEGATIVE, Lifetime(30), id="an error for as long as the manifest says"),
        pytest.param(404, said(b"max-age=3600"), NEGATIVE, Lifetime(30), id="an hour said, half a minute taken"),
        pytest.param(404, said(b"max-age=3"), NEGATIVE, Lifetime(3), id="what the origin says, if it is less"),
        pytest.param(503, said(b"max-age=60"), NEGATIVE, Lifetime(10), id="never less than without a policy"),
        pytest.param(410, [], NEGATIVE, "status", id="an error that the manifest does not name"),
        pytest.param(404, said(b"no-store"), NEGATIVE, "no-store", id="an error that must not be kept"),
        pytest.param(200, [TEN_DAYS_OLD], None, "no-freshness", id="nobody guesses unasked"),
        pytest.param(200, [TEN_DAYS_OLD, DATE], GUESSING, Lifetime(86400.0), id="a tenth of its age, a day at most"),
        pytest.param(
            200,
            [(b"last-modified", b"Tue, 14 Nov 2023 22:03:20 GMT"), DATE],
            GUESSING,
            Lifetime(60.0),
            id="a tenth of ten minutes",
        ),
        pytest.param(200, [TEN_DAYS_OLD, *said(b"max-age=5")], GUESSING, Lifetime(5), id="no guess where it is said"),
        pytest.param(404, [TEN_DAYS_OLD], GUESSING, "status", id="no guess about errors"),
        pytest.param(302, [TEN_DAYS_OLD], GUESSING, "no-freshness", id="no guess about redirects for now"),
        pytest.param(200, [DATE], GUESSING, "no-freshness", id="nothing to guess from"),
        pytest.param(
            200, [(b"last-modified", b"Tue, 14 Nov 2023 22:13:21 GMT"), DATE], GUESSING, "no-freshness", id="from ahead"
        ),
    ],
)
def test_lifetime_that_nobody_says_or_of_errors(
    status: int, fields: Fields, policy: CachePolicy, life: Lifetime | str
) -> None:
    assert told(status, fields, policy) == life


@pytest.mark.parametrize(
    ("fields", "policy", "life"),
    [
        pytest.param(
            [*said(b"max-age=60"), (b"age", b"20, 3")], None, Lifetime(40, age=20), id="of several ages the first"
        ),
        pytest.param(
            [*said(b"max-age=60"), (b"age", b"20"), (b"age", b"3")],
            None,
            Lifetime(40, age=20),
            id="of several lines too",
        ),
        pytest.param([*said(b"max-age=60"), (b"age", b"-20")], None, Lifetime(60), id="a negative age is none"),
        pytest.param(
            [*said(b"max-age=60"), (b"date", b"Tue, 14 Nov 2023 22:12:50 GMT")],
            None,
            Lifetime(30, age=30),
            id="its Date tells an age too",
        ),
        pytest.param(
            [*said(b"max-age=60"), (b"date", b"Tue, 14 Nov 2023 22:12:50 GMT"), (b"age", b"50")],
            None,
            Lifetime(10, age=50),
            id="the older of the two counts",
        ),
        pytest.param(
            [*said(b"max-age=60"), (b"date", b"Tue, 14 Nov 2023 23:12:50 GMT")], None, Lifetime(60), id="a clock ahead"
        ),
        pytest.param([*said(b"max-age=60"), (b"date", b"foo")], None, Lifetime(60), id="a Date that is none"),
        pytest.param(
            [
                (b"expires", b"Tue, 14 Nov 2023 22:13:40 GMT"),
                (b"date", b"Tue, 14 Nov 2023 22:13:30 GMT"),
                (b"age", b"15"),
            ],
            None,
            "stale-on-arrival",
            id="older than Expires less Date",
        ),
        pytest.param([*said(b"max-age=0"), (b"etag", b'"a"')], None, Lifetime(0), id="what can be asked about is kept"),
        pytest.param([*said(b"no-cache"), (b"etag", b'"a"')], MINUTE, Lifetime(0), id="no-cache is asked about"),
        pytest.param([*said(b"no-cache, max-age=60"), TEN_DAYS_OLD], None, Lifetime(0), id="by its date"),
        pytest.param(said(b"no-cache, stale-while-revalidate=60"), None, "no-cache", id="no-cache is never stale"),
        pytest.param(
            [*said(b"max-age=60, stale-while-revalidate=100"), (b"age", b"70")],
            None,
            Lifetime(0, 90, 0, 70),
            id="a window begins when freshness ended",
        ),
        pytest.param(
            [*said(b"max-age=60, stale-while-revalidate=5"), (b"age", b"70")],
            None,
            "stale-on-arrival",
            id="and it ends",
        ),
        pytest.param(said(b"s-maxage=60"), MINUTE, Lifetime(60), id="s-maxage lets no policy serve stale"),
        pytest.param(
            said(b"s-maxage=60, stale-while-revalidate=5"), MINUTE, Lifetime(60, 5), id="unless it grants that itself"
        ),
        pytest.param([(b"pragma", b"no-cache")], MINUTE, "no-cache", id="Pragma where nothing else is said"),
        pytest.param(
            [(b"pragma", b"no-cache"), *said(b"max-age=9")], None, Lifetime(9), id="Pragma says nothing beside the rest"
        ),
        pytest.param([(b"age", b"7")], MINUTE, Lifetime(60, 300, 86400, 7), id="the manifest counts from when it came"),
    ],
)
def test_lifetime_by_age_and_by_what_can_be_asked(
    fields: Fields, policy: CachePolicy | None, life: Lifetime | str
) -> None:
    assert told(200, fields, policy) == life


@pytest.mark.parametrize(
    ("fields", "life"),
    [
        pytest.param(said(b"max-age=60"), "authorization", id="silence means no"),
        pytest.param(said(b"public, max-age=60"), Lifetime(60), id="public"),
        pytest.param(said(b"s-maxage=60"), Lifetime(60), id="s-maxage"),
        pytest.param(said(b"max-age=60, must-revalidate"), Lifetime(60), id="must-revalidate"),
        pytest.param(said(b"max-age=60, proxy-revalidate"), "authorization", id="proxy-revalidate is not among them"),
        pytest.param(said(b"public, private, max-age=60"), "private", id="private wins"),
    ],
)
def test_lifetime_of_answers_to_requests_with_authorization(fields: Fields, life: Lifetime | str) -> None:
    assert freshness.lifetime(Response(200, fields), None, NOW, authorized=True) == life
    if isinstance(life, str):
        assert isinstance(freshness.lifetime(Response(200, fields), MINUTE, NOW, authorized=True), str)


def test_what_depends_on_cookies_is_not_shared_among_those_who_have_some() -> None:
    fields = [*said(b"public, max-age=60"), (b"vary", b"Accept, Cookie")]
    assert told(200, fields, None) == Lifetime(60)
    assert told(200, fields, None, cookies=True) == "vary"
    one = freshness.lifetime(Response(200, fields), None, NOW, cookies=True, narrowed={b"cookie"})
    assert one == Lifetime(60)


def test_a_policy_without_a_ttl_does_not_say_that_pages_are_the_same_for_all() -> None:
    assert told(200, said(b"max-age=60"), CachePolicy(tags=["a"]), cookies=True) == "cookie"


def asks(value: bytes, name: bytes = b"cache-control") -> Head:
    return Head([(name, value)])


@pytest.mark.parametrize(
    ("head", "asked"),
    [
        pytest.param(Head([]), None, id="most say nothing"),
        pytest.param(asks(b"no-transform"), None, id="nothing of ours"),
        pytest.param(asks(b"no-cache"), Asked(again=True), id="no-cache"),
        pytest.param(asks(b"no-cache", b"pragma"), Asked(again=True), id="Pragma: no-cache"),
        pytest.param(asks(b"foo", b"pragma"), None, id="another Pragma"),
        pytest.param(
            Head([(b"pragma", b"no-cache"), (b"cache-control", b"max-age=5")]),
            Asked(most_age=5),
            id="Pragma is overruled",
        ),
        pytest.param(asks(b"max-age=0"), Asked(most_age=0), id="a reload"),
        pytest.param(asks(b"max-age=x"), None, id="no number, no wish"),
        pytest.param(asks(b"min-fresh=5"), Asked(least_fresh=5), id="min-fresh"),
        pytest.param(asks(b"max-stale=5"), Asked(most_stale=5), id="max-stale"),
        pytest.param(asks(b"max-stale"), Asked(most_stale=freshness.LONGEST), id="max-stale without a number"),
        pytest.param(asks(b"no-store"), Asked(unstored=True), id="no-store"),
        pytest.param(asks(b"Only-If-Cached"), Asked(only_kept=True), id="only-if-cached"),
    ],
)
def test_asked(head: Head, asked: Asked | None) -> None:
    assert freshness.asked(head) == asked
    assert freshness.asked(head) == asked


@pytest.mark.parametrize("value", [b"no-cache", b"max-age=0", b"min-fresh=100"])
def test_wishes_for_something_newer_may_be_ignored(value: bytes) -> None:
    assert freshness.asked(asks(value), obeyed=False) is None
    only = asks(value + b", only-if-cached")
    assert freshness.asked(only, obeyed=False) == Asked(only_kept=True)


NAMED = Entry(200, ((b"etag", b'"a"'),), b"x", b"d", stored=NOW, fresh=NOW + 10, revalidate=NOW + 20, error=NOW + 30)
STRICT = Entry(
    200, ((b"cache-control", b"must-revalidate"),), b"x", b"d", stored=NOW, fresh=NOW + 10, revalidate=0, error=0
)
CAPPED = Entry(
    200, ((b"cache-control", b"s-maxage=10"),), b"x", b"d", stored=NOW, fresh=NOW + 10, revalidate=0, error=0
)
IMMUTABLE = Entry(
    200, ((b"cache-control", b"immutable"),), b"x", b"d", stored=NOW, fresh=NOW + 10, revalidate=NOW + 20, error=0
)


@pytest.mark.parametrize(
    ("entry", "after", "asked", "verdict"),
    [
        pytest.param(ENTRY, 5, Asked(again=True), Miss("request", ENTRY), id="no-cache goes to the origin"),
        pytest.param(NAMED, 5, Asked(again=True), Miss("request", NAMED, NAMED), id="with what it can be asked by"),
        pytest.param(ENTRY, 5, Asked(most_age=6), Hit(ENTRY, 5), id="young enough"),
        pytest.param(ENTRY, 5, Asked(most_age=4), Miss("request", ENTRY), id="too old for this viewer"),
        pytest.param(ENTRY, 0, Asked(most_age=0), Miss("request", ENTRY), id="a reload at once"),
        pytest.param(IMMUTABLE, 5, Asked(most_age=0), Hit(IMMUTABLE, 5), id="a reload of what is immutable"),
        pytest.param(IMMUTABLE, 5, Asked(again=True), Miss("request", IMMUTABLE), id="a forced one"),
        pytest.param(IMMUTABLE, 15, Asked(most_age=0), Miss("request", IMMUTABLE), id="immutable while it is fresh"),
        pytest.param(ENTRY, 5, Asked(least_fresh=5), Hit(ENTRY, 5), id="fresh for long enough"),
        pytest.param(ENTRY, 5, Asked(least_fresh=6), Miss("request", ENTRY), id="not fresh for long enough"),
        pytest.param(ENTRY, 15, Asked(most_age=60), Miss("request", ENTRY), id="who says an age takes nothing stale"),
        pytest.param(ENTRY, 15, Asked(unstored=True), Stale(ENTRY, -5), id="no-store does not touch what is kept"),
        pytest.param(ENTRY, 25, Asked(most_stale=20), Hit(ENTRY, -15), id="as stale as the viewer takes"),
        pytest.param(ENTRY, 25, Asked(most_stale=10), Miss("stale", ENTRY), id="staler than that"),
        pytest.param(STRICT, 15, Asked(most_stale=60), Miss("stale"), id="must-revalidate is not for viewers to lift"),
        pytest.param(CAPPED, 15, Asked(most_stale=60), Miss("stale"), id="nor is s-maxage"),
        pytest.param(ENTRY, 5, Asked(only_kept=True), Hit(ENTRY, 5), id="only-if-cached, and it is"),
        pytest.param(ENTRY, 15, Asked(only_kept=True), Stale(ENTRY, -5), id="in the window, too"),
        pytest.param(ENTRY, 25, Asked(only_kept=True), UNMET, id="only-if-cached, and it is stale"),
        pytest.param(None, 0, Asked(only_kept=True), UNMET, id="only-if-cached, and there is nothing"),
        pytest.param(None, 0, Asked(again=True), Miss("uri-miss"), id="nothing is nothing"),
    ],
)
def test_judge_by_what_the_request_asks(entry: Entry | None, after: float, asked: Asked, verdict: object) -> None:
    assert freshness.judge(entry, NOW + after, asked) == verdict


@pytest.mark.parametrize(
    ("entry", "after", "verdict"),
    [
        pytest.param(NAMED, 25, Miss("stale", NAMED, NAMED), id="to be asked about, good enough for an outage"),
        pytest.param(NAMED, 35, Miss("stale", None, NAMED), id="to be asked about"),
        pytest.param(ENTRY, -4, Hit(ENTRY, 14), id="of a gateway whose clock is a little ahead"),
        pytest.param(ENTRY, -3600, Miss("stale", ENTRY), id="of a clock that jumped back: not fresh for another hour"),
    ],
)
def test_judge_what_can_be_asked_about_and_what_comes_from_ahead(
    entry: Entry, after: float, verdict: freshness.Verdict
) -> None:
    assert freshness.judge(entry, NOW + after) == verdict


def test_what_can_be_asked_about_is_worth_its_place_for_longer() -> None:
    assert freshness.kept_until(ENTRY) == NOW + 30
    assert freshness.kept_until(NAMED) == NOW + 30 + freshness.ASKABLE
    assert freshness.kept_until(Entry(200, NAMED.headers, b"", b"", NOW, 0.0, 0.0, 0.0)) == 0.0


@pytest.mark.parametrize(
    ("fields", "less", "left"),
    [
        pytest.param([(b"a", b"1")], set(), [b"a"], id="all"),
        pytest.param(
            [(b"connection", b"a, b"), (b"a", b"1"), (b"c", b"1")], set(), [b"c"], id="but for this connection"
        ),
        pytest.param(
            [(b"keep-alive", b"1"), (b"te", b"1"), (b"upgrade", b"x"), (b"transfer-encoding", b"x"), (b"c", b"1")],
            set(),
            [b"c"],
            id="but of this connection",
        ),
        pytest.param(
            [(b"proxy-authenticate", b"x"), (b"proxy-authentication-info", b"x"), (b"c", b"1")],
            set(),
            [b"c"],
            id="proxies'",
        ),
        pytest.param([(b"x-a", b"1"), (b"c", b"1")], {b"x-a"}, [b"c"], id="but one viewer's"),
    ],
)
def test_kept(fields: Fields, less: set[bytes], left: list[bytes]) -> None:
    assert [name for name, _ in freshness.kept(fields, Lifetime(1, less=frozenset(less)))] == left


def test_conditions() -> None:
    both = ((b"etag", b'W/"a"'), (b"last-modified", DATE[1]))
    asked = Entry(200, both, b"", b"", 0, 0, 0, 0)
    assert freshness.conditions(asked) == [(b"if-none-match", b'W/"a"'), (b"if-modified-since", DATE[1])]
    assert freshness.conditions(ENTRY) == []


def kept_as(*fields: Field) -> Entry:
    return Entry(200, fields, b"body", b"d", NOW, NOW + 1, NOW + 1, NOW + 1, ("t",), since=3)


ETAG = (b"etag", b'"a"')
LATER = NOW + 100


@pytest.mark.parametrize(
    ("stored", "said", "same"),
    [
        pytest.param([ETAG], [ETAG], True, id="its strong validator"),
        pytest.param([ETAG], [(b"etag", b'"b"')], False, id="another's"),
        pytest.param([(b"etag", b'W/"a"')], [ETAG], False, id="a strong one names the very bytes"),
        pytest.param([ETAG], [(b"etag", b'W/"a"')], True, id="a weak one their like"),
        pytest.param([ETAG], [], True, id="none: it answers what it was asked"),
        pytest.param([(b"last-modified", b"x")], [(b"last-modified", b"x")], True, id="its date"),
        pytest.param([(b"last-modified", b"x")], [(b"last-modified", b"y")], False, id="another date"),
        pytest.param(
            [ETAG, (b"last-modified", b"x")],
            [ETAG, (b"last-modified", b"y")],
            True,
            id="the validator goes before the date",
        ),
        pytest.param([(b"last-modified", b"x")], [ETAG], True, id="one it had not, for the same date"),
    ],
)
def test_whether_a_304_is_about_the_entry(stored: Fields, said: Fields, same: bool) -> None:
    told = Head([*said, (b"cache-control", b"max-age=60")])
    assert (freshness.revalidated(kept_as(*stored), told, None, LATER) is not None) is same


@pytest.mark.parametrize(
    ("stored", "brought", "left"),
    [
        pytest.param([(b"x-test", b"1")], [(b"x-test", b"2")], [(b"x-test", b"2")], id="a new value"),
        pytest.param([(b"x-test", b"1")], [], [(b"x-test", b"1")], id="what it omits stays"),
        pytest.param([], [(b"x-test", b"2")], [(b"x-test", b"2")], id="what is new comes in"),
        pytest.param([(b"a", b"1"), (b"a", b"2")], [(b"a", b"3")], [(b"a", b"3")], id="one in the place of several"),
        pytest.param(
            [(b"content-length", b"4")], [(b"content-length", b"0")], [(b"content-length", b"4")], id="no length"
        ),
        pytest.param(
            [(b"content-encoding", b"br")],
            [(b"content-encoding", b"gzip")],
            [(b"content-encoding", b"br")],
            id="no coding: the bytes are the old ones",
        ),
        pytest.param([], [(b"content-range", b"bytes 0-1/2")], [], id="no range"),
        pytest.param([], [(b"set-cookie", b"a=b")], [], id="no cookie: it is one viewer's"),
        pytest.param(
            [], [(b"connection", b"x-hop"), (b"x-hop", b"1"), (b"keep-alive", b"1")], [], id="none of a connection"
        ),
        pytest.param(
            [(b"content-type", b"text/plain")],
            [(b"content-type", b"text/plain;charset=utf-8")],
            [(b"content-type", b"text/plain;charset=utf-8")],
            id="the same type, said otherwise",
        ),
        pytest.param(
            [(b"content-type", b"text/plain")],
            [(b"content-type", b"text/html")],
            [(b"content-type", b"text/plain")],
            id="no other type: the body was not edited for it",
        ),
        pytest.param([(b"etag", b'"a"')], [(b"etag", b'W/"a"')], [(b"etag", b'"a"')], id="its validator stays"),
        pytest.param([(b"last-modified", b"x")], [ETAG], [(b"last-modified", b"x"), ETAG], id="or it gets one"),
        pytest.param([(b"date", b"x"), (b"age", b"5")], [], [], id="no date and no age of another moment"),
    ],
)
def test_what_a_304_updates(stored: Fields, brought: Fields, left: Fields) -> None:
    assert freshness.updated(Head(stored), Head(brought)) == left


def test_a_304_makes_fresh_again() -> None:
    entry = kept_as(ETAG, (b"cache-control", b"max-age=1"), (b"x-test", b"1"))
    told = Head([ETAG, (b"cache-control", b"max-age=60, stale-if-error=5"), (b"age", b"10"), (b"x-test", b"2")])
    again = freshness.revalidated(entry, told, None, LATER, since=9)
    assert again is not None
    assert (again.stored, again.fresh, again.revalidate, again.error) == (
        LATER - 10,
        LATER + 50,
        LATER + 50,
        LATER + 55,
    )
    assert (again.body, again.digest, again.status, again.tags, again.since) == (b"body", b"d", 200, ("t",), 9)
    assert again.head.index[b"x-test"] == b"2"
    assert entry.head.index[b"x-test"] == b"1"


@pytest.mark.parametrize(
    "brought",
    [
        pytest.param([(b"cache-control", b"private")], id="private now"),
        pytest.param([(b"cache-control", b"no-store")], id="no-store now"),
        pytest.param([(b"vary", b"*")], id="never the same now"),
    ],
)
def test_a_304_that_ends_sharing_leaves_what_only_its_viewer_may_have(brought: Fields) -> None:
    entry = kept_as(ETAG, (b"cache-control", b"max-age=1"))
    again = freshness.revalidated(entry, Head([ETAG, *brought]), MINUTE, LATER)
    assert again is not None
    assert (again.fresh, again.revalidate, again.error, again.expires) == (0.0, 0.0, 0.0, 0.0)
    assert again.since == entry.since
    assert freshness.judge(again, LATER) == Miss("stale", None, again)


def test_what_a_304_says_to_us_alone_is_heard_and_not_kept() -> None:
    entry = kept_as(ETAG, (b"cache-control", b"max-age=1"))
    ours = [(b"mf-cache-control", b"max-age=60"), (b"surrogate-key", b"a"), (b"surrogate-control", b"max-age=5")]
    again = freshness.revalidated(entry, Head([ETAG, *ours, (b"age", b"10")]), None, LATER)
    assert again is not None
    assert again.fresh == LATER + 50
    assert sorted(again.head.index) == [b"cache-control", b"etag"]
    composing = kept_as(ETAG, (b"surrogate-control", b'content="MF/1.0", max-age=9'))
    again = freshness.revalidated(composing, Head([ETAG]), None, LATER)
    assert again is not None
    assert again.fresh == LATER + 9
    assert b"surrogate-control" in again.head.index


def test_fields_that_a_304_calls_private_are_not_kept() -> None:
    entry = kept_as(ETAG, (b"x-name", b"ann"), (b"cache-control", b"max-age=1"))
    told = Head([ETAG, (b"cache-control", b'private="x-name", max-age=60'), (b"x-name", b"bob")])
    again = freshness.revalidated(entry, told, None, LATER)
    assert again is not None
    assert b"x-name" not in again.head.index


NAMES = b"max-age s-maxage public private no-store no-cache must-revalidate stale-if-error stale-while-revalidate"
WORDS = st.sampled_from([*NAMES.split(), *b'= , " \\ ; 0 5 -1 99999999999999999999 \xff'.split(), b" "])


@given(st.lists(WORDS, max_size=14).map(b"".join))
def test_any_cache_control_is_judged(value: bytes) -> None:
    life = told(200, said(value), MINUTE)
    if isinstance(life, Lifetime):
        for seconds in (life.fresh, life.revalidate, life.error):
            assert 0 <= seconds <= freshness.LONGEST
    members = freshness.directives(value)
    for word in (b"no-store", b"private", b"no-cache"):
        if word in members and members[word] is None:
            assert isinstance(life, str)


@given(st.binary(max_size=40))
def test_any_bytes_are_judged(value: bytes) -> None:
    for name in (b"cache-control", b"expires", b"age", b"vary"):
        fields = [(b"cache-control", b"max-age=60"), (name, value)] if name != b"cache-control" else said(value)
        assert isinstance(told(200, fields, None), (Lifetime, str))
    assert isinstance(told(200, [(b"expires", value)], None), (Lifetime, str))
