"""Our WebSocket against itself, and against the numbers in RFC 6455."""

import pytest

import tests.kit.websocket as websocket
from tests.kit.websocket import BINARY, CLOSE, PING, PONG, TEXT, Frame


def test_the_accept_of_the_standard() -> None:
    assert websocket.accept(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 1 << 20])
def test_an_echo_of_every_length(size: int) -> None:
    with websocket.serving() as server, websocket.opened(f"{server.url}/x") as end:
        end.send(bytes(size))
        assert end.receive() == Frame(0x80 | BINARY, bytes(size))
        end.send(b"?", PING)
        assert end.receive() == Frame(0x80 | PONG, b"?")
        end.close(1000, "done")
        assert end.receive() == Frame(0x80 | CLOSE, b"\x03\xe8done")


def test_the_frames_of_the_standard() -> None:
    assert websocket.frame(b"Hello", TEXT) == bytes.fromhex("810548656c6c6f")
    assert websocket.masked(b"Hello", bytes.fromhex("37fa213d")) == bytes.fromhex("7f9f4d5158")


def test_a_deflated_message() -> None:
    assert websocket.inflated(bytes.fromhex("f248cdc9c90700")) == b"Hello"  # RFC 7692 section 7.2.3.1
    assert websocket.inflated(websocket.deflated(b"Hello" * 100)) == b"Hello" * 100
