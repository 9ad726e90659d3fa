"""Which Redis has a key: the only one, the master that Sentinels name, or a node of a cluster.

Questions go over connections of our own (`pipe`); redis-py's clients, for what is not in a hurry, are made here too.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Protocol

import hiredis
from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.client import PubSub
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import RedisError

from gateway.store.base import StoreError
from gateway.store.redis.address import Address, Login
from gateway.store.redis.node import PAUSE, Node
from gateway.store.redis.pipe import OPENING, PATIENCE, Heard, Pipe, Prefixes, Server, packed, said
from gateway.store.redis.pipe import opened as opened_pipe

CONNECTIONS = 128  # of one process; each serves one question at a time, in well below a millisecond
SLOTS = 16_384
AGAIN = 0.5  # seconds between two looks at where a cluster's slots are
_QUIET: dict[str, Any] = {"ignore_subscribe_messages": True}
_ELSEWHERE = ("READONLY", "MOVED", "ASK", "CLUSTERDOWN", "MASTERDOWN")  # said by who is no longer the one to ask


class Topology(Protocol):
    async def read(self, names: Sequence[bytes]) -> list[Any]:
        """What is under the names, in one round trip: bytes, None, or the StoreError of a server that is away."""
        ...

    async def ask(self, name: bytes, *questions: bytes) -> list[Any]:
        """Answers of the server that has this name, in one round trip; see `pipe.said`."""
        ...

    @property
    def answers(self) -> bool: ...

    @property
    def tracks(self) -> bool:
        """Whether every server in use tells what others change."""
        ...

    async def close(self) -> None: ...


def opened(address: Address, prefixes: Prefixes, heard: Heard) -> Topology:
    return Cluster(address, prefixes, heard) if address.kind == "cluster" else One(address, prefixes, heard)


class One:
    """A single server, or the master of one set that Sentinels watch."""

    def __init__(self, address: Address, prefixes: Prefixes, heard: Heard) -> None:
        self._sentinel = _sentinel(address) if address.kind == "sentinel" else None
        self._node = Node(str(address), partial(_place, address, self._sentinel), address.login, prefixes, heard)

    @property
    def answers(self) -> bool:
        return self._node.answers

    @property
    def tracks(self) -> bool:
        return self._node.pipe is not None and self._node.pipe.tracks

    async def read(self, names: Sequence[bytes]) -> list[Any]:
        pipe = self._node.pipe or await self._node.ready()
        found: list[Any] = said(await pipe.ask(packed(b"MGET", *names)))
        return found

    async def ask(self, name: bytes, *questions: bytes) -> list[Any]:
        pipe = self._node.pipe or await self._node.ready()
        answers = await _asked(pipe, questions)
        if self._sentinel is not None and _elsewhere(answers):
            self._node.leave("it is no master any more")
        return answers

    async def close(self) -> None:
        await self._node.close()
        if self._sentinel is not None:
            await asyncio.gather(*(each.aclose() for each in self._sentinel.sentinels))


class Cluster:
    """Slots as one of the nodes tells them; each node is asked over one connection, for all its slots at once."""

    def __init__(self, address: Address, prefixes: Prefixes, heard: Heard) -> None:
        self._address = address
        self._node = partial(Node, login=address.login, prefixes=prefixes, heard=heard)
        self._nodes: dict[Server, Node] = {}
        self._owners: Sequence[Server | None] = ()
        self._reason = ""
        self._looking: asyncio.Task[None] | None = None
        self._looked = -AGAIN

    @property
    def answers(self) -> bool:
        return not self._reason and all(node.answers for node in self._nodes.values())

    @property
    def tracks(self) -> bool:
        pipes = [node.pipe for node in self._nodes.values()]
        return bool(pipes) and all(pipe is not None and pipe.tracks for pipe in pipes)

    async def read(self, names: Sequence[bytes]) -> list[Any]:
        await self._known()
        places: dict[Node | None, list[int]] = {}
        for place, name in enumerate(names):
            places.setdefault(self._owner(name), []).append(place)
        answers = await asyncio.gather(*(self._got(node, [names[at] for at in of]) for node, of in places.items()))
        found: list[Any] = [None] * len(names)
        for of, values in zip(places.values(), answers, strict=True):
            for place, value in zip(of, values, strict=True):
                found[place] = value
        return found

    async def ask(self, name: bytes, *questions: bytes) -> list[Any]:
        await self._known()
        node = self._owner(name)
        if node is None:
            raise self._uncovered()
        return await self._asked(node, questions)

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await asyncio.gather(*(node.close() for node in self._nodes.values()))

    async def _got(self, node: Node | None, names: Sequence[bytes]) -> Sequence[Any]:
        """No MGET: its keys have to be of one slot. What a node that is away has is a failure each."""
        try:
            if node is None:
                raise self._uncovered()
            return await self._asked(node, [packed(b"GET", name) for name in names])
        except StoreError as error:
            return [error] * len(names)

    async def _asked(self, node: Node, questions: Sequence[bytes]) -> list[Any]:
        """Where a node is away, or says that it is not the one, the slots may be another's by now."""
        try:
            answers = await _asked(node.pipe or await node.ready(), questions)
        except StoreError:
            self._look()
            raise
        if _elsewhere(answers) or any(isinstance(answer, StoreError) for answer in answers):
            self._look()
        return answers

    async def _known(self) -> None:
        """Where the slots are is found out once, by the first who asks, who waits a moment for it."""
        if self._owners:
            return
        if not self._reason:
            self._look()
            assert self._looking is not None
            await asyncio.wait((self._looking,), timeout=PATIENCE)
        if not self._owners:
            self._reason = self._reason or "no answer in time"
            raise StoreError(f"No node of the Redis cluster at {self._address} answers: {self._reason}.")

    def _owner(self, name: bytes) -> Node | None:
        server = self._owners[key_slot(name)]
        if server is None:
            self._look()
            return None
        node = self._nodes.get(server)
        if node is None:
            node = self._nodes[server] = self._node(str(server), partial(_here, server))
        return node

    def _uncovered(self) -> StoreError:
        return StoreError(f"No node of the Redis cluster at {self._address} has this slot.")

    def _look(self) -> None:
        """One look at a time, and not without end: while a cluster changes, every answer points elsewhere."""
        if self._looking is None or self._looking.done():
            pause = max(0.0, self._looked + AGAIN - asyncio.get_running_loop().time())
            self._looking = asyncio.create_task(self._find_out(pause), name="look at redis cluster")

    async def _find_out(self, pause: float) -> None:
        while True:
            await asyncio.sleep(pause)
            self._looked = asyncio.get_running_loop().time()
            for server in dict.fromkeys([*self._nodes, *(Server(*host) for host in self._address.hosts)]):
                try:
                    self._owners = await self._slots(server)
                except (StoreError, ValueError, TypeError, IndexError) as error:
                    self._reason = str(error)
                else:
                    self._reason = ""
                    await self._forget_others()
                    return
            pause = PAUSE

    async def _slots(self, server: Server) -> Sequence[Server | None]:
        """Who has each slot, as this node sees it (CLUSTER SLOTS)."""
        pipe = await opened_pipe(server, self._address.login)
        try:
            rows = said(await pipe.ask(packed(b"CLUSTER", b"SLOTS")))
        finally:
            pipe.end("The slots are known.")
        owners: list[Server | None] = [None] * SLOTS
        for low, high, (host, port, *_), *_ in rows:
            # no host: the one that was asked, it does not know its own name
            owner = Server(host.decode() if host else server.host, int(port))
            owners[low : high + 1] = [owner] * (high + 1 - low)
        if len(owners) != SLOTS or not any(owners):
            raise ValueError(f"Redis at {server} is no cluster whose slots are given out")
        return owners

    async def _forget_others(self) -> None:
        """Nodes without a slot are tried no more."""
        gone = [self._nodes.pop(server) for server in self._nodes.keys() - set(self._owners)]
        await asyncio.gather(*(node.close() for node in gone))


async def _asked(pipe: Pipe, questions: Sequence[bytes]) -> list[Any]:
    return [await answer for answer in pipe.ask_all(questions)]


def _elsewhere(answers: Sequence[Any]) -> bool:
    return any(type(answer) is hiredis.ReplyError and str(answer).startswith(_ELSEWHERE) for answer in answers)


async def _place(address: Address, sentinel: Sentinel | None) -> Server:
    """Where to go now. Sentinels that do not know are as good as a server that does not answer."""
    if address.path:
        return Server(address.path)
    if sentinel is None:
        return Server(*address.hosts[0])
    with translated(str(address)):
        host, port = await sentinel.discover_master(address.master)
    return Server(str(host), int(port))


async def _here(server: Server) -> Server:
    return server


def client(address: Address, patience: float) -> Redis | RedisCluster:
    """redis-py's own, for what is rare. One try for every command: whether to try again is for the caller to say."""
    if address.kind == "cluster":
        return _cluster(address, patience)
    if address.kind == "sentinel":
        master: Redis = _sentinel(address).master_for(
            address.master, **_words(address.login, patience), max_connections=CONNECTIONS
        )
        return master
    where: dict[str, Any] = {"unix_socket_path": address.path}
    if not address.path:
        where = {"host": address.hosts[0][0], "port": address.hosts[0][1]}
    return Redis(**where, **_words(address.login, patience), max_connections=CONNECTIONS)


@asynccontextmanager
async def messages(client: Redis | RedisCluster, address: Address) -> AsyncIterator[PubSub]:
    """What is published. In a cluster every node hears it, so that any will do."""
    if isinstance(client, RedisCluster):
        with translated(str(address)):
            await client.initialize()
        node = client.get_random_node()
        words = _words(address.login, OPENING)
        async with Redis(host=node.host, port=int(node.port), **words) as one, one.pubsub(**_QUIET) as heard:
            yield heard
    else:
        async with client.pubsub(**_QUIET) as heard:
            yield heard


async def closed(client: Redis | RedisCluster) -> None:
    """With the clients of the Sentinels it asked."""
    await client.aclose()
    manager = getattr(getattr(client, "connection_pool", None), "sentinel_manager", None)
    if manager is not None:
        await asyncio.gather(*(each.aclose() for each in manager.sentinels))


def _sentinel(address: Address) -> Sentinel:
    return Sentinel(address.hosts, sentinel_kwargs=_words(address.sentinel, OPENING))  # type: ignore[no-untyped-call]


def _cluster(address: Address, patience: float) -> RedisCluster:
    nodes = [ClusterNode(host, port) for host, port in address.hosts]
    words = _words(address.login, patience)
    return RedisCluster(startup_nodes=nodes, require_full_coverage=False, **words)


def _words(login: Login, patience: float) -> dict[str, Any]:
    said: dict[str, Any] = {
        "username": login.username or None,
        "password": login.password or None,
        "db": login.db,
        "socket_connect_timeout": patience,
        "socket_timeout": patience,
        "retry": Retry(NoBackoff(), 0),
        "driver_info": None,
        "protocol": 2,
    }
    if login.tls is not None:
        said |= {"ssl": True, **login.tls}
        said["ssl_check_hostname"] = login.tls.get("ssl_check_hostname", "true").lower() not in ("false", "no", "0")
    return said


@contextmanager
def translated(name: str) -> Iterator[None]:
    """What redis-py raises, and what does not read as what it should, as StoreError."""
    try:
        yield
    except (RedisError, OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(f"Redis at {name} failed: {error or type(error).__name__}.") from error
