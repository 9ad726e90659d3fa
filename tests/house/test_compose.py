"""compose.yaml and the Dockerfiles hold to the house's rules, and are the portal that ./dev demo shows."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

from tests.house.tree import ROOT

DEMO = ROOT / "demo_teams"
# nginx and the images of Redis drop to a user of their own after start.
DROPS_BY_ITSELF = {"nginx"}


class Strict(BaseModel):
    """Only what we use of the Compose specification, so that a misspelt key fails here and not at a reader's."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Build(Strict):
    context: str
    target: str | None = None
    network: Literal["host"] | None = None


class Health(Strict):
    test: list[str] = Field(min_length=2)
    interval: str = Field(pattern=r"^\d+s$")
    timeout: str = Field(pattern=r"^\d+s$")
    retries: int
    start_period: str | None = Field(None, pattern=r"^\d+s$")


class Need(Strict):
    condition: Literal["service_healthy"]


class Service(Strict):
    profiles: list[str] = []
    build: Build | None = None
    image: str | None = None
    command: list[str] = []
    environment: dict[str, str] = {}
    ports: list[str] = []
    volumes: list[str] = []
    tmpfs: list[str] = []
    depends_on: dict[str, Need] = {}
    healthcheck: Health
    restart: Literal["unless-stopped"]
    init: bool = False
    read_only: bool = False
    cap_drop: list[str] = []
    security_opt: list[str] = []


class Compose(Strict):
    name: str
    services: dict[str, Service]
    volumes: dict[str, None]


def loaded(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text())


COMPOSE = Compose.model_validate(loaded(ROOT / "compose.yaml"))
SERVICES = COMPOSE.services
BUILT = {name: service.build for name, service in SERVICES.items() if service.build}
TEAMS = set(SERVICES) - {"gateway", "redis"}
REGISTERED = {name for name in TEAMS if not SERVICES[name].profiles}


def dockerfile(name: str) -> Path:
    build = BUILT[name]
    assert build
    return ROOT / build.context / "Dockerfile"


@cache
def lines(path: Path) -> list[tuple[str, str]]:
    """Each instruction of a Dockerfile with its words, continued lines joined."""
    text = re.sub(r"\\\n", " ", path.read_text())
    pairs = (line.strip().partition(" ") for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return [(word.upper(), rest.strip()) for word, _, rest in pairs]


def bases(path: Path) -> list[str]:
    """Images that a Dockerfile stands on, its own stages left out."""
    froms = [rest.split() for word, rest in lines(path) if word == "FROM"]
    stages = {words[2] for words in froms if len(words) == 3}
    return [words[0] for words in froms if words[0] not in stages]


def expanded(text: str) -> str:
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_built_or_pulled(name: str) -> None:
    assert (SERVICES[name].build is None) != (SERVICES[name].image is None)


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_needed_exists(name: str) -> None:
    assert set(SERVICES[name].depends_on) <= set(SERVICES)


def test_gateway_needs_no_team() -> None:
    assert set(SERVICES["gateway"].depends_on) == {"redis"}


@pytest.mark.parametrize("name", SERVICES)
def test_no_path_of_the_host(name: str) -> None:
    for volume in SERVICES[name].volumes:
        assert volume.partition(":")[0] in COMPOSE.volumes, f"{volume} is no named volume"


def test_published_ports_are_unique_and_the_control_plane_stays_at_home() -> None:
    published = [expanded(port) for service in SERVICES.values() for port in service.ports]
    hosts = [port.rpartition(":")[0].rpartition(":")[2] for port in published]
    assert len(hosts) == len(set(hosts))
    assert {name for name, service in SERVICES.items() if service.ports} == {"gateway"}
    assert [port for port in published if port.endswith(":8081")] == ["127.0.0.1:8081:8081"]


def test_every_variable_has_a_default() -> None:
    text = "\n".join(
        line for line in (ROOT / "compose.yaml").read_text().splitlines() if not line.lstrip().startswith("#")
    )
    assert not re.findall(r"(?<!\$)\$(?!\$)(?!\{\w+:-)[\w{]+", text)


@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if service.image])
def test_pulled_image_is_pinned(name: str) -> None:
    assert_pinned(expanded(SERVICES[name].image or ""))


@pytest.mark.parametrize("name", BUILT)
def test_base_images_are_pinned(name: str) -> None:
    assert bases(dockerfile(name))
    for image in bases(dockerfile(name)):
        assert_pinned(image)


def assert_pinned(image: str) -> None:
    _, _, tag = image.rpartition("/")[2].partition(":")
    assert tag and "latest" not in tag, f"{image} is whatever it happens to be on the day"


@pytest.mark.parametrize("name", BUILT)
def test_copied_files_exist(name: str) -> None:
    for word, rest in lines(dockerfile(name)):
        words = [part for part in rest.split() if not part.startswith("--chown")]
        if word == "COPY" and not words[0].startswith("--from"):
            for source in words[:-1]:
                assert list(dockerfile(name).parent.glob(source.rstrip("/"))), (
                    f"{name} copies {source}, which is not there"
                )


@pytest.mark.parametrize("name", BUILT)
def test_container_does_not_run_as_root(name: str) -> None:
    users = [rest for word, rest in lines(dockerfile(name)) if word == "USER"]
    if bases(dockerfile(name))[-1].partition(":")[0] not in DROPS_BY_ITSELF:
        assert users and users[-1] not in ("root", "0")


def test_named_stage_exists() -> None:
    stages = [rest.split()[2] for word, rest in lines(ROOT / "Dockerfile") if word == "FROM"]
    assert stages[-1] == BUILT["gateway"].target


def test_gateway_is_installed_from_the_locks() -> None:
    installs = " ".join(rest for word, rest in lines(ROOT / "Dockerfile") if word == "RUN")
    for lock in ("core", "build"):
        assert f"--require-hashes -r requirements/{lock}.lock" in installs
    assert "--no-deps --no-build-isolation" in installs


def test_builder_is_given_what_is_copied() -> None:
    """.dockerignore lets through each path that the gateway's Dockerfile copies."""
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for word, rest in lines(ROOT / "Dockerfile"):
        if word == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                parents = [source, *map(str, Path(source).parents)]
                assert any(Path(each).match(pattern) for each in parents for pattern in let_through), source


def test_teams_are_those_of_the_demo() -> None:
    """A team that is the reader's to register starts when asked for, and the gateway is not given its manifest."""
    teams = loaded(DEMO / "demo.yaml")["teams"]
    assert {team["name"] for team in teams} == TEAMS
    assert {team["name"] for team in teams if team["registered"]} == REGISTERED
    assert {path.parent.name for path in DEMO.glob("*/Dockerfile")} == TEAMS


@pytest.mark.parametrize("team", sorted(TEAMS))
def test_team_is_started_here_as_in_the_demo(team: str) -> None:
    (here,) = [each for each in loaded(DEMO / "demo.yaml")["teams"] if each["name"] == team]
    (port,) = exposed(team)
    assert here["origin"] == f"http://{team}:{port}"
    assert here["manifest"] == f"demo_teams/{team}/manifest.yaml"
    assert f"http://127.0.0.1:{port}{here['health']}" in " ".join(SERVICES[team].healthcheck.test)


def exposed(team: str) -> set[str]:
    return {rest for word, rest in lines(dockerfile(team)) if word == "EXPOSE"}


@pytest.mark.parametrize("team", sorted(TEAMS))
def test_gateway_is_given_the_manifests_of_registered_teams(team: str) -> None:
    assert loaded(DEMO / team / "manifest.yaml")["team"] == team
    copies = [rest.split() for word, rest in lines(ROOT / "Dockerfile") if word == "COPY"]
    given = [f"demo_teams/{team}/manifest.yaml", f"/etc/portico/teams/{team}.yaml"] in copies
    assert given == (team in REGISTERED)


@pytest.mark.parametrize("team", sorted(TEAMS))
def test_manifest_points_to_the_service_and_the_port_it_exposes(team: str) -> None:
    for upstream in loaded(DEMO / team / "manifest.yaml")["upstreams"].values():
        for origin in map(urlsplit, upstream["origins"]):
            assert origin.hostname == team
            assert {str(origin.port)} == exposed(team)
