"""What the kernel holds of a connection: bytes handed over on one side and not yet taken on the other.

Buffers of sockets grow by themselves, on Linux today to 4 MiB for sending and 32 MiB for receiving (tcp(7), tcp_wmem
and tcp_rmem), the more the faster both ends are. What a process keeps is what it was sent, less what lies there.
"""

from pathlib import Path

LISTENING = "0A"  # a listener's queue counts connections, not bytes


def queued(*ports: int) -> int:
    """Bytes in the queues of all connections from and to these ports on IPv4 loopback (proc(5), /proc/net/tcp)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(
        int(size, 16)
        for _, local, remote, state, queues, *_ in rows
        if state != LISTENING and {_port(local), _port(remote)} & set(ports)
        for size in queues.split(":")
    )


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)
