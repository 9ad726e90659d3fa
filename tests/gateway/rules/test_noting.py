"""Cache-Status says what became of a request so that another parser reads the same."""

from typing import Any

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.noting as noting
from gateway.rules.noting import Member


@pytest.mark.parametrize(
    ("note", "text"),
    [
        pytest.param(noting.hit(27.9), b"portico; hit; ttl=27", id="a hit"),
        pytest.param(noting.hit(-3), b"portico; hit; ttl=-3", id="a stale one"),
        pytest.param(noting.hit(5, "stale-part"), b"portico; hit; ttl=5; detail=stale-part", id="with a detail"),
        pytest.param(
            noting.forwarded("uri-miss", 200, ttl=30, stored=True),
            b"portico; fwd=uri-miss; fwd-status=200; stored; ttl=30",
            id="fetched and kept",
        ),
        pytest.param(
            noting.forwarded("uri-miss", 200, collapsed=True, key=b'page "x"\n'),
            b'portico; fwd=uri-miss; fwd-status=200; collapsed; key="page \\"x\\"?"',
            id="collapsed, with its key",
        ),
        pytest.param(
            noting.forwarded("stale", detail="stale-if-error"),
            b"portico; fwd=stale; detail=stale-if-error",
            id="failed",
        ),
        pytest.param(
            noting.noted("method", 303, ""), b"portico; fwd=method; fwd-status=303", id="no matter for a cache"
        ),
        pytest.param(
            noting.noted("uri-miss", 200, "two words"),
            b'portico; fwd=uri-miss; fwd-status=200; detail="two words"',
            id="words in quotes",
        ),
    ],
)
def test_notes(note: bytes, text: bytes) -> None:
    assert note == text
    (member,) = noting.read(note)
    assert member.hit != bool(member.fwd)


def test_own_member_comes_last_and_others_stay() -> None:
    note = noting.hit(3)
    assert noting.appended(b"", note) == note
    assert noting.appended(b'origin; hit; ttl=9, "cdn x"; fwd=miss', note) == (
        b'origin; hit; ttl=9, "cdn x"; fwd=miss, portico; hit; ttl=3'
    )


@pytest.mark.parametrize(
    ("value", "members"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"not, a; list,", [], id="what is no list"),
        pytest.param(b"1;hit", [], id="a cache without a name"),
        pytest.param(
            b'"CDN Company Here"; hit; ttl=545, portico; fwd=stale; fwd-status=304; stored; collapsed; ttl=30; key="k"',
            [
                Member(b"CDN Company Here", hit=True, ttl=545),
                Member(b"portico", fwd=b"stale", status=304, ttl=30, stored=True, collapsed=True, key=b"k"),
            ],
            id="two caches",
        ),
        pytest.param(b"x; ttl=a; fwd-status=?1; hit=1; fwd=2", [Member(b"x")], id="values of other types"),
    ],
)
def test_read(value: bytes, members: list[Member]) -> None:
    assert noting.read(value) == members


@given(
    st.sampled_from(sorted(noting.REASONS)),
    st.none() | st.integers(100, 599),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.booleans(),
)
def test_any_note_is_read_by_another_parser(
    reason: str, status: int | None, detail: str, key: bytes, flag: bool
) -> None:
    note = noting.forwarded(reason, status, stored=flag, collapsed=flag, key=key, detail=detail)
    parsed: Any = http_sf.parse(note, tltype="list")
    ((name, parameters),) = parsed
    assert (str(name), str(parameters["fwd"])) == ("portico", reason)
    assert parameters.get("fwd-status") == status
    (member,) = noting.read(note)
    assert (member.status, member.stored, member.collapsed) == (status, flag, flag)


@pytest.mark.parametrize(
    ("note", "said"),
    [
        (noting.hit(3), "kept, and fresh"),
        (noting.hit(-3), "kept, and stale: it is being refreshed"),
        (noting.forwarded("uri-miss", 200, stored=True), "nothing is kept for this URL; kept from now on"),
        (noting.noted("uri-miss", 200, "set-cookie"), "nothing is kept for this URL; the answer sets a cookie"),
        (noting.noted("odd", 200, "odder"), "odd; odder"),
        (b"other; hit", "the cache was not asked"),
    ],
)
def test_why(note: bytes, said: str) -> None:
    assert noting.why(note) == said
