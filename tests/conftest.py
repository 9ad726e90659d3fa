"""Fixtures for every test: what they hand out is real, is made once, and is surely gone at the end."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser

import tests.kit.browser
import tests.kit.ports
from tests.kit.origin import Answers, Origin, serving
from tests.kit.process import Child, running
from tests.kit.redis import RedisServer

# Examples are drawn anew at a desk and the same in CI; a busy machine is no finding.
settings.register_profile(
    "house", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")

# Nothing stands between loopback and loopback.
for _name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
    os.environ.pop(_name, None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the tests marked long: minutes, gigabytes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    items[:] = [item for item in items if not item.get_closest_marker("long")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def free_port() -> int:
    return tests.kit.ports.free_port()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Valkey on a free port for the whole session. A test that stops it starts it again."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def fresh_redis(redis_server: RedisServer) -> RedisServer:
    """The same, with nothing in it."""
    redis_server.flush()
    return redis_server


@pytest.fixture
def origin() -> Iterator[Callable[[Answers], Origin]]:
    """`origin(function)` listens until the test ends; any number of them."""
    with ExitStack() as life:
        yield lambda answer: life.enter_context(serving(answer))


class Start(Protocol):
    def __call__(
        self,
        *command: str,
        line: str | None = None,
        port: int | None = None,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 10.0,
    ) -> Child: ...


@pytest.fixture
def start() -> Iterator[Start]:
    """`start("command", …, line=…)` runs a child process until the test ends; as `tests.kit.process.running`."""
    with ExitStack() as life:
        yield lambda *command, **wait: life.enter_context(running(*command, **wait))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium for one test file, which then has no async test: while it lives, Playwright's synchronous face holds its
    thread's event loop."""
    with tests.kit.browser.launched(tests.kit.browser.find()) as launched:
        yield launched
