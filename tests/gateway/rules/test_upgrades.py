"""Which wish to switch protocols is passed on, and which 101 is believed."""

import pytest

import gateway.rules.upgrades as upgrades
from gateway.message import Fields, Head, Request, Stream

KEY = (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ==")
ACCEPT = (b"sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
UPGRADE = (b"upgrade", b"websocket")
CONNECTION = (b"connection", b"Upgrade")
WISH = [CONNECTION, UPGRADE, KEY]


@pytest.mark.parametrize(
    ("fields", "wished"),
    [
        pytest.param(WISH, b"websocket", id="a WebSocket"),
        pytest.param(
            [(b"connection", b"keep-alive, UPGRADE"), (b"upgrade", b"WebSocket"), KEY], b"websocket", id="case"
        ),
        pytest.param(
            [CONNECTION, (b"upgrade", b"h2c, websocket"), KEY], b"websocket", id="of several, the one we pass"
        ),
        pytest.param([CONNECTION, (b"upgrade", b"h2c"), KEY], b"", id="h2c never"),
        pytest.param([CONNECTION, (b"upgrade", b"TLS/1.3"), KEY], b"", id="TLS never"),
        pytest.param([CONNECTION, (b"upgrade", b"websocket-x"), KEY], b"", id="another name"),
        pytest.param([(b"connection", b"close"), UPGRADE, KEY], b"", id="not named by Connection"),
        pytest.param([UPGRADE, KEY], b"", id="no Connection"),
        pytest.param([CONNECTION, KEY], b"", id="no Upgrade"),
        pytest.param([CONNECTION, UPGRADE], b"", id="no key"),
        pytest.param([CONNECTION, UPGRADE, (b"sec-websocket-key", b"short")], b"", id="a key that is none"),
        pytest.param([*WISH, KEY], b"", id="two keys"),
    ],
)
def test_wished(fields: Fields, wished: bytes) -> None:
    assert upgrades.wished(Request(b"GET", b"/", fields)) == wished


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(Request(b"POST", b"/", WISH), id="another method"),
        pytest.param(Request(b"GET", b"/", WISH, version=b"1.0"), id="HTTP/1.0"),
        pytest.param(Request(b"GET", b"/", WISH, Stream()), id="a body"),
    ],
)
def test_not_wished(request_: Request) -> None:
    assert upgrades.wished(request_) == b""


@pytest.mark.parametrize(
    ("fields", "doubt"),
    [
        pytest.param([UPGRADE, ACCEPT], None, id="the answer of the standard"),
        pytest.param([(b"upgrade", b"WebSocket"), ACCEPT], None, id="case"),
        pytest.param([ACCEPT], "switched to a protocol nobody wished for", id="no Upgrade"),
        pytest.param([(b"upgrade", b"h2c"), ACCEPT], "switched to a protocol nobody wished for", id="another protocol"),
        pytest.param(
            [(b"upgrade", b"websocket, x"), ACCEPT], "switched to a protocol nobody wished for", id="two protocols"
        ),
        pytest.param([UPGRADE], "accepted another WebSocket handshake than the viewer's", id="no Accept"),
        pytest.param([UPGRADE, KEY, (b"sec-websocket-accept", KEY[1])],
                     "accepted another WebSocket handshake than the viewer's", id="a wrong Accept"),
        pytest.param([UPGRADE, ACCEPT, ACCEPT], "accepted another WebSocket handshake than the viewer's", id="two"),
    ],
)  # fmt: skip
def test_doubt(fields: Fields, doubt: str | None) -> None:
    assert upgrades.doubt(Head(WISH), Head(fields)) == doubt
