"""One line for each fact, and never more than one, whatever strangers sent."""

import asyncio
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.telemetry.log as log
from gateway.telemetry.facts import Degraded, Fact, Leaked, Noticed, Served
from gateway.telemetry.log import Log

pytestmark = pytest.mark.anyio


def served(
    method: bytes = b"GET", target: bytes = b"/hotels/x", error: str = "", mount: bytes | None = b"/hotels"
) -> Served:
    return Served(b"id7", 1_700_000_000.5, method, target, 200, 0.0123, "hotels", mount, b"portico; hit; ttl=5", error)


DEGRADED = Degraded("id7", 1_700_000_000.5, "pets.box", "pets", "timeout", "no whole answer within 1 s")
LEAKED = Leaked(1_700_000_000.5, b"/hotels", "hotels", b"/hotels/list", b"/api/rooms?x=\xe9", b"empty")
NOTICED = Noticed(1_700_000_000.5, "cache", "shared store away")


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        pytest.param(
            served(),
            {
                "fact": "served",
                "id": "id7",
                "at": 1_700_000_000.5,
                "method": "GET",
                "target": "/hotels/x",
                "status": 200,
                "seconds": 0.0123,
                "team": "hotels",
                "mount": "/hotels",
                "cache": "portico; hit; ttl=5",
                "error": "",
            },
            id="served",
        ),
        pytest.param(
            DEGRADED,
            {
                "fact": "degraded",
                "id": "id7",
                "at": 1_700_000_000.5,
                "fragment": "pets.box",
                "team": "pets",
                "outcome": "timeout",
                "why": "no whole answer within 1 s",
            },
            id="degraded",
        ),
        pytest.param(
            LEAKED,
            {
                "fact": "leaked",
                "at": 1_700_000_000.5,
                "team": "hotels",
                "mount": "/hotels",
                "page": "/hotels/list",
                "target": "/api/rooms?x=\xe9",
                "kind": "empty",
                "how": "rescue",
            },
            id="leaked",
        ),
        pytest.param(
            NOTICED,
            {"fact": "noticed", "at": 1_700_000_000.5, "room": "cache", "what": "shared store away"},
            id="noticed",
        ),
    ],
)
async def test_machines_read_json(fact: Fact, said: dict[str, object]) -> None:
    assert json.loads(log.for_machines(fact)) == said


@pytest.mark.parametrize(("mount", "said"), [(None, ""), (b"", "/"), (b"/hotels", "/hotels")])
async def test_a_mount_is_named_as_its_manifest_does(mount: bytes | None, said: str) -> None:
    assert json.loads(log.for_machines(served(mount=mount)))["mount"] == said


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        pytest.param(served(error="refused"), ["200", "GET /hotels/x", "12.3 ms", "hit", "refused"], id="served"),
        pytest.param(DEGRADED, ["pets.box", "pets", "timeout", "no whole answer"], id="degraded"),
        pytest.param(LEAKED, ["/hotels", "/api/rooms", "from /hotels/list", "rescue"], id="leaked"),
        pytest.param(NOTICED, ["cache", "shared store away"], id="noticed"),
    ],
)
async def test_people_read_columns(fact: Fact, words: list[str]) -> None:
    line = log.for_people(fact)
    assert "\n" not in line
    assert [word for word in words if word not in line] == []


@given(st.binary(max_size=20), st.binary(max_size=30), st.text(max_size=30))
def test_strangers_can_neither_forge_a_line_nor_move_the_cursor(method: bytes, target: bytes, error: str) -> None:
    fact = served(method, target, error)
    machine, people = log.for_machines(fact), log.for_people(fact)
    read = json.loads(machine)
    assert (read["method"], read["target"]) == (method.decode("latin-1"), target.decode("latin-1"))
    assert machine.isascii() and machine.isprintable()
    assert people.isprintable()


@given(st.binary(max_size=30), st.binary(max_size=30), st.binary(max_size=10))
def test_nor_by_what_leaks(page: bytes, target: bytes, kind: bytes) -> None:
    fact = Leaked(1.0, b"", "shell", page, target, kind)
    machine, people = log.for_machines(fact), log.for_people(fact)
    read = json.loads(machine)
    assert [read[name].encode("latin-1") for name in ("page", "target", "kind")] == [page, target, kind]
    assert machine.isascii() and machine.isprintable()
    assert people.isprintable()


@given(st.text(max_size=30), st.text(max_size=30))
def test_nor_by_what_fails(why: str, name: str) -> None:
    fact = Degraded("id", 1.0, name, "", "error", why)
    assert log.for_people(fact).isprintable()
    assert json.loads(log.for_machines(fact))["why"] == why


async def test_lines_are_written_together_a_moment_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "PAUSE", 0.01)
    out = io.StringIO()
    told = Log(out, people=False)
    for _ in range(3):
        told.tell(served())
    assert out.getvalue() == ""
    await asyncio.sleep(0.03)
    assert len(out.getvalue().splitlines()) == 3
    told.tell(NOTICED)
    told.flush()
    assert len(out.getvalue().splitlines()) == 4
    await asyncio.sleep(0.03)
    assert len(out.getvalue().splitlines()) == 4


async def test_nothing_told_is_nothing_written() -> None:
    out = io.StringIO()
    Log(out, people=True).flush()
    assert out.getvalue() == ""


async def test_what_is_too_much_is_counted_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MOST", 2)
    out = io.StringIO()
    told = Log(out, people=False)
    for _ in range(5):
        told.tell(served())
    told.flush()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["fact"] for line in lines] == ["served", "served", "noticed"]
    assert "3 facts not written" in lines[-1]["what"]
