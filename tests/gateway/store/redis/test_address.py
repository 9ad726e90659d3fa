"""What a URL of Redis says, and what is no such URL."""

import pytest

from gateway.errors import SettingsError
from gateway.store.redis.address import Address, Login, read


@pytest.mark.parametrize(
    ("url", "address"),
    [
        pytest.param("redis://", Address("single", (("localhost", 6379),), Login()), id="nothing said"),
        pytest.param("redis://r:7000/3", Address("single", (("r", 7000),), Login(db=3)), id="host, port, database"),
        pytest.param(
            "redis://:p%40ss@r", Address("single", (("r", 6379),), Login("", "p@ss")), id="a password with an at sign"
        ),
        pytest.param(
            "redis://ann:p@[::1]:7000", Address("single", (("::1", 7000),), Login("ann", "p")), id="a user, an address"
        ),
        pytest.param(
            "rediss://r?ssl_ca_certs=/ca.pem",
            Address(
                "single",
                (("r", 6379),),
                Login(tls={"ssl_ca_certs": "/ca.pem"}),
                sentinel=Login(tls={"ssl_ca_certs": "/ca.pem"}),
            ),
            id="TLS",
        ),
        pytest.param("unix:///run/r.sock?db=2", Address("single", (), Login(db=2), path="/run/r.sock"), id="a socket"),
        pytest.param(
            "redis+sentinel://u:p@a,b:26380/main/1?sentinel_password=s",
            Address(
                "sentinel", (("a", 26379), ("b", 26380)), Login("u", "p", 1), master="main", sentinel=Login("", "s")
            ),
            id="Sentinels",
        ),
        pytest.param(
            "redis+cluster://a:1,b:2", Address("cluster", (("a", 1), ("b", 2)), Login()), id="some nodes of a cluster"
        ),
    ],
)
def test_url(url: str, address: Address) -> None:
    assert read(url) == address


@pytest.mark.parametrize(
    ("url", "why"),
    [
        pytest.param("http://r", "no scheme", id="another scheme"),
        pytest.param("redis://:secret@a,b", "several hosts", id="two that are alone"),
        pytest.param("redis://:secret@r/one", "a number", id="a database with a name"),
        pytest.param("redis://:secret@r/1/2", "more than", id="a path of two"),
        pytest.param("redis://:secret@r:0", "a host is", id="port 0"),
        pytest.param("redis://:secret@r:99999", "a host is", id="a port that is none"),
        pytest.param("redis://:secret@a b", "a host is", id="a space"),
        pytest.param("redis+sentinel://:secret@a", "master's name", id="Sentinels of nothing"),
        pytest.param("redis+cluster://:secret@a/1", "one database", id="a cluster's second database"),
        pytest.param("redis://:secret@r?socket_timeout=1", "is not known", id="an option that is none of ours"),
        pytest.param("redis://:secret@[::1", "setting redis", id="half an address"),
    ],
)
def test_what_is_wrong_is_told_without_the_password(url: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as told:
        read(url)
    assert "secret" not in str(told.value)
    assert told.value.__cause__ is None


def test_people_are_shown_no_password() -> None:
    for url in ("redis://u:secret@r", "redis+sentinel://u:secret@a,b/m?sentinel_password=secret"):
        address = read(url)
        assert "secret" not in f"{address} {address!r}"
    assert str(read("redis+sentinel://a,b/m")) == "a:26379,b:26379/m"
    assert str(read("unix:///run/r.sock")) == "/run/r.sock"
