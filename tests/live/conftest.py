"""One crew of teams for all live tests, one gateway for each file that does not change it."""

from collections.abc import Iterator

import pytest

from tests.live.portal import Crew, Portal, crew_of_demo, gateway_for, registered


@pytest.fixture(scope="session")
def crew() -> Iterator[Crew]:
    """All demo teams, well. A test that takes one away brings it back."""
    with crew_of_demo() as crew:
        yield crew


@pytest.fixture(scope="module")
def portal(crew: Crew, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The demo's portal, shared by the tests of one file."""
    with gateway_for(tmp_path_factory.mktemp("portal"), registered(crew)) as portal:
        yield portal
