"""Where Redis is, as its URL says: one server, a master that Sentinels know, or a cluster. Pure.

redis://[user:password@]host[:port][/db], rediss:// for TLS, unix:///path[?db=1],
redis+sentinel://[user:password@]host[:port],…/master[/db], redis+cluster://[user:password@]host[:port],…
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from gateway.errors import SettingsError

PORT = 6379
SENTINEL_PORT = 26379
Kind = Literal["single", "sentinel", "cluster"]
KINDS: Mapping[str, Kind] = {
    "redis": "single",
    "rediss": "single",
    "unix": "single",
    "redis+sentinel": "sentinel",
    "rediss+sentinel": "sentinel",
    "redis+cluster": "cluster",
    "rediss+cluster": "cluster",
}
FORMS = (
    "redis://host:6379/0, rediss://host:6379/0, unix:///path, redis+sentinel://host:26379,host:26379/master/0 "
    "and redis+cluster://host:6379,host:6379"
)
OPTIONS = frozenset(
    {
        "db",
        "password",
        "sentinel_password",
        "sentinel_username",
        "ssl_ca_certs",
        "ssl_certfile",
        "ssl_check_hostname",
        "ssl_keyfile",
        "username",
    }
)
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:@/?#\s]+))(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Login:
    """What every server of an installation is told first."""

    username: str = ""
    password: str = field(default="", repr=False)
    db: int = 0
    tls: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """`hosts` are servers, or Sentinels, or some nodes of a cluster; `path` is a socket's in their place."""

    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    login: Login
    path: str = ""
    master: str = ""
    sentinel: Login = Login()

    def __str__(self) -> str:
        """For people; without any password."""
        hosts = ",".join(f"{host}:{port}" for host, port in self.hosts)
        return self.path or hosts + (f"/{self.master}" if self.master else "")


def read(url: str) -> Address:
    """Raises SettingsError, which never repeats the URL: it may hold a password."""
    try:
        return _read(url)
    except ValueError as error:
        raise SettingsError(f"setting redis: {error}. It takes {FORMS}.") from None


def _read(url: str) -> Address:
    parts = urlsplit(url)
    kind = KINDS.get(parts.scheme)
    if kind is None:
        raise ValueError(f"'{parts.scheme}' is no scheme of Redis")
    said = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    if unknown := sorted(said.keys() - OPTIONS):
        raise ValueError(f"'{unknown[0]}' is not known")
    who, _, places = parts.netloc.rpartition("@")
    steps = [unquote(step) for step in parts.path.split("/") if step]
    if parts.scheme == "unix":
        return Address(kind, (), _login(who, said, said.get("db", "")), path=unquote(parts.path))
    master = steps.pop(0) if kind == "sentinel" and steps else ""
    if kind == "sentinel" and not master:
        raise ValueError("the master's name is missing")
    db = said.get("db", steps.pop(0) if steps else "")
    if steps or (kind == "cluster" and db not in ("", "0")):
        raise ValueError("the path has more than a number of a database" if steps else "a cluster has one database, 0")
    login = _login(who, said, db, tls=parts.scheme.startswith("rediss"))
    return Address(kind, _hosts(places, kind), login, master=master, sentinel=_sentinel(said, login))


def _login(who: str, said: Mapping[str, str], db: str, *, tls: bool = False) -> Login:
    user, _, password = who.partition(":")
    if not re.fullmatch(r"\d{0,4}", db):
        raise ValueError("a database is a number")
    return Login(
        unquote(user) or said.get("username", ""),
        unquote(password) or said.get("password", ""),
        int(db or 0),
        {name: value for name, value in said.items() if name.startswith("ssl_")} if tls else None,
    )


def _sentinel(said: Mapping[str, str], login: Login) -> Login:
    """Sentinels have a login of their own, or none; TLS as the servers."""
    return Login(said.get("sentinel_username", ""), said.get("sentinel_password", ""), 0, login.tls)


def _hosts(places: str, kind: Kind) -> tuple[tuple[str, int], ...]:
    default = SENTINEL_PORT if kind == "sentinel" else PORT
    found = []
    for place in places.split(",") if places else ["localhost"]:
        match = _HOST.fullmatch(place)
        if match is None or not 0 < int(match["port"] or default) < 65536:
            raise ValueError("a host is a name or an address with an optional port")
        found.append((unquote(match["v6"] or match["name"]), int(match["port"] or default)))
    if kind == "single" and len(found) > 1:
        raise ValueError("several hosts are Sentinels or a cluster")
    return tuple(found)
