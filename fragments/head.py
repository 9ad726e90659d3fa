"""What pieces bring for the head of a page: which things, in which order, each once, and one import map for all.

Nothing here knows a page. A thing's key says when two are the same: by what a browser would load for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from fragments.urls import Place, below


@dataclass(frozen=True, slots=True)
class HeadItem:
    """One thing for the head. An import map's key is the prefix it holds below, its html the JSON alone."""

    kind: str
    key: str
    html: bytes


# Connections before sheets, sheets before the modules that may measure what they style.
_ORDER = {"preconnect": 0, "dns-prefetch": 0, "preload": 0, "prefetch": 0, "stylesheet": 1, "style": 1}
_ORDER |= {"modulepreload": 2, "module": 2, "script": 2}
STYLES = frozenset({"stylesheet", "style"})
RULES = "speculationrules"
METADATA = frozenset({"meta", "link", RULES})  # what is said of the page as a whole; from its primary piece only
_HINTS = ("preconnect", "dns-prefetch", "preload", "modulepreload", "prefetch")
_LOADED_BY = ("href", "src", "as", "crossorigin", "media", "type", "imagesrcset", "imagesizes")


def identify(name: str, attributes: Mapping[str, str], text: str = "") -> tuple[str, str] | None:
    """The kind and the key of an element that belongs into a head; None for one that stays where it is."""
    if "itemprop" in attributes:  # microdata means the element around it
        return None
    reader = _READERS.get(name)
    return reader(attributes, text) if reader else None


def named(name: str, attributes: Mapping[str, str]) -> tuple[str, str]:
    """The same, of an element that certainly does."""
    known = identify(name, attributes)
    assert known is not None
    return known


def _link(attributes: Mapping[str, str], text: str) -> tuple[str, str] | None:
    relations = attributes.get("rel", "").lower().split()
    if "stylesheet" in relations:
        alternate = "alternate " if "alternate" in relations else ""
        return "stylesheet", _key(f"{alternate}stylesheet", attributes, "disabled")
    for relation in _HINTS:
        if relation in relations:
            return relation, _key(relation, attributes)
    if "canonical" in relations:
        return "link", "canonical"
    return "link", _key(" ".join(relations), attributes, "sizes", "hreflang")


def _key(kind: str, attributes: Mapping[str, str], *more: str) -> str:
    parts = [f"{name}={attributes[name]}" for name in (*_LOADED_BY, *more) if name in attributes]
    return " ".join((kind, *parts))


def _meta(attributes: Mapping[str, str], text: str) -> tuple[str, str] | None:
    named = attributes.get("name") or attributes.get("property") or ""
    return "meta", f"meta {named.lower()}"


def _script(attributes: Mapping[str, str], text: str) -> tuple[str, str] | None:
    kind = attributes.get("type", "").strip().lower()
    if kind == "importmap":
        return "importmap", ""
    if not attributes.get("src") or kind not in _SCRIPTS:
        return None
    what = _SCRIPTS[kind]
    return what, _key(what, {name: value for name, value in attributes.items() if name != "type"})


# A classic script of a shell is one that pieces need not bring again; a piece's goes to the head only if it says so.
_SCRIPTS = {"module": "module", "": "script", "text/javascript": "script", "application/javascript": "script"}


def _style(attributes: Mapping[str, str], text: str) -> tuple[str, str] | None:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return "style", _key(f"style {digest}", attributes)


_Reader = Callable[[Mapping[str, str], str], tuple[str, str] | None]
_READERS: dict[str, _Reader] = {"link": _link, "meta": _meta, "script": _script, "style": _style}


def gather(items: Iterable[HeadItem], seen: set[str]) -> list[bytes]:
    """The items' HTML in the order a head wants them, each key once; what is given is remembered in `seen`."""
    ranks: tuple[list[bytes], list[bytes], list[bytes]] = ([], [], [])
    for item in items:
        rank = _ORDER.get(item.kind)
        if rank is not None and item.key not in seen:
            seen.add(item.key)
            ranks[rank].append(item.html)
    return ranks[0] + ranks[1] + ranks[2]


# ---- Import maps ----------------------------------------------------------------------------------------------------

_Map = dict[str, dict[str, object]]


def import_map(text: str, place: Place) -> bytes | None:
    """A piece's import map with its URLs put below the prefix, as JSON for `merged`; None if it is not one."""
    read = _read(text)
    if read is None:
        return None
    return _json(
        {
            "imports": _mapped(read.get("imports"), place),
            "scopes": {
                below(scope, place): _mapped(inner, place) for scope, inner in _object(read.get("scopes")).items()
            },
            "integrity": {below(url, place): value for url, value in _object(read.get("integrity")).items()},
        }
    )


def _mapped(addresses: object, place: Place) -> dict[str, object]:
    return {
        _specifier(name, place): below(address, place) if isinstance(address, str) else address
        for name, address in _object(addresses).items()
    }


def _specifier(name: str, place: Place) -> str:
    """Only what reads as a URL is one; a bare word is a name (HTML, "parse a URL-like import specifier")."""
    return below(name, place) if name.startswith(("/", "./", "../", "http:", "https:")) else name


@lru_cache(maxsize=256)
def merged(shell: str | None, maps: tuple[tuple[str, bytes], ...]) -> bytes | None:
    """One import map: the shell's stands, each piece's holds below its prefix, and who comes first wins. None if the
    shell's cannot be read: then it is left as it is, and the pieces' are left out."""
    whole = _read(shell) if shell is not None else {}
    if whole is None:
        return None
    scopes = whole.setdefault("scopes", {})
    integrity = whole.setdefault("integrity", {})
    for prefix, text in maps:
        one = _read(text.decode()) or {}
        own = _object(one.get("scopes"))
        own[f"{prefix}/"] = {**_object(one.get("imports")), **_object(own.get(f"{prefix}/"))}
        for scope, addresses in own.items():
            scopes[scope] = {**_object(addresses), **_object(scopes.get(scope))}
        whole["integrity"] = integrity = {**_object(one.get("integrity")), **integrity}
    return _json({key: value for key, value in whole.items() if value})


def conflicts(shell: str | None, maps: Iterable[tuple[str, bytes]]) -> list[str]:
    """What pieces' maps say otherwise than who came first, in words: that is not heard."""
    known: dict[tuple[str, str], object] = {}
    said: list[str] = []
    for prefix, text in ((None, shell), *((prefix, text.decode()) for prefix, text in maps)):
        for scope, specifier, address in _entries((text and _read(text)) or {}, prefix):
            if known.setdefault((scope, specifier), address) != address:
                said.append(
                    f"'{specifier}' below '{scope or '/'}' is {known[scope, specifier]}, not {address} as well."
                )
    return said


def _entries(one: _Map, prefix: str | None) -> Iterable[tuple[str, str, object]]:
    for specifier, address in _object(one.get("imports")).items():
        yield "" if prefix is None else f"{prefix}/", specifier, address
    for scope, addresses in _object(one.get("scopes")).items():
        for specifier, address in _object(addresses).items():
            yield scope, specifier, address


def _read(text: str) -> _Map | None:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return {key: _object(value) for key, value in read.items()} if isinstance(read, dict) else None


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _json(value: object) -> bytes:
    """JSON that no reader of HTML takes for markup."""
    return (
        json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c").encode("utf-8", "replace")
    )
