"""Teams come and go while the portal runs: good manifests at once, bad ones not at all and with every reason."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.live.portal import HEADLINES, Crew, Portal, gateway_for, registered, soon

OFFER = "Only tonight"
BAD = """\
team: deals
upstreams:
  deals:
    origins: ["ftp://127.0.0.1:1"]
    timeout: soon
mounts:
  /Deals/: { upstream: dealz, compose: true }
fragments:
  deals.tonight:
    upstream: deals
    path: fragments/tonight
    isolation: strict
"""
PROBLEMS = {
    (4, "upstreams.deals.origins.0"),
    (5, "upstreams.deals.timeout"),
    (7, "mounts./Deals/"),
    (7, "mounts./Deals/.upstream"),
    (7, "mounts./Deals/.compose"),
    (11, "fragments.deals.tonight.path"),
    (12, "fragments.deals.tonight.isolation"),
}


@pytest.fixture(scope="module")
def running_portal(crew: Crew, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with gateway_for(tmp_path_factory.mktemp("registering"), registered(crew)) as portal:
        yield portal


@pytest.fixture
def portal(crew: Crew, running_portal: Portal) -> Iterator[Portal]:
    """A portal on which nobody has registered, whatever the test before did."""
    portal = running_portal
    assert OFFER not in portal.home()
    yield portal
    httpx.delete(f"{portal.admin}/api/teams/deals/manifest", headers=operator(portal))
    portal.manifest("deals").unlink(missing_ok=True)
    portal.declare("hotels", crew.manifest("hotels"))
    soon(lambda: OFFER not in portal.home() and portal.get("/hotels/").status_code == 200, 5)


def register(crew: Crew, portal: Portal) -> subprocess.CompletedProcess[str]:
    file = portal.folder / "new-team.yaml"
    file.write_text(crew.manifest("deals"))
    return portal.portico("register", str(file))


def told(said: str, file: Path) -> set[tuple[int, str]]:
    """Line and path of every problem that was printed, each of which has a hint below it."""
    found = re.findall(rf"^{re.escape(str(file))}:(\d+):\d+  (\S+)  \S.*(?:\n +.*)*\n +hint: \S", said, re.M)
    return {(int(line), path) for line, path in found}


def test_a_fragment_nobody_knew_is_shown_within_a_second(crew: Crew, portal: Portal) -> None:
    assert OFFER not in portal.home()
    pid = portal.child.pid
    done = register(crew, portal)
    assert done.returncode == 0, done.stdout + done.stderr
    soon(lambda: OFFER in portal.home())
    home = portal.home()
    assert 'href="/deals/offer/1"' in home and "appear here as soon as there are any" not in home
    assert portal.get("/deals/").status_code == 200
    assert portal.child.pid == pid and portal.child.running


def test_withdrawn_it_is_gone_within_a_second(crew: Crew, portal: Portal) -> None:
    register(crew, portal)
    soon(lambda: OFFER in portal.home())
    done = portal.portico("withdraw", "deals")
    assert done.returncode == 0, done.stdout + done.stderr
    soon(lambda: OFFER not in portal.home())
    assert portal.get("/deals/").status_code == 404


def test_a_registration_outlives_a_restart(crew: Crew, tmp_path: Path) -> None:
    with gateway_for(tmp_path, registered(crew)) as before:
        assert register(crew, before).returncode == 0
    with gateway_for(tmp_path, registered(crew)) as after:
        assert OFFER in after.home()


def test_a_manifest_file_that_appears_is_followed(crew: Crew, portal: Portal) -> None:
    portal.declare("deals", crew.manifest("deals"))
    soon(lambda: OFFER in portal.home())
    portal.manifest("deals").unlink()
    soon(lambda: OFFER not in portal.home())


def test_a_bad_manifest_is_refused_with_every_problem(crew: Crew, portal: Portal, tmp_path: Path) -> None:
    before = portal.home()
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    done = portal.portico("register", str(file))
    assert done.returncode == 1
    assert told(done.stdout + done.stderr, file) == PROBLEMS
    assert portal.home() == before
    assert portal.get("/deals/").status_code == 404
    assert "deals.tonight" not in httpx.get(f"{portal.admin}/api/table", headers=operator(portal)).text


@pytest.mark.parametrize("verb", ["register", "check"])
def test_a_program_is_told_line_path_and_hint(portal: Portal, tmp_path: Path, verb: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    done = portal.portico(verb, str(file), "--json")
    assert done.returncode == 1
    problems = json.loads(done.stdout)["problems"]
    assert {(problem["line"], problem["path"]) for problem in problems} == PROBLEMS
    assert all(problem["message"] and problem["hint"] for problem in problems)


def test_what_another_team_owns_is_refused(crew: Crew, portal: Portal, tmp_path: Path) -> None:
    file = tmp_path / "greedy.yaml"
    file.write_text(crew.manifest("deals").replace("  /deals:", "  /hotels:"))
    done = portal.portico("register", str(file))
    assert done.returncode == 1
    assert "hotels" in done.stdout + done.stderr
    assert "Stays by the water" in portal.get("/hotels/").text


def test_a_file_that_turns_bad_leaves_its_last_good_manifest(crew: Crew, portal: Portal) -> None:
    portal.declare("hotels", crew.manifest("hotels").replace("timeout: 2s", "timeout: soon"))
    soon(lambda: "the last good one stays" in portal.child.output)
    assert portal.get("/hotels/").status_code == 200
    assert 'class="hotels-deals"' in portal.home()
    portal.declare("hotels", crew.manifest("hotels").replace("/hotels: {", "/stays: {"))
    soon(lambda: portal.get("/stays/").status_code == 200)


def test_without_a_token_nothing_is_registered(crew: Crew, portal: Portal) -> None:
    answer = httpx.put(f"{portal.admin}/api/teams/deals/manifest", content=crew.manifest("deals"))
    assert answer.status_code == 401
    assert OFFER not in portal.home()


def test_the_start_page_lists_what_is_registered(crew: Crew, portal: Portal) -> None:
    register(crew, portal)
    page = httpx.get(f"{portal.admin}/", headers=operator(portal)).text
    assert not [name for name in (*HEADLINES, "shell.header", "/hotels", "/deals") if name not in page]


def operator(portal: Portal) -> dict[str, str]:
    return {"Authorization": f"Bearer {(portal.state / 'admin.token').read_text().strip()}"}
