"""WebSockets through a mount: every byte, every end and every pace is the other side's own."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

import tests.kit.websocket as websocket
from tests.kit.memory import Growth
from tests.kit.queues import queued
from tests.kit.websocket import BINARY, CLOSE, DEFLATED, PING, PONG, TEXT, Ended, Frame, Refused, Server, Socket
from tests.live.portal import Portal, gateway_for, soon

MB = 1 << 20


def manifest(port: int) -> str:
    return f"""\
team: chat
upstreams:
  chat: {{ origins: ["http://127.0.0.1:{port}"], timeout: 2s }}
mounts:
  /chat: {{ upstream: chat }}
"""


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    with websocket.serving() as server:
        yield server


@pytest.fixture(scope="module")
def portal(served: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with gateway_for(tmp_path_factory.mktemp("upgrades"), {"chat": manifest(served.port)}) as portal:
        yield portal


@pytest.fixture
def server(served: Server) -> Iterator[Server]:
    """The chat, saying back what it hears until a test gives it another speech."""
    yield served
    served.speech, served.early, served.key = websocket.echoing, b"", None
    soon(lambda: len(served.over) == len(served.heads), 5)
    served.over.clear()
    served.heads.clear()


@pytest.fixture
def chat(portal: Portal, server: Server) -> str:
    return f"{portal.url}/chat/"


def test_the_origin_sees_its_own_handshake(portal: Portal, server: Server) -> None:
    told = (("Origin", portal.url), ("Sec-WebSocket-Protocol", "v2.chat, v1.chat"), ("Cookie", "a=1"))
    with websocket.opened(f"{portal.url}/chat/room?a=1&b", *told) as end:
        head = server.heads[-1]
        assert head.startswith("GET /room?a=1&b HTTP/1.1\r\n")
        assert websocket.field_of(head, "Host") == f"127.0.0.1:{server.port}"
        assert websocket.field_of(head, "Origin") == server.url
        assert websocket.field_of(head, "Connection") == "Upgrade"
        assert websocket.field_of(head, "Upgrade") == "websocket"
        assert websocket.field_of(head, "Sec-WebSocket-Protocol") == "v2.chat, v1.chat"
        assert websocket.field_of(end.head, "Sec-WebSocket-Protocol") == "v2.chat"
        assert websocket.field_of(end.head, "Content-Length") is None


def test_the_mount_itself_is_no_redirect_for_a_websocket(portal: Portal, server: Server) -> None:
    with websocket.opened(f"{portal.url}/chat"):
        assert server.heads[-1].startswith("GET / HTTP/1.1\r\n")


@pytest.mark.parametrize("size", [0, 125, 126, 65_536, MB])
def test_messages_pass_as_they_are(portal: Portal, server: Server, size: int) -> None:
    with websocket.opened(f"{portal.url}/chat/") as end:
        for opcode in (TEXT, BINARY):
            end.send(b"m" * size, opcode)
            assert end.receive() == Frame(0x80 | opcode, b"m" * size)
        end.send(b"in ", TEXT, flags=0)
        end.send(b"there?", PING)
        end.send(b"pieces", 0)
        assert [end.receive() for _ in range(3)] == [
            Frame(TEXT, b"in "), Frame(0x80 | PONG, b"there?"), Frame(0x80, b"pieces")
        ]  # fmt: skip


def test_a_deflated_message_passes_as_it_is(portal: Portal, server: Server) -> None:
    with websocket.opened(f"{portal.url}/chat/", ("Sec-WebSocket-Extensions", "permessage-deflate")) as end:
        assert "permessage-deflate" in (websocket.field_of(end.head, "Sec-WebSocket-Extensions") or "")
        packed = websocket.deflated(b"word " * 1000)
        end.send(packed, TEXT, flags=0x80 | DEFLATED)
        heard = end.receive()
        assert heard == Frame(0x80 | DEFLATED | TEXT, packed)
        assert websocket.inflated(heard.payload) == b"word " * 1000


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
def test_close_codes_from_the_viewer(portal: Portal, server: Server, code: int) -> None:
    with websocket.opened(f"{portal.url}/chat/") as end:
        end.close(code, "why")
        assert end.receive() == Frame(0x80 | CLOSE, code.to_bytes(2, "big") + b"why")
        with pytest.raises(Ended):
            end.receive()


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
def test_close_codes_from_the_origin(chat: str, server: Server, code: int) -> None:
    heard: list[int] = []

    def close(end: Socket) -> None:
        end.close(code, "why")
        heard.append(end.receive().code)

    server.speech = close
    with websocket.opened(chat) as end:
        assert end.receive().code == code
        end.close(code)
        with pytest.raises(Ended):
            end.receive()
        assert heard == [code]


def test_bytes_that_come_along_with_the_heads_are_not_lost(chat: str, server: Server) -> None:
    early = websocket.frame(b"welcome", TEXT)
    server.early = early
    ahead = websocket.frame(b"hello", TEXT, masks=True)
    with websocket.opened(chat, ahead=ahead) as end:
        assert [end.receive().payload, end.receive().payload] == [b"welcome", b"hello"]


def test_two_hundred_at_once(portal: Portal, server: Server) -> None:
    growth = Growth(portal.child.pid)
    growth.begin()
    with ExitStack() as stack:
        ends = [stack.enter_context(websocket.opened(f"{portal.url}/chat/{number}")) for number in range(200)]
        for number, end in enumerate(ends):
            end.send(b"%d" % number)
        assert [end.receive().payload for end in ends] == [b"%d" % number for number in range(200)]
        assert portal.get("/-/health/live").status_code == 200
        assert growth.most < len(ends) * 50_000


def test_an_origin_that_says_all_it_has_may_still_be_spoken_to(chat: str, server: Server) -> None:
    heard: list[bytes] = []

    def half(end: Socket) -> None:
        end.send(b"all I have")
        end.wire.shutdown(socket.SHUT_WR)
        heard.extend(frame.payload for frame in end.frames())

    server.speech = half
    with websocket.opened(chat) as end:
        assert end.receive().payload == b"all I have"
        with pytest.raises(Ended):
            end.receive()
        end.send(b"one more")
        end.wire.shutdown(socket.SHUT_WR)
        soon(lambda: b"one more" in heard)
        soon(lambda: len(server.over) == len(server.heads))


def test_a_viewer_that_says_all_it_has_may_still_be_spoken_to(chat: str, server: Server) -> None:
    def answer_at_the_end(end: Socket) -> None:
        said = [frame.payload for frame in end.frames()]
        end.send(b", ".join(said))

    server.speech = answer_at_the_end
    with websocket.opened(chat) as end:
        end.send(b"one")
        end.send(b"two")
        end.wire.shutdown(socket.SHUT_WR)
        assert end.receive().payload == b"one, two"
        with pytest.raises(Ended):
            end.receive()


def test_a_viewer_that_breaks_off_is_told_to_the_origin(chat: str, server: Server) -> None:
    with websocket.opened(chat) as end:
        end.wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.wire.close()
        soon(lambda: len(server.over) == len(server.heads))


def test_an_origin_that_is_killed_is_told_to_the_viewer(chat: str, server: Server) -> None:
    with websocket.opened(chat) as end:
        server.kill()
        began = time.monotonic()
        with pytest.raises(Ended):
            end.receive()
        assert time.monotonic() - began < 1


def test_an_origin_that_floods_a_stalled_viewer_waits(portal: Portal, chat: str, server: Server) -> None:
    sent = [0]
    block = websocket.frame(bytes(MB))

    def flood(end: Socket) -> None:
        for _ in range(200):
            end.wire.sendall(block)
            sent[0] += MB

    growth = Growth(portal.child.pid)
    growth.begin()
    server.speech = flood
    with websocket.opened(chat, room=64 << 10) as end:
        assert _held(sent, portal, server) < 2 * MB
        assert growth.most < 4 * MB
        assert sum(len(frame.payload) for frame in end.frames()) == 200 * MB
        assert growth.most < 20 * MB


def test_a_viewer_that_floods_a_stalled_origin_waits(portal: Portal, chat: str, server: Server) -> None:
    go, read = threading.Event(), [0]

    def stall(end: Socket) -> None:
        go.wait(20)
        for heard in end.frames():
            read[0] += len(heard.payload)

    growth = Growth(portal.child.pid)
    server.speech = stall
    with websocket.opened(chat) as end:
        growth.begin()
        sent = [0]

        def flood() -> None:
            for _ in range(100):
                end.send(bytes(MB))
                sent[0] += MB

        flooding = threading.Thread(target=flood, daemon=True)
        flooding.start()
        assert _held(sent, portal, server) < 2 * MB
        assert growth.most < 4 * MB
        go.set()
        flooding.join(20)
        soon(lambda: read[0] == 100 * MB, 10)


def _held(count: list[int], portal: Portal, server: Server) -> int:
    """What has got through once nothing moves any more, less what lies with the kernel."""
    last = -1
    while count[0] != last:
        last = count[0]
        time.sleep(1.0)
    return last - queued(int(portal.url.rpartition(":")[2]), server.port)


def test_another_answer_than_101_is_an_answer(portal: Portal) -> None:
    with pytest.raises(Refused, match="404 Not Found"):
        websocket.opened(f"{portal.url}/nowhere/")


def test_a_101_for_another_handshake_opens_nothing(chat: str, server: Server) -> None:
    server.key = b"another"
    with pytest.raises(Refused, match=r"(?s)502 Bad Gateway.*error=http_upgrade_failed"):
        websocket.opened(chat)


def test_a_gateway_that_leaves_ends_its_tunnels(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    with gateway_for(tmp_path_factory.mktemp("leaving"), {"chat": manifest(server.port)}) as portal:
        end = soon(lambda: websocket.opened(f"{portal.url}/chat/"), 5)
        with end:
            end.send(b"still there")
            assert end.receive().payload == b"still there"
            began = time.monotonic()
            portal.child.process.terminate()
            with pytest.raises(Ended):
                end.receive()
            portal.child.process.wait(5)
            assert time.monotonic() - began < 3
