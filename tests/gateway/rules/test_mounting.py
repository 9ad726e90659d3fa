"""An answer's fields below its mount: URLs mapped, cookies bound, nothing of the inside or of the whole domain."""

import json

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
TAGGED = Place("/hotels", frozenset({"http://hotels.internal:8000"}), public="http://shop.test", tag="1a2b3c4d")
ROOT = Place("", ORIGINS)
RULES = "0a1b2c3d1"
OTHER = "ffffffff1"


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
        pytest.param((b"www-authenticate", b'Basic realm="x"'), b'Basic realm="x /hotels"', id="a realm of its own"),
        pytest.param((b"service-worker-allowed", b"/"), b"/hotels/", id="a service worker stays in its mount"),
        pytest.param((b"service-worker-allowed", b"/app/"), b"/hotels/app/", id="and reaches no further than it says"),
        pytest.param((b"service-worker-allowed", b"/hotels/../"), b"/hotels/", id="nor above it by dots"),
        pytest.param((b"service-worker-allowed", b"//evil.test/"), b"/hotels/", id="nor to another host"),
        pytest.param((b"service-worker-allowed", b".."), b"/hotels/", id="nor by what is relative to its script"),
        pytest.param(
            (b"link", b'</a>; rel=next; anchor="/b"'), b'</hotels/a>; rel=next; anchor="/hotels/b"', id="Link: anchor"
        ),
        pytest.param(
            (b"link", b'</a.png>; rel=preload; imagesrcset="/a.png 1x, /b.png 2x"; title="/c"'),
            b'</hotels/a.png>; rel=preload; imagesrcset="/hotels/a.png 1x, /hotels/b.png 2x"; title="/c"',
            id="Link: the candidates of an image",
        ),
        pytest.param((b"link", b'</a>; anchor="/b'), b'</hotels/a>; anchor="/b', id="Link: a string without an end"),
        pytest.param((b"link", b'</a>; anchor="/b\\""'), b'</hotels/a>; anchor="/b\\""', id="Link: no URL has a quote"),
        pytest.param((b"content-base", b"http://hotels.internal:8000/a/"), b"/hotels/a/", id="Content-Base"),
        pytest.param((b"hx-redirect", b"/x"), b"/hotels/x", id="HX-Redirect"),
        pytest.param((b"hx-location", b"/x"), b"/hotels/x", id="HX-Location"),
        pytest.param((b"hx-location", b"{"), b"{", id="HX-Location, broken"),
        pytest.param(
            (b"hx-location", b'{"path":"x", "a":"/b"}'), b'{"path":"x", "a":"/b"}', id="HX-Location, relative"
        ),
        pytest.param((b"hx-push-url", b"/x"), b"/hotels/x", id="HX-Push-Url"),
        pytest.param((b"hx-push-url", b"false"), b"false", id="HX-Push-Url says there is none"),
        pytest.param((b"hx-replace-url", b"/x"), b"/hotels/x", id="HX-Replace-Url"),
        pytest.param((b"hx-replace-url", b"true"), b"true", id="HX-Replace-Url says it is the one asked for"),
        pytest.param((b"hx-trigger", b'{"go":"/x"}'), b'{"go":"/x"}', id="HX-Trigger names no URL"),
        pytest.param((b"x-inertia-location", b"/x"), b"/hotels/x", id="X-Inertia-Location"),
        pytest.param((b"turbo-location", b"/x"), b"/hotels/x", id="Turbo-Location"),
        pytest.param((b"turbolinks-location", b"/x"), b"/hotels/x", id="Turbolinks-Location"),
        pytest.param((b"x-up-location", b"/x"), b"/hotels/x", id="X-Up-Location"),
        pytest.param((b"x-up-target", b"/x"), b"/x", id="X-Up-Target is a selector"),
        pytest.param((b"x-up-evict-cache", b"/a/* /b"), b"/hotels/a/* /hotels/b", id="X-Up-Evict-Cache"),
        pytest.param((b"x-up-expire-cache", b"*"), b"*", id="X-Up-Expire-Cache, all"),
        pytest.param((b"x-pjax-url", b"/x"), b"/hotels/x", id="X-PJAX-URL"),
        pytest.param((b"x-pingback", b"/x"), b"/hotels/x", id="X-Pingback"),
        pytest.param((b"speculation-rules", b'"/r.json", "s"'), b'"/hotels/r.json", "s"', id="Speculation-Rules"),
        pytest.param((b"link-template", b'"/u/{id}"; rel="item"'), b'"/hotels/u/{id}"; rel="item"', id="Link-Template"),
        pytest.param(
            (b"alternates", b'{"/a.en" 0.9 {language en}}, {"b" 0.7}'),
            b'{"/hotels/a.en" 0.9 {language en}}, {"b" 0.7}',
            id="Alternates",
        ),
        pytest.param((b"reporting-endpoints", b'a="/r"'), b'a="/hotels/r"', id="Reporting-Endpoints"),
        pytest.param((b"content-security-policy", b"report-uri /r"), b"report-uri /hotels/r", id="CSP"),
        pytest.param(
            (b"content-security-policy-report-only", b"report-uri /r"), b"report-uri /hotels/r", id="CSP, reporting"
        ),
        pytest.param((b"referrer-policy", b"no-referrer"), b"same-origin", id="Referrer-Policy"),
        pytest.param((b"cross-origin-opener-policy", b"same-origin"), b"same-origin", id="COOP is the page's own"),
        pytest.param((b"cross-origin-embedder-policy", b"require-corp"), b"require-corp", id="COEP is the page's own"),
        pytest.param((b"cross-origin-resource-policy", b"same-site"), b"same-site", id="CORP is the page's own"),
        pytest.param((b"x-frame-options", b"SAMEORIGIN"), b"SAMEORIGIN", id="framing is the page's own"),
        pytest.param((b"access-control-allow-origin", b"*"), b"*", id="any origin"),
        pytest.param((b"refresh", b"url=/x"), b"url=/x", id="Refresh without its seconds is none"),
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
        b"nel",
        b"accept-ch",
        b"critical-ch",
        b"origin-agent-cluster",
        b"set-login",
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
        (b"set-cookie", b"a=1"),
        (b"x-own", b"x"),
        (b"set-cookie", b"b=2; Expires=Thu, 01 Jan 2026"),
    ]


def test_hop_drops_what_is_of_the_hop_and_no_more() -> None:
    said: Fields = [(b"connection", b"x-hop"), (b"x-hop", b"1"), (b"te", b"x"), (b"server", b"s"), (b"location", b"/x")]
    assert mounting.hop(said) == [(b"server", b"s"), (b"location", b"/x")]


@pytest.mark.parametrize(
    ("vary", "added"),
    [
        pytest.param(None, True, id="unsaid"),
        pytest.param(b"Cookie", True, id="another field"),
        pytest.param(b"Cookie, Accept-Encoding", False, id="said"),
        pytest.param(b"*", False, id="everything"),
    ],
)
def test_a_coded_answer_varies_by_coding(vary: bytes | None, added: bool) -> None:
    said = [(b"vary", vary)] if vary is not None else []
    coded = [(b"content-encoding", b"gzip"), *said]
    assert mounting.varied(coded) == coded + ([(b"vary", b"accept-encoding")] if added else [])
    assert mounting.varied(said) == said


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param([], b"private, no-cache", id="nothing said"),
        pytest.param(
            [(b"cache-control", b"public, s-maxage=60, max-age=60")], b"private, no-cache", id="for everybody"
        ),
        pytest.param([(b"cache-control", b"No-Store")], b"No-Store", id="for nobody"),
    ],
)
def test_personal(said: Fields, left: bytes) -> None:
    kept = [(b"etag", b'"a"'), (b"last-modified", b"x"), (b"expires", b"x"), (b"cdn-cache-control", b"max-age=60")]
    assert mounting.personal([(b"x-a", b"1"), *kept, *said]) == [(b"x-a", b"1"), (b"cache-control", left)]


def test_rewritten_leaves_nothing_that_spoke_of_other_bytes() -> None:
    gone = [b"content-length", b"content-md5", b"digest", b"repr-digest", b"content-digest", b"accept-ranges"]
    said: Fields = [*((name, b"x") for name in gone), (b"content-encoding", b"gzip"), (b"content-type", b"text/html")]
    assert mounting.rewritten(said, "r1") == [(b"content-type", b"text/html")]


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(b'"abc"', b'W/"abc~0a1b2c3d1"', id="strong becomes weak"),
        pytest.param(b'W/"abc"', b'W/"abc~w~0a1b2c3d1"', id="weak stays weak"),
        pytest.param(b'""', b'W/"~0a1b2c3d1"', id="empty"),
    ],
)
def test_etag(said: bytes, left: bytes) -> None:
    assert mounting.rewritten([(b"etag", said)], RULES) == [(b"etag", left)]
    assert mounting.conditions([(b"if-none-match", left)], RULES) == [(b"if-none-match", said)]


DATE = b"Thu, 01 Jan 2026 00:00:00 GMT"
DATED = b'W/"dated-Thu01Jan2026000000GMT~0a1b2c3d1"'


def test_a_date_alone_gets_an_etag_beside_it() -> None:
    said: Fields = [(b"last-modified", DATE)]
    assert mounting.rewritten(said, RULES) == [*said, (b"etag", DATED)]
    assert mounting.rewritten([*said, (b"etag", b'"a"')], RULES) == [*said, (b"etag", b'W/"a~0a1b2c3d1"')]


def test_version_follows_the_rules() -> None:
    assert mounting.version(HOTELS) == mounting.version(Place("/hotels", frozenset()))
    moved = Place("/hotels", ORIGINS, relinked=(("/a", "/b"),))
    places = (HOTELS, LINKED, TAGGED, moved, Place("/stays", ORIGINS))
    assert len({*map(mounting.version, places), mounting.version(HOTELS, b"<script>")}) == 6


SINCE = (b"if-modified-since", DATE)


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        pytest.param(b'W/"abc~0a1b2c3d1"', b'"abc"', id="ours is turned back"),
        pytest.param(b'W/"a~0a1b2c3d1", "b"', b'"a", "b"', id="in a list"),
        pytest.param(b'W/"a,b~0a1b2c3d1","c"', b'"a,b", "c"', id="a comma may stand in one"),
        pytest.param(b'"x~y"', b'"x~y"', id="the origin's own may look like anything"),
        pytest.param(b"*", b"*", id="a star"),
        pytest.param(b"junk", b"junk", id="what is none"),
        pytest.param(DATED, None, id="a date's is dropped: the date itself is asked about"),
    ],
)
def test_conditions(sent: bytes, seen: bytes | None) -> None:
    left: Fields = [SINCE] if seen is None else [(b"if-none-match", seen), SINCE]
    assert mounting.conditions([(b"if-none-match", sent), SINCE], RULES) == left


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        pytest.param(b'W/"abc~ffffffff1"', [], id="what other rules edited is asked for anew, whatever its date"),
        pytest.param(DATED.replace(b"0a1b2c3d", b"ffffffff"), [], id="so is what only had a date"),
        pytest.param(b'"b", W/"abc~ffffffff1"', [(b"if-none-match", b'"b"')], id="what else there is stays"),
    ],
)
def test_outdated_conditions(sent: bytes, left: Fields) -> None:
    assert mounting.conditions([(b"if-none-match", sent), SINCE], RULES) == left


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        pytest.param(b'W/"abc~0a1b2c3d1"', b'"abc"', id="ours is turned back, as strong as it was"),
        pytest.param(b'W/"abc~w~0a1b2c3d1"', b'W/"abc"', id="or as weak"),
        pytest.param(b'W/"abc~ffffffff1"', b'W/"abc~ffffffff1"', id="other rules' stays, and fails"),
        pytest.param(DATED, DATED, id="a date's stays, and fails"),
    ],
)
def test_if_match(sent: bytes, seen: bytes) -> None:
    """A condition that guards a change is never dropped: without it the change would be made."""
    assert mounting.conditions([(b"if-match", sent)], RULES) == [(b"if-match", seen)]


def test_conditions_touch_no_other_field() -> None:
    said: Fields = [(b"x-own", b'W/"abc~0a1b2c3d1"'), SINCE]
    assert mounting.conditions(said, RULES) == said


@pytest.mark.parametrize(
    ("said", "mapped"),
    [
        pytest.param({"path": "/x", "target": "#t"}, {"path": "/hotels/x", "target": "#t"}, id="its path"),
        pytest.param({"path": "/x", "push": "/y"}, {"path": "/hotels/x", "push": "/hotels/y"}, id="what is pushed"),
        pytest.param({"path": "/x", "push": "false"}, {"path": "/hotels/x", "push": "false"}, id="a word"),
        pytest.param(
            {"path": "/x", "values": {"a": "/b"}}, {"path": "/hotels/x", "values": {"a": "/b"}}, id="no value"
        ),
        pytest.param({"path": "/é\ud800"}, {"path": "/hotels/é\ud800"}, id="any letter JSON can name"),
    ],
)
def test_hx_location(said: dict[str, object], mapped: dict[str, object]) -> None:
    ((_, value),) = mounting.answer([(b"hx-location", json.dumps(said).encode())], HOTELS)
    assert json.loads(value) == mapped


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(b'Basic realm="x"', b'Basic realm="x /hotels"', id="Basic"),
        pytest.param(b"basic realm=x", b'basic realm="x /hotels"', id="a realm without quotes"),
        pytest.param(
            b'Basic charset="UTF-8", REALM = "x, y"', b'Basic charset="UTF-8", REALM = "x, y /hotels"', id="anywhere"
        ),
        pytest.param(b'Basic realm="a\\"b"', b'Basic realm="a\\"b /hotels"', id="with a quote in it"),
        pytest.param(b'Digest realm="x", nonce="n"', None, id="Digest counts its realm"),
        pytest.param(b'Bearer realm="x", scope="basic"', None, id="Bearer shows no password"),
        pytest.param(
            b'Negotiate, Basic realm="x", Digest realm="x"',
            b'Negotiate, Basic realm="x /hotels", Digest realm="x"',
            id="one challenge of several",
        ),
        pytest.param(b"Basic", None, id="no realm at all"),
        pytest.param(b'Basic realm="x', None, id="a string without an end"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_realms_of_two_mounts_are_two(said: bytes, left: bytes | None) -> None:
    once = mounting.challenge(said, HOTELS)
    assert once == (said if left is None else left)
    assert mounting.challenge(once, HOTELS) == once
    assert mounting.challenge(said, ROOT) == said


def test_the_public_origin_may_read_what_the_origin_allows_itself() -> None:
    said: Fields = [
        (b"access-control-allow-origin", b"http://hotels.internal:8000"),
        (b"timing-allow-origin", b"http://hotels.internal:8000, http://c.example"),
        (b"permissions-policy", b'usb=("http://hotels.internal:8000")'),
        (b"x-pingback", b"http://hotels.internal:8000/x"),
    ]
    assert mounting.answer(said, TAGGED) == [
        (b"access-control-allow-origin", b"http://shop.test"),
        (b"timing-allow-origin", b"http://shop.test, http://c.example"),
        (b"permissions-policy", b'usb=("http://shop.test")'),
        (b"x-pingback", b"http://shop.test/hotels/x"),
    ]


def test_cookies_get_the_applications_mark_or_go() -> None:
    said: Fields = [(b"set-cookie", b"s=1; Path=/; Domain=x"), (b"set-cookie", b"=")]
    assert mounting.answer(said, TAGGED) == [(b"set-cookie", b"mf.1a2b3c4d.s=1; Path=/hotels")]
    assert mounting.answer([(b"set-cookie", b"mf.1a2b3c4d.s=1")], ROOT) == []


LONG = 20_000


@pytest.mark.parametrize("name", sorted(mounting.RULES))
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b'Basic "' + b'\\",' * LONG, id="a string that never ends, with quotes in it"),
        pytest.param(b'basic; "' + b'\\"' * LONG, id="the same without commas"),
        pytest.param(b"<" * LONG, id="targets that never end"),
        pytest.param(b"; anchor=" * LONG, id="parameters without a value"),
        pytest.param(b' realm="' * LONG, id="realms that never end"),
        pytest.param(b" \t" * LONG, id="white space"),
        pytest.param(b"," * LONG + b"basic", id="commas"),
        pytest.param(b'{"' * LONG, id="braces"),
        pytest.param(b"/../" * LONG, id="dots"),
        pytest.param(b"basic" * LONG, id="a long word"),
    ],
)
def test_long_fields_are_read_once(name: bytes, value: bytes) -> None:
    """Where a rule read its field again from every quote or comma, these would take minutes."""
    for _, left in mounting.answer([(name, value)], TAGGED):
        assert len(left) < 4 * len(value)


@given(
    st.text("ab/\\.:?#%2e=;'\"<>, url0", max_size=30), st.sampled_from(sorted(mounting.RULES.keys() - {b"set-cookie"}))
)
def test_twice_is_once(value: str, name: bytes) -> None:
    once = mounting.answer([(name, value.encode())], HOTELS)
    assert mounting.answer(once, HOTELS) == once


@given(st.binary(max_size=40), st.sampled_from(sorted(mounting.RULES)))
def test_any_bytes_are_mapped_to_one_line(value: bytes, name: bytes) -> None:
    clean = value.translate(None, b"\r\n\0")
    for _, left in mounting.answer([(name, clean)], TAGGED):
        assert not set(left) & set(b"\r\n\0")
