"""The demo as a newcomer runs it: what it prints works when copied, and nothing of it is left at the end."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.kit import ports
from tests.kit.process import Child, running

ROOT = Path(__file__).parents[2]
PORTICO = (sys.executable, "-m", "gateway")
READY = r"Ctrl-C ends everything"
PAGES = {"hotels": "/hotels/", "pets": "/pets/"}
HELD_UP = 0.55  # seconds: the timeout of the slot on the home page, and a little


@dataclass(frozen=True, slots=True)
class Demo:
    child: Child
    portal: str
    admin: str
    state: Path

    def get(self, path: str = "/") -> httpx.Response:
        return httpx.get(self.portal + path, trust_env=False, timeout=10)

    def offered(self) -> dict[str, list[str]]:
        """What it says to copy: a label, the command, and the command back. Called by this interpreter."""
        found: dict[str, list[str]] = {}
        for label, words in re.findall(
            r"^  (\S.*?|  and back) {2,}\S.*?((?:demo|register|withdraw) .*)$", self.said, re.M
        ):
            found.setdefault(label.strip(), []).append(words)
        ways = found.pop("and back")
        return {label: [there[0], back] for (label, there), back in zip(found.items(), ways, strict=True)}

    @property
    def said(self) -> str:
        return self.child.output

    def portico(self, *words: str) -> str:
        return copied(shlex.join([*words, "--admin", self.admin, "--state", str(self.state)]))


def copied(words: str, code: int = 0) -> str:
    command = [*PORTICO, *shlex.split(words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def soon(holds: Callable[[], bool], seconds: float = 1.0) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def least(demo: Demo) -> float:
    """How long home takes: the least of a few, since a busy machine only ever adds, and a late piece is kept."""
    return min(demo.get().elapsed.total_seconds() for _ in range(4))


def children(pid: int) -> list[int]:
    """All processes below one, at any depth."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    own = [int(word) for word in listed.read_text().split()] if listed.exists() else []
    return own + [grandchild for child in own for grandchild in children(child)]


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    state = tmp_path_factory.mktemp("demo") / "state"
    port, admin_port = ports.free_port(), ports.free_port()
    command = (*PORTICO, "demo", "--port", str(port), "--admin-port", str(admin_port), "--state", str(state))
    with running(*command, line=READY, cwd=ROOT, timeout=40) as child:
        yield Demo(child, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin_port}", state)


def test_it_says_where_everything_is(demo: Demo) -> None:
    assert re.search(rf"^  Portal +{demo.portal}/$", demo.said, re.M)
    assert re.search(rf"^  Registry +{demo.admin}/$", demo.said, re.M)
    token = re.search(r"^  its token +(\S+)$", demo.said, re.M)
    assert token is not None
    assert (ROOT / token[1]).stat().st_mode & 0o777 == 0o600


def test_it_offers_three_things_to_try(demo: Demo) -> None:
    assert list(demo.offered()) == ["kill a team", "slow a team", "register a fragment"]


def test_a_killed_team_leaves_the_home_page_and_comes_back(demo: Demo) -> None:
    there, back = demo.offered()["kill a team"]
    assert copied(there) == "hotels is killed.\n"
    home = demo.get()
    assert home.status_code == 200
    assert least(demo) < HELD_UP
    assert demo.get("/hotels/").status_code == 502
    assert copied(back) == "hotels runs again.\n"
    assert soon(lambda: demo.get("/hotels/").status_code == 200)


def test_a_slow_team_does_not_slow_the_home_page(demo: Demo) -> None:
    there, back = demo.offered()["slow a team"]
    assert copied(there) == "pets answers 3 s later.\n"
    assert least(demo) < HELD_UP
    assert demo.get("/pets/").status_code == 504
    copied(back)
    assert soon(lambda: demo.get("/pets/").status_code == 200)


def test_a_registered_fragment_is_on_the_home_page_within_a_second(demo: Demo) -> None:
    there, back = demo.offered()["register a fragment"]
    assert "/deals/" not in demo.get().text
    assert "deals is registered" in copied(there)
    assert soon(lambda: "/deals/" in demo.get().text)
    assert "deals is withdrawn" in copied(back)
    assert soon(lambda: "/deals/" not in demo.get().text)


def test_verbs_find_the_running_gateway(demo: Demo) -> None:
    assert "hotels.deals" in demo.portico("routes")
    assert demo.portico("purge", "--team", "hotels") == "Answers of team hotels are forgotten.\n"
    token = demo.portico("token", "deals").strip()
    manifest = str(demo.state / "deals.yaml")
    assert copied(shlex.join(["check", manifest, "--admin", demo.admin, "--token", token])).startswith(manifest)
    assert copied(shlex.join(["withdraw", "hotels", "--admin", demo.admin, "--token", token]), code=4) == ""


def test_a_bad_manifest_changes_nothing(demo: Demo, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        "team: bad\nupstreams:\n  bad: { origins: ['http://127.0.0.1:1'] }\nmounts:\n  /hotels: { upstream: no }\n"
    )
    before = demo.portico("routes")
    said = copied(shlex.join(["register", str(bad), "--admin", demo.admin, "--state", str(demo.state)]), code=1)
    assert f"{bad}:5:3  mounts./hotels  Mount '/hotels' belongs to team 'hotels'." in said
    assert "which no manifest declares" in said
    assert demo.portico("routes") == before


def test_the_start_page_shows_the_teams(demo: Demo) -> None:
    page = httpx.get(demo.admin, trust_env=False)
    assert page.status_code == 200
    assert all(
        name in page.text for name in ("hotels.deals", "pets.adoptable", "cars.featured", f"{demo.portal}/cars/")
    )


def test_its_log_tells_who_speaks(demo: Demo) -> None:
    demo.get("/cars/")
    assert soon(lambda: bool(re.search(r"^ gateway │ \d\d:\d\d:\d\d 200 GET /cars/ ", demo.said, re.M)), 3)
    assert re.search(r"^  hotels │ ", demo.said, re.M)
    assert "\x1b" not in demo.said


def test_ctrl_c_ends_everything_within_three_seconds(demo: Demo) -> None:
    below = children(demo.child.pid)
    assert len(below) >= 6
    began = time.monotonic()
    demo.child.send(signal.SIGINT)
    assert demo.child.wait(5) == 0
    assert time.monotonic() - began < 3
    assert all(is_gone(pid) for pid in below)
    assert not (demo.state / "running.json").exists()


def test_smoke_walks_everything_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        port = ports.free_port()
        taken.bind(("127.0.0.1", port))
        taken.listen()
        words = ["demo", "--port", str(port), "--smoke"]
        refused = subprocess.run([*PORTICO, *words], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert refused.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken by another program." in refused.stderr
    words += ["--admin-port", str(ports.free_port()), "--state", str(tmp_path / "state")]
    done = subprocess.run([*PORTICO, *words], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    walked = re.search(r"walked (\d+) addresses: (\d+) answered 200, 0 did not", done.stdout)
    assert walked is not None and int(walked[1]) > 50
    held = re.search(r"the home page holds \d+ pieces: (.*)", done.stdout)
    assert held is not None and {"hotels.deals", "pets.adoptable", "cars.featured"} <= set(held[1].split(", "))


def test_nothing_outlives_a_demo_that_is_killed(tmp_path: Path) -> None:
    words = ["demo", "--port", str(ports.free_port()), "--admin-port", str(ports.free_port())]
    with running(
        *PORTICO, *words, "--state", str(tmp_path / "state"), "--json", cwd=ROOT, line=r"^\{.*\}$", timeout=40
    ) as child:
        told = json.loads(child.wait_line(r"^\{.*\}$")[0])
        assert told["portal"] == f"http://127.0.0.1:{words[2]}"
        assert "secret" not in told
        below = children(child.pid)
        assert len(below) >= 6
        os.kill(child.pid, signal.SIGKILL)
        assert soon(lambda: all(is_gone(pid) for pid in below), 3)
