"""Ports on loopback: which are free, and which one to take."""

import socket
from collections.abc import Collection

from gateway.errors import GatewayError

HOST = "127.0.0.1"


class PortTaken(GatewayError):
    """Somebody else listens there; the message says what to do."""


def choose(wanted: int | None, usual: int, option: str, taken: Collection[int] = ()) -> int:
    """The port to listen on. One that was asked for must be free; the usual one gives way to the next that is."""
    if wanted is not None:
        if wanted in taken or not is_free(wanted):
            raise PortTaken(
                f"Port {wanted} of {HOST} is taken by another program. "
                f"Give another with {option}, or leave {option} away to have the next free one."
            )
        return wanted
    for port in range(usual, usual + 200):
        if port not in taken and is_free(port):
            return port
    raise PortTaken(f"No port from {usual} to {usual + 199} is free. Give one with {option}.")


def is_free(port: int) -> bool:
    """Whether one may listen there now. Connections of an earlier listener that linger do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free(taken: Collection[int] = ()) -> int:
    """Any free port that no outgoing connection is given: the kernel takes those from 32,768 on (Linux's default)."""
    for port in range(18_100, 32_768):
        if port not in taken and is_free(port):
            return port
    raise PortTaken("No port from 18100 to 32767 is free.")
