"""A cookie an application sets reaches that application and no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.cookies as cookies

TAG = b"1a2b3c4d"
OTHER = b"ffffffff"
EVERY = b"HttpOnly; Secure; SameSite=None; Partitioned; Max-Age=9; Priority=High"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        pytest.param(b"session", b"mf.1a2b3c4d.session", id="a name is marked"),
        pytest.param(b"", b"mf.1a2b3c4d.", id="so is none at all"),
        pytest.param(b"__Host-s", b"__Secure-mf.1a2b3c4d.__Host-s", id="__Host- asks for the root path, which it lost"),
        pytest.param(b"__Secure-s", b"__Secure-mf.1a2b3c4d.__Secure-s", id="__Secure- stays in front"),
        pytest.param(b"__Http-s", b"__Secure-mf.1a2b3c4d.__Http-s", id="__Http- keeps the secure part"),
        pytest.param(b"__Host-Http-s", b"__Secure-mf.1a2b3c4d.__Host-Http-s", id="__Host-Http- too"),
        pytest.param(b"__host-s", b"__Secure-mf.1a2b3c4d.__host-s", id="browsers read reserved names in any case"),
        pytest.param(b"__Hostess", b"mf.1a2b3c4d.__Hostess", id="a name that only begins alike is not reserved"),
        pytest.param(b"mf.ffffffff.s", b"mf.1a2b3c4d.mf.ffffffff.s", id="another's mark is a name like any other"),
    ],
)
def test_renamed(name: bytes, kept: bytes) -> None:
    assert cookies.renamed(name, TAG) == kept
    assert cookies.original(kept, TAG) == name
    assert cookies.original(kept, OTHER) is None


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(b"session", id="no mark"),
        pytest.param(b"mf.ffffffff.session", id="another's mark"),
        pytest.param(b"mf.1a2b3c4dsession", id="a mark without its end"),
        pytest.param(b"MF.1a2b3c4d.session", id="a mark in another case"),
        pytest.param(b"mf.1a2b3c4d.__Host-s", id="a reserved name nobody asked Secure for"),
        pytest.param(b"__Secure-mf.1a2b3c4d.s", id="a plain name behind __Secure-"),
        pytest.param(b"__Host-mf.1a2b3c4d.s", id="a mark behind another reserved name"),
    ],
)
def test_not_an_own_name(name: bytes) -> None:
    assert cookies.original(name, TAG) is None


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(b"s=1; Path=/", b"s=1; Path=/hotels", id="the root is the mount"),
        pytest.param(b"s=1", b"s=1", id="no path stays none: the viewer takes the directory, which is below"),
        pytest.param(b"s=1; Path=/api", b"s=1; Path=/hotels/api", id="a path is put below"),
        pytest.param(b"s=1; Path=/api/", b"s=1; Path=/hotels/api/", id="with its slash"),
        pytest.param(b"s=1; Path=/hotels", b"s=1; Path=/hotels", id="what is below already stays"),
        pytest.param(b"s=1; Path=/hotels/x", b"s=1; Path=/hotels/x", id="deeper too"),
        pytest.param(b"s=1; Path=/hotelsfoo", b"s=1; Path=/hotels/hotelsfoo", id="a longer word is not below"),
        pytest.param(b"s=1; Path=/pets", b"s=1; Path=/hotels/pets", id="another mount's path is an own one"),
        pytest.param(b"s=1; Domain=hotels.internal; Path=/", b"s=1; Path=/hotels", id="the origin's domain goes"),
        pytest.param(b"s=1; Domain=.test; Path=/", b"s=1; Path=/hotels", id="a wider domain goes"),
        pytest.param(b"s=1; DOMAIN=x; pAtH=/a", b"s=1; Path=/hotels/a", id="attributes in any case"),
        pytest.param(b"s=1;Path=/a;Secure", b"s=1; Secure; Path=/hotels/a", id="without spaces"),
        pytest.param(b"s=1; Path = /a ", b"s=1; Path=/hotels/a", id="with spaces around"),
        pytest.param(b"s=1; Path=", b"s=1", id="an empty path is none"),
        pytest.param(b"s=1; Path=api", b"s=1", id="a relative path is none"),
        pytest.param(b"s=1; Path=/a; Path=/b", b"s=1; Path=/hotels/b", id="the last path counts, as in browsers"),
        pytest.param(b"s=1; Path=/a; Path=", b"s=1", id="even when it is none"),
        pytest.param(b"s=1; Path=/; " + EVERY, b"s=1; " + EVERY + b"; Path=/hotels", id="all other attributes stay"),
        pytest.param(b"s=; Path=/", b"s=; Path=/hotels", id="an empty value"),
        pytest.param(b"s=; Max-Age=0; Path=/", b"s=; Max-Age=0; Path=/hotels", id="one that is to be forgotten"),
        pytest.param(b"s=a=b", b"s=a=b", id="an equals sign in the value"),
        pytest.param(b" s = 1 ;Path=/", b"s=1; Path=/hotels", id="spaces around name and value, as browsers read them"),
        pytest.param(b"s=\xff\xe9%00", b"s=\xff\xe9%00", id="any bytes"),
        pytest.param(b's="a,b"; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
                     b's="a,b"; Expires=Thu, 01 Jan 1970 00:00:00 GMT', id="commas are no separators"),
        pytest.param(b"__Secure-s=1; Secure", b"__Secure-s=1; Secure", id="__Secure-"),
        pytest.param(b"__Host-s=1; Secure; Path=/", b"__Host-s=1; Secure; Path=/hotels", id="__Host-"),
        pytest.param(b"v", b"=v", id="a value without a name"),
        pytest.param(b"=v", b"=v", id="an empty name"),
    ],
)  # fmt: skip
def test_put_below(said: bytes, left: bytes) -> None:
    name, rest = left.split(b"=", 1)
    assert cookies.put_below(said, b"/hotels", TAG) == cookies.renamed(name, TAG) + b"=" + rest


def test_what_the_whole_site_shares_keeps_its_name_and_stays_below_the_prefix() -> None:
    assert cookies.put_below(b"csrf=1; Path=/; Domain=x", b"/hotels", TAG, {b"csrf"}) == b"csrf=1; Path=/hotels"
    assert cookies.put_below(b"csrf=1", b"/hotels", TAG, {b"csrf"}) == b"csrf=1; Path=/hotels"
    assert cookies.put_below(b"csrf=1; Path=x", b"/hotels", TAG, {b"csrf"}) == b"csrf=1; Path=/hotels"
    assert cookies.taken(b"csrf=1; other=2", TAG, {b"csrf"}) == b"csrf=1"


@pytest.mark.parametrize("name", [b"mf.ffffffff.session", b"__Secure-mf.ffffffff.__Host-session"])
def test_no_mount_shares_what_bears_a_mark(name: bytes) -> None:
    forged = cookies.put_below(name + b"=1; Path=/", b"/hotels", TAG, {name})
    assert forged is not None and cookies.original(forged.partition(b"=")[0], OTHER) is None
    assert cookies.taken(name + b"=1", TAG, {name}) == b""


@pytest.mark.parametrize("tag", [b"", TAG])
@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"=", id="neither name nor value"),
        pytest.param(b"; Path=/", id="attributes alone"),
        pytest.param(b"=__Host-s=1", id="no name, and a value that would pass for one"),
        pytest.param(b"__secure-s", id="a value alone that would pass for one"),
    ],
)
def test_a_cookie_no_browser_keeps(said: bytes, tag: bytes) -> None:
    assert cookies.put_below(said, b"/hotels" if tag else b"", tag) is None


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(b"s=1; Path=/", b"s=1; Path=/", id="the root stays"),
        pytest.param(b"s=1", b"s=1", id="no path stays none"),
        pytest.param(b"s=1; Path=/api; Domain=x", b"s=1; Path=/api", id="the domain goes all the same"),
        pytest.param(b"__Host-s=1; Secure; Path=/", b"__Host-s=1; Secure; Path=/", id="__Host- is what it says"),
        pytest.param(b"mf.1a2b3c4d.s=1", None, id="a team's marked name is not the root's to set"),
        pytest.param(b"__Secure-mf.1a2b3c4d.__Host-s=1; Secure", None, id="nor its reserved one"),
        pytest.param(b"=mf.1a2b3c4d.s=1", None, id="nor by a value that would pass for one"),
        pytest.param(b"mf.s=1", b"mf.s=1", id="a name that only begins alike is its own"),
    ],
)
def test_put_below_the_root(said: bytes, left: bytes | None) -> None:
    assert cookies.put_below(said, b"") == left


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        pytest.param(b"mf.1a2b3c4d.s=1", b"s=1", id="its own, by its name"),
        pytest.param(b"mf.1a2b3c4d.s=1; mf.1a2b3c4d.t=2", b"s=1; t=2", id="all its own, in order"),
        pytest.param(b"mf.1a2b3c4d.s=2; mf.1a2b3c4d.s=1", b"s=2; s=1", id="two of one name, the deeper path first"),
        pytest.param(b"mf.1a2b3c4d.s=1;mf.1a2b3c4d.t=2", b"s=1; t=2", id="without spaces"),
        pytest.param(b"__Secure-mf.1a2b3c4d.__Host-s=1", b"__Host-s=1", id="a reserved name"),
        pytest.param(b"mf.1a2b3c4d.=v", b"v", id="a value without a name is sent as browsers send it"),
        pytest.param(b"mf.1a2b3c4d.s=a=b", b"s=a=b", id="an equals sign in the value"),
        pytest.param(b'mf.1a2b3c4d.s="a b\xff"', b's="a b\xff"', id="a value byte for byte"),
        pytest.param(b"mf.ffffffff.s=1", b"", id="not another team's"),
        pytest.param(b"__Secure-mf.ffffffff.__Host-s=1", b"", id="nor its reserved ones"),
        pytest.param(b"s=1", b"", id="not the site's"),
        pytest.param(b"lang=de", b"lang=de", id="but those it may read"),
        pytest.param(b"__Host-sso=1", b"__Host-sso=1", id="reserved ones of the site too, as they are"),
        pytest.param(b"lang=de; mf.1a2b3c4d.lang=fr", b"lang=fr; lang=de", id="its own before the site's"),
        pytest.param(b"mf.1a2b3c4d.__Host-s=1", b"", id="no reserved name a browser did not guard"),
        pytest.param(b"mf.1a2b3c4d.=__Host-s=1", b"", id="nor by a value that passes for one"),
        pytest.param(b"=mf.1a2b3c4d.s=1", b"", id="a value that passes for a mark is none"),
        pytest.param(b"mf.1a2b3c4d.=", b"", id="neither name nor value"),
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"; ;=;", b"", id="nothing, in pieces"),
    ],
)
def test_taken(sent: bytes, seen: bytes) -> None:
    assert cookies.taken(sent, TAG, {b"lang", b"__Host-sso"}) == seen


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        pytest.param(b"s=1; t=2", b"s=1; t=2", id="the site's"),
        pytest.param(b"s=1;t=2", b"s=1; t=2", id="without spaces"),
        pytest.param(b"s=1; mf.1a2b3c4d.s=2; t=3", b"s=1; t=3", id="no team's"),
        pytest.param(b"mf.1a2b3c4d.s=2", b"", id="nothing but a team's"),
        pytest.param(b"mf.s=2; v", b"mf.s=2; v", id="what only begins alike, and a value alone"),
    ],
)
def test_taken_at_the_root(sent: bytes, seen: bytes) -> None:
    assert cookies.taken(sent) == seen


@pytest.mark.parametrize(
    ("carried", "told"),
    [
        pytest.param(
            b"mf.1a2b3c4d.s=1",
            [
                b"mf.1a2b3c4d.s=1; Path=/stays; HttpOnly; SameSite=Lax; Secure",
                b"mf.1a2b3c4d.s=; Path=/hotels; Max-Age=0; Secure",
            ],
            id="its own goes along, and is forgotten where it was",
        ),
        pytest.param(
            b"mf.1a2b3c4d.s=deep; mf.1a2b3c4d.s=wide",
            [
                b"mf.1a2b3c4d.s=wide; Path=/stays; HttpOnly; SameSite=Lax; Secure",
                b"mf.1a2b3c4d.s=; Path=/hotels; Max-Age=0; Secure",
            ],
            id="of two with one name the widest",
        ),
        pytest.param(b"mf.ffffffff.s=1; s=2; lang=de", [], id="no other's"),
        pytest.param(b"; ".join(b"mf.1a2b3c4d.%d=1" % n for n in range(51)), [], id="not more than a viewer must hold"),
        pytest.param(b"", [], id="none"),
    ],
)
def test_moved(carried: bytes, told: list[bytes]) -> None:
    assert cookies.moved(carried, "1a2b3c4d", b"/hotels", b"/stays", True) == told


def test_moved_to_the_root() -> None:
    told = cookies.moved(b"__Secure-mf.1a2b3c4d.__Host-s=1", "1a2b3c4d", b"/hotels", b"", True)
    assert told[0] == b"__Host-s=1; Path=/; HttpOnly; SameSite=Lax; Secure"
    assert told[1] == b"__Secure-mf.1a2b3c4d.__Host-s=; Path=/hotels; Max-Age=0; Secure"


def test_moved_from_the_root_is_nobodys() -> None:
    assert cookies.moved(b"s=1; mf.1a2b3c4d.s=1", "", b"", b"/stays", False) == []


def test_moved_without_a_secure_connection() -> None:
    told = cookies.moved(b"mf.1a2b3c4d.s=1", "1a2b3c4d", b"/hotels", b"/stays", False)
    assert not [value for value in told if b"Secure" in value]


TEXT = st.text("sS=1;/ aPpathHTdomain,.\t-_mf1a2b3c4d", max_size=60).map(str.encode)
PATHS = st.sampled_from([b"", b"; Path=/", b"; Path=/a", b"; Path=/hotels", b"; Path=../x", b"; path=//x"])


@given(TEXT, PATHS, st.sampled_from([b"", TAG]))
def test_no_cookie_leaves_its_mount(said: bytes, path: bytes, tag: bytes) -> None:
    left = cookies.put_below(said + path, b"/hotels", tag)
    if left is None:
        return
    pair, *attributes = left.split(b";")
    named = [attribute.strip().partition(b"=") for attribute in attributes]
    scopes = [value for name, _, value in named if name.strip().lower() == b"path"]
    assert all(scope == b"/hotels" or scope.startswith(b"/hotels/") for scope in scopes) and len(scopes) < 2
    assert not [name for name, _, _ in named if name.strip().lower() == b"domain"]
    assert not tag or cookies.original(pair.split(b"=")[0], tag) is not None


NAMES = st.one_of(
    st.text("ab.mf_-1a2b3c4d", min_size=1, max_size=24),
    st.sampled_from(["__Host-s", "__secure-s", "__Http-x", "mf.ffffffff.s", "__Secure-mf.1a2b3c4d.s"]),
).map(str.encode)
VALUES = st.binary(max_size=12).map(lambda value: value.translate(None, b"; \t\r\n\0"))


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
def test_what_was_set_comes_back(pairs: list[tuple[bytes, bytes]]) -> None:
    told = [cookies.put_below(b"%b=%b; Secure; Path=/" % pair, b"/hotels", TAG) for pair in pairs]
    held = b"; ".join(said.split(b";")[0] for said in told if said is not None)
    assert cookies.taken(held, TAG) == b"; ".join(b"%b=%b" % pair for pair in pairs)
    assert cookies.taken(held, OTHER, {name for name, _ in pairs}) == b""
    assert cookies.taken(held) == b""


@given(st.binary(max_size=80), st.sampled_from([b"", TAG]))
def test_any_bytes_are_read(said: bytes, tag: bytes) -> None:
    cookies.put_below(said, b"/hotels", tag)
    for pair in cookies.taken(said, tag).split(b"; "):
        assert b";" not in pair


@given(st.text("mf.1a2b3c4d=; s_Secur-", max_size=60).map(str.encode))
def test_nothing_marked_for_another_gets_through(sent: bytes) -> None:
    assert b"mf.ffffffff." not in cookies.taken(sent + b"; mf.ffffffff.s=1; =mf.ffffffff.s=1", b"1a2b3c4d", {b""})
