"""A peer that is silent by right is asked by the kernel whether it is still there (RFC 9293 section 3.8.4)."""

import asyncio
import socket

# seconds of silence before the first probe, between probes, and probes unanswered until the peer counts as gone
IDLE, EVERY, COUNT = 30, 10, 3
_OPTIONS = (("TCP_KEEPIDLE", IDLE), ("TCP_KEEPINTVL", EVERY), ("TCP_KEEPCNT", COUNT))


def probe(transport: asyncio.Transport) -> None:
    """From now on; a dead peer's connection is lost within a minute, as if it had been reset."""
    peer = transport.get_extra_info("socket")
    if peer is None:
        return
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OPTIONS:
        if hasattr(socket, name):  # not every system has each of them
            peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
