"""Cookies below a prefix (RFC 6265): renamed on the way out and back on the way in, so that no two applications meet.

A viewer holds `session` of the application with tag 1a2b3c4d as `mf.1a2b3c4d.session`. An origin sees its own under
the names it gave, the site's that its mount lists, and nothing of any other team.
"""

import re
from collections.abc import Collection

_MARKED = re.compile(rb"(?:__Secure-)?mf\.[0-9a-f]{8}\.")
# What browsers ask of these names (RFC 6265bis section 4.1.3) `__Secure-` asks too, all but the root path and HttpOnly.
_RESERVED = re.compile(rb"(?i)__(?:host|secure|http|host-http)-")
_WSP = b" \t"
CARRIED = 50  # cookies that move with a prefix: as many as RFC 6265 section 6.1 asks a viewer to keep for a host


def renamed(name: bytes, tag: bytes) -> bytes:
    """The name viewers keep a cookie under."""
    mark = b"__Secure-mf." if _RESERVED.match(name) else b"mf."
    return mark + tag + b"." + name


def original(name: bytes, tag: bytes) -> bytes | None:
    """The name the application gave, when it is the one with this tag that did.

    A reserved name is believed behind `__Secure-` only: without it, no browser has asked for what the name promises.
    """
    for mark, reserved in ((b"mf.", False), (b"__Secure-mf.", True)):
        own = mark + tag + b"."
        if name.startswith(own):
            rest = name[len(own) :]
            return rest if (_RESERVED.match(rest) is not None) is reserved else None
    return None


def put_below(set_cookie: bytes, prefix: bytes, tag: bytes = b"", shared: Collection[bytes] = ()) -> bytes | None:
    """A Set-Cookie value as it leaves: renamed, Path below the prefix, no Domain, every other attribute as it came.

    One whose name is `shared` by the whole site keeps it: scripts that run without the runtime read it by that name.
    It always has a Path, since the directory of "/hotels" is the whole site's. Any other without a Path leaves without
    one: the viewer takes the directory it asked for (section 5.1.4), which is the one the application means, put below.
    None when no viewer would keep it, or when it takes another application's name.
    """
    pair, *attributes = set_cookie.split(b";")
    name, value = _read(pair)
    if (not name and (not value or _RESERVED.match(value))) or (not tag and _MARKED.match(name or value)):
        return None
    stays = not tag or (name in shared and not _MARKED.match(name))
    kept = [pair.strip(_WSP) if stays else renamed(name, tag) + b"=" + value]
    path = b""
    for attribute in attributes:
        word, _, said = attribute.partition(b"=")
        word = word.strip(_WSP).lower()
        if word == b"path":
            path = said.strip(_WSP)
        elif word and word != b"domain":
            kept.append(attribute.strip(_WSP))
    if path.startswith(b"/"):
        kept.append(b"Path=" + _below(path, prefix))
    elif tag and stays:
        kept.append(b"Path=" + prefix)
    return b"; ".join(kept)


def _read(pair: bytes) -> tuple[bytes, bytes]:
    """Name and value as browsers read them: what has no "=" is all value (RFC 6265bis section 5.6)."""
    name, mark, value = pair.partition(b"=")
    return (name.strip(_WSP), value.strip(_WSP)) if mark else (b"", pair.strip(_WSP))


def _below(path: bytes, prefix: bytes) -> bytes:
    if path == prefix or (prefix and path.startswith(prefix + b"/")):
        return path
    if path == b"/":
        return prefix or b"/"
    return prefix + path


def taken(value: bytes, tag: bytes = b"", shared: Collection[bytes] = ()) -> bytes:
    """The Cookie field an origin sees: its own cookies by the names it gave, then those of the site it may read.

    At the root (no tag) that is every cookie nobody has marked. Those of one name keep their order.
    """
    own: list[bytes] = []
    site: list[bytes] = []
    for pair in value.split(b";"):
        pair = pair.strip(_WSP)
        name, said = _read(pair)
        if not pair:
            continue
        if _MARKED.match(name or said):
            first = original(name, tag) if tag else None
            if first is not None and (spelled := _spelled(first, said)):
                own.append(spelled)
        elif not tag or name in shared:
            site.append(pair)
    return b"; ".join(own + site)


def _spelled(name: bytes, value: bytes) -> bytes:
    """A pair as viewers send it; one without a name may not look like a name that promises something."""
    if name:
        return name + b"=" + value
    return b"" if _RESERVED.match(value) else value


def moved(cookie: bytes, tag: str, old: bytes, new: bytes, secure: bool) -> list[bytes]:
    """Set-Cookie values that take an application's cookies along when its prefix changes, from what a viewer sent.

    What the old ones' other attributes were no server can know: the new ones last for the session and no script reads
    them, until the application sets its own again. Of several with one name the last is the widest (section 5.4).
    """
    held = {name: value for name, value in map(_read, cookie.split(b";")) if original(name, tag.encode()) is not None}
    if not tag or not old or len(held) > CARRIED:
        return []
    https = b"; Secure" if secure else b""
    told: list[bytes] = []
    for name, value in held.items():
        now = name if new else original(name, tag.encode()) or name
        told.append(b"%b=%b; Path=%b; HttpOnly; SameSite=Lax%b" % (now, value, new or b"/", https))
        told.append(b"%b=; Path=%b; Max-Age=0%b" % (name, old, https))
    return told
