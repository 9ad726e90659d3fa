"""Loopback ports: one that stays free until somebody listens there, and whether one answers.

A port the kernel chose (bind to 0, close) is of the kind it gives outgoing connections as well, and any of them may
take it before the child that was told of it listens. So ours lie outside that range (ip(7), ip_local_port_range):
whoever binds there was told to. Each test process has a block of its own.
"""

import atexit
import itertools
import os
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST = 20_000  # above what people let servers listen on, and what Chromium calls unsafe
_LAST = 65_535
_BLOCK = 400  # more than a test process has listeners at any moment, thirty times below Linux's usual 32768


def free_port() -> int:
    """One that nobody listens on, that no outgoing connection gets, and that no other test process hands out."""
    ring = _ring(os.getpid())
    return next(port for port in itertools.islice(ring, _BLOCK) if _is_free(port))


@cache
def _ring(process: int) -> Iterator[int]:
    """This process's ports, round and round, so that one comes back as late as can be."""
    return itertools.cycle(next(block for block in _blocks() if _hold(block)))


def _blocks() -> Iterator[range]:
    low, high = map(int, _OUTGOING.read_text().split())
    for first, last in ((_FIRST, low - 1), (max(high + 1, _FIRST), _LAST)):
        for start in range(first, last - _BLOCK + 2, _BLOCK):
            yield range(start, start + _BLOCK)
    raise RuntimeError(f"Every port from {_FIRST} is an outgoing one here ({low} to {high}), or held by other tests.")


def _hold(block: range) -> bool:
    """Whether no other process has it. An abstract name (unix(7)) is free again the moment its holder ends."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0portico tests, ports from {block.start}")
    except OSError:
        name.close()
        return False
    atexit.register(name.close)
    return True


def _is_free(port: int) -> bool:
    """As servers see it: connections of an earlier listener that linger do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError:
        return False
    return True
