"""Request targets and paths, on the raw bytes. Routing, keys and the origin see one and the same path.

Nothing is decoded and nothing is normalised: what is ambiguous is refused, what is left passes byte for byte.
"""

import re

# What needs no closer look: printable bytes but % \ # ?, and dots only behind a character that is no slash or dot.
_PLAIN = re.compile(rb"(?>(?:[A-Za-z0-9/_~!$&'()*+,;=:@|^`{}\[\]\"<>-]|(?<=[^/.])\.)*)")
_QUERY = re.compile(rb"[\x21-\x22\x24-\x7e]*+")
_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})|%00")
# ASCII in more bytes than it needs, which some decoders still take for "/" or "." (RFC 3629 section 10)
_OVERLONG = re.compile(rb"(?i)%(?:c[01]%[89ab]|e0%[89]|f0%8)")
_SPELLED = re.compile(rb"%(09|0[a-dA-D]|20|23|2[eEfF]|3[bBfF])")
# dots, alone or with what some reader cuts off behind them: white space, parameters, a query, a fragment
_DOT_SEGMENT = re.compile(rb"(?:^|/)\.\.?[\t-\r ]*(?:[;?#/]|$)")


def split(target: bytes) -> tuple[bytes, bytes | None]:
    """A request target's path and query; the query is None when there is no "?"."""
    path, mark, query = target.partition(b"?")
    return path, query if mark else None


def origin_form(target: bytes) -> tuple[bytes, bytes | None]:
    """A target in origin-form, and the authority when it came in absolute-form (RFC 9112 section 3.2.2)."""
    if target.startswith(b"/"):
        return target, None
    match = re.match(rb"(?i)https?://([^/?#]+)", target)
    if match is None:
        return target, None
    rest = target[match.end() :]
    return (rest if rest.startswith(b"/") else b"/" + rest), match[1]


def refusal(target: bytes) -> str | None:
    """Why a target is not served at all, None when it is. Fit for a viewer to read.

    A dot segment, however it is spelled, may mean another path to the next reader of the request than it means to us:
    browsers resolve them before they ask, so who sends one is not browsing.
    """
    path, query = split(target)
    if query is not None and not _QUERY.fullmatch(query):
        return "The query holds a byte that must be percent-encoded."
    if _PLAIN.fullmatch(path) and path.startswith(b"/"):
        return None
    return _slow_refusal(path)


def _slow_refusal(path: bytes) -> str | None:
    if not path.startswith(b"/"):
        return "The request target is not a path."
    if not re.fullmatch(rb"[\x21-\x7e]*", path) or b"#" in path:
        return "The path holds a byte that must be percent-encoded."
    if b"\\" in path or re.search(rb"(?i)%5c", path):
        return "The path holds a backslash."
    if _ESCAPE.search(path):
        return "The path holds a broken or a zero escape."
    if _OVERLONG.search(path):
        return "The path holds an escape that is no UTF-8."
    if _DOT_SEGMENT.search(_SPELLED.sub(lambda match: bytes([int(match[1], 16)]), path)):
        return "The path holds a dot segment."
    return None


def strip(target: bytes, prefix: bytes) -> bytes:
    """A target below a mount as its application knows it. `prefix` is b"" or a segment-bounded beginning of it."""
    rest = target[len(prefix) :]
    return rest if rest.startswith(b"/") else b"/" + rest


def lacks_slash(path: bytes, prefix: bytes) -> bool:
    """Relative links of a page at "/hotels" would leave the mount; it lives at "/hotels/"."""
    return path == prefix and prefix != b""
