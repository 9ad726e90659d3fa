"""What RFC 9111 and its neighbours ask of a shared cache, line by line, as far as rules decide it.

Each row is a line of the checklist; what it takes is one or several facts that hold. What needs a body on its way, a
second viewer or a right is tested where that is decided: in `proxy`, `store` and `registry`.
"""

from typing import Any

import pytest

import gateway.rules.freshness as freshness
import gateway.rules.keys as keys
import gateway.rules.noting as noting
import gateway.rules.purges as purges
import gateway.rules.ranges as ranges
import gateway.rules.targeted as targeted
import gateway.rules.validators as validators
from gateway.message import Entry, Field, Fields, Head, Request, Response
from gateway.model import CachePolicy
from gateway.rules.algebra import Part, page
from gateway.rules.freshness import UNMET, Asked, Hit, Lifetime, Miss, Stale

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
TTL = CachePolicy.model_validate({"ttl": "1m", "stale_while_revalidate": "5m", "stale_if_error": "1d"})
ETAG = (b"etag", b'"a"')


def life(*fields: Field, status: int = 200, policy: CachePolicy | None = None, **request: Any) -> Lifetime | str:
    return freshness.lifetime(Response(status, list(fields)), policy, NOW, **request)


def fresh(*fields: Field, status: int = 200, policy: CachePolicy | None = None, **request: Any) -> float | None:
    """Seconds; None for what is not kept."""
    told = life(*fields, status=status, policy=policy, **request)
    return None if isinstance(told, str) else told.fresh


def said(value: bytes) -> Field:
    return b"cache-control", value


def cdn(value: bytes) -> Field:
    return b"cdn-cache-control", value


def entry(*fields: Field, lasts: Lifetime | None = None) -> Entry:
    told = lasts or life(*fields)
    assert isinstance(told, Lifetime)
    end = NOW + told.fresh
    headers = freshness.kept(list(fields), told)
    return Entry(200, headers, b"body", b"d", NOW - told.age, end, end + told.revalidate, end + told.error)


def names(fields: Fields | tuple[Field, ...]) -> set[bytes]:
    return {name for name, _ in fields}


def asks(*fields: Field) -> Request:
    return Request(b"GET", b"/", list(fields))


KEPT = entry(said(b"max-age=60, stale-while-revalidate=10, stale-if-error=100"), ETAG)
PLAIN = entry(said(b"max-age=60"))
STRICT = entry(said(b"max-age=60, must-revalidate"), ETAG)
VIEWERS = asks((b"if-none-match", b'"b"'), (b"if-modified-since", b"Wed, 15 Nov 2023 22:13:20 GMT"))
SELVES = b"origin; hit; ttl=5"

LINES: list[tuple[str, list[bool]]] = [
    (
        "85 no-store responses are never stored, nor are answers to no-store requests",
        [
            fresh(said(b"no-store, max-age=60"), policy=TTL) is None,
            freshness.asked(Head([said(b"no-store")])) == Asked(unstored=True),
        ],
    ),
    (
        "86 private is never stored; private with fields is stored without them",
        [
            life(said(b"private, max-age=60"), policy=TTL) == "private",
            names(entry(said(b'private="X-User", max-age=60'), (b"x-user", b"ann")).headers) == {b"cache-control"},
            life(said(b'private="x", private, max-age=60')) == "private",
        ],
    ),
    (
        "87 no-cache is never reused without validation",
        [
            life(said(b"no-cache, max-age=60")) == "no-cache",
            type(freshness.judge(entry(said(b"no-cache, max-age=60"), ETAG), NOW)) is Miss,
            freshness.judge(entry(said(b"no-cache"), ETAG), NOW + 1, Asked(most_stale=99.0))
            == Miss("stale", None, entry(said(b"no-cache"), ETAG)),
        ],
    ),
    (
        "88 answers to requests with Authorization are stored only if public, s-maxage or must-revalidate",
        [
            fresh(said(b"max-age=60"), authorized=True) is None,
            fresh(policy=TTL, authorized=True) is None,
            fresh(said(b"max-age=60, public"), authorized=True) == 60,
            fresh(said(b"s-maxage=60"), authorized=True) == 60,
            fresh(said(b"max-age=60, must-revalidate"), authorized=True) == 60,
        ],
    ),
    (
        "89 answers to requests with Cookie only if public, s-maxage or a mount's rule; Set-Cookie never",
        [
            fresh(said(b"max-age=60"), cookies=True) is None,
            fresh(said(b"max-age=60, public"), cookies=True) == 60,
            fresh(said(b"s-maxage=60"), cookies=True) == 60,
            fresh(policy=TTL, cookies=True) == 60,
            fresh(said(b"public, max-age=60"), (b"set-cookie", b"a=b"), policy=TTL) is None,
        ],
    ),
    (
        "90 the key is the whole effective URI with host, scheme and mount",
        [
            len(
                {keys.page(*each) for each in ((b"http", b"a", b"/m"), (b"https", b"a", b"/m"), (b"http", b"b", b"/m"))}
            )
            == 3,
            keys.page(b"http", b"a", b"/m") + b"/x" != keys.page(b"http", b"a", b"") + b"/m/x",
        ],
    ),
    (
        "91 Vary is honoured, a star anywhere never matches",
        [
            keys.variant(b"k", keys.vary([(b"vary", b"A")]), [(b"a", b"1")])
            != keys.variant(b"k", keys.vary([(b"vary", b"A")]), [(b"a", b"2")]),
            life(said(b"max-age=60"), (b"vary", b"a, *"), policy=TTL) == "vary",
        ],
    ),
    (
        "92 normalisation of fields for Vary loses nothing but the order of codings",
        [
            keys.variant(b"k", [b"accept-encoding"], [(b"accept-encoding", b"br, gzip")])
            == keys.variant(b"k", [b"accept-encoding"], [(b"accept-encoding", b"gzip,br")]),
            keys.variant(b"k", [b"a"], [(b"a", b"x")]) != keys.variant(b"k", [b"a"], [(b"a", b"X")]),
        ],
    ),
    (
        "93 the upstream Age is counted",
        [
            fresh(said(b"max-age=60"), (b"age", b"20")) == 40,
            entry(said(b"max-age=60"), (b"age", b"20")).stored == NOW - 20,
            fresh(said(b"max-age=60"), (b"date", b"Tue, 14 Nov 2023 22:13:00 GMT")) == 40,
        ],
    ),
    (
        "94 freshness: s-maxage before max-age before Expires before heuristic; quoted and upper-case; nonsense stale",
        [
            fresh(said(b"max-age=60, s-maxage=5"), (b"expires", b"Tue, 14 Nov 2023 23:13:20 GMT")) == 5,
            fresh(said(b"max-age=60"), (b"expires", b"Tue, 14 Nov 2023 23:13:20 GMT")) == 60,
            fresh((b"expires", b"Tue, 14 Nov 2023 22:13:50 GMT"), policy=CachePolicy(heuristic=True)) == 30,
            fresh(said(b'MAX-AGE="60"')) == 60,
            fresh(said(b"max-age=60a"), policy=TTL) == 0,
            fresh((b"expires", b"0")) is None,
        ],
    ),
    (
        "95 no heuristic with an explicit expiry or for other statuses; off by default",
        [
            fresh((b"last-modified", b"Sat, 04 Nov 2023 22:13:20 GMT")) is None,
            fresh((b"last-modified", b"Sat, 04 Nov 2023 22:13:20 GMT"), policy=CachePolicy(heuristic=True)) == 86400,
            fresh(
                (b"last-modified", b"Sat, 04 Nov 2023 22:13:20 GMT"),
                said(b"max-age=1"),
                policy=CachePolicy(heuristic=True),
            )
            == 1,
            fresh((b"last-modified", b"Sat, 04 Nov 2023 22:13:20 GMT"), status=500, policy=CachePolicy(heuristic=True))
            is None,
        ],
    ),
    (
        "96 must-revalidate and proxy-revalidate: nothing stale, not even on error",
        [
            life(said(b"max-age=60, must-revalidate, stale-if-error=60"), policy=TTL) == Lifetime(60),
            life(said(b"max-age=60, proxy-revalidate"), policy=TTL) == Lifetime(60),
            freshness.judge(STRICT, NOW + 61) == Miss("stale", None, STRICT),
        ],
    ),
    (
        "97 a stale answer is asked about by its validators, and a 304 updates its fields",
        [
            freshness.conditions(KEPT) == [(b"if-none-match", b'"a"')],
            (b"x-test", b"2") in freshness.updated(Head([ETAG, (b"x-test", b"1")]), Head([ETAG, (b"x-test", b"2")])),
            freshness.revalidated(KEPT, Head([(b"etag", b'"b"')]), None, NOW) is None,
        ],
    ),
    (
        "98 a 304 carries ETag, Date, Vary, Cache-Control, Expires and Content-Location",
        [
            names(
                validators.bodiless(
                    Response(
                        200,
                        [
                            (each, b"x")
                            for each in (b"etag", b"date", b"vary", b"cache-control", b"expires", b"content-location")
                        ],
                    )
                ).headers
            )
            == {b"etag", b"date", b"vary", b"cache-control", b"expires", b"content-location"}
        ],
    ),
    (
        "99 If-None-Match beats If-Modified-Since; weak comparison; lists; a star",
        [
            not validators.held(VIEWERS, Head([ETAG, (b"last-modified", b"Tue, 14 Nov 2023 22:13:20 GMT")])),
            validators.held(asks((b"if-none-match", b'"x", W/"a"')), Head([ETAG])),
            validators.held(asks((b"if-none-match", b"*")), Head([ETAG])),
        ],
    ),
    (
        "100 an unsafe success invalidates its target and same-origin Location, never another origin's",
        [
            purges.invalidates(b"POST", 303, b"/m/a", Head([(b"location", b"/m/b")]), public=b"http://h", prefix=b"/m")
            == [b"/m/a", b"/m/b"],
            purges.invalidates(
                b"POST", 303, b"/m/a", Head([(b"location", b"http://x/m/b")]), public=b"http://h", prefix=b"/m"
            )
            == [b"/m/a"],
            purges.invalidates(b"POST", 500, b"/m/a", Head([]), public=b"http://h", prefix=b"/m") == [],
        ],
    ),
    (
        "101 parts are not stored, so never combined; a weak validator gets the whole",
        [
            fresh(said(b"max-age=60"), status=206, policy=TTL) is None,
            validators.range_of(
                asks((b"range", b"bytes=0-1"), (b"if-range", b'W/"page-1"')), Head([(b"etag", b'W/"page-1"')])
            )
            is None,
            ranges.asked(validators.range_of(asks((b"range", b"bytes=0-1")), Head([ETAG])), 9) == (0, 1),
        ],
    ),
    (
        "103 hop-by-hop fields and those that Connection lists are not stored",
        [
            names(entry(said(b"max-age=60"), (b"connection", b"x-a"), (b"x-a", b"1"), (b"keep-alive", b"5")).headers)
            == {b"cache-control"},
            names(freshness.updated(Head([]), Head([(b"connection", b"x-a"), (b"x-a", b"1"), (b"te", b"x")]))) == set(),
        ],
    ),
    (
        "104 only-if-cached on a miss is 504",
        [
            freshness.judge(None, NOW, Asked(only_kept=True)) == UNMET,
            freshness.judge(PLAIN, NOW + 61, Asked(only_kept=True)) == UNMET,
            freshness.judge(PLAIN, NOW, Asked(only_kept=True)) == Hit(PLAIN, 60),
        ],
    ),
    (
        "105 no-cache, max-age, min-fresh, max-stale by policy, and no purge by strangers",
        [
            freshness.judge(KEPT, NOW, Asked(again=True)) == Miss("request", KEPT, KEPT),
            freshness.judge(KEPT, NOW + 9, Asked(most_age=5.0)) == Miss("request", KEPT, KEPT),
            freshness.judge(KEPT, NOW + 9, Asked(least_fresh=55.0)) == Miss("request", KEPT, KEPT),
            freshness.judge(PLAIN, NOW + 70, Asked(most_stale=20.0)) == Hit(PLAIN, -10),
            freshness.judge(STRICT, NOW + 70, Asked(most_stale=20.0)) == Miss("stale", None, STRICT),
            freshness.asked(Head([said(b"no-cache, max-age=0, min-fresh=9")]), obeyed=False) is None,
            freshness.judge(KEPT, NOW) == Hit(KEPT, 60),
        ],
    ),
    (
        "106 unknown directives are ignored; must-understand",
        [
            fresh(said(b'foo, bar="max-age=1", max-age=60')) == 60,
            fresh(said(b"must-understand, no-store, max-age=60")) == 60,
            fresh(said(b"must-understand, no-store, max-age=60"), status=599) is None,
            fresh(said(b"must-understand, max-age=60"), status=299) is None,
        ],
    ),
    (
        "107 206, 1xx never, 5xx not unless it says so, and errors for seconds",
        [
            all(fresh(said(b"max-age=60"), status=status, policy=TTL) is None for status in (100, 101, 103, 206, 304)),
            all(fresh(status=status, policy=TTL) is None for status in (400, 404, 410, 500, 502, 503, 504)),
            fresh(said(b"max-age=3600"), status=503) == freshness.ERRORS,
            fresh(status=404, policy=CachePolicy(negative={404: 5.0})) == 5,
        ],
    ),
    (
        "108 what turns out private, no-store, uncacheable is a reason, and no answer for others",
        [
            all(
                isinstance(life(said(value), policy=TTL), str)
                for value in (b"private", b"no-store", b"no-cache", b"PRIVATE=")
            ),
            life(said(b"max-age=60"), (b"vary", b"cookie"), cookies=True, policy=TTL) == "vary",
        ],
    ),
    (
        "110 keys have a greatest length, and a URL 64 variants",
        [
            len(keys.limited(b"k" * 100_000)) == keys.LONGEST,
            keys.VARIANTS == 64,
            (lambda seen: [seen.admits(b"u", b"%d" % at, NOW + 1, NOW) for at in range(65)])(keys.Variants())
            == [True] * 64 + [False],
        ],
    ),
    (
        "111 stale-while-revalidate: within the window at once, behind it not",
        [
            freshness.judge(KEPT, NOW + 65) == Stale(KEPT, -5),
            freshness.judge(KEPT, NOW + 70) == Miss("stale", KEPT, KEPT),
        ],
    ),
    (
        "112 stale-if-error: something to stand in within the window only",
        [
            freshness.judge(KEPT, NOW + 159) == Miss("stale", KEPT, KEPT),
            freshness.judge(KEPT, NOW + 160) == Miss("stale", None, KEPT),
        ],
    ),
    (
        "113 what fails changes nothing of when a window ends",
        [
            freshness.judge(KEPT, NOW + 100, Asked(again=True)) == freshness.judge(KEPT, NOW + 100),
            freshness.judge(KEPT, NOW + 159) == Miss("stale", KEPT, KEPT),
            freshness.judge(KEPT, NOW + 160) == Miss("stale", None, KEPT),
        ],
    ),
    (
        "114 CDN-Cache-Control that is valid and not empty is used alone",
        [
            fresh(said(b"no-store"), cdn(b"max-age=60")) == 60,
            fresh(said(b"max-age=60"), cdn(b"max-age=5"), (b"expires", b"Tue, 14 Nov 2023 23:13:20 GMT")) == 5,
            fresh(said(b"max-age=60"), cdn(b"no-store")) is None,
            fresh(said(b"max-age=60"), cdn(b"private")) is None,
            cdn(b"max-age=60") in entry(cdn(b"max-age=60")).headers,
        ],
    ),
    (
        "115 a targeted field that is no dictionary is ignored as a whole",
        [
            fresh(said(b"max-age=5"), cdn(b"max-age=60, &&&")) == 5,
            fresh(said(b"no-store"), cdn(b"max-age=60, &&&")) is None,
            fresh(said(b"max-age=5"), cdn(b"")) == 5,
        ],
    ),
    (
        "116 our own target comes first in the list",
        [
            targeted.LIST[0] == targeted.OURS,
            fresh(said(b"max-age=5"), cdn(b"max-age=6"), (b"mf-cache-control", b"max-age=7")) == 7,
        ],
    ),
    (
        "117 Cache-Status: own member last, others preserved; hit or fwd, never both",
        [
            [each.cache for each in noting.read(noting.appended(SELVES, noting.hit(3)))] == [b"origin", b"portico"],
            noting.read(noting.forwarded("stale", 304, ttl=9, stored=True, collapsed=True))
            == [noting.Member(b"portico", False, b"stale", 304, 9, True, True)],
            noting.read(noting.hit(3)) == [noting.Member(b"portico", hit=True, ttl=3)],
        ],
    ),
    (
        "118 a composed page lasts no longer than any part; private and no-store win; Vary is the union",
        [
            page([Part(Head([said(b"max-age=60")]), 60.0), Part(Head([said(b"max-age=9")]), 9.0)])[1].shared == 9,
            page([Part(Head([said(b"max-age=60")]), 60.0), Part(Head([said(b"no-store")]))])[1].scope == b"no-store",
            page([Part(Head([said(b"max-age=60")]), 60.0), Part(Head([said(b"private")]))])[1].scope != b"public",
            (b"vary", b"a, accept-encoding, b")
            in page(
                [
                    Part(Head([said(b"max-age=60"), (b"vary", b"a")]), 60.0),
                    Part(Head([said(b"max-age=9"), (b"vary", b"b")]), 9.0),
                ]
            )[0],
        ],
    ),
]


@pytest.mark.parametrize("facts", [pytest.param(facts, id=line) for line, facts in LINES])
def test_line_of_the_checklist(facts: list[bool]) -> None:
    assert facts
    assert all(facts), facts


REASONS = [
    life(said(b"max-age=60"), status=206),
    life(said(b"max-age=60"), cookies=True),
    life(said(b"max-age=60"), authorized=True),
    life(),
    life(said(b"no-store")),
    life(said(b"private")),
    life(said(b"no-cache")),
    life(said(b"max-age=0")),
    life((b"vary", b"*")),
    life((b"set-cookie", b"a=b")),
    UNMET.reason,
]


@pytest.mark.parametrize("reason", REASONS, ids=str)
def test_every_reason_has_a_sentence(reason: object) -> None:
    assert reason in noting.DETAILS
