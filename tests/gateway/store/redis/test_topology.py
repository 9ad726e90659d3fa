"""Which server is asked for what: slots of a cluster, nodes that are away, and a socket's path."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway.store.redis.topology as topology
from gateway.rules.leaks import Leak
from gateway.store.base import StoreError
from gateway.store.redis.address import Address, Login, read
from gateway.store.redis.ledger import RedisLedger
from gateway.store.redis.pipe import packed, said
from tests.kit.redis import RedisCluster, RedisServer, Watched

pytestmark = pytest.mark.anyio

NAMES = [b"name %d" % number for number in range(30)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    cluster = RedisCluster(tmp_path_factory.mktemp("cluster"))
    cluster.start()
    yield cluster
    cluster.stop()


async def test_every_node_is_asked_for_what_it_has(cluster: RedisCluster) -> None:
    opened = topology.opened(read(cluster.url), (), lambda push: None)
    await asyncio.gather(opened.read(NAMES), return_exceptions=True)
    await asyncio.sleep(0.2)
    for name in NAMES:
        assert [said(answer) for answer in await opened.ask(name, packed(b"SET", name, name))] == [b"OK"]
    assert await opened.read([*NAMES, b"none"]) == [*NAMES, None]
    sizes = [int(str(server.cli("DBSIZE"))) for server in cluster.servers[:3]]
    assert sum(sizes) == len(NAMES) and min(sizes) > 0
    assert opened.answers
    await opened.close()


async def test_what_a_lost_node_has_is_a_failure_each(cluster: RedisCluster) -> None:
    opened = topology.opened(read(cluster.url), (), lambda push: None)
    await asyncio.gather(opened.read(NAMES), return_exceptions=True)
    await asyncio.sleep(0.2)
    cluster.servers[2].freeze()
    try:
        found = await opened.read(NAMES)
        lost = [value for value in found if isinstance(value, StoreError)]
        assert 0 < len(lost) < len(NAMES)
    finally:
        cluster.servers[2].thaw()
        await opened.close()


async def test_a_server_that_is_no_cluster_is_told(fresh_redis: RedisServer) -> None:
    opened = topology.opened(Address("cluster", (("127.0.0.1", fresh_redis.port),), Login()), (), lambda push: None)
    with pytest.raises(StoreError, match="No node of the Redis cluster"):
        await opened.read(NAMES)
    await opened.close()


@pytest.mark.parametrize("kind", ["cluster", "watched", "socket"])
async def test_registrations_are_kept_by_each(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """What is published there is heard, too."""
    server: RedisServer | Watched | RedisCluster
    url = f"unix://{tmp_path}/redis.sock"
    if kind == "cluster":
        server = request.getfixturevalue("cluster")
    elif kind == "watched":
        server = Watched(tmp_path)
    else:
        server = RedisServer(tmp_path, "--unixsocket", f"{tmp_path}/redis.sock")
    if kind != "cluster":
        await asyncio.to_thread(server.start)
    ledger, other = (RedisLedger(url if kind == "socket" else server.url) for _ in range(2))
    try:
        numbers = other.watch()
        before = await anext(numbers)
        following = asyncio.ensure_future(anext(numbers))
        await asyncio.sleep(0.3)
        began = asyncio.get_running_loop().time()
        await ledger.put("hotels", "{}", 1.0, "operator")
        assert await asyncio.wait_for(following, 5) > before
        assert asyncio.get_running_loop().time() - began < 0.4  # by message, not by asking
        purge = await ledger.purge("tag", "rooms", 1.0)
        assert await other.purges(purge.number - 1) == [purge]
        assert [row.team for row in await other.manifests()] == ["hotels"]
        leak = Leak("hotels", "/hotels", "/x", "path", "said", "/", 1, 1000.0)
        await ledger.add_leaks([leak], 1000.0)
        assert await other.leaks(None, 1000.0) == [leak]
    finally:
        await ledger.close()
        await other.close()
        if kind != "cluster":
            server.stop()
