"""How one URL is put below an application's prefix, and which attributes carry URLs.

Classified as browsers read it (WHATWG URL, 4.4), answered unchanged whenever it does not mean this application.
Doing it twice is doing it once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Place:
    """Where an application's pages are shown."""

    prefix: str  # "/hotels"; "" when mounted at "/"
    origins: frozenset[str] = frozenset()  # absolute bases that mean this application: "http://hotels.internal:8000"
    links_to: tuple[str, ...] = ()  # other mounts' prefixes a root path may mean
    base: str | None = None  # public path of the document, when relative URLs are to become root-relative (pieces)
    public: str | None = None  # the origin viewers see, "http://shop.test", for the few URLs that must be absolute
    relinked: tuple[tuple[str, str], ...] = ()  # prefixes other mounts have left, and where they are now
    tag: str = ""  # what the names of this application's cookies begin with, below a prefix; "" when mounted at "/"
    cookies: frozenset[bytes] = frozenset()  # names of cookies that stay as they are: the whole site's


_GATEWAY = ("/-/browser/", "/-/fragment/", "/-/health/", "/-/u/")  # what the gateway itself answers
_C0_OR_SPACE = "".join(map(chr, range(0x21)))
_TAB_OR_NEWLINE = re.compile(r"[\t\n\r]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_AUTHORITY = re.compile(r"(?:(https?):)?[/\\]{2}([^/\\?#]*)", re.IGNORECASE)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_ROOTED = re.compile(r"([^?#]*)(.*)", re.DOTALL)
_DOTS = re.compile(r"[/\\](?:\.|%2e){1,2}(?=[/\\]|$)", re.IGNORECASE)


def below(url: str, place: Place) -> str:
    """The URL as a page of this place must spell it; the same object when nothing is to change."""
    cleaned = clean(url)
    if cleaned[:1] in ("/", "\\"):
        mapped = _foreign_or_own(cleaned, place) if cleaned[1:2] in ("/", "\\") else _rooted(cleaned, place)
    elif _SCHEME.match(cleaned):
        mapped = _foreign_or_own(cleaned, place)
    else:
        mapped = _resolved(cleaned, place)
    return url if mapped is None else mapped


def clean(url: str) -> str:
    """What every URL parser does first: edges trimmed, tabs and newlines dropped."""
    if url.isprintable() and " " not in url:  # as most are
        return url
    stripped = url.strip(_C0_OR_SPACE)
    return _TAB_OR_NEWLINE.sub("", stripped) if _TAB_OR_NEWLINE.search(stripped) else stripped


def means(url: str, place: Place) -> bool:
    """Whether the URL is answered by this application: relative, or below its prefix once mapped."""
    mapped = clean(below(url, place))
    if _SCHEME.match(mapped) or _AUTHORITY.match(mapped):
        rest = _own(mapped, place)
        return rest is not None and _stands(rest, place)
    return mapped[:1] not in ("/", "\\") or _inside(mapped, place.prefix)


def absolute(url: str, place: Place) -> str:
    """Like `below`, for the few URLs that other sites read: with the public origin, where it is known."""
    mapped = below(url, place)
    if not place.public or mapped[:1] != "/" or mapped[1:2] in ("/", "\\") or not _is_absolute(url):
        return mapped
    return place.public + mapped


def _is_absolute(url: str) -> bool:
    return _AUTHORITY.match(clean(url)) is not None


def _rooted(url: str, place: Place) -> str | None:
    if ("/." in url or "%" in url or "\\" in url) and _DOTS.search(_path(url)):
        path, rest = _split(url)
        return _placed(_without_dots(path) + rest, place)
    if place.relinked and (moved := _moved(url, place)):
        return moved
    if _stands(url, place):
        return None
    return place.prefix + ("/" + url[1:] if url[0] == "\\" else url)


def _placed(url: str, place: Place) -> str:
    placed = _moved(url, place) or (url if _stands(url, place) else place.prefix + url)
    return "/." + placed if placed[1:2] == "/" else placed  # a path, never an authority (WHATWG URL, 4.5)


def _stands(url: str, place: Place) -> bool:
    """Whether a root path is right as it is: it has the prefix, or means another mount this one links to."""
    if _inside(url, place.prefix) or url.startswith(_GATEWAY):
        return True
    return bool(place.links_to) and any(_inside(url, other) for other in place.links_to)


def _moved(url: str, place: Place) -> str | None:
    """Where a root path of another mount is since that mount has moved."""
    if place.prefix and _inside(url, place.prefix):
        return None
    moves = ((old, new) for old, new in place.relinked if _inside(url, old) and not (new and _inside(url, new)))
    return next((new + url[len(old) :] or "/" for old, new in moves), None)


def _inside(url: str, prefix: str) -> bool:
    return url.startswith(prefix) and url[len(prefix) : len(prefix) + 1] in ("", "/", "\\", "?", "#")


def _foreign_or_own(url: str, place: Place) -> str | None:
    rest = _own(url, place)
    if rest is None:
        return None
    path, tail = _split(rest)
    rest = _without_dots(path or "/") + tail
    if place.public and url.lower().startswith(place.public) and _stands(rest, place) and not _moved(rest, place):
        return None
    return _placed(rest, place)


def _own(url: str, place: Place) -> str | None:
    """What follows the base in an absolute URL of this application."""
    found = _AUTHORITY.match(url)
    if not found:
        return None
    scheme, authority = (found[1] or "").lower(), found[2].lower()
    for spelled in (scheme,) if scheme else ("https", "http"):
        base = f"{spelled}://{authority.removesuffix(_DEFAULT_PORTS[spelled])}"
        if base in place.origins or base == place.public:
            return url[found.end() :]
    return None


def _resolved(url: str, place: Place) -> str | None:
    if place.base is None or url == "" or url[0] == "#":
        return None
    path = _path(place.base)
    if url[0] == "?":
        return path + url
    path = path.removeprefix(place.prefix) if _inside(path, place.prefix) else path
    own, rest = _split(url)
    return place.prefix + _without_dots(path[: path.rfind("/") + 1] + own) + rest


def _path(url: str) -> str:
    return _split(url)[0]


def _split(url: str) -> tuple[str, str]:
    found = _ROOTED.match(url)
    assert found is not None
    return found[1], found[2]


def _without_dots(path: str) -> str:
    """The path with its dot segments resolved (WHATWG URL, path state); nothing climbs above the root."""
    segments = path.replace("\\", "/").split("/")[1:]
    kept: list[str] = []
    for segment in segments:
        dots = segment.lower().replace("%2e", ".")
        if dots == "..":
            del kept[-1:]
        elif dots != ".":
            kept.append(segment)
    if segments and segments[-1].lower().replace("%2e", ".") in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


# Attributes, by element, from the index of the HTML standard, with the obsolete ones browsers still load.

Change = Callable[[str, Place], str]


def listed(value: str, place: Place) -> str:
    """URLs set apart by white space, as in `ping`."""
    return re.sub(r"[^\t\n\f\r ]+", lambda found: below(found[0], place), value)


_CANDIDATE = re.compile(r"[\t\n\f\r ,]*+([^\t\n\f\r ]+)")


def candidates(value: str, place: Place) -> str:
    """`srcset` and `imagesrcset` (4.8.4.2.1): URLs may hold commas, descriptors may hold parentheses."""
    parts: list[str] = []
    at = 0
    while found := _CANDIDATE.match(value, at):
        url = found[1].rstrip(",")
        parts += (value[at : found.start(1)], below(url, place))
        at = found.start(1) + len(url)
        if url == found[1]:
            end = _descriptors_end(value, at)
            parts.append(value[at:end])
            at = end
    return "".join(parts) + value[at:]


_DESCRIPTOR_MARK = re.compile(r"[(),]")


def _descriptors_end(value: str, at: int) -> int:
    if "(" not in value:
        end = value.find(",", at)
        return len(value) if end < 0 else end
    parenthesised = False
    for found in _DESCRIPTOR_MARK.finditer(value, at):
        if found[0] == "," and not parenthesised:
            return found.start()
        parenthesised = found[0] == "(" or (parenthesised and found[0] != ")")
    return len(value)


_REFRESH = re.compile(
    r"[\t\n\f\r ]*(?:[0-9]+|(?=\.))[0-9.]*(?=[;,\t\n\f\r ])[\t\n\f\r ]*[;,]?[\t\n\f\r ]*"
    r"(?:[uU][rR][lL][\t\n\f\r ]*=[\t\n\f\r ]*)?(?:\"([^\"]*)|'([^']*)|([^\"'].*))",
    re.DOTALL,
)


def refresh(value: str, place: Place) -> str:
    """`<meta http-equiv=refresh>`: "0; url=/x" (the shared declarative refresh steps)."""
    found = _REFRESH.match(value)
    if not found or not found.lastindex:
        return value
    start, end = found.span(found.lastindex)
    return value[:start] + below(value[start:end], place) + value[end:]


def action(value: str, place: Place) -> str:
    """Where a form goes; an empty one goes to its own document, which in a piece is not the page around it."""
    return place.base if place.base and not clean(value) else below(value, place)


_PER_ELEMENT: dict[Change, str] = {
    below: (
        "a.href area.href audio.src base.href blockquote.cite body.background bgsound.src del.cite ins.cite q.cite "
        "embed.src fencedframe.src frame.src frame.longdesc head.profile html.manifest iframe.src iframe.longdesc "
        "img.src img.longdesc img.lowsrc img.dynsrc input.src input.lowsrc input.dynsrc link.href object.data "
        "object.codebase applet.codebase menuitem.icon command.icon portal.src script.src source.src table.background "
        "tbody.background thead.background tfoot.background tr.background td.background th.background track.src "
        "video.src video.poster"
    ),
    action: "form.action button.formaction input.formaction",
    listed: "a.ping area.ping object.archive a.attributionsrc img.attributionsrc script.attributionsrc",
    candidates: "img.srcset source.srcset link.imagesrcset",
}

CARRIERS: dict[bytes, dict[bytes, Change]] = {}
for _change, _names in _PER_ELEMENT.items():
    for _element, _, _attribute in (name.partition(".") for name in _names.split()):
        CARRIERS.setdefault(_element.encode(), {})[_attribute.encode()] = _change


def carriers(element: bytes) -> Mapping[bytes, Change]:
    """What carries URLs on an HTML element. Of custom elements only what is named as in HTML; includes are no links."""
    found = CARRIERS.get(element)
    if found is not None or b"-" not in element:
        return found or _NONE
    return _NONE if element.startswith(_INCLUDES) else _CUSTOM


_NONE: dict[bytes, Change] = {}
_INCLUDES = (b"mf-", b"h-include", b"web-fragment")

CARRIERS[b"image"] = CARRIERS[b"img"]  # what parsers make of it (13.2.6.4.7)

# SVG and MathML: any element may link. The presentation attributes are CSS and handled as such.
FOREIGN: dict[bytes, Change] = {b"href": below, b"xlink:href": below, b"src": below}
PRESENTATION = frozenset(
    b"clip-path color-profile cursor fill filter marker marker-end marker-mid marker-start mask stroke".split()
)


def listed_by_semicolons(value: str, place: Place) -> str:
    """`values` of an SVG animation."""
    return ";".join(below(each, place) for each in value.split(";"))


# Attributes that scripts read, on any element. They may hold anything, so only what is plainly a URL of this
# application is mapped: a root path, or an absolute URL.


def rooted(value: str, place: Place) -> str:
    return below(value, place) if _is_rooted(value) else value


def _is_rooted(value: str) -> bool:
    cleaned = clean(value)
    return cleaned[:1] == "/" or _AUTHORITY.match(cleaned) is not None


def rooted_candidates(value: str, place: Place) -> str:
    return candidates(value, replace(place, base=None))


_CONNECT = re.compile(r"((?:^|[\t\n\f\r ])connect:[\t\n\f\r ]*)([^\t\n\f\r ]+)")


def connections(value: str, place: Place) -> str:
    """htmx 1: `hx-sse="connect:/x"`."""
    return _CONNECT.sub(lambda found: found[1] + rooted(found[2], place), value)


SCRIPTED_BEGINNINGS = ("data-", "hx-", "sse-", "up-", "ws-")
SCRIPTED = (
    "hx-get hx-post hx-put hx-patch hx-delete hx-push-url hx-replace-url hx-action sse-connect ws-connect up-href "
    "up-layer-href up-poll-url up-source data-src data-href data-url data-uri data-lazy data-lazyload data-original "
    "data-bg data-background data-background-image data-poster data-action data-endpoint data-api data-ajax "
    "data-remote data-image data-img data-thumb data-thumbnail data-full data-large data-large_image data-zoom-image "
    "data-iframe data-video data-main data-manifest data-redirect data-fallback data-icon data-logo"
)
SCRIPTED_ENDINGS = ("-src", "-href", "-url", "-uri", "_url", "-url-value", "-src-value", "-href-value")
_SCRIPTED = frozenset(SCRIPTED.encode().split())
_SCRIPTED_ENDINGS = tuple(ending.encode() for ending in SCRIPTED_ENDINGS)
_CONNECTING = frozenset({b"hx-sse", b"hx-ws"})


@lru_cache(maxsize=1024)
def scripted(name: bytes) -> Change | None:
    """What changes an attribute that scripts read; htmx takes each of its own with `data-` before it as well."""
    own = name.removeprefix(b"data-") if name.startswith((b"data-hx-", b"data-sse-", b"data-ws-")) else name
    if own in _CONNECTING:
        return connections
    if name.startswith(b"data-") and name.endswith((b"srcset", b"bgset")):
        return rooted_candidates
    if own in _SCRIPTED or (name.startswith(b"data-") and name.endswith(_SCRIPTED_ENDINGS)):
        return rooted
    return None


_CUSTOM: dict[bytes, Change] = {
    **dict.fromkeys((b"src", b"href", b"poster", b"action"), rooted),
    b"srcset": rooted_candidates,
}
