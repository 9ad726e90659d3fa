"""A cookie an application sets reaches that application and no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.cookies as cookies

EVERY = b"HttpOnly; Secure; SameSite=None; Partitioned; Max-Age=9; Priority=High"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(b"s=1; Path=/", b"s=1; Path=/hotels", id="the root is the mount"),
        pytest.param(b"s=1", b"s=1; Path=/hotels", id="no path is the mount"),
        pytest.param(b"s=1; Path=/api", b"s=1; Path=/hotels/api", id="a path is put below"),
        pytest.param(b"s=1; Path=/hotels", b"s=1; Path=/hotels", id="what is below already stays"),
        pytest.param(b"s=1; Path=/hotels/x", b"s=1; Path=/hotels/x", id="deeper too"),
        pytest.param(b"s=1; Path=/hotelsfoo", b"s=1; Path=/hotels/hotelsfoo", id="a longer word is not below"),
        pytest.param(b"s=1; Domain=hotels.internal; Path=/", b"s=1; Path=/hotels", id="the origin's domain goes"),
        pytest.param(b"s=1; Domain=.test; Path=/", b"s=1; Path=/hotels", id="a wider domain goes"),
        pytest.param(b"s=1; DOMAIN=x; pAtH=/a", b"s=1; Path=/hotels/a", id="attributes in any case"),
        pytest.param(b"s=1;Path=/a;Secure", b"s=1; Secure; Path=/hotels/a", id="without spaces"),
        pytest.param(b"s=1; Path=", b"s=1; Path=/hotels", id="an empty path is none"),
        pytest.param(b"s=1; Path=api", b"s=1; Path=/hotels", id="a relative path is none"),
        pytest.param(b"s=1; Path=/a; Path=/b", b"s=1; Path=/hotels/b", id="the last path counts, as in browsers"),
        pytest.param(b"s=1; Path=/; " + EVERY, b"s=1; " + EVERY + b"; Path=/hotels", id="all other attributes stay"),
        pytest.param(b"s=", b"s=; Path=/hotels", id="an empty value"),
        pytest.param(b's="a,b"; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
                     b's="a,b"; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/hotels', id="commas are no separators"),
        pytest.param(b"__Host-s=1; Secure; Path=/", b"__Host-s=1; Secure; Path=/", id="__Host- needs the root"),
    ],
)  # fmt: skip
def test_put_below(said: bytes, left: bytes) -> None:
    assert cookies.put_below(said, b"/hotels") == left


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param(b"s=1; Path=/", b"s=1; Path=/", id="the root stays"),
        pytest.param(b"s=1", b"s=1; Path=/", id="no path is the root"),
        pytest.param(b"s=1; Path=/api; Domain=x", b"s=1; Path=/api", id="the domain goes all the same"),
    ],
)
def test_put_below_the_root(said: bytes, left: bytes) -> None:
    assert cookies.put_below(said, b"") == left


@given(st.text("sS=1;/ aPpathHTdomain,.\t-_", max_size=60).map(str.encode))
def test_no_cookie_leaves_its_mount(said: bytes) -> None:
    left = cookies.put_below(said, b"/hotels")
    _, *attributes = left.split(b";")
    named = [attribute.strip().partition(b"=") for attribute in attributes]
    scopes = [value for name, _, value in named if name.strip().lower() == b"path"]
    assert len(scopes) == 1
    assert scopes[0] == b"/hotels" or scopes[0].startswith(b"/hotels/")
    assert not [name for name, _, _ in named if name.strip().lower() == b"domain"]


@given(st.text("s=1;/ pathPotels", max_size=40).map(str.encode))
def test_twice_is_once(said: bytes) -> None:
    once = cookies.put_below(said, b"/hotels")
    assert cookies.put_below(once, b"/hotels") == once
