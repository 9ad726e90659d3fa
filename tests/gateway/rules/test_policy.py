"""Policies below a mount say what they said of the application at its root, and let in one script more."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.policy as policy
from fragments.urls import Place
from gateway.message import Fields

HOTELS = Place("/hotels", frozenset({"http://hotels.internal:8000"}), ("/pets",), public="http://shop.test")
NOWHERE = Place("/hotels", frozenset({"http://hotels.internal:8000", "file:/srv/dist"}))
ROOT = Place("", frozenset({"http://hotels.internal:8000"}), public="http://shop.test")


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(b"default-src 'self'; img-src *", None, id="keywords stay"),
        pytest.param(
            b"img-src http://hotels.internal:8000", b"img-src http://shop.test", id="the origin is the public"
        ),
        pytest.param(
            b"img-src http://hotels.internal:8000/i/", b"img-src http://shop.test/hotels/i/", id="its paths are below"
        ),
        pytest.param(b"report-uri /a, report-uri /b", b"report-uri /hotels/a, report-uri /hotels/b", id="two policies"),
        pytest.param(
            b"usb http://hotels.internal:8000; x 'none'", b"usb http://shop.test; x 'none'", id="features too"
        ),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_put_below(said: bytes, left: bytes | None) -> None:
    assert policy.put_below(said, HOTELS) == (said if left is None else left)


SCRIPT = b"http://shop.test/-/browser/mount-1.js"
URL = SCRIPT.decode()
CSP = b"content-security-policy"
REPORT = b"content-security-policy-report-only"


@pytest.mark.parametrize(
    ("said", "left", "nonce"),
    [
        pytest.param("img-src 'none'", None, None, id="nothing is said of scripts"),
        pytest.param("script-src 'self'", None, None, id="'self' lets it in already"),
        pytest.param("script-src *", None, None, id="so does a star"),
        pytest.param("script-src http:", None, None, id="so does the scheme"),
        pytest.param("script-src SHOP.test", None, None, id="so does the host"),
        pytest.param("script-src http://shop.test", None, None, id="so does the origin"),
        pytest.param("script-src " + URL, None, None, id="so does the script's own URL"),
        pytest.param("script-src https:", "script-src https: " + URL, None, id="another scheme does not"),
        pytest.param("script-src c.example", "script-src c.example " + URL, None, id="a foreign host gets a neighbour"),
        pytest.param(
            "script-src 'unsafe-inline'",
            "script-src 'unsafe-inline' " + URL,
            None,
            id="inline scripts run on: no nonce that would stop them",
        ),
        pytest.param("script-src 'sha256-abc='", "script-src 'sha256-abc=' " + URL, None, id="hashes stay"),
        pytest.param("script-src 'nonce-own'", None, "own", id="the page's own nonce is taken"),
        pytest.param("script-src 'NONCE-Own'", None, "Own", id="in any case, its value in its own"),
        pytest.param("script-src 'self' 'nonce-own'", None, None, id="but not needed beside 'self'"),
        pytest.param("script-src 'nonce-own' 'strict-dynamic' 'self'", None, "own", id="URLs count for nothing"),
        pytest.param(
            "script-src 'strict-dynamic' 'sha256-abc='",
            "script-src 'strict-dynamic' 'sha256-abc=' 'nonce-new'",
            "new",
            id="where only a nonce counts, a new one",
        ),
        pytest.param("default-src 'none'; script-src 'self'", None, None, id="script-src decides before default-src"),
        pytest.param(
            "script-src 'self'; script-src-elem c.example",
            "script-src 'self'; script-src-elem c.example " + URL,
            None,
            id="script-src-elem decides before script-src",
        ),
        pytest.param(
            "script-src c.example; script-src 'self'",
            f"script-src c.example {URL}; script-src 'self'",
            None,
            id="of two alike the first decides",
        ),
        pytest.param(
            "default-src c.example 'unsafe-inline'; img-src x",
            f"default-src c.example 'unsafe-inline'; img-src x; script-src c.example 'unsafe-inline' {URL}",
            None,
            id="what only scripts need is not given to all",
        ),
        pytest.param(
            "script-src c.example, script-src d.example",
            f"script-src c.example {URL}, script-src d.example {URL}",
            None,
            id="every policy of a list",
        ),
        pytest.param(
            "script-src 'nonce-a', script-src 'nonce-b'",
            f"script-src 'nonce-a' {URL}, script-src 'nonce-b' {URL}",
            None,
            id="one policy's nonce is not given to another",
        ),
        pytest.param("script-src 'nonce-a' 'nonce-b', script-src 'nonce-b'", None, "b", id="a nonce they share is"),
        pytest.param(
            "script-src 'nonce-a' 'strict-dynamic', script-src 'nonce-b' 'strict-dynamic'",
            "script-src 'nonce-a' 'strict-dynamic' 'nonce-new', script-src 'nonce-b' 'strict-dynamic' 'nonce-new'",
            "new",
            id="where they share none, a new one",
        ),
        pytest.param(
            "script-src 'nonce-a', script-src c.example",
            f"script-src 'nonce-a', script-src c.example {URL}",
            "a",
            id="a nonce for one, the URL for the other",
        ),
        pytest.param("require-trusted-types-for 'script'", None, None, id="trusted types stay"),
        pytest.param("sandbox allow-scripts; script-src 'self'", None, None, id="a sandbox that runs scripts"),
        pytest.param("", None, None, id="an empty policy"),
    ],
)
def test_admit(said: str, left: str | None, nonce: str | None) -> None:
    fields: Fields = [(b"x-own", b"script-src 'none'"), (CSP, said.encode())]
    admitted = policy.admit(fields, SCRIPT, b"new")
    assert admitted is not None
    assert admitted[0] == [fields[0], (CSP, (said if left is None else left).encode())]
    assert admitted[1] == (nonce.encode() if nonce else None)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"script-src 'none'", id="no script at all"),
        pytest.param(b"script-src 'NONE'", id="in any case"),
        pytest.param(b"script-src", id="an empty list"),
        pytest.param(b"default-src 'none'", id="nothing at all"),
        pytest.param(b"script-src 'self'; script-src-elem 'none'", id="no script element"),
        pytest.param(b"script-src 'self', script-src 'none'", id="by one policy of two"),
        pytest.param(b"sandbox", id="a sandbox"),
        pytest.param(b"sandbox allow-forms; script-src 'self'", id="a sandbox that allows other things"),
    ],
)
def test_no_script_is_let_in_where_none_is(said: bytes) -> None:
    assert policy.admit([(CSP, said)], SCRIPT, b"new") is None
    assert policy.admit([(CSP, b"script-src 'self'"), (CSP, said)], SCRIPT, b"new") is None


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param("script-src c.example", "script-src c.example " + URL, id="is let in alike"),
        pytest.param("script-src 'none'", "script-src " + URL, id="what would be reported is not: it is ours"),
        pytest.param("default-src 'none'", "default-src 'none'; script-src " + URL, id="by default, too"),
        pytest.param("sandbox", "sandbox", id="a sandbox that is only reported runs scripts"),
    ],
)
def test_a_policy_that_only_reports(said: str, left: str) -> None:
    assert policy.admit([(REPORT, said.encode())], SCRIPT, b"new") == ([(REPORT, left.encode())], None)


def test_an_answer_without_policies_is_left_as_it_is() -> None:
    fields: Fields = [(b"content-type", b"text/html")]
    assert policy.admit(fields, SCRIPT, b"new") == (fields, None)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(
            b'geolocation=(self "http://hotels.internal:8000"), camera=*',
            b'geolocation=(self "http://shop.test"), camera=*',
            id="an own origin is the public one",
        ),
        pytest.param(b'usb="https://a.example"', None, id="a foreign one stays"),
        pytest.param(b"usb=()", None, id="nobody"),
    ],
)
def test_permissions(said: bytes, left: bytes | None) -> None:
    assert policy.permissions(said, HOTELS) == (said if left is None else left)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(b"no-referrer", b"same-origin", id="nobody is told: then the own site alone"),
        pytest.param(b"No-Referrer", b"same-origin", id="in any case"),
        pytest.param(b"origin", b"origin-when-cross-origin", id="the origin for others, the page for the own site"),
        pytest.param(b"strict-origin", b"strict-origin-when-cross-origin", id="alike, and nothing when downgraded"),
        pytest.param(b"same-origin", b"same-origin", id="what tells the own site stays"),
        pytest.param(b"unsafe-url", b"unsafe-url", id="so does what tells all"),
        pytest.param(
            b"no-referrer, strict-origin-when-cross-origin",
            b"same-origin, strict-origin-when-cross-origin",
            id="every word of a list, of which a browser takes the last it knows",
        ),
    ],
)
def test_referrer(said: bytes, left: bytes) -> None:
    assert policy.referrer(said, HOTELS) == left
    assert policy.referrer(left, HOTELS) == left
    assert policy.referrer(said, ROOT) == said


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(b"http://hotels.internal:8000", b"http://shop.test", id="the origin's own"),
        pytest.param(b"http://shop.test", b"http://shop.test", id="the public one"),
        pytest.param(b"http://other.test", b"http://other.test", id="a foreign one"),
        pytest.param(b"*", b"*", id="a star"),
        pytest.param(b"null", b"null", id="null"),
    ],
)
def test_origin(said: bytes, left: bytes) -> None:
    assert policy.origin(said, HOTELS) == left
    assert policy.origin(said, NOWHERE) == said


def test_origins() -> None:
    said = b"http://a.test,http://hotels.internal:8000 , *"
    assert policy.origins(said, HOTELS) == b"http://a.test,http://shop.test , *"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(b'csp="/r", b="https://r.example/x"', b'csp="/hotels/r", b="https://r.example/x"', id="each URL"),
        pytest.param(
            b'csp="http://hotels.internal:8000/r"', b'csp="http://shop.test/hotels/r"', id="absolute stays so"
        ),
        pytest.param(b'csp="/r";x="/y", d="/z"', b'csp="/hotels/r";x="/y", d="/hotels/z"', id="no parameter"),
        pytest.param(b'csp="/r\\"", d="/a, e=\\"/b"', b'csp="/r\\"", d="/a, e=\\"/b"', id="no string that is no URL"),
        pytest.param(b'csp="/r', b'csp="/r', id="a string without an end"),
        pytest.param(b"csp=/r, d", b"csp=/r, d", id="no string"),
        pytest.param(b"", b"", id="nothing"),
    ],
)
def test_entries(said: bytes, left: bytes) -> None:
    assert policy.entries(said, HOTELS) == left


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(
            b'"/a.json", "b.json","//c.example/d"', b'"/hotels/a.json", "b.json","//c.example/d"', id="each URL"
        ),
        pytest.param(b'"/a";x="/b", "/c"', b'"/hotels/a";x="/b", "/hotels/c"', id="no parameter"),
        pytest.param(b'x="/a"', b'x="/a"', id="no dictionary"),
    ],
)
def test_members(said: bytes, left: bytes) -> None:
    assert policy.members(said, HOTELS) == left


@pytest.mark.parametrize(
    ("said", "urls"),
    [
        pytest.param(
            '{"group":"a","endpoints":[{"url":"/r"},{"url":"https://r.example/x"}]}',
            ["/hotels/r", "https://r.example/x"],
            id="each URL",
        ),
        pytest.param(
            '{"endpoints":[{"url":"/r"}]}, {"endpoints":[{"url":"/s"}]}', ["/hotels/r", "/hotels/s"], id="each group"
        ),
    ],
)
def test_report_to(said: str, urls: list[str]) -> None:
    groups = json.loads(b"[" + policy.report_to(said.encode(), HOTELS) + b"]")
    assert [point["url"] for group in groups for point in group["endpoints"]] == urls


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b'{"endpoints":[{"url":"https://r.example/x"}] }', id="all foreign"),
        pytest.param(b'{"endpoints":[{"url":"/r"}', id="no JSON"),
        pytest.param(b'{"endpoints":[{"url":5}, 7]}, 8, {"endpoints":null}', id="no URLs"),
        pytest.param(b"[" * 20000, id="too deep"),
    ],
)
def test_report_to_that_stays(said: bytes) -> None:
    assert policy.report_to(said, HOTELS) == said


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"script-src" + b" 'nonce-%d'" * 5000 % tuple(range(5000)), id="nonces"),
        pytest.param(b"script-src 'strict-dynamic'," * 3000, id="policies"),
        pytest.param(b"x;" * 20000, id="directives"),
        pytest.param(b"script-src" + b" " * 50000, id="white space"),
    ],
)
def test_long_policies_are_read_once(said: bytes) -> None:
    policy.admit([(CSP, said + b", " + said)], SCRIPT, b"new")


WORDS = st.sampled_from(
    [
        *("script-src", "script-src-elem", "default-src", "img-src", "sandbox", "report-uri", "allow-scripts"),
        *("'self'", "'none'", "'unsafe-inline'", "'strict-dynamic'", "'nonce-a'", "'nonce-b'", "'sha256-x='"),
        *("*", "https:", "c.example", "http://hotels.internal:8000", "/x", ";", ";", ";", ",", "", "\t"),
    ]
)


@given(st.lists(WORDS, max_size=14).map(" ".join))
def test_a_policy_is_only_ever_wider_by_the_script(said: str) -> None:
    admitted = policy.admit([(CSP, said.encode())], SCRIPT, b"new")
    if admitted is None:
        return
    ((_, left),) = admitted[0]
    for before, after in zip(said.encode().split(b","), left.split(b","), strict=True):
        directives = after.split(b";")
        for known, found in zip(before.split(b";"), directives, strict=False):
            assert found in (known, known + b" " + SCRIPT, known + b" 'nonce-new'")
        added = directives[len(before.split(b";")) :]
        assert len(added) < 2 and all(directive.startswith(b" script-src ") for directive in added)
    assert policy.admit([(CSP, left)], SCRIPT, admitted[1] or b"new") == ([(CSP, left)], admitted[1])


@given(st.binary(max_size=60), st.sampled_from(["permissions", "referrer", "origins", "entries", "members"]))
def test_any_bytes_stay_one_line(said: bytes, name: str) -> None:
    clean = said.translate(None, b"\r\n\0")
    once: bytes = getattr(policy, name)(clean, HOTELS)
    assert not set(once) & set(b"\r\n\0")
    assert getattr(policy, name)(once, HOTELS) == once
