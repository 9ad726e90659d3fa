"""What a page's policies say of URLs: put below its mount as URLs are, and one script of ours let in where it may be.

A policy is never loosened beyond that script and never dropped. What needs no change stays byte for byte.
"""

import json
import re
from typing import NamedTuple

import fragments.patterns as patterns
import fragments.policy as policies
from fragments.urls import Place, absolute
from gateway.message import Fields

_ENFORCED = b"content-security-policy"
_REPORTED = b"content-security-policy-report-only"
_WORD = re.compile(rb"[^\t\n\f\r ]+")


def put_below(value: bytes, place: Place) -> bytes:
    """A Content-Security-Policy, or a Feature-Policy: sources and reports of the application as viewers know them."""
    return policies.mapped(value.decode("latin-1"), place).encode("latin-1")


# Content Security Policy: one script let in


class _Wall(NamedTuple):
    """The directive that decides on script elements in one policy (section 6.8.4), and its sources."""

    name: bytes
    at: int
    sources: list[bytes]

    @property
    def nonces(self) -> list[bytes]:
        return [match[1] for source in self.sources if (match := _NONCE.fullmatch(source))]

    @property
    def strict(self) -> bool:
        """Sources by URL count for nothing (section 8.2)."""
        return b"'strict-dynamic'" in self._lower

    @property
    def shut(self) -> bool:
        return not set(self._lower) - {b"'none'"}

    def admits(self, script: bytes) -> bool:
        if self.strict:
            return False
        scheme, _, rest = script.partition(b"://")
        host = rest.partition(b"/")[0]
        known = {b"'self'", b"*", scheme + b":", b"http:", host, scheme + b"://" + host, script}
        return not known.isdisjoint(self._lower) or script in self.sources

    @property
    def _lower(self) -> list[bytes]:
        return [source.lower() for source in self.sources]


_NONCE = re.compile(rb"(?i)'nonce-([A-Za-z0-9+/_-]+=*)'")


def admit(fields: Fields, script: bytes, nonce: bytes) -> tuple[Fields, bytes | None] | None:
    """The fields with every policy letting in this one script, and the nonce its element needs, if any.

    `script` is its public URL. A list that counts URLs gets that URL: it is the narrowest there is, switches no
    'unsafe-inline' off and, unlike a nonce, is no secret that a stored answer would give away. One that counts none
    ('strict-dynamic') gets `nonce`, if it has none to share. None when a policy lets in no script at all.
    """
    walls = [_walls(value) if name in (_ENFORCED, _REPORTED) else [] for name, value in fields]
    for (name, value), found in zip(fields, walls, strict=True):
        if name == _ENFORCED and (_sandboxed(value) or any(wall.shut for wall in found if wall)):
            return None
    needing = [wall for found in walls for wall in found if wall and not wall.admits(script)]
    if not needing:
        return fields, None
    shown = _shared_nonce(needing)
    if shown is None and any(wall.strict for wall in needing):
        shown = nonce
    return [
        (name, _let_in(value, found, script, shown)) if any(found) else (name, value)
        for (name, value), found in zip(fields, walls, strict=True)
    ], shown


def _walls(value: bytes) -> list[_Wall | None]:
    return [_wall(policy) for policy in value.split(b",")]


def _wall(policy: bytes) -> _Wall | None:
    directives = _directives(policy)
    for name in (b"script-src-elem", b"script-src", b"default-src"):
        if name in directives:
            return _Wall(name, *directives[name])
    return None


def _directives(policy: bytes) -> dict[bytes, tuple[int, list[bytes]]]:
    """Each directive by its name: where it stands, and its words; a name said twice counts once (section 2.2.1)."""
    found: dict[bytes, tuple[int, list[bytes]]] = {}
    for at, directive in enumerate(policy.split(b";")):
        name, *words = _WORD.findall(directive) or [b""]
        found.setdefault(name.lower(), (at, words))
    return found


def _sandboxed(value: bytes) -> bool:
    """Whether a policy runs no script at all (section 6.3.2)."""
    sandboxes = [_directives(policy).get(b"sandbox") for policy in value.split(b",")]
    return any(b"allow-scripts" not in [word.lower() for word in found[1]] for found in sandboxes if found)


def _shared_nonce(walls: list[_Wall]) -> bytes | None:
    """A nonce the page's own scripts have, when it serves all policies that go by one."""
    lists = [wall.nonces for wall in walls if wall.strict or wall.nonces]
    if not lists:
        return None
    shared = set(lists[0]).intersection(*lists)
    return next((nonce for nonce in lists[0] if nonce in shared), None)


def _let_in(value: bytes, walls: list[_Wall | None], script: bytes, nonce: bytes | None) -> bytes:
    policies = value.split(b",")
    for at, wall in enumerate(walls):
        if wall and not wall.admits(script) and nonce not in wall.nonces:
            policies[at] = _with(policies[at], wall, b"'nonce-%b'" % nonce if wall.strict and nonce else script)
    return b",".join(policies)


def _with(policy: bytes, wall: _Wall, source: bytes) -> bytes:
    """The policy with one more source for scripts; what others fall back on stays as it is."""
    directives = policy.split(b";")
    if wall.name == b"default-src":
        kept = [word for word in wall.sources if word.lower() != b"'none'"]
        return b";".join([*directives, b" ".join([b" script-src", *kept, source])])
    if wall.shut:
        directives[wall.at] = re.sub(rb"(?i)'none'", b"", directives[wall.at]).rstrip()
    directives[wall.at] += b" " + source
    return b";".join(directives)


# Referrers, permissions, reports, and who else may read


def referrer(value: bytes, place: Place) -> bytes:
    """Referrer-Policy: inside the site the page is told, so that what leaves the mount is led back; outside as before.

    `no-referrer` becomes `same-origin`, and the two that tell their own site no more than the origin their siblings
    that do (Referrer Policy, section 3): another site learns not a letter more.
    """
    if not place.prefix:
        return value
    return _POLICY_WORD.sub(lambda match: _TOLD_INSIDE.get(match[0].lower(), match[0]), value)


_POLICY_WORD = re.compile(rb"[A-Za-z-]+")
_TOLD_INSIDE = {
    b"no-referrer": b"same-origin",
    b"origin": b"origin-when-cross-origin",
    b"strict-origin": b"strict-origin-when-cross-origin",
}


# A string runs to its end or to the value's: what never ends is read once, not once from every quote in it.
_INSIDE = rb'(?:[^"\\]|\\.)*+'
_STRING = patterns.compile(rb'(")(' + _INSIDE + rb')("?)')
_MEMBER = patterns.compile(rb'((?:^|,)[ \t]*")(' + _INSIDE + rb')("?)|"' + _INSIDE + rb'"?')
_ENTRY = patterns.compile(rb'((?:^|,)[ \t]*[a-z*][a-z0-9_.*-]*=")(' + _INSIDE + rb')("?)|"' + _INSIDE + rb'"?')


def permissions(value: bytes, place: Place) -> bytes:
    """Permissions-Policy: an allow-list's own origins as viewers know them (Permissions Policy, section 5.2)."""
    return _STRING.sub(lambda match: match[1] + origin(match[2], place) + match[3], value)


def origin(value: bytes, place: Place) -> bytes:
    """One serialized origin: the application's own is the public one (Fetch, section 3.3.3, for credentials too)."""
    if place.public is None or value.decode("latin-1").strip().lower().removesuffix("/") not in place.origins:
        return value
    return place.public.encode("latin-1")


def origins(value: bytes, place: Place) -> bytes:
    """A list of them, as in Timing-Allow-Origin."""
    return re.sub(rb"[^, \t]+", lambda match: origin(match[0], place), value)


def members(value: bytes, place: Place) -> bytes:
    """A list of quoted URLs (RFC 9651 section 3.1), as in Speculation-Rules; parameters stay."""
    return _MEMBER.sub(lambda match: _quoted(match, place), value)


def entries(value: bytes, place: Place) -> bytes:
    """A dictionary of quoted URLs (RFC 9651 section 3.2), as in Reporting-Endpoints; parameters stay."""
    return _ENTRY.sub(lambda match: _quoted(match, place), value)


def _quoted(match: re.Match[bytes], place: Place) -> bytes:
    if not match[3] or b"\\" in match[2]:
        return match[0]  # a parameter's, or no URL
    return match[1] + absolute(match[2].decode("latin-1"), place).encode("latin-1") + match[3]


def report_to(value: bytes, place: Place) -> bytes:
    """Report-To: groups as JSON, one after the other (Reporting API, 2018)."""
    try:
        groups = json.loads(b"[" + value + b"]")
    except (ValueError, RecursionError):
        return value
    found = [point for group in groups for point in _endpoints(group)]
    before = [point["url"] for point in found]
    for point in found:
        point["url"] = absolute(point["url"], place)
    if before == [point["url"] for point in found]:
        return value
    return ", ".join(json.dumps(group) for group in groups).encode("ascii")


def _endpoints(group: object) -> list[dict[str, str]]:
    points = group.get("endpoints") if isinstance(group, dict) else None
    return [point for point in points or [] if isinstance(point, dict) and isinstance(point.get("url"), str)]
