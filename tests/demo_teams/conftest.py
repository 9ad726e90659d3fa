"""Every demo team, started once, and a viewer of one of them."""

import contextlib
from collections.abc import Iterator

import httpx
import pytest

from tests.demo_teams.origins import TEAMS, started


@pytest.fixture(scope="session")
def addresses() -> Iterator[dict[str, str]]:
    """Each team's own address, by name; all may be slowed."""
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(started(team.command, team.health, control=True)) for name, team in TEAMS.items()
        }


@pytest.fixture
def viewer(addresses: dict[str, str], team: str) -> Iterator[httpx.Client]:
    """A viewer of the origin of `team`, which the test is parametrised with."""
    with httpx.Client(base_url=addresses[team], timeout=5) as client:
        yield client
