"""Switching protocols: which wish of a viewer is passed on, and whether a 101 is the answer to it.

RFC 9110 section 7.8, RFC 6455 section 4. Only WebSocket is spoken through us: with `h2c` a viewer would speak to an
origin past every rule of this house.
"""

import base64
import hashlib
import re

from gateway.message import Fields, Head, Request, first, joined

WEBSOCKET = b"websocket"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")  # sixteen bytes in base64


def wished(request: Request) -> bytes:
    """The protocol this request is passed on for; empty when it wishes for none, or for one that is ignored."""
    index = request.head.index
    plain = request.method == b"GET" and request.version == b"1.1" and request.body == b""
    if not plain or b"upgrade" not in index or _KEY.fullmatch(index.get(b"sec-websocket-key", b"")) is None:
        return b""
    fields = request.head.fields
    if sum(name == b"sec-websocket-key" for name, _ in fields) > 1 or b"upgrade" not in _members(fields, b"connection"):
        return b""
    return WEBSOCKET if WEBSOCKET in _members(fields, b"upgrade") else b""


def doubt(asked: Head, answered: Head) -> str | None:
    """Why a 101 is no answer to this handshake. Who did not see the key cannot know what to accept it with."""
    if _members(answered.fields, b"upgrade") != [WEBSOCKET]:
        return "switched to a protocol nobody wished for"
    accepted = [value.strip() for name, value in answered.fields if name == b"sec-websocket-accept"]
    if accepted != [accept(first(asked.fields, b"sec-websocket-key") or b"")]:
        return "accepted another WebSocket handshake than the viewer's"
    return None


def accept(key: bytes) -> bytes:
    """What proves that a handshake was understood (RFC 6455 section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())


def _members(fields: Fields, name: bytes) -> list[bytes]:
    return [member.strip().lower() for member in joined(fields, name).split(b",") if member.strip()]
