"""A policy below a prefix: own sources follow the application, all else stays, nothing is allowed that was not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fragments.policy import mapped
from fragments.urls import Place

ORIGINS = frozenset({"http://hotels.internal:8000", "https://www.hotels.example"})
HOTELS = Place("/hotels", ORIGINS, links_to=("/pets",), public="https://shop.test")

CHANGED = {
    "an origin": ("script-src http://hotels.internal:8000", "script-src https://shop.test"),
    "an origin with a path": (
        "img-src https://www.hotels.example/static/",
        "img-src https://shop.test/hotels/static/",
    ),
    "the default port said": ("img-src https://www.hotels.example:443", "img-src https://shop.test"),
    "any port": ("img-src hotels.internal:*", "img-src shop.test"),
    "without a scheme": ("font-src www.hotels.example/f/", "font-src shop.test/hotels/f/"),
    "in any case": ("SCRIPT-SRC HTTP://Hotels.Internal:8000", "SCRIPT-SRC https://shop.test"),
    "a socket": ("connect-src ws://hotels.internal:8000/live", "connect-src wss://shop.test/hotels/live"),
    "a path of the public origin": ("img-src https://shop.test/i/", "img-src https://shop.test/hotels/i/"),
    "among others": (
        "default-src 'self' data:;\tscript-src  'nonce-aa=='  https://cdn.example  www.hotels.example ;",
        "default-src 'self' data:;\tscript-src  'nonce-aa=='  https://cdn.example  shop.test ;",
    ),
    "where reports go": (
        "default-src 'self'; report-uri /csp https://reports.example/x http://hotels.internal:8000/r",
        "default-src 'self'; report-uri /hotels/csp https://reports.example/x /hotels/r",
    ),
    "frames around it": ("frame-ancestors www.hotels.example", "frame-ancestors shop.test"),
    "in a list of policies": (
        "default-src 'self', img-src www.hotels.example",
        "default-src 'self', img-src shop.test",
    ),
}
SAME = {
    "keywords, schemes, nonces and hashes": "script-src 'self' 'unsafe-inline' 'strict-dynamic'"
    " https: blob: 'nonce-/x' 'sha256-AA/+='",
    "everything": "default-src *",
    "nothing": "default-src 'none'",
    "another host": "script-src https://cdn.example/x/ other.example",
    "another port of ours": "script-src http://hotels.internal:9000",
    "another scheme of ours": "script-src https://hotels.internal:8000",
    "hosts below ours": "script-src *.hotels.internal:8000",
    "already mapped": "img-src https://shop.test/hotels/static/",
    "of another mount": "img-src https://shop.test/pets/",
    "a group of reports": "report-to hotels.internal:8000",
    "a sandbox": "sandbox allow-scripts; trusted-types www.hotels.example",
    "an empty one": " ; ,",
    "no text at all": "",
}


@pytest.mark.parametrize("policy, expected", [pytest.param(*row, id=name) for name, row in CHANGED.items()])
def test_changed(policy: str, expected: str) -> None:
    assert mapped(policy, HOTELS) == expected
    assert mapped(expected, HOTELS) == expected, "twice is once"


@pytest.mark.parametrize("policy", [pytest.param(row, id=name) for name, row in SAME.items()])
def test_same(policy: str) -> None:
    assert mapped(policy, HOTELS) == policy


def test_without_a_public_origin_only_addresses_are_mapped() -> None:
    place = Place("/hotels", ORIGINS)
    assert (
        mapped("img-src www.hotels.example; report-uri /r", place) == "img-src www.hotels.example; report-uri /hotels/r"
    )


words = (
    "script-src",
    "report-uri",
    "'self'",
    "/x",
    "www.hotels.example",
    "https://",
    ":443",
    "/a/",
    ";",
    ",",
    " ",
    "*.",
    "shop.test",
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(words), max_size=15).map("".join))
def test_twice_is_once_and_no_source_comes_or_goes(policy: str) -> None:
    once = mapped(policy, HOTELS)
    assert mapped(once, HOTELS) == once
    assert len(once.split()) == len(policy.split())
