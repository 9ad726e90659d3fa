"""What an origin is told of the viewer: all of a page's request, the named parts for a fragment, nothing forged."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.coding as coding
import gateway.rules.forwarding as forwarding
from gateway.message import Fields, Request, every, first
from gateway.rules.fields import HOP_BY_HOP


def asked(*headers: tuple[bytes, bytes], scheme: bytes = b"http", peer: str = "203.0.113.9") -> Request:
    return Request(b"GET", b"/hotels/x", [(b"host", b"shop.test"), *headers], scheme=scheme, peer=peer)


def page(
    request: Request,
    *,
    prefix: bytes = b"/hotels",
    aware: bool = False,
    tag: str = "",
    shared: tuple[bytes, ...] = (),
    upgrade: bytes = b"",
    authority: bytes = b"shop.test",
) -> Fields:
    return forwarding.page(
        request,
        to=b"hotels.internal:8000",
        base=b"http://hotels.internal:8000",
        authority=authority,
        prefix=prefix,
        aware=aware,
        tag=tag,
        shared=shared,
        upgrade=upgrade,
    )


def fragment(
    request: Request, headers: tuple[bytes, ...] = (), cookies: tuple[bytes, ...] = (), tag: str = ""
) -> Fields:
    return forwarding.fragment(
        request,
        to=b"hotels.internal:8000",
        headers=frozenset(headers),
        cookies=frozenset(cookies),
        authority=b"shop.test",
        tag=tag,
    )


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        pytest.param((b"x-own", "é".encode()), "é".encode(), id="an unknown field passes, bytes untouched"),
        pytest.param((b"cookie", b"a=1; b=2"), b"a=1; b=2", id="cookies pass whole"),
        pytest.param((b"authorization", b"Basic eA=="), b"Basic eA==", id="Authorization passes unchanged"),
        pytest.param((b"origin", b"http://shop.test"), b"http://hotels.internal:8000", id="own Origin is the origin's"),
        pytest.param((b"origin", b"http://other.test"), b"http://other.test", id="a foreign Origin stays"),
        pytest.param((b"origin", b"null"), b"null", id="an opaque Origin stays"),
        pytest.param(
            (b"referer", b"http://shop.test/hotels/a?b"),
            b"http://hotels.internal:8000/a?b",
            id="a Referer inside the mount loses the prefix",
        ),
        pytest.param(
            (b"referer", b"http://shop.test/pets/reset?token=1"),
            b"http://shop.test/",
            id="a Referer of another mount is cut to its origin",
        ),
        pytest.param((b"referer", b"https://search.example/?q=x"), b"https://search.example/?q=x", id="a foreign one"),
        pytest.param(
            (b"hx-current-url", b"http://shop.test/hotels/a"),
            b"http://hotels.internal:8000/a",
            id="the page htmx is on, as the application knows it",
        ),
        pytest.param(
            (b"destination", b"http://shop.test/hotels/b"),
            b"http://hotels.internal:8000/b",
            id="a Destination inside the mount",
        ),
        pytest.param(
            (b"if", b"<http://shop.test/hotels/b> (<urn:x>)"),
            b"<http://hotels.internal:8000/b> (<urn:x>)",
            id="a resource a WebDAV condition is about",
        ),
        pytest.param((b"range", b"bytes=0-9"), b"bytes=0-9", id="a range"),
        pytest.param((b"x-forwarded-for", b"6.6.6.6"), b"203.0.113.9", id="a claimed X-Forwarded-For is replaced"),
        pytest.param((b"x-forwarded-proto", b"https"), b"http", id="a claimed X-Forwarded-Proto is replaced"),
        pytest.param((b"x-forwarded-host", b"evil.test"), b"shop.test", id="a claimed X-Forwarded-Host is replaced"),
        pytest.param((b"via", b"1.1 evil"), b"1.1 portico", id="Via is ours"),
        pytest.param((b"x-request-id", b"evil"), None, id="a claimed request id is dropped"),
        pytest.param(
            (b"forwarded", b"for=6.6.6.6"), b'for=203.0.113.9;host="shop.test";proto=http', id="Forwarded is rebuilt"
        ),
        pytest.param((b"x-real-ip", b"6.6.6.6"), None, id="X-Real-IP is dropped"),
        pytest.param((b"x-original-url", b"/admin"), None, id="X-Original-URL is dropped"),
        pytest.param((b"x-http-method-override", b"DELETE"), None, id="a method override is dropped"),
        pytest.param((b"x_forwarded_for", b"6.6.6.6"), None, id="underscore spellings are dropped"),
        pytest.param((b"x-forwarded-prefix", b"/evil"), None, id="a claimed prefix is dropped"),
        pytest.param((b"expect", b"100-continue"), None, id="Expect is answered here"),
        pytest.param((b"content-length", b"5"), None, id="framing is made anew"),
        *[pytest.param((name, b"x"), None, id=f"hop-by-hop: {name.decode()}") for name in sorted(HOP_BY_HOP)],
    ],
)
def test_page(sent: tuple[bytes, bytes], seen: bytes | None) -> None:
    fields = page(asked(sent))
    assert every(fields, sent[0]) == ([] if seen is None else [seen])


def test_page_keeps_order_and_repetition() -> None:
    fields = page(asked((b"x-a", b"1"), (b"x-b", b"2"), (b"x-a", b"3")))
    assert [field for field in fields if field[0] in (b"x-a", b"x-b")] == [
        (b"x-a", b"1"),
        (b"x-b", b"2"),
        (b"x-a", b"3"),
    ]


def test_page_has_the_origins_host_once_and_first() -> None:
    fields = page(asked())
    assert fields[0] == (b"host", b"hotels.internal:8000")
    assert len(every(fields, b"host")) == 1


@pytest.mark.parametrize(
    ("listed", "dropped"),
    [
        pytest.param(b"x-secret", True, id="a field named by Connection is for us alone"),
        pytest.param(b"close, X-Secret", True, id="in any case, in a list"),
        pytest.param(b"keep-alive", False, id="one that is not named passes"),
    ],
)
def test_connection_takes_fields_out(listed: bytes, dropped: bool) -> None:
    fields = page(asked((b"connection", listed), (b"x-secret", b"1")))
    assert (first(fields, b"x-secret") is None) is dropped


@pytest.mark.parametrize("name", [b"x-forwarded-for", b"x-forwarded-host", b"forwarded", b"via"])
def test_connection_cannot_take_what_we_set(name: bytes) -> None:
    fields = page(asked((b"connection", b"close, " + name)))
    assert len(every(fields, name)) == 1


@pytest.mark.parametrize("name", [b"authorization", b"cookie", b"content-type"])
def test_connection_cannot_take_what_origins_rely_on(name: bytes) -> None:
    fields = page(asked((b"connection", b"close, " + name), (name, b"v")))
    assert every(fields, name) == [b"v"]


@pytest.mark.parametrize(
    ("aware", "prefix", "told"),
    [
        pytest.param(False, b"/hotels", [], id="an unaware application is told no prefix"),
        pytest.param(True, b"/hotels", [b"/hotels"], id="an aware one is"),
        pytest.param(True, b"", [], id="a mount at the root has none"),
    ],
)
def test_prefix_field(aware: bool, prefix: bytes, told: list[bytes]) -> None:
    assert every(page(asked(), prefix=prefix, aware=aware), b"x-forwarded-prefix") == told


@pytest.mark.parametrize(
    ("peer", "node"),
    [
        pytest.param("203.0.113.9", b"for=203.0.113.9;", id="IPv4 is a token"),
        pytest.param("2001:db8::1", b'for="[2001:db8::1]";', id="IPv6 is bracketed and quoted"),
        pytest.param("", b"for=unknown;", id="a peer without an address is unknown"),
    ],
)
def test_forwarded_names_the_node(peer: str, node: bytes) -> None:
    told = first(page(asked(peer=peer)), b"forwarded")
    assert told is not None and told.startswith(node)


@pytest.mark.parametrize(
    ("headers", "cookies", "sent", "seen"),
    [
        pytest.param((), (), (b"accept-language", b"de"), b"de", id="Accept-Language always"),
        pytest.param((), (), (b"traceparent", b"00-1-2-01"), b"00-1-2-01", id="trace ids always"),
        pytest.param((), (), (b"user-agent", b"x"), None, id="nothing that is not named"),
        pytest.param((), (), (b"cookie", b"a=1"), None, id="no cookie"),
        pytest.param((), (), (b"authorization", b"x"), None, id="no Authorization"),
        pytest.param((), (), (b"referer", b"x"), None, id="no Referer"),
        pytest.param((b"user-agent",), (), (b"user-agent", b"x"), b"x", id="a named field"),
        pytest.param((b"authorization",), (), (b"authorization", b"x"), b"x", id="Authorization when named"),
        pytest.param((b"x-real-ip",), (), (b"x-real-ip", b"x"), None, id="a forged field not even when named"),
        pytest.param((b"connection",), (), (b"connection", b"x"), None, id="a hop's field not even when named"),
        pytest.param((b"cookie",), (), (b"cookie", b"a=1"), None, id="cookies are named by name, not as a field"),
        pytest.param((), (b"a",), (b"cookie", b"a=1; b=2"), b"a=1", id="only the named cookie"),
        pytest.param((), (b"c",), (b"cookie", b"a=1; b=2"), None, id="no field at all when none is there"),
    ],
)
def test_fragment(
    headers: tuple[bytes, ...], cookies: tuple[bytes, ...], sent: tuple[bytes, bytes], seen: bytes | None
) -> None:
    fields = fragment(asked(sent), headers, cookies)
    assert every(fields, sent[0]) == ([] if seen is None else [seen])


def test_fragment_is_told_who_asks() -> None:
    fields = fragment(asked())
    assert first(fields, b"host") == b"hotels.internal:8000"
    assert first(fields, b"x-forwarded-host") == b"shop.test"


TRUSTED = [ip_network("10.0.0.0/8"), ip_network("::1/128")]


@pytest.mark.parametrize(
    ("peer", "headers", "seen"),
    [
        pytest.param(
            "10.0.0.1", [(b"x-forwarded-for", b"203.0.113.5")], ("203.0.113.5", b"http", b"shop.test"), id="the viewer"
        ),
        pytest.param(
            "203.0.113.9",
            [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-proto", b"https"), (b"x-forwarded-host", b"evil.test")],
            ("203.0.113.9", b"http", b"shop.test"),
            id="a stranger is not believed",
        ),
        pytest.param(
            "10.0.0.1",
            [(b"x-forwarded-for", b"6.6.6.6, 203.0.113.5, 10.0.0.2")],
            ("203.0.113.5", b"http", b"shop.test"),
            id="the last hop that is not ours",
        ),
        pytest.param(
            "10.0.0.1",
            [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"203.0.113.5")],
            ("203.0.113.5", b"http", b"shop.test"),
            id="several lines are one list",
        ),
        pytest.param(
            "10.0.0.1",
            [(b"x-forwarded-proto", b"https"), (b"x-forwarded-host", b"public.test")],
            ("10.0.0.1", b"https", b"public.test"),
            id="scheme and host",
        ),
        pytest.param(
            "10.0.0.1", [(b"x-forwarded-proto", b"javascript")], ("10.0.0.1", b"http", b"shop.test"), id="no odd scheme"
        ),
        pytest.param(
            "10.0.0.1", [(b"x-forwarded-for", b"10.0.0.2")], ("10.0.0.1", b"http", b"shop.test"), id="all ours"
        ),
        pytest.param("", [(b"x-forwarded-for", b"6.6.6.6")], ("", b"http", b"shop.test"), id="a peer without address"),
    ],
)
def test_believe(peer: str, headers: Fields, seen: tuple[str, bytes, bytes]) -> None:
    request = asked(*headers, peer=peer)
    forwarding.believe(request, TRUSTED)
    assert (request.peer, request.scheme, first(request.headers, b"host")) == seen
    assert len(every(request.headers, b"host")) == 1


def test_believed_host_is_found_by_index() -> None:
    request = asked((b"x-forwarded-host", b"public.test"), peer="10.0.0.1")
    forwarding.believe(request, TRUSTED)
    assert request.index[b"host"] == b"public.test"


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        pytest.param(b"http://shop.test/hotels/a", b"http://o/a", id="inside"),
        pytest.param(b"http://shop.test/hotels", b"http://o/", id="the mount itself"),
        pytest.param(b"http://shop.test/hotels?a", b"http://o/?a", id="the mount itself with a query"),
        pytest.param(b"http://shop.test/hotelsfoo", b"http://shop.test/", id="a longer word"),
        pytest.param(b"http://shop.test/pets/a", b"http://shop.test/", id="another mount"),
        pytest.param(b"http://shop.test", b"http://shop.test", id="no path at all"),
        pytest.param(b"http://shop.test.evil/hotels/a", b"http://shop.test.evil/hotels/a", id="a longer host"),
        pytest.param(b"http://other.test/hotels/a", b"http://other.test/hotels/a", id="another host"),
    ],
)
def test_referer(value: bytes, seen: bytes) -> None:
    assert forwarding.referer(value, b"http://shop.test", b"/hotels", b"http://o") == seen


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        pytest.param(b"http://shop.test/hotels/a", b"http://o/a", id="inside"),
        pytest.param(b"/hotels/a?b", b"/a?b", id="inside, as a path"),
        pytest.param(b"/hotels", b"/", id="the mount itself"),
        pytest.param(b"http://shop.test/pets/a", b"http://shop.test/pets/a", id="another mount"),
        pytest.param(b"/pets/a", b"http://shop.test/pets/a", id="another mount's path is no path of this one"),
        pytest.param(b"/hotelsfoo", b"http://shop.test/hotelsfoo", id="a longer word"),
        pytest.param(b"http://other.test/a", b"http://other.test/a", id="another host"),
        pytest.param(b"//other.test/a", b"//other.test/a", id="another host without a scheme"),
    ],
)
def test_destination(value: bytes, seen: bytes) -> None:
    assert forwarding.destination(value, b"http://shop.test", b"/hotels", b"http://o") == seen


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        pytest.param(b'(<urn:uuid:1> [W/"e)"])', b'(<urn:uuid:1> [W/"e)"])', id="states and ETags stay"),
        pytest.param(b"(Not </hotels/a>)", b"(Not </hotels/a>)", id="whatever they look like"),
        pytest.param(
            b"</hotels/a> (<urn:1>) <http://shop.test/hotels/b> (<urn:2>) (<urn:3>)",
            b"</a> (<urn:1>) <http://o/b> (<urn:2>) (<urn:3>)",
            id="every tagged list",
        ),
        pytest.param(b"<(</hotels/a", b"<(</hotels/a", id="what never ends"),
    ],
)
def test_lists(value: bytes, seen: bytes) -> None:
    assert forwarding.lists(value, b"http://shop.test", b"/hotels", b"http://o") == seen


@pytest.mark.parametrize(
    ("scheme", "authority", "public"),
    [
        pytest.param(b"http", b"shop.test:8080", b"http://shop.test:8080", id="a port belongs to the origin"),
        pytest.param(b"http", b"shop.test:80", b"http://shop.test", id="a default port goes unsaid"),
        pytest.param(b"https", b"shop.test:443", b"https://shop.test", id="of https too"),
        pytest.param(b"https", b"shop.test:80", b"https://shop.test:80", id="the other scheme's does not"),
        pytest.param(b"http", b"[::1]:8080", b"http://[::1]:8080", id="an address"),
    ],
)
def test_public_host_with_a_port(scheme: bytes, authority: bytes, public: bytes) -> None:
    sent = ((b"origin", public), (b"referer", public + b"/hotels/a"))
    fields = page(asked(*sent, scheme=scheme), authority=authority)
    assert first(fields, b"origin") == b"http://hotels.internal:8000"
    assert first(fields, b"referer") == b"http://hotels.internal:8000/a"


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        pytest.param(
            b"mf.1a2b3c4d.s=1; s=2; lang=de", [b"s=1; lang=de"], id="its own, and those of the site it may read"
        ),
        pytest.param(b"mf.ffffffff.s=1; s=2", [], id="no field at all when none is its business"),
    ],
)
def test_cookies_below_a_prefix(sent: bytes, seen: list[bytes]) -> None:
    assert every(page(asked((b"cookie", sent)), tag="1a2b3c4d", shared=(b"lang",)), b"cookie") == seen


def test_cookies_at_the_root() -> None:
    assert every(page(asked((b"cookie", b"mf.1a2b3c4d.s=1; s=2")), prefix=b""), b"cookie") == [b"s=2"]


def test_cookies_of_a_fragment() -> None:
    request = asked((b"cookie", b"mf.1a2b3c4d.s=1; mf.1a2b3c4d.t=2; mf.ffffffff.s=3; s=4; t=5"))
    assert every(fragment(request, cookies=(b"s",), tag="1a2b3c4d"), b"cookie") == [b"s=1; s=4"]
    assert every(fragment(request, cookies=(b"mf.ffffffff.s",)), b"cookie") == []


def test_an_upgrade_is_asked_for_on_this_hop() -> None:
    sent = ((b"connection", b"keep-alive, Upgrade"), (b"upgrade", b"websocket"), (b"sec-websocket-key", b"eA=="))
    fields = page(asked(*sent), upgrade=b"websocket")
    assert every(fields, b"connection") == [b"Upgrade"]
    assert every(fields, b"upgrade") == [b"websocket"]
    assert every(fields, b"sec-websocket-key") == [b"eA=="]
    assert every(page(asked(*sent)), b"upgrade") == []


def test_what_origins_may_use_we_can_undo() -> None:
    assert set(forwarding.DECODABLE) <= coding.DECODES


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        pytest.param(b"gzip, deflate, br, zstd", b"gzip, br, zstd, deflate", id="what we can undo"),
        pytest.param(b"compress, dcz, dcb", b"", id="nothing we cannot"),
        pytest.param(b"gzip;q=0, br", b"br", id="nothing the viewer refuses"),
        pytest.param(b"*", b"gzip, br, zstd, deflate", id="a star means all"),
        pytest.param(b"*;q=0", b"", id="a refused star means none"),
        pytest.param(b"GZIP", b"gzip", id="in any case"),
        pytest.param(b"*, br;q=0.0", b"gzip, zstd, deflate", id="a star less what is refused"),
        pytest.param(b"gzip;q=0.001", b"gzip", id="a little is not nothing"),
    ],
)
def test_accepted(sent: bytes, seen: bytes) -> None:
    assert forwarding.accepted([(b"accept-encoding", sent)]) == seen
    assert every(page(asked((b"accept-encoding", sent))), b"accept-encoding") == ([seen] if seen else [])


def test_a_viewer_that_says_nothing_takes_no_coding() -> None:
    assert forwarding.accepted([]) == b""


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param(b"a=1; b=2; c=3", b"a=1; c=3", id="in order"),
        pytest.param(b"a=1;c=3", b"a=1; c=3", id="without a space"),
        pytest.param(b"a=x=y", b"a=x=y", id="an equals sign in the value"),
        pytest.param(b"ab=1; b=2", b"", id="whole names only"),
        pytest.param(b"a=1; a=2", b"a=1; a=2", id="both of one name"),
    ],
)
def test_only(value: bytes, kept: bytes) -> None:
    assert forwarding.only(value, {b"a", b"c"}) == kept


NAMES = st.sampled_from(sorted(HOP_BY_HOP | forwarding.FORGED | {b"host", b"x-a", b"cookie", b"x_b", b"range"}))


@given(st.lists(st.tuples(NAMES, st.text("abc, -", max_size=12).map(str.encode)), max_size=8))
def test_nothing_forged_and_nothing_of_this_hop_passes(headers: Fields) -> None:
    fields = page(Request(b"GET", b"/", [(b"host", b"shop.test"), *headers], peer="203.0.113.9"))
    names = [name for name, _ in fields]
    assert not HOP_BY_HOP & set(names)
    assert not any(b"_" in name for name in names)
    claimed = [value for name, value in fields if name in forwarding.FORGED]
    honest = [value for name, value in page(asked()) if name in forwarding.FORGED]
    assert claimed == honest
