"""A target is refused or served byte for byte; nothing in between, and never outside its mount."""

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.paths as paths


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        pytest.param(b"/x", b"/x", None, id="no question mark is no query"),
        pytest.param(b"/x?", b"/x", b"", id="an empty query is one"),
        pytest.param(b"/x?a=1&b=2", b"/x", b"a=1&b=2", id="the query follows the first question mark"),
        pytest.param(b"/x?a?b", b"/x", b"a?b", id="a second question mark is the query's own"),
    ],
)
def test_split(target: bytes, path: bytes, query: bytes | None) -> None:
    assert paths.split(target) == (path, query)


@pytest.mark.parametrize(
    ("target", "form", "authority"),
    [
        pytest.param(b"/hotels/x?q=1", b"/hotels/x?q=1", None, id="origin-form stays"),
        pytest.param(b"http://evil.test/hotels/x", b"/hotels/x", b"evil.test", id="absolute-form gives its authority"),
        pytest.param(b"HTTPS://a.test:8443/x?y", b"/x?y", b"a.test:8443", id="scheme in any case, port kept"),
        pytest.param(b"http://a.test", b"/", b"a.test", id="an empty path is the root"),
        pytest.param(b"http://a.test?q=1", b"/?q=1", b"a.test", id="a query without a path is the root's"),
        pytest.param(b"ftp://a.test/x", b"ftp://a.test/x", None, id="another scheme is no absolute-form"),
        pytest.param(b"*", b"*", None, id="asterisk-form stays"),
        pytest.param(b"a.test:80", b"a.test:80", None, id="authority-form stays"),
        pytest.param(b"http:///x", b"http:///x", None, id="no authority is no absolute-form"),
    ],
)
def test_origin_form(target: bytes, form: bytes, authority: bytes | None) -> None:
    assert paths.origin_form(target) == (form, authority)


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(target, id=target.decode())
        for target in (
            b"/",
            b"/hotels/x/y",
            b"/hotels/x?q=1%2F2&q=3",
            b"/hotels/a%2Fb",
            b"/hotels/a%20b",
            b"/hotels/@v;x=1",
            b"/hotels//x",
            b"/hotels%2Fx",
            b"/a.b/..c/d..",
            b"/.well-known/x",
            b"/...",
            b"/a+b~c'd!e(f)*g",
            b"/x?a=../..&b=%00%zz",
            b'/{a}|b^c`d"e<f>[g]',
            b"/%7e/%C3%A9",
            b"/a;b/c;..",
        )
    ],
)
def test_served_as_it_is(target: bytes) -> None:
    assert paths.refusal(target) is None


@pytest.mark.parametrize(
    ("target", "why"),
    [
        pytest.param(b"/hotels/.", "dot segment", id="a dot segment"),
        pytest.param(b"/hotels/..", "dot segment", id="two dots at the end"),
        pytest.param(b"/hotels/../pets/x", "dot segment", id="two dots leading to another mount"),
        pytest.param(b"/hotels/./x", "dot segment", id="a dot in the middle"),
        pytest.param(b"/..", "dot segment", id="two dots at the root"),
        pytest.param(b"/hotels/%2e%2e/x", "dot segment", id="escaped dots"),
        pytest.param(b"/hotels/.%2E/x", "dot segment", id="half escaped dots"),
        pytest.param(b"/hotels/%2E", "dot segment", id="one escaped dot"),
        pytest.param(b"/hotels/..%2fx", "dot segment", id="an escaped slash behind dots"),
        pytest.param(b"/hotels/x%2F..%2Fy", "dot segment", id="dots between escaped slashes"),
        pytest.param(b"/hotels/..;/x", "dot segment", id="dots with a parameter"),
        pytest.param(b"/hotels/.;a=1/x", "dot segment", id="a dot with a parameter"),
        pytest.param(b"/hotels/%2e%2e;x", "dot segment", id="escaped dots with a parameter"),
        pytest.param(b"/hotels\\x", "backslash", id="a backslash"),
        pytest.param(b"/hotels/..%5cx", "backslash", id="an escaped backslash"),
        pytest.param(b"/hotels/%5C", "backslash", id="an escaped backslash in upper case"),
        pytest.param(b"/hotels/%00", "zero escape", id="an escaped zero"),
        pytest.param(b"/hotels/%zz", "broken", id="an escape that is none"),
        pytest.param(b"/hotels/%4", "broken", id="a cut escape"),
        pytest.param(b"/hotels/%", "broken", id="a lone percent sign"),
        pytest.param(b"/hotels/a b", "percent-encoded", id="a space"),
        pytest.param(b"/hotels/\x00", "percent-encoded", id="a zero byte"),
        pytest.param(b"/hotels/\x7f", "percent-encoded", id="a control byte"),
        pytest.param("/hotels/é".encode(), "percent-encoded", id="raw non-ASCII"),
        pytest.param(b"/hotels/a#b", "percent-encoded", id="a fragment identifier in the path"),
        pytest.param(b"/x?a#b", "percent-encoded", id="a fragment identifier in the query"),
        pytest.param(b"/x?a b", "percent-encoded", id="a space in the query"),
        pytest.param(b"/x?\xc3\xa9", "percent-encoded", id="raw non-ASCII in the query"),
        pytest.param(b"", "not a path", id="nothing"),
        pytest.param(b"*", "not a path", id="an asterisk"),
        pytest.param(b"hotels/x", "not a path", id="a relative path"),
        pytest.param(b"a.test:80", "not a path", id="an authority"),
    ],
)
def test_refused(target: bytes, why: str) -> None:
    refusal = paths.refusal(target)
    assert refusal is not None and why in refusal


@pytest.mark.parametrize(
    ("target", "prefix", "seen"),
    [
        pytest.param(b"/hotels/", b"/hotels", b"/", id="the mount itself is the root"),
        pytest.param(b"/hotels/x/y", b"/hotels", b"/x/y", id="the rest stays"),
        pytest.param(b"/hotels/x?q=1%2F2&q=3", b"/hotels", b"/x?q=1%2F2&q=3", id="with its query"),
        pytest.param(b"/hotels/a%2Fb", b"/hotels", b"/a%2Fb", id="an escaped slash stays escaped"),
        pytest.param(b"/hotels/a%20b", b"/hotels", b"/a%20b", id="an escaped space stays escaped"),
        pytest.param(b"/hotels/@v;x=1", b"/hotels", b"/@v;x=1", id="parameters stay"),
        pytest.param(b"/hotels//x", b"/hotels", b"//x", id="empty segments stay"),
        pytest.param(b"/hotels", b"/hotels", b"/", id="no slash, for methods that are not redirected"),
        pytest.param(b"/hotels?a=1", b"/hotels", b"/?a=1", id="no slash, with a query"),
        pytest.param(b"/x", b"", b"/x", id="a mount at the root strips nothing"),
    ],
)
def test_strip(target: bytes, prefix: bytes, seen: bytes) -> None:
    assert paths.strip(target, prefix) == seen


@pytest.mark.parametrize(
    ("path", "prefix", "lacks"),
    [
        pytest.param(b"/hotels", b"/hotels", True, id="the bare prefix"),
        pytest.param(b"/hotels/", b"/hotels", False, id="the prefix with its slash"),
        pytest.param(b"/hotels/x", b"/hotels", False, id="a page below"),
        pytest.param(b"", b"", False, id="the root has no bare form"),
    ],
)
def test_lacks_slash(path: bytes, prefix: bytes, lacks: bool) -> None:
    assert paths.lacks_slash(path, prefix) is lacks


def _climbs(path: bytes) -> bool:
    """Whether any reader, however often it decodes, may find a dot segment. Written without looking at the rule."""
    twice = unquote_to_bytes(path)
    return any(part.split(b";")[0] in (b".", b"..") for part in re.split(rb"[/\\]", twice))


@given(
    st.lists(st.sampled_from([b"/", b".", b"%2e", b"%2F", b"%5c", b"\\", b";", b"a", b"%", b"?", b"%00"])).map(b"".join)
)
def test_what_is_served_never_climbs(rest: bytes) -> None:
    target = b"/hotels/" + rest
    path, _ = paths.split(target)
    if paths.refusal(target) is None:
        assert not _climbs(path)
        assert paths.strip(target, b"/hotels").startswith(b"/")


@given(st.binary(max_size=40))
def test_any_bytes_are_judged(rest: bytes) -> None:
    refusal = paths.refusal(b"/" + rest)
    assert refusal is None or refusal.isprintable()
    if refusal is None:
        assert re.fullmatch(rb"[\x21-\x7e]+", b"/" + rest)


@given(st.text("abc/%.2F;?=&", max_size=30))
def test_strip_undoes_the_mount(rest: str) -> None:
    below = b"/" + rest.encode()
    assert paths.strip(b"/hotels" + below, b"/hotels") == below
