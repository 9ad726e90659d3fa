"""An origin's answer as it looks below its mount: which fields carry URLs, which are the gateway's to set.

One pass over the fields; every rule is a row of RULES or DROPPED. URLs are mapped by `fragments.urls`, the same
mapping the body goes through. A URL inside a query (`?next=/x`) is the application's own business and stays.
"""

import json
import re
import zlib
from collections.abc import Callable

import fragments.patterns as patterns
import fragments.urls as urls
import gateway.rules.cookies as cookies
import gateway.rules.keys as keys
import gateway.rules.policy as policy
from fragments.urls import Place, below
from gateway.message import Fields, joined
from gateway.rules.fields import HOP_BY_HOP, named_by_connection

Rule = Callable[[bytes, Place], bytes | None]


def answer(fields: Fields, place: Place) -> Fields:
    """The fields of an origin's answer, put below its mount: mapped, kept, or left out."""
    mounted: Fields = []
    kept = mounted.append
    for field in fields:
        name = field[0]
        if name in DROPPED:
            continue
        rule = RULES.get(name)
        if rule is None:
            kept(field)
        elif (value := rule(field[1], place)) is not None:
            kept((name, value))
    listed = named_by_connection(fields)
    return [field for field in mounted if field[0] not in listed] if listed else mounted


def varied(fields: Fields) -> Fields:
    """A coded answer was coded for who takes that, said or not (RFC 9110 section 12.5.5).

    nginx leaves it unsaid by default; kept under one key, it would go to viewers that take no coding.
    """
    coded = any(name == b"content-encoding" for name, _ in fields)
    if not coded or any(name == b"vary" and _BY_CODING.search(value) for name, value in fields):
        return fields
    return [*fields, (b"vary", b"accept-encoding")]


_BY_CODING = re.compile(rb"(?i)accept-encoding|\*")


def hop(fields: Fields) -> Fields:
    """The fields less those of the hop they came on."""
    listed = named_by_connection(fields)
    return [field for field in fields if field[0] not in HOP_BY_HOP and (not listed or field[0] not in listed)]


def url(value: bytes, place: Place) -> bytes:
    """A field that is one URL, such as Location (RFC 9110 section 10.2.2)."""
    return below(value.decode("latin-1"), place).encode("latin-1")


def public_url(value: bytes, place: Place) -> bytes:
    """One that other sites read, and that stays absolute if it was."""
    return urls.absolute(value.decode("latin-1"), place).encode("latin-1")


def url_list(value: bytes, place: Place) -> bytes:
    """URLs or patterns of them, set apart by white space."""
    return urls.listed(value.decode("latin-1"), place).encode("latin-1")


def refresh(value: bytes, place: Place) -> bytes:
    """`5; url=/x` (HTML, section 4.2.5.3, shared declarative refresh steps)."""
    return urls.refresh(value.decode("latin-1"), place).encode("latin-1")


# Strings run to their end or to the value's: what never ends is read once, not once from every quote in it.
_STRING = rb'"(?:[^"\\]|\\.)*+"?'
_LINK = patterns.compile(
    rb"(;[ \t]*(?:(anchor)|imagesrcset)[ \t]*=[ \t]*)?(" + _STRING + rb")|<([^<>]*)>", re.IGNORECASE
)


def link(value: bytes, place: Place) -> bytes:
    """Every target of a Link field (RFC 8288 section 3), its anchors and the candidates of an image; the rest stays."""

    def mapped(match: re.Match[bytes]) -> bytes:
        if match[4] is not None:
            return b"<" + url(match[4], place) + b">"
        if match[1] is None or b"\\" in match[3] or len(match[3]) < 2 or not match[3].endswith(b'"'):
            return match[0]
        change = below if match[2] else urls.candidates
        return match[1] + b'"' + change(match[3][1:-1].decode("latin-1"), place).encode("latin-1") + b'"'

    return _LINK.sub(mapped, value)


def alternates(value: bytes, place: Place) -> bytes:
    """Alternates: `{"a.en" 0.9 {language en}}` (RFC 2295 section 8.3)."""
    return re.sub(rb'(\{[ \t]*")([^"]*)', lambda match: match[1] + url(match[2], place), value)


def htmx_url(value: bytes, place: Place) -> bytes:
    """HX-Push-Url and its like: a URL, or a word that says there is none."""
    return _unless_a_word(value.decode("latin-1"), place).encode("latin-1")


def htmx_location(value: bytes, place: Place) -> bytes:
    """HX-Location: a URL, or JSON with its `path` among other things."""
    if not value.lstrip().startswith(b"{"):
        return url(value, place)
    try:
        said = json.loads(value)
    except (ValueError, RecursionError):
        return value
    mapped = {
        name: _unless_a_word(item, place) if name in _HTMX_URLS and isinstance(item, str) else item
        for name, item in said.items()
    }
    return value if mapped == said else json.dumps(mapped).encode("ascii")


_HTMX_URLS = ("path", "push", "replace")


def _unless_a_word(value: str, place: Place) -> str:
    return value if value.strip() in ("true", "false") else below(value, place)


def set_cookie(value: bytes, place: Place) -> bytes | None:
    return cookies.put_below(value, place.prefix.encode(), place.tag.encode(), place.cookies)


def scope(value: bytes, place: Place) -> bytes:
    """Service-Worker-Allowed reaches as far as the origin says, and never above the mount."""
    said, top = url(value, place), place.prefix.encode() + b"/"
    return said if said.startswith(top) and b".." not in said else top


def challenge(value: bytes, place: Place) -> bytes:
    """WWW-Authenticate: the realms of Basic get the mount's name.

    A browser answers a realm it knows with what it knows, wherever on the host it meets it (RFC 7617 section 2.2); two
    teams that both say "Restricted" would be shown each other's passwords. Digest counts its realm into the answer (RFC
    7616 section 3.4.2) and never shows a password, so it stays, and so does any other scheme.
    """
    if not place.prefix or b"basic" not in value.lower():
        return value
    scheme = b""
    parts: list[bytes] = []
    for part in _CHALLENGE_PART.findall(value):
        if (opened := _SCHEME.match(part)) is not None:
            scheme = opened[1].lower()
        parts.append(_REALM.sub(lambda match: _tagged(match, place), part, count=1) if scheme == b"basic" else part)
    return b",".join(parts)


_CHALLENGE_PART = patterns.compile(rb"(?:^|(?<=,))(?:" + _STRING + rb'|[^",])*+')
_SCHEME = re.compile(rb"[ \t]*([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:[ \t]+[^ \t=]|[ \t]*$)")
_REALM = re.compile(rb'(?i)((?:^|[ \t])realm[ \t]*=[ \t]*)(?:"((?:[^"\\]|\\.)*)"|([^" \t]+))')


def _tagged(match: re.Match[bytes], place: Place) -> bytes:
    realm, name = match[2] if match[2] is not None else match[3], place.prefix.encode()
    return match[1] + b'"' + (realm if realm.endswith(name) else realm + b" " + name) + b'"'


DROPPED = HOP_BY_HOP | {
    # what is the whole domain's is the gateway's to say, not one team's
    b"strict-transport-security",
    b"clear-site-data",
    b"alt-svc",
    b"nel",
    b"public-key-pins",
    b"public-key-pins-report-only",
    b"expect-ct",
    b"origin-agent-cluster",
    b"x-permitted-cross-domain-policies",
    b"set-login",  # one for the host (FedCM, section 5.3)
    b"accept-ch",  # each one replaces what the host asked for before (RFC 8942 section 3.1)
    b"critical-ch",  # and this one asks again for what that one no longer says
    b"use-as-dictionary",  # its bytes may be edited, and no origin is offered a coding that uses it (RFC 9842)
    # what tells of the inside or speaks to another proxy
    b"server",
    b"x-powered-by",
    b"x-accel-redirect",
    b"x-sendfile",
    b"x-lighttpd-send-file",
    b"x-litespeed-location",
    b"x-reproxy-url",
    b"x-aspnet-version",
    b"x-aspnetmvc-version",
    b"via",
    b"date",
}
RULES: dict[bytes, Rule] = {
    **dict.fromkeys(
        (
            *(b"location", b"content-location", b"content-base", b"sourcemap", b"x-sourcemap"),
            *(b"hx-redirect", b"x-inertia-location", b"turbo-location", b"turbolinks-location", b"x-up-location"),
            *(b"x-pjax-url",),
        ),
        url,
    ),
    **dict.fromkeys((b"x-pingback", b"x-xrds-location", b"x-yadis-location"), public_url),
    **dict.fromkeys((b"x-up-expire-cache", b"x-up-evict-cache"), url_list),
    **dict.fromkeys((b"hx-push-url", b"hx-replace-url", b"hx-push"), htmx_url),
    b"hx-location": htmx_location,
    b"refresh": refresh,
    b"link": link,
    b"alternates": alternates,
    **dict.fromkeys((b"speculation-rules", b"link-template"), policy.members),
    b"set-cookie": set_cookie,
    b"service-worker-allowed": scope,
    b"www-authenticate": challenge,
    b"referrer-policy": policy.referrer,
    **dict.fromkeys((b"content-security-policy", b"content-security-policy-report-only"), policy.put_below),
    b"permissions-policy": policy.permissions,
    b"permissions-policy-report-only": policy.permissions,
    b"feature-policy": policy.put_below,
    b"reporting-endpoints": policy.entries,
    b"report-to": policy.report_to,
    b"access-control-allow-origin": policy.origin,
    b"timing-allow-origin": policy.origins,
}


def rewritten(fields: Fields, rules: str) -> Fields:
    """The fields of an answer whose body was edited: validators name the edited bytes, what described the old is gone.

    RFC 9110 section 8.8.1: a strong validator must change with the bytes, so it becomes a weak one of ours. A date
    alone would stand for other rules' bytes too; it gets an ETag beside it, which is asked for first (section 13.2.2).
    """
    kept: Fields = []
    dated = b""
    for name, value in fields:
        if name == b"etag":
            kept.append((name, etag(value, rules)))
        elif name not in _OF_THE_BYTES:
            kept.append((name, value))
            dated = value if name == b"last-modified" else dated
    if dated and not any(name == b"etag" for name, _ in kept):
        kept.append((b"etag", b'W/"%b%b~%b"' % (_OF_A_DATE, re.sub(rb"[^0-9A-Za-z]", b"", dated), rules.encode())))
    return kept


_OF_A_DATE = b"dated-"
_OF_THE_BYTES = frozenset(
    {
        b"content-length",
        b"content-md5",
        b"digest",
        b"repr-digest",
        b"content-digest",
        b"unencoded-digest",
        b"signature",
        b"signature-input",
        b"accept-ranges",
        b"content-encoding",
    }
)


def personal(fields: Fields) -> Fields:
    """The fields of an answer that holds a nonce of ours: for one viewer, once.

    Kept for many it would be no secret, and a 304 would name another nonce than the page that the viewer holds.
    """
    kept = [field for field in fields if field[0] not in _TO_KEEP_BY]
    said = joined(fields, b"cache-control")
    return [*kept, (b"cache-control", said if b"no-store" in said.lower() else b"private, no-cache")]


_TO_KEEP_BY = frozenset(
    {
        b"cache-control",
        b"cdn-cache-control",
        b"cloudflare-cdn-cache-control",
        b"mf-cache-control",
        b"surrogate-control",
        b"etag",
        b"expires",
        b"last-modified",
    }
)


def version(place: Place, *more: object) -> str:
    """A short name of the rules a body was edited by: other rules, or another prefix, other bytes."""
    rules = (place.prefix, place.links_to, place.relinked, place.tag, *more)
    return f"{zlib.crc32(repr(rules).encode()):08x}{keys.RULES}"


def etag(value: bytes, rules: str) -> bytes:
    """The validator of the edited bytes: the origin's, weak, and named after the rules that edited them."""
    weak = b"~w" if value.startswith(b"W/") else b""
    return b'W/"%b%b~%b"' % (value.removeprefix(b"W/").strip(b'"'), weak, rules.encode())


def conditions(fields: Fields, rules: str) -> Fields:
    """A viewer's conditions as the origin knows them: validators of ours are turned back into its own.

    In If-None-Match one of other rules names bytes that are gone, and so does the date that came with it; in If-Match
    what the origin does not know stays, and so does its refusal.
    """
    asked: Fields = []
    outdated = False
    for field in fields:
        name, value = field
        tags = [(tag, _unmasked(tag, rules)) for tag in _TAG.findall(value)] if name in _CONDITIONS else []
        if not tags:
            asked.append(field)
        elif name == b"if-match":
            asked.append((name, b", ".join(own or tag for tag, own in tags)))
        else:
            outdated = any(own is None for _, own in tags)
            if known := [own for _, own in tags if own]:
                asked.append((name, b", ".join(known)))
    return [field for field in asked if field[0] != b"if-modified-since"] if outdated else asked


_CONDITIONS = frozenset({b"if-none-match", b"if-match"})
_TAG = re.compile(rb'(?:W/)?"[^"]*"')
_OTHER_RULES = re.compile(rb'W/".*~[0-9a-f]{8}\d+"')


def _unmasked(tag: bytes, rules: str) -> bytes | None:
    """The origin's own ETag; empty when it has none but a date, None when other rules edited what the tag names."""
    tail = b'~%b"' % rules.encode()
    if not tag.endswith(tail):
        return None if _OTHER_RULES.fullmatch(tag) else tag
    opaque = tag[3 : -len(tail)] if tag.startswith(b"W/") else tag[1 : -len(tail)]
    if opaque.startswith(_OF_A_DATE):
        return b""
    return b'W/"%b"' % opaque[:-2] if opaque.endswith(b"~w") else b'"%b"' % opaque
