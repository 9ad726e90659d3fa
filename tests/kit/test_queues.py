import socket
import time

import pytest

from tests.kit.queues import queued


def test_what_nobody_takes_is_counted_once_and_no_longer_when_it_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as near, server.accept()[0] as far:
            assert queued(port) == 0
            near.sendall(bytes(10_000))
            time.sleep(0.3)  # until it is acknowledged: before that both ends hold it
            assert queued(port) == 10_000
            assert len(far.recv(10_000, socket.MSG_WAITALL)) == 10_000
            assert queued(port) == 0


@pytest.mark.parametrize("blocked", [True, False], ids=["a full socket", "a socket with room"])
def test_both_queues_of_a_connection_are_counted(blocked: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as near, server.accept()[0]:
            near.setblocking(False)
            sent = 0
            try:
                while sent < (1 << 30 if blocked else 50_000):
                    sent += near.send(bytes(50_000))
            except BlockingIOError:
                assert blocked
            time.sleep(0.5)
            assert queued(port) == sent
