"""What an intermediary reads in any request's or answer's fields."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.fields as fields
from gateway.message import Fields, Request


@pytest.mark.parametrize(
    ("given_fields", "named"),
    [
        pytest.param([], set(), id="none"),
        pytest.param([(b"connection", b"keep-alive")], set(), id="keep-alive alone names nothing worth a look"),
        pytest.param([(b"connection", b"close, X-Secret")], {b"close", b"x-secret"}, id="a list, in lower case"),
        pytest.param(
            [(b"connection", b"a"), (b"x", b"y"), (b"connection", b"b")], {b"a", b"b"}, id="several lines are one list"
        ),
    ],
)
def test_named_by_connection(given_fields: Fields, named: set[bytes]) -> None:
    assert set(fields.named_by_connection(given_fields)) == named


@pytest.mark.parametrize(
    ("headers", "version", "absolute", "authority"),
    [
        pytest.param([(b"host", b"Shop.Test:8080")], b"1.1", None, b"shop.test:8080", id="lower case, with its port"),
        pytest.param([(b"host", b"[::1]:80")], b"1.1", None, b"[::1]:80", id="an IPv6 address"),
        pytest.param([(b"host", b"a_b.test")], b"1.1", None, b"a_b.test", id="underscores, which containers have"),
        pytest.param([(b"host", b"a.test.")], b"1.1", None, b"a.test.", id="a trailing dot"),
        pytest.param([(b"host", b"b.test")], b"1.1", b"A.test", b"a.test", id="absolute-form wins over Host"),
        pytest.param([], b"1.0", None, b"", id="HTTP/1.0 may have none"),
        pytest.param([(b"host", b"")], b"1.1", None, b"", id="empty when the target has no authority"),
    ],
)
def test_authority(headers: Fields, version: bytes, absolute: bytes | None, authority: bytes) -> None:
    request = Request(b"GET", b"/", headers, version=version)
    assert fields.authority(request, absolute) == (authority, None)


@pytest.mark.parametrize(
    ("headers", "absolute", "why"),
    [
        pytest.param([], None, "no Host", id="no Host"),
        pytest.param([], b"a.test", "no Host", id="no Host, even with absolute-form"),
        pytest.param([(b"host", b"a"), (b"host", b"b")], None, "more than one", id="two that differ"),
        pytest.param([(b"host", b"a"), (b"x", b"y"), (b"host", b"a")], None, "more than one", id="two that are equal"),
        pytest.param([(b"host", b"a b")], None, "not a host name", id="a space"),
        pytest.param([(b"host", b"a/b")], None, "not a host name", id="a slash"),
        pytest.param([(b"host", b"a@b")], None, "not a host name", id="user information"),
        pytest.param([(b"host", b"a:99999")], None, "port", id="a port that does not exist"),
        pytest.param([(b"host", b"a:b")], None, "not a host name", id="a port that is no number"),
        pytest.param([(b"host", b"a,b")], None, "not a host name", id="a list"),
        pytest.param([(b"host", b"-a")], None, "not a host name", id="a leading hyphen"),
        pytest.param([(b"host", b"a")], b"u:p@b", "not a host name", id="user information in the target"),
    ],
)
def test_authority_that_cannot_be_told(headers: Fields, absolute: bytes | None, why: str) -> None:
    authority, doubt = fields.authority(Request(b"GET", b"/", headers), absolute)
    assert authority == b""
    assert doubt is not None and why in doubt


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        pytest.param(b"a.test:80", b"a.test", id="the port goes"),
        pytest.param(b"a.test", b"a.test", id="no port"),
        pytest.param(b"[::1]:80", b"[::1]", id="an IPv6 address with a port"),
        pytest.param(b"[::1]", b"[::1]", id="an IPv6 address"),
    ],
)
def test_hostname(authority: bytes, name: bytes) -> None:
    assert fields.hostname(authority) == name


@pytest.mark.parametrize(
    ("authority", "hosts", "allowed"),
    [
        pytest.param(b"any.test", [], True, id="no hosts means any"),
        pytest.param(b"a.test", [b"a.test"], True, id="the very host"),
        pytest.param(b"a.test:8080", [b"a.test"], True, id="a host without port is meant at any port"),
        pytest.param(b"a.test:8080", [b"a.test:8080"], True, id="a host at one port"),
        pytest.param(b"a.test:8081", [b"a.test:8080"], False, id="not at another port"),
        pytest.param(b"b.test", [b"a.test"], False, id="another host"),
        pytest.param(b"x.a.test", [b"a.test"], False, id="a host below is another"),
        pytest.param(b"", [b"a.test"], False, id="no host at all"),
    ],
)
def test_allowed(authority: bytes, hosts: list[bytes], allowed: bool) -> None:
    assert fields.allowed(authority, hosts) is allowed


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        pytest.param(b"Text/HTML; charset=utf-8", "text/html", id="lower case, no parameters"),
        pytest.param(b" text/css ", "text/css", id="no white space"),
        pytest.param(b"", "", id="empty"),
        pytest.param(None, "", id="none"),
    ],
)
def test_media_type(value: bytes | None, kind: str) -> None:
    assert fields.media_type(value) == kind


@pytest.mark.parametrize(
    ("field", "may"),
    [
        pytest.param((b"x-a", b"v"), True, id="a plain one"),
        pytest.param((b"x-a", "é".encode()), True, id="any byte that starts no line"),
        pytest.param((b"x-a", b""), True, id="an empty value"),
        pytest.param((b"", b"v"), False, id="no name"),
        pytest.param((b"x a", b"v"), False, id="a space in the name"),
        pytest.param((b"x:a", b"v"), False, id="a colon in the name"),
        pytest.param((b"X-A", b"v"), False, id="a name that was not lowered"),
        pytest.param((b"x-a", b"v\r\nset-cookie: s=1"), False, id="a line break"),
        pytest.param((b"x-a", b"v\n"), False, id="a bare LF"),
        pytest.param((b"x-a", b"v\r"), False, id="a bare CR"),
        pytest.param((b"x-a", b"\x00"), False, id="a zero byte"),
    ],
)
def test_is_field(field: tuple[bytes, bytes], may: bool) -> None:
    assert fields.is_field(field) is may


@given(st.binary(max_size=30))
def test_an_authority_is_plain_or_refused(host: bytes) -> None:
    authority, doubt = fields.authority(Request(b"GET", b"/", [(b"host", host)]), None)
    if doubt is None:
        assert re.fullmatch(rb"[a-z0-9._:\[\]-]*", authority)
        assert authority == host.lower()


@given(st.tuples(st.binary(max_size=12), st.binary(max_size=12)))
def test_a_field_that_may_go_out_stays_one_line(field: tuple[bytes, bytes]) -> None:
    if fields.is_field(field):
        line = b"%b: %b\r\n" % field
        assert line.splitlines(keepends=True)[0].count(b"\r\n") == 1
        assert b"\n" not in line[:-2] and b"\r" not in line[:-2] and b"\0" not in line
