"""Children are waited for, heard, and ended."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Start
from tests.kit.ports import answers
from tests.kit.process import running

SLEEPER = "import time; print('ready 42', flush=True); time.sleep(60)"


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def state(pid: int) -> str:
    """Its letter of proc(5); "Z" also when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


def test_block_begins_when_the_line_was_said_and_ends_the_child() -> None:
    with running(sys.executable, "-c", SLEEPER, line=r"ready \d+") as child:
        assert child.wait_line(r"ready (\d+)")[1] == "42"
        assert child.running
    assert not child.running


def test_stubborn_child_and_its_children_are_killed() -> None:
    stubborn = (
        "import os, signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "c = subprocess.Popen([sys.executable, '-c', 'import signal, time; signal.signal(15, signal.SIG_IGN);"
        'print("child", flush=True); time.sleep(60)\']); print(c.pid, flush=True); time.sleep(60)'
    )
    with running(sys.executable, "-c", stubborn, line="child") as child:
        grandchild = int(child.wait_line(r"^(\d+)$")[1])
        assert alive(grandchild)
        child.end(patience=0.1)
    assert not child.running
    # who is killed is still running until the kernel gets round to it, and then somebody's zombie
    assert within(5, lambda: not alive(grandchild) or state(grandchild) == "Z")


def test_child_that_ends_early_fails_at_once_with_what_it_said(capsys: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises(AssertionError, match="ended before it said"),
        running(sys.executable, "-c", "print('no luck')", line="ready"),
    ):
        raise AssertionError("the block must not be entered")
    assert "no luck" in capsys.readouterr().out


def test_memory_counts_children_too(start: Start) -> None:
    hungry = (
        "import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', 'x = b\"x\" * (64 << 20);"
        'print("full", flush=True); input()\'], stdin=subprocess.PIPE); c.wait()'
    )
    child = start(sys.executable, "-c", hungry, line="full")
    assert child.memory > 64 << 20


def test_port_is_waited_for(start: Start, free_port: int) -> None:
    child = start(sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(free_port), port=free_port)
    assert answers(free_port)
    child.end()
    assert not answers(free_port)
