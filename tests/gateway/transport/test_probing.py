"""Probes are the kernel's; here it is only told to send them."""

import asyncio
import socket
from typing import Any

import gateway.transport.probing as probing


class Line(asyncio.Transport):
    def __init__(self, peer: socket.socket | None) -> None:
        super().__init__()
        self.peer = peer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.peer if name == "socket" else default


def test_a_silent_peer_is_probed_from_now_on() -> None:
    with socket.socket() as peer:
        probing.probe(Line(peer))
        assert peer.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == probing.IDLE
        assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == probing.EVERY
        assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == probing.COUNT


def test_what_has_no_socket_is_left_alone() -> None:
    probing.probe(Line(None))
