"""A child on a leash speaks line by line, ends when told, and dies with the one who started it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import gateway.demo.leash as leash
from gateway.demo.leash import Child

HERE = Path(__file__).parent
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def run(script: str, then: Callable[[Child], Awaitable[None]]) -> tuple[Child, list[tuple[str, str]]]:
    said: list[tuple[str, str]] = []

    async def live() -> Child:
        child = Child("a", [sys.executable, "-u", "-c", script], HERE, lambda who, what: said.append((who, what)))
        await child.start()
        try:
            await then(child)
        finally:
            await child.end(0.3)
        return child

    return asyncio.run(live()), said


async def over(child: Child) -> None:
    assert child.process is not None
    await asyncio.wait_for(child.process.wait(), 10)


async def first_line(child: Child) -> None:
    async with asyncio.timeout(10):
        while not child.last:  # noqa: ASYNC110  it tells by its lines only
            await asyncio.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_what_it_says_is_told_line_by_line() -> None:
    child, said = run("import sys; print('one'); print('two', file=sys.stderr); print('three', end='')", over)
    assert said == [("a", "one"), ("a", "two"), ("a", "three")]
    assert (child.alive, child.code) == (False, 0)


def test_a_line_without_end_is_cut_rather_than_kept() -> None:
    _, said = run(f"print('x' * {3 * leash.LINE})", over)
    assert len(said) > 1
    assert "".join(what for _, what in said) == "x" * 3 * leash.LINE


def test_it_ends_when_asked() -> None:
    child, _ = run("import time; print('up'); time.sleep(60)", first_line)
    assert child.code == -signal.SIGTERM


def test_it_is_killed_when_it_does_not() -> None:
    child, _ = run(STUBBORN, first_line)
    assert child.code == -signal.SIGKILL


def test_its_own_children_end_with_it() -> None:
    script = (
        f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}], stdout=subprocess.PIPE);"
        "p.stdout.readline(); print(p.pid); p.wait()"
    )
    _, said = run(script, first_line)
    end = time.monotonic() + 5
    while not is_gone(int(said[0][1])):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_it_can_be_started_again() -> None:
    async def twice(child: Child) -> None:
        await over(child)
        await child.start()
        await over(child)

    _, said = run("print('up')", twice)
    assert said == [("a", "up"), ("a", "up")]


def test_a_program_that_is_not_there_is_told() -> None:
    said: list[str] = []

    async def live() -> int | None:
        child = Child("a", ["no-such-program-here"], HERE, lambda who, what: said.append(what))
        await child.start()
        await over(child)
        await child.end()
        return child.code

    assert asyncio.run(live()) == 1
    assert said == ["no-such-program-here cannot be run: No such file or directory"]


def test_a_child_that_was_never_started_ends() -> None:
    child = Child("a", [], HERE, lambda who, what: None)
    asyncio.run(child.end())
    assert repr(child) == "<Child a: ended None>"


def test_it_dies_with_the_one_who_started_it() -> None:
    script = (
        "import asyncio, sys; from pathlib import Path; from gateway.demo.leash import Child\n"
        f"child = Child('a', [sys.executable, '-u', '-c', {STUBBORN!r}], Path('.'),"
        " lambda who, what: print(child.process.pid, flush=True))\n"
        "async def live():\n    await child.start()\n    await asyncio.sleep(60)\n"
        "asyncio.run(live())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=HERE.parents[2]
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
    end = time.monotonic() + 3
    while not is_gone(pid):
        assert time.monotonic() < end
        time.sleep(0.02)
