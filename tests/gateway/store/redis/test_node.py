"""A server that is away is waited for once, then never; it is found again where it is then."""

import asyncio
import time

import pytest

import gateway.store.redis.node as node_of
from gateway.store.base import StoreError
from gateway.store.redis.address import Login
from gateway.store.redis.node import Node
from gateway.store.redis.pipe import PATIENCE, PING, Server
from tests.kit.redis import RedisServer

pytestmark = pytest.mark.anyio


async def test_it_is_looked_for_where_it_is_now(fresh_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_of, "PAUSE", 0.15)
    places = [Server("127.0.0.1", 1), Server("127.0.0.1", 1), Server("127.0.0.1", fresh_redis.port)]

    async def find() -> Server:
        return places.pop(0)

    node = Node("redis", find, Login(), (), lambda push: None)
    with pytest.raises(StoreError, match="is tried every"):
        await node.ask(PING)
    assert not node.answers and "does not answer: it cannot be opened" in repr(node)
    for _ in range(100):
        await asyncio.sleep(0 if node.answers else 0.02)
    assert await node.ask(PING) == b"PONG"
    assert repr(node) == "<Node redis, answers>"
    await node.close()
    assert places == []


async def test_the_first_waits_a_moment_and_the_others_not_at_all() -> None:
    async def find() -> Server:
        await asyncio.sleep(60)
        raise AssertionError

    node = Node("redis", find, Login(), (), lambda push: None)
    took = []
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(StoreError, match="no answer in time"):
            await node.ask(PING)
        took.append(time.monotonic() - began)
    assert took[0] >= PATIENCE > max(took[1:])
    await node.close()


async def test_a_connection_that_was_closed_is_opened_again_at_once(fresh_redis: RedisServer) -> None:
    async def find() -> Server:
        return Server("127.0.0.1", fresh_redis.port)

    node = Node("redis", find, Login(), (), lambda push: None)
    assert await node.ask(PING) == b"PONG"
    fresh_redis.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await asyncio.sleep(0.2)
    assert await node.ask(PING) == b"PONG"
    await node.close()
