"""Loopback ports: one that is free, and whether one answers."""

import socket
import time


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError:
        return False
    return True


def wait_for(port: int, timeout: float = 10.0) -> None:
    end = time.monotonic() + timeout
    while not answers(port):
        if time.monotonic() > end:
            raise TimeoutError(f"Nothing answers on 127.0.0.1:{port} after {timeout:g} s.")
        time.sleep(0.02)
