"""The operator's settings: one frozen record, and the only reader of environment and files.

Settings come from a YAML file, the environment (`PORTICO_…`) and the command line; the later wins. The
operator's token and the manifest files are read here too. A wrong setting is told with its file and line.
"""

import difflib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import gateway.model as model
import gateway.rules.documents as documents
from gateway.errors import SettingsError
from gateway.rules.addresses import NETWORKS

Network = IPv4Network | IPv6Network

PREFIX = "PORTICO_"
TOKEN_FILE = "admin.token"  # noqa: S105  a file's name
MIB = 1 << 20
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|kB|KB|KiB|MB|MiB|GB|GiB)?")
UNITS = {"B": 1, "kB": 1000, "KB": 1000, "KiB": 1 << 10, "MB": 1000**2, "MiB": MIB, "GB": 1000**3, "GiB": 1 << 30}
SWITCHES = {"on": True, "true": True, "off": False, "false": False}


@dataclass(frozen=True, slots=True)
class Settings:
    """All an operator may set; the defaults run on a laptop."""

    listen: str = "0.0.0.0:8080"
    admin: str = "127.0.0.1:8081"
    hosts: tuple[str, ...] = ()
    redis: str = ""
    manifests: tuple[str, ...] = ()
    state: Path = Path(".portico")
    workers: int | Literal["auto"] = "auto"
    origin_networks: tuple[str, ...] = NETWORKS
    admin_token: str = ""
    page_deadline: float = 3.0  # seconds a page may wait for all its slots; Tailor's default for one fragment
    cache_bytes: int = 128 * MIB  # per worker; some 4,000 pages of 30 kB, and eight workers stay within one gigabyte
    entry_bytes: int = 1 * MIB  # a larger one would push a hundred pages out of the cache; memcached's limit too
    page_bytes: int = 4 * MIB  # HTML rewritten or composed whole; the HTTP Archive's p99 is below 2 MB
    site_cookies: tuple[str, ...] = ()  # names of cookies any team may ask to be shown; a session is never one
    moved_for: float = 30 * 86400.0  # seconds an old prefix leads to the new one: a month of bookmarks and mail
    connections: int = 256  # per origin and worker; nginx's worker_connections default is 512 for all of them
    trusted_proxies: tuple[Network, ...] = ()
    early_hints: bool = True  # a 103 before a composed page, to browsers that load one; off where a proxy minds
    access_log: bool = True  # a line per request; off where a proxy in front already logs. Failures are told always


KEYS = tuple(field.name for field in fields(Settings))


def read(
    config: Path | None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """Settings of a file, then the environment, then the command line; all that is wrong is told at once.

    Relative paths of a file are relative to the file, others to the working folder. Environment variables that are no
    setting are left alone: orchestrators add their own (`PORTICO_PORT` for a service called portico).
    """
    here = Path.cwd()
    found: dict[str, object] = {}
    wrong: list[str] = []
    if config is not None:
        _take(found, wrong, *_file(config, wrong), base=config.absolute().parent)
    said = os.environ if environ is None else environ
    variables = {key: said[name] for key in KEYS if (name := PREFIX + key.upper()) in said}
    _take(found, wrong, variables, lambda key: f"environment variable {PREFIX}{key.upper()}", base=here)
    given = {key: value for key, value in (overrides or {}).items() if value is not None}
    _take(found, wrong, given, lambda key: f"option {key}", base=here)
    if wrong:
        raise SettingsError("\n".join(wrong))
    found.setdefault("state", (here if config is None else config.absolute().parent) / ".portico")
    return Settings(**found)  # type: ignore[arg-type]  # every value came out of READERS


def address(listener: str) -> tuple[str, int]:
    """Host and port of a listener; `[::]:8080` gives `::`."""
    host, _, port = listener.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def admin_token(settings: Settings) -> str:
    """The operator's token: the setting, or one made at the first start and kept in the state folder."""
    if settings.admin_token:
        return settings.admin_token
    kept = kept_token(settings.state)
    return kept if kept is not None else _make_token(settings.state)


def kept_token(state: Path) -> str | None:
    """The operator's token as an earlier start kept it, None when there is none to be read."""
    try:
        return (state / TOKEN_FILE).read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def open_text(path: Path) -> str:
    """A manifest's text, whole; SettingsError tells why not."""
    try:
        with path.open("rb") as file:
            content = file.read(documents.BYTES + 1)
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
        raise SettingsError(f"{path} cannot be read: {reason}.") from error


def _make_token(state: Path) -> str:
    """Made beside its place and linked there, so that of two first starts at once one token stands."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = state / f"{TOKEN_FILE}.{secrets.token_hex(8)}"
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        try:
            os.link(made, state / TOKEN_FILE)
        except FileExistsError:
            if kept_token(state) is None:
                made.replace(state / TOKEN_FILE)
    finally:
        made.unlink(missing_ok=True)
    return kept_token(state) or _unreadable(state)


def _unreadable(state: Path) -> str:
    raise SettingsError(f"{state / TOKEN_FILE} cannot be read. Remove it, or set admin_token.")


def _file(config: Path, wrong: list[str]) -> tuple[Mapping[str, object], Callable[[str], str]]:
    """What a settings file says, and how to say where in it a key stands."""
    document = documents.read(open_text(config))

    def where(key: str) -> str:
        place = document.place((key,))
        return f"{config}:{place.line}:{place.column}: setting {key}" if place else f"{config}: setting {key}"

    for fault in document.faults:
        if fault.code != "empty":
            at = f"{config}:{fault.place.line}:{fault.place.column}" if fault.place else str(config)
            wrong.append(f"{at}: {fault.message} {fault.hint}")
    if document.tree is not None and not isinstance(document.tree, dict):
        wrong.append(f"{config}: Settings are lines of `key: value`, such as `listen: 0.0.0.0:8080`.")
    return (document.tree if isinstance(document.tree, dict) else {}), where


def _take(
    found: dict[str, object],
    wrong: list[str],
    given: Mapping[str, object],
    where: Callable[[str], str],
    *,
    base: Path,
) -> None:
    for key, value in given.items():
        if key not in READERS:
            wrong.append(f"{where(key)} is not known. {_meant(key)}")
            continue
        try:
            found[key] = READERS[key](value, base)
        except ValueError as error:
            wrong.append(f"{where(key)}: {error}.")


def _meant(key: str) -> str:
    near = difflib.get_close_matches(key.lower().replace("-", "_"), KEYS, n=1)
    return f"Did you mean '{near[0]}'?" if near else f"Settings are {', '.join(KEYS)}."


Reader = Callable[[object, Path], object]


def _text(value: object, _: Path) -> str:
    if value is None or isinstance(value, (dict, list)):
        raise ValueError("a text is wanted here")
    return str(value).strip()


def _texts(value: object, _: Path) -> tuple[str, ...]:
    """A list; in the environment, words with commas or spaces between."""
    if isinstance(value, str):
        return tuple(word for word in re.split(r"[,\s]+", value) if word)
    if isinstance(value, (list, tuple)) and all(isinstance(word, str) for word in value):
        return tuple(value)
    raise ValueError("a list of texts is wanted here")


def _listener(value: object, _: Path) -> str:
    """`host:port`; `http://host:port` too, for PORTICO_ADMIN is also what the verbs ask for."""
    text = str(value).removeprefix("http://").rstrip("/")
    if not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}", text) or address(text)[1] > 65535:
        raise ValueError(f"'{value}' is not an address to listen on, such as 127.0.0.1:8081 or [::]:8080")
    return text


def _hosts(value: object, base: Path) -> tuple[str, ...]:
    hosts = tuple(host.lower().rstrip(".") for host in _texts(value, base))
    for host in hosts:
        if not re.fullmatch(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]", host):
            raise ValueError(f"'{host}' is not a host name; leave scheme, port and path out")
    return hosts


def _globs(value: object, base: Path) -> tuple[str, ...]:
    return tuple(os.path.abspath(base / Path(pattern).expanduser()) for pattern in _texts(value, base))


def _path(value: object, base: Path) -> Path:
    if not isinstance(value, (str, Path)) or not str(value).strip():
        raise ValueError("a folder is wanted here")
    return Path(os.path.abspath(base / Path(value).expanduser()))


def _workers(value: object, _: Path) -> int | Literal["auto"]:
    if value == "auto":
        return "auto"
    return _within(value, 1, 256, "a number of workers, or auto")


def _networks(value: object, base: Path) -> tuple[str, ...]:
    networks = _texts(value, base)
    for network in networks:
        if network not in NETWORKS:
            raise ValueError(f"'{network}' is not one of {', '.join(NETWORKS)}")
    return networks


def _cookies(value: object, base: Path) -> tuple[str, ...]:
    names = _texts(value, base)
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", name):
            raise ValueError(f"'{name}' is not the name of a cookie")
    return names


def _token(value: object, base: Path) -> str:
    token = _text(value, base)
    if token and not re.fullmatch(r"[\x21-\x7e]{16,}", token):
        raise ValueError("a token has at least 16 printable ASCII characters and no spaces")
    return token


def _duration(value: object, _: Path) -> float:
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value):
        value = float(value)
    duration = model.seconds(value)
    if not 0 < duration <= 3600:
        raise ValueError("a duration above 0 and of at most an hour is wanted here, such as 3s")
    return duration


def _months(value: object, _: Path) -> float:
    duration = model.seconds(value)
    if not 0 < duration <= model.LONGEST:
        raise ValueError("a duration above 0 and of at most a year is wanted here, such as 30d")
    return duration


def _size(value: object, _: Path) -> int:
    match = SIZE.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool):
        raise ValueError("a size is a number of bytes, or one with a unit, such as 128MiB")
    return int(float(match[1]) * UNITS[match[2] or "B"])


def _connections(value: object, _: Path) -> int:
    return _within(value, 1, 65535, "a number of connections")


def _within(value: object, least: int, most: int, what: str) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,9}", str(value)) or not least <= int(str(value)) <= most:
        raise ValueError(f"{what} is wanted here, from {least} to {most}")
    return int(str(value))


def _proxies(value: object, base: Path) -> tuple[Network, ...]:
    found = []
    for text in _texts(value, base):
        try:
            found.append(ip_network(text, strict=False))
        except ValueError as error:
            raise ValueError(f"'{text}' is not an address or network, such as 10.0.0.0/8") from error
    return tuple(found)


REDIS = frozenset(["redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"])


def _redis(value: object, base: Path) -> str:
    url = _text(value, base)
    if url and urlsplit(url).scheme not in REDIS:
        raise ValueError("a Redis URL is wanted here, such as redis://localhost:6379/0")
    return url


def _switch(value: object, _: Path) -> bool:
    """A YAML bool; in the environment, a word. YAML 1.2 reads `on` as a word too."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in SWITCHES:
        return SWITCHES[value.lower()]
    raise ValueError("on or off is wanted here")


READERS: Mapping[str, Reader] = {
    "listen": _listener,
    "admin": _listener,
    "hosts": _hosts,
    "redis": _redis,
    "manifests": _globs,
    "state": _path,
    "workers": _workers,
    "origin_networks": _networks,
    "admin_token": _token,
    "page_deadline": _duration,
    "site_cookies": _cookies,
    "moved_for": _months,
    "cache_bytes": _size,
    "entry_bytes": _size,
    "page_bytes": _size,
    "connections": _connections,
    "trusted_proxies": _proxies,
    "early_hints": _switch,
    "access_log": _switch,
}
