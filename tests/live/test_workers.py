"""Several processes, one portal: each serves, each knows what was registered, and all of them end together."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.kit.origin import Answer, Seen, serving
from tests.live.portal import Crew, Portal, gateway_for, registered, soon

OFFER = "Only tonight"


@pytest.fixture
def portal(crew: Crew, tmp_path: Path) -> Iterator[Portal]:
    with gateway_for(tmp_path, registered(crew), workers=2) as portal:
        yield portal


@pytest.fixture(scope="module")
def steady(crew: Crew, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """One for the tests that end no process of it. What they register or move does not meet."""
    with gateway_for(tmp_path_factory.mktemp("workers"), registered(crew), workers=2) as portal:
        yield portal


def settled(count: Callable[[], int]) -> int:
    """A count of lines that somebody still reads out of a pipe, once it stays."""
    last = -1
    while (now := count()) != last:
        last = now
        time.sleep(0.3)
    return now


def family(portal: Portal) -> list[int]:
    """The gateway's processes: all of its session (sixth field of /proc/[pid]/stat, proc(5)) that are not ended."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, session = entry.read_text().rpartition(")")[2].split()[:4]
            if int(session) == portal.child.pid and state not in "ZX":
                found.append(int(entry.parent.name))
    return sorted(found)


def workers(portal: Portal) -> list[int]:
    """Those that serve: started by the gateway, not its bookkeeper for shared memory."""
    return [pid for pid in family(portal) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@contextmanager
def alone(portal: Portal, worker: int) -> Iterator[None]:
    """Only this worker can answer."""
    others = [pid for pid in workers(portal) if pid != worker]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def test_each_worker_serves_the_whole_portal(steady: Portal) -> None:
    pids = workers(steady)
    assert len(pids) == 2
    for pid in pids:
        with alone(steady, pid):
            assert 'class="hotels-deals"' in steady.home()
            assert steady.get("/hotels/stay/1").status_code == 200
            assert steady.get("/-/health/ready").status_code == 200


def test_a_registration_is_seen_in_each_within_a_second(crew: Crew, steady: Portal) -> None:
    file = steady.folder / "new-team.yaml"
    file.write_text(crew.manifest("deals"))
    assert OFFER not in steady.home()
    done = steady.portico("register", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    soon(lambda: all(OFFER in steady.home() for _ in range(8)))
    for pid in workers(steady):
        with alone(steady, pid):
            assert OFFER in steady.home()


def test_a_purge_is_heard_by_each(crew: Crew, steady: Portal) -> None:
    for pid in workers(steady):
        with alone(steady, pid):
            steady.home()
            assert "hit" in steady.get("/").headers["server-timing"]
    asked = settled(lambda: crew.children["hotels"].output.count("GET /fragments/deals"))
    assert steady.portico("purge", "--team", "hotels").returncode == 0
    time.sleep(1)
    for pid in workers(steady):
        with alone(steady, pid):
            steady.home()
    assert settled(lambda: crew.children["hotels"].output.count("GET /fragments/deals")) == asked + 2


def test_a_changed_file_is_seen_in_each_within_a_second(crew: Crew, steady: Portal) -> None:
    steady.declare("hotels", crew.manifest("hotels").replace("/hotels: {", "/stays: {"))
    soon(lambda: all(steady.get("/stays/").status_code == 200 for _ in range(8)))
    for pid in workers(steady):
        with alone(steady, pid):
            assert steady.get("/stays/stay/1").status_code == 200


def test_a_worker_that_dies_is_replaced(portal: Portal) -> None:
    gone = workers(portal)[0]
    os.kill(gone, signal.SIGKILL)
    for _ in range(20):
        assert portal.get("/about/").status_code == 200
    new = soon(lambda: [pid for pid in workers(portal) if pid != gone][1:], 10)
    soon(lambda: portal.get("/-/health/ready").status_code == 200)
    with alone(portal, new[-1]):
        soon(lambda: 'class="hotels-deals"' in portal.home(), 10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_all_of_it(portal: Portal, number: signal.Signals) -> None:
    portal.home()
    assert len(family(portal)) >= 3
    portal.child.send(number)
    assert portal.child.wait(10) == 0
    assert family(portal) == []
    with pytest.raises(httpx.ConnectError):
        portal.get("/")
    assert "Traceback" not in portal.child.output


def test_ctrl_c_which_a_terminal_sends_to_all_ends_all_of_it(portal: Portal) -> None:
    os.killpg(portal.child.pid, signal.SIGINT)
    assert portal.child.wait(10) == 0
    assert family(portal) == []
    assert "Traceback" not in portal.child.output


def test_workers_do_not_outlive_a_parent_that_was_killed(portal: Portal) -> None:
    portal.child.send(signal.SIGKILL)
    portal.child.wait(5)
    soon(lambda: not family(portal), 5)


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_in_flight_is_finished(tmp_path: Path, count: int) -> None:
    def slow(seen: Seen) -> Answer:
        return Answer([b"be", 1.0, b"gun"], headers=[("Content-Type", "text/plain")])

    with serving(slow) as origin:
        manifest = f"""\
team: slow
upstreams:
  slow: {{ origins: ["{origin.url}"], timeout: 5s }}
mounts:
  /slow: {{ upstream: slow }}
"""
        with gateway_for(tmp_path, {"slow": manifest}, workers=count) as portal:
            with httpx.stream("GET", f"{portal.url}/slow/", timeout=10) as answer:
                parts = answer.iter_raw()
                said = next(parts)
                portal.child.send(signal.SIGTERM)
                said += b"".join(parts)
            assert said == b"begun"
            assert portal.child.wait(5) == 0
            assert family(portal) == []


def test_one_process_ends_as_quickly(crew: Crew, tmp_path: Path) -> None:
    with gateway_for(tmp_path, registered(crew)) as portal, httpx.Client() as visitor:
        assert visitor.get(f"{portal.url}/").status_code == 200  # and the connection stays open
        began = time.monotonic()
        portal.child.send(signal.SIGTERM)
        assert portal.child.wait(10) == 0
        assert time.monotonic() - began < 3
        assert family(portal) == []
