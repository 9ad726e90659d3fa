"""Content Security Policies (CSP3) of a mounted application: what they say of its origin, said of where it is shown.

Sources and report addresses are mapped, never added and never widened; every other byte stays. A list of policies
may be given as well: a comma ends a policy as ";" ends a directive.
"""

from __future__ import annotations

import re

import fragments.patterns as patterns
from fragments.urls import Place, below

_TOKEN = patterns.compile(r"[^\t\n\f\r ;,]++")
_DIRECTIVE = patterns.compile(r"[^;,]++")
_WITHOUT_SOURCES = (
    "report-to require-sri-for require-trusted-types-for sandbox trusted-types plugin-types "
    "upgrade-insecure-requests block-all-mixed-content reflected-xss referrer"
)
_NOT_OF_SOURCES = frozenset(_WITHOUT_SOURCES.split())
_HOST = patterns.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.\-]*)://)?([A-Za-z0-9\-_.]++|\[[0-9A-Fa-f:.]++\])(:(?:[0-9]++|\*))?(/[^?#]*)?\Z"
)
_SECURED = {"ws": "http", "wss": "https"}
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def mapped(policy: str, place: Place) -> str:
    """The policy as it is to be said below the application's prefix."""
    return _DIRECTIVE.sub(lambda found: _directive(found[0], place), policy)


def _directive(text: str, place: Place) -> str:
    name = _TOKEN.search(text)
    if name is None or name[0].lower() in _NOT_OF_SOURCES:
        return text
    change = _reported if name[0].lower() == "report-uri" else _source
    rest = _TOKEN.sub(lambda found: change(found[0], place), text[name.end() :])
    return text[: name.end()] + rest


def _reported(url: str, place: Place) -> str:
    return below(url, place)


def _source(source: str, place: Place) -> str:
    """A host-source that means this application's origin; keywords, nonces, hashes and schemes stay."""
    found = _HOST.match(source)
    if found is None or place.public is None:
        return source
    scheme, host, port, path = found[1] or "", found[2].lower(), found[3] or "", found[4] or ""
    if not _is_own(scheme.lower(), host, port, place):
        return source
    path = below(path, place) if path else ""
    return _at_public(scheme, place.public) + path


def _is_own(scheme: str, host: str, port: str, place: Place) -> bool:
    """Whether a source names an origin of the application, or the one it is shown at."""
    return any(
        _fits(origin, scheme, host, port) for origin in (*place.origins, *((place.public,) if place.public else ()))
    )


def _fits(origin: str, scheme: str, host: str, port: str) -> bool:
    own_scheme, _, own = origin.partition("://")
    if scheme and _SECURED.get(scheme, scheme) != own_scheme:
        return False
    own_host, own_port = _parted(own)
    return host == own_host and (port == ":*" or (port or _default(own_scheme)) == (own_port or _default(own_scheme)))


def _default(scheme: str) -> str:
    return _DEFAULT_PORTS.get(scheme, "")


def _parted(authority: str) -> tuple[str, str]:
    found = re.fullmatch(r"(.*?)(:[0-9]+)?", authority)
    assert found is not None
    return found[1], found[2] or ""


def _at_public(scheme: str, public: str) -> str:
    """The public origin, spelled with a scheme of the same kind as the source had, or without."""
    if not scheme:
        return public.partition("://")[2]
    if scheme.lower() in _SECURED:
        return public.replace("http", "ws", 1)
    return public
