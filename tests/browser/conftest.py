"""The demo's portal for what a browser does with it."""

from collections.abc import Iterator

import pytest

from tests.live.portal import Crew, Portal, crew_of_demo, gateway_for, registered


@pytest.fixture(scope="session")
def crew() -> Iterator[Crew]:
    with crew_of_demo() as crew:
        yield crew


@pytest.fixture(scope="module")
def portal(crew: Crew, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with gateway_for(tmp_path_factory.mktemp("browser"), registered(crew)) as portal:
        yield portal
