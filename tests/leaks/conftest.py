"""One gateway with the worst-case origin mounted below each of three prefixes, for all tests that judge answers."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

import tests.leaks.stage as stage
from tests.leaks.viewer import Viewer

PREFIXES = ("/hotels", "/a/b/c", "")


@pytest.fixture(scope="session")
def viewers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Viewer]]:
    with ExitStack() as life:
        yield life.enter_context(stage.mounted(tmp_path_factory.mktemp("leaks"), PREFIXES))


@pytest.fixture(params=PREFIXES, ids=lambda prefix: prefix or "/")
def viewer(viewers: dict[str, Viewer], request: pytest.FixtureRequest) -> Viewer:
    return viewers[request.param]
