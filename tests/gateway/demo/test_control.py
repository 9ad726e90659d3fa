"""The demo is told what to do by who knows its secret, and by nobody else."""

import asyncio
import json
import socket
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import gateway.demo.control as control
import gateway.demo.ports as ports
from gateway.demo.control import Running, Wish
from gateway.demo.crew import DemoError

WISH = {"verb": "kill", "team": "hotels", "seconds": 0, "secret": "s"}


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind((ports.HOST, 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_wish_is_heard_and_answered(tmp_path: Path) -> None:
    async def obey(wish: Wish) -> str:
        if wish.team != "hotels":
            raise DemoError("No such team.")
        return f"{wish.verb} {wish.team} {wish.seconds:g}"

    async def live() -> None:
        async with await control.listen("s", obey) as server:
            port = server.sockets[0].getsockname()[1]
            running = Running(1, "http://127.0.0.1:1", "http://127.0.0.1:2", port, "s", str(tmp_path))
            running.write()
            assert await asyncio.to_thread(control.ask, tmp_path, Wish("slow", "hotels", 3)) == "slow hotels 3"
            with pytest.raises(DemoError, match=r"No such team\."):
                await asyncio.to_thread(control.ask, tmp_path, Wish("kill", "pets"))
            with pytest.raises(DemoError, match="another demo's secret"):
                await asyncio.to_thread(control.tell, replace(running, secret="guess"), Wish("kill", "hotels"))

    asyncio.run(live())
    assert (tmp_path / control.RUNNING).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(b"", "not how the demo is asked", id="nothing"),
        pytest.param(b"[1]", "not how the demo is asked", id="other JSON"),
        pytest.param(json.dumps(WISH | {"seconds": "soon"}).encode(), "not how the demo is asked", id="no number"),
        pytest.param(json.dumps(WISH | {"secret": "guess"}).encode(), "another demo's secret", id="a guess"),
        pytest.param(json.dumps(WISH | {"secret": "é"}).encode(), "another demo's secret", id="an odd guess"),
        pytest.param(json.dumps(WISH | {"verb": "paint"}).encode(), "cannot 'paint'", id="an unknown verb"),
    ],
)
def test_what_is_no_wish_is_refused(line: bytes, message: str) -> None:
    with pytest.raises(DemoError, match=message):
        control.wished(line, "s")


def test_a_demo_that_does_not_answer_is_told() -> None:
    with pytest.raises(DemoError, match="Has it ended"):
        control.tell(Running(1, "", "", ports.free(), "s", "here"), Wish("kill", "hotels"))


def test_nobody_to_ask_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DemoError, match="No demo runs in this folder"):
        control.ask(None, Wish("kill", "hotels"))
    gone = Running(1, "http://127.0.0.1:1", "http://127.0.0.1:2", free_port, "s", str(tmp_path))
    (tmp_path / control.RUNNING).write_text(json.dumps(asdict(gone)))
    assert control.live(tmp_path) == []
    (tmp_path / control.RUNNING).write_text("{}")
    with pytest.raises(DemoError, match=f"No demo runs from {tmp_path}"):
        control.ask(tmp_path, Wish("kill", "hotels"))


def test_of_several_demos_one_must_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: int) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("demo-1", "demo-2"):
        place = tmp_path / ".portico" / name
        place.mkdir(parents=True)
        said = Running(1, "http://127.0.0.1:1", "http://127.0.0.1:2", listener, "s", str(place))
        (place / control.RUNNING).write_text(json.dumps(asdict(said)))
    with pytest.raises(DemoError, match=r"Several demos run here. Say which with --state: .*demo-1, .*demo-2"):
        control.ask(None, Wish("kill", "hotels"))
