"""Fields behind a body."""

import pytest

import gateway.rules.trailers as trailers
from gateway.message import Fields, Head


@pytest.mark.parametrize(
    ("field", "passes"),
    [
        pytest.param((b"server-timing", b"db;dur=5"), True, id="what was measured on the way"),
        pytest.param((b"grpc-status", b"0"), True, id="a status of another protocol"),
        pytest.param((b"repr-digest", b"sha-256=:AAAA:"), True, id="a digest"),
        pytest.param((b"content-length", b"5"), False, id="framing"),
        pytest.param((b"transfer-encoding", b"chunked"), False, id="more framing"),
        pytest.param((b"host", b"x"), False, id="routing"),
        pytest.param((b"set-cookie", b"a=1"), False, id="a cookie"),
        pytest.param((b"cookie", b"a=1"), False, id="a viewer's cookie"),
        pytest.param((b"authorization", b"Basic x"), False, id="who asks"),
        pytest.param((b"x-forwarded-for", b"127.0.0.1"), False, id="from where"),
        pytest.param((b"x_forwarded_for", b"127.0.0.1"), False, id="from where, as CGI reads it"),
        pytest.param((b"x-http-method-override", b"DELETE"), False, id="another method"),
        pytest.param((b"cache-control", b"public"), False, id="what may be kept"),
        pytest.param((b"content-type", b"text/html"), False, id="what it is"),
        pytest.param((b"location", b"/x"), False, id="a URL, which nobody put below the mount"),
        pytest.param((b"connection", b"close"), False, id="this hop"),
        pytest.param((b"x y", b"1"), False, id="no token"),
        pytest.param((b"x", b"1\r\ny: 2"), False, id="two lines"),
    ],
)
def test_passed(field: tuple[bytes, bytes], passes: bool) -> None:
    assert trailers.passed([(b"a", b"1"), field, (b"b", b"2")]) == [
        (b"a", b"1"), *([field] if passes else []), (b"b", b"2")
    ]  # fmt: skip


def test_too_many_do_not_pass() -> None:
    assert trailers.passed([(b"x", b"v" * trailers.LIMIT)]) == []


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        pytest.param([(b"te", b"trailers")], True, id="trailers"),
        pytest.param([(b"te", b"deflate;q=0.5, Trailers")], True, id="among codings"),
        pytest.param([(b"te", b"deflate")], False, id="a coding"),
        pytest.param([], False, id="nothing said"),
    ],
)
def test_wanted(fields: Fields, wanted: bool) -> None:
    assert trailers.wanted(Head(fields)) is wanted
