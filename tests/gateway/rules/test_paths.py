"""A target is refused or served byte for byte; nothing in between, and never outside its mount."""

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.fields as fields
import gateway.rules.paths as paths
import gateway.table as tables
from gateway.message import Request
from gateway.model import Manifest


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


# Every spelling by which a path may mean one thing here and another there. None: refused; else the mount that is asked,
# and what its origin sees: the very bytes, less the prefix.
WAYS: dict[str, dict[bytes, tuple[bytes, bytes] | None]] = {
    "a dot segment": dict.fromkeys(
        (
            *(
                b"/.",
                b"/..",
                b"/./",
                b"/../",
                b"/./hotels/x",
                b"/../hotels/x",
                b"/hotels/.",
                b"/hotels/..",
                b"/hotels/./",
            ),
            *(b"/hotels/../", b"/hotels/./x", b"/hotels/../x", b"/hotels/../pets/x", b"/hotels/x/../../pets/x"),
            *(b"/hotels/x/..", b"/hotels/x/.", b"/hotels//../pets", b"/hotels/..//pets", b"/pets/../hotels/x"),
            *(b"/hotels/..?q", b"/hotels/../?q=/..", b"/..hotels/../x", b"/hotels/.../../x"),
        )
    ),
    "an escaped dot segment": dict.fromkeys(
        (
            *(b"/%2e", b"/%2E%2e/x", b"/hotels/%2e", b"/hotels/%2E", b"/hotels/%2e%2e", b"/hotels/%2E%2E/x"),
            *(b"/hotels/.%2e/x", b"/hotels/%2e./x", b"/hotels/.%2E", b"/hotels/%2e/x", b"/hotels/x/%2e%2e/%2e%2e/pets"),
            *(b"/%2e%2e/hotels/x", b"/hotels/%2e%2e?q"),
        )
    ),
    "dots beside an escaped slash": dict.fromkeys(
        (
            *(
                b"/hotels/..%2f",
                b"/hotels/..%2Fpets",
                b"/hotels/%2e%2e%2fpets",
                b"/hotels/x%2f..",
                b"/hotels/x%2f..%2fy",
            ),
            *(b"/hotels/x%2F.%2Fy", b"/hotels%2f..%2fpets", b"/hotels/%2f..", b"/hotels/%2f../x", b"/%2f..%2fhotels"),
            *(b"/hotels/.%2fx", b"/hotels%2f%2e%2e"),
        )
    ),
    "dots with parameters": dict.fromkeys(
        (
            *(b"/hotels/..;/x", b"/hotels/..;", b"/hotels/.;/x", b"/hotels/..;a=1/x", b"/hotels/.;a=1;b/x", b"/..;/x"),
            *(
                b"/hotels/%2e%2e;/x",
                b"/hotels/%2e%2e;x",
                b"/hotels/..%3b/x",
                b"/hotels/..%3Ba=1/x",
                b"/hotels/%2e%2e%3bx",
            ),
            *(b"/hotels/x%2f..;/y", b"/hotels/..;%2fx"),
        )
    ),
    "dots with what is cut off": dict.fromkeys(
        (
            *(
                b"/hotels/..%20",
                b"/hotels/..%20/x",
                b"/hotels/.%20/x",
                b"/hotels/..%09/x",
                b"/hotels/..%0a/x",
                b"/hotels/..%0D",
            ),
            *(
                b"/hotels/..%23/x",
                b"/hotels/..%3f/x",
                b"/hotels/..%3Fx",
                b"/hotels/%2e%2e%23",
                b"/hotels/..%20%20/x",
                b"/hotels/.%20;",
                b"/hotels/..%20;x/y",
            ),
        )
    ),
    "a backslash": dict.fromkeys(
        (
            *(b"/hotels\\x", b"/hotels\\..\\pets", b"/\\hotels/x", b"/hotels/\\x", b"/hotels/..\\x", b"\\hotels\\x"),
            *(b"/hotels%5cx", b"/hotels/..%5cpets", b"/hotels/%5C%5Cevil.test", b"/%5chotels", b"/hotels/.%5c"),
        )
    ),
    "a zero": dict.fromkeys(
        (
            b"/hotels/%00",
            b"/hotels/x%00.html",
            b"/hotels%00/x",
            b"/hotels/..%00/x",
            b"/%00",
            b"/hotels/\0",
            b"/hotels/x\0y",
        )
    ),
    "an escape that is none": dict.fromkeys(
        (
            *(
                b"/hotels/%",
                b"/hotels/%2",
                b"/hotels/%zz",
                b"/hotels/%2g",
                b"/hotels/%%32%65",
                b"/hotels/%u002e%u002e/x",
            ),
            *(b"/hotels/%-1", b"/hotels/% 20", b"/%hotels", b"/hotels/x%?q"),
        )
    ),
    "ASCII in too many bytes": dict.fromkeys(
        (
            *(
                b"/hotels/%c0%ae%c0%ae/x",
                b"/hotels/%C0%AE./x",
                b"/hotels/..%c0%af",
                b"/hotels%c0%afx",
                b"/hotels/%c1%9cx",
            ),
            *(b"/hotels/%e0%80%ae%e0%80%ae/x", b"/hotels/..%e0%80%afx", b"/hotels/%f0%80%80%ae/x", b"/hotels/%c1%81"),
        )
    ),
    "a byte that must be escaped": dict.fromkeys(
        (
            *(
                b"/hotels/ x",
                b"/hotels/\tx",
                b"/hotels/\x0bx",
                b"/hotels/\x1f",
                b"/hotels/\x7f",
                b"/hotels/x y",
                b" /hotels/x",
            ),
            *(
                "/hotels/é".encode(),
                "/hotels/é".encode("latin-1"),
                "/hotels/．．/x".encode(),
                b"/hotels/\xff",
                b"/\xc0\xae",
            ),
            *(
                b"/hotels/x\x85",
                b"/hotels/x\xa0",
                b"/hotels/\xc2\xad",
                b"/hotels\r",
                b"/hotels/x\ny",
                b"/hotels/x#y",
                b"/#/hotels",
            ),
            *(b"/hotels/x?a b", b"/hotels/x?#", b"/hotels/x?\xe9", b"/hotels/x?\0"),
        )
    ),
    "no path": dict.fromkeys(
        (
            *(
                b"",
                b"*",
                b"hotels/x",
                b"shop.test:80",
                b"../hotels",
                b"./hotels",
                b"?q",
                b"#x",
                b";/hotels",
                b"%2fhotels/x",
            ),
            *(
                b"ftp://shop.test/hotels/x",
                b"http:/hotels/x",
                b"http:hotels/x",
                b"http:///hotels/x",
                b"javascript:1",
                b"file:///x",
            ),
            *(b"http://shop.test\\@evil.test/", b"http://shop.test/../x", b"http://shop.test/hotels/%2e%2e/x"),
        )
    ),
    "an own path": {
        b"/hotels": (b"/hotels", b"/"),
        b"/hotels/": (b"/hotels", b"/"),
        b"/hotels/x": (b"/hotels", b"/x"),
        b"/hotels/x/": (b"/hotels", b"/x/"),
        b"/hotels?q": (b"/hotels", b"/?q"),
        b"/hotels/?q=/../x": (b"/hotels", b"/?q=/../x"),
        b"/hotels/x?q=%zz%00\\": (b"/hotels", b"/x?q=%zz%00\\"),
        b"/hotels/x??": (b"/hotels", b"/x??"),
        b"/hotels/hotels/x": (b"/hotels", b"/hotels/x"),
        b"http://evil.test/hotels/x": (b"/hotels", b"/x"),
        b"HTTPS://shop.test:8443/hotels?q": (b"/hotels", b"/?q"),
    },
    "its escapes stay": {
        b"/hotels/a%2Fb": (b"/hotels", b"/a%2Fb"),
        b"/hotels/a%2fb": (b"/hotels", b"/a%2fb"),
        b"/hotels/%2f": (b"/hotels", b"/%2f"),
        b"/hotels/%2fpets": (b"/hotels", b"/%2fpets"),
        b"/hotels/%41": (b"/hotels", b"/%41"),
        b"/hotels/a%20b": (b"/hotels", b"/a%20b"),
        b"/hotels/%23%3f": (b"/hotels", b"/%23%3f"),
        b"/hotels/%25": (b"/hotels", b"/%25"),
        b"/hotels/%252e%252e%252fpets": (b"/hotels", b"/%252e%252e%252fpets"),
        b"/hotels/%C3%A9": (b"/hotels", b"/%C3%A9"),
        b"/hotels/%e9": (b"/hotels", b"/%e9"),
        b"/hotels/%C0-propos": (b"/hotels", b"/%C0-propos"),
        b"/hotels/%ef%bc%8e%ef%bc%8e/x": (b"/hotels", b"/%ef%bc%8e%ef%bc%8e/x"),
        b"/hotels/%ef%bc%8fpets": (b"/hotels", b"/%ef%bc%8fpets"),
        b"/hotels/%e2%80%ae": (b"/hotels", b"/%e2%80%ae"),
        b"/hotels/%ff%fe": (b"/hotels", b"/%ff%fe"),
        b"/hotels/%0d%0aSet-Cookie:x": (b"/hotels", b"/%0d%0aSet-Cookie:x"),
        b"/hotels/%7f": (b"/hotels", b"/%7f"),
    },
    "empty segments stay": {
        b"/hotels//": (b"/hotels", b"//"),
        b"/hotels//x": (b"/hotels", b"//x"),
        b"/hotels//evil.test/x": (b"/hotels", b"//evil.test/x"),
        b"/hotels///x//y": (b"/hotels", b"///x//y"),
        b"/hotels/x//": (b"/hotels", b"/x//"),
    },
    "dots in a name stay": {
        b"/hotels/...": (b"/hotels", b"/..."),
        b"/hotels/.../x": (b"/hotels", b"/.../x"),
        b"/hotels/..x": (b"/hotels", b"/..x"),
        b"/hotels/x..": (b"/hotels", b"/x.."),
        b"/hotels/.x/y.": (b"/hotels", b"/.x/y."),
        b"/hotels/.well-known/x": (b"/hotels", b"/.well-known/x"),
        b"/hotels/%2ehidden": (b"/hotels", b"/%2ehidden"),
        b"/hotels/..%20x": (b"/hotels", b"/..%20x"),
        b"/hotels/%2e%2e%2e": (b"/hotels", b"/%2e%2e%2e"),
    },
    "parameters and marks stay": {
        b"/hotels/;": (b"/hotels", b"/;"),
        b"/hotels/@v;x=1": (b"/hotels", b"/@v;x=1"),
        b"/hotels/x;..": (b"/hotels", b"/x;.."),
        b"/hotels/;/pets": (b"/hotels", b"/;/pets"),
        b"/hotels/x%3b..": (b"/hotels", b"/x%3b.."),
        b"/hotels/a:b": (b"/hotels", b"/a:b"),
        b"/hotels/http://x": (b"/hotels", b"/http://x"),
        b"/hotels/~!$&'()*+,=@": (b"/hotels", b"/~!$&'()*+,=@"),
        b'/hotels/{a}|^`"<>[]': (b"/hotels", b'/{a}|^`"<>[]'),
    },
    "another path than the mount's": {
        b"/": (b"", b"/"),
        b"/x": (b"", b"/x"),
        b"//": (b"", b"//"),
        b"//hotels": (b"", b"//hotels"),
        b"//hotels/x": (b"", b"//hotels/x"),
        b"//evil.test/hotels/x": (b"", b"//evil.test/hotels/x"),
        b"/;/hotels/x": (b"", b"/;/hotels/x"),
        b"/hotels;/x": (b"", b"/hotels;/x"),
        b"/hotels;a=1/x": (b"", b"/hotels;a=1/x"),
        b"/hotels%2fx": (b"", b"/hotels%2fx"),
        b"/hotels%2Fx": (b"", b"/hotels%2Fx"),
        b"/%2fhotels/x": (b"", b"/%2fhotels/x"),
        b"/hotels%20/x": (b"", b"/hotels%20/x"),
        b"/hotels%3fx": (b"", b"/hotels%3fx"),
        b"/hotels%23x": (b"", b"/hotels%23x"),
        b"/%68otels/x": (b"", b"/%68otels/x"),
        b"/hotels./x": (b"", b"/hotels./x"),
        b"/hotels.": (b"", b"/hotels."),
        b"/hotelsfoo": (b"", b"/hotelsfoo"),
        b"/hotel/x": (b"", b"/hotel/x"),
        b"/HOTELS/x": (b"", b"/HOTELS/x"),
        b"/Hotels": (b"", b"/Hotels"),
        b"/x?/hotels/": (b"", b"/x?/hotels/"),
        b"/http://shop.test/hotels/x": (b"", b"/http://shop.test/hotels/x"),
        b"/pets/hotels/x": (b"/pets", b"/hotels/x"),
        b"http://shop.test": (b"", b"/"),
        b"http://shop.test//hotels/x": (b"", b"//hotels/x"),
        b"http://shop.test?/hotels": (b"", b"/?/hotels"),
    },
}
TABLE = tables.compile(
    [
        Manifest.model_validate(
            {
                "team": "t",
                "upstreams": {"u": {"origins": ["http://o.test"]}},
                "mounts": {prefix: {"upstream": "u"} for prefix in ("/", "/hotels", "/pets")},
            }
        )
    ]
)


@pytest.mark.parametrize(
    ("target", "way"),
    [
        pytest.param(target, way, id=f"{rule}: {ascii(target)[2:-1]}")
        for rule, ways in WAYS.items()
        for target, way in ways.items()
    ],
)
def test_a_target_goes_one_way_or_none(target: bytes, way: tuple[bytes, bytes] | None) -> None:
    form, authority = paths.origin_form(target)
    _, doubt = fields.authority(Request(b"GET", form, [(b"host", b"shop.test")]), authority)
    if paths.refusal(form) is not None or doubt is not None:
        assert way is None
        return
    mount = TABLE.find(b"shop.test", paths.split(form)[0])
    assert mount is not None
    seen = paths.strip(form, mount.prefix)
    assert (mount.prefix, seen) == way
    assert form in (mount.prefix + seen, mount.prefix + seen[1:])


def test_the_ways_are_many() -> None:
    assert sum(map(len, WAYS.values())) > 150


def _climbs(path: bytes) -> bool:
    """Whether any reader, however often it decodes, may find a dot segment. Written without looking at the rule."""
    twice = unquote_to_bytes(path)
    return any(re.split(rb"[;?#]", part)[0].rstrip() in (b".", b"..") for part in re.split(rb"[/\\]", twice))


@given(
    st.lists(
        st.sampled_from(
            [b"/", b".", b"%2e", b"%2F", b"%5c", b"\\", b";", b"%3b", b"%20", b"%23", b"a", b"%", b"?", b"%00"]
        )
    ).map(b"".join)
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
