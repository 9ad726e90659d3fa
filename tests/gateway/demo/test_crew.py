"""Who takes part: read from demo.yaml, placed on this machine, and started with what their commands need."""

import asyncio
from pathlib import Path

import pytest

import gateway.demo.crew as crew
import gateway.registry.check as check
from gateway.demo.crew import DemoError, Team

CREW = """
teams:
  - name: hotels
    command: ["{python}", app.py, --port, "{port}"]
    health: /healthz
    manifest: hotels.yaml
    origin: http://hotels:8000
  - name: deals
    command: ["{node}", deals.mjs]
    health: /
    manifest: deals.yaml
    origin: http://deals:8000
    registered: false
"""
HOTELS, DEALS = crew.teams(CREW)


def test_teams_come_in_their_order() -> None:
    assert Team("hotels", HOTELS.command, "/healthz", "hotels.yaml", "http://hotels:8000", True) == HOTELS
    assert (DEALS.name, DEALS.registered, DEALS.needs_node, HOTELS.needs_node) == ("deals", False, True, False)


def test_a_command_gets_its_port_twice_in_the_line_and_in_the_environment() -> None:
    command = HOTELS.ready(4711, "/bin/python", "/bin/node")
    assert command[0] == "env"
    assert {"HOST=127.0.0.1", "PORT=4711", "DEMO_CONTROL=1"} <= set(command)
    assert command[-4:] == ["/bin/python", "app.py", "--port", "4711"]
    assert DEALS.ready(1, "/bin/python", "/bin/node")[-2:] == ["/bin/node", "deals.mjs"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("teams: [", "cannot be read", id="no YAML"),
        pytest.param("teams: []", "It has no teams", id="nobody"),
        pytest.param("teams: [{name: a}]", "team 'a' has no 'command'", id="half a team"),
    ],
)
def test_a_broken_demo_yaml_is_told(text: str, message: str) -> None:
    with pytest.raises(DemoError, match=message):
        crew.teams(text)


def test_the_real_demo_yaml_names_manifests_that_are_fine_once_placed() -> None:
    everyone = crew.teams((crew.folder() / "demo.yaml").read_text())
    assert {"shell", "hotels", "pets", "cars"} <= {team.name for team in everyone if team.registered}
    assert any(not team.registered for team in everyone)
    for team in everyone:
        source = crew.folder().parent / team.manifest
        text = crew.placed(source.read_text(), {team.origin: "http://127.0.0.1:4711"}, source.parent)
        found = check.check(text)
        assert found.manifest is not None and not found.errors
        assert [found.manifest.team] == [team.name]
        assert "http://127.0.0.1:4711" in text


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        pytest.param("[http://hotels:8000]", "[http://127.0.0.1:1]", id="an origin"),
        pytest.param("http://hotels:8000/", "http://127.0.0.1:1/", id="with a slash"),
        pytest.param("http://hotels:80001", "http://hotels:80001", id="not a longer port"),
        pytest.param("# about http://pets:8000", "# about http://pets:8000", id="not another's"),
        pytest.param("[file:./dist]", "[file:/base/dist]", id="a folder"),
        pytest.param('"file:../x"', '"file:/x"', id="a folder above"),
        pytest.param("file:/dist", "file:/dist", id="an absolute folder stays"),
    ],
)
def test_a_manifest_is_placed(manifest: str, expected: str) -> None:
    assert crew.placed(manifest, {"http://hotels:8000": "http://127.0.0.1:1"}, Path("/base")) == expected


def test_node_is_found_and_is_new_enough() -> None:
    assert asyncio.run(crew.find_node())


def test_an_old_node_and_a_missing_one_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v18.20.0\n")
    old.chmod(0o755)
    monkeypatch.setattr(crew, "_nodes", lambda: iter([str(tmp_path / "gone"), str(old)]))
    assert asyncio.run(crew.find_node()) is None
