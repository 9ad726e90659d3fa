"""What Linux counts of a process and all its children: processor time, memory, and who else used the core."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROC = Path("/proc")
TICK = 1e9 / os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """A process and all below it, by the parents that proc(5) tells: the fourth field, after a name of any letters."""
    children: dict[int, list[int]] = {}
    for entry in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def busy(root: int) -> int:
    """Nanoseconds on a processor, of every thread of the tree: the first figure of schedstat."""
    return sum(_nanoseconds(thread) for pid in tree(root) for thread in PROC.glob(f"{pid}/task/*/schedstat"))


def _nanoseconds(thread: Path) -> int:
    with suppress(OSError):
        return int(thread.read_text().split()[0])
    return 0


def children(root: int) -> list[int]:
    """Those of them that a process started itself."""
    return [pid for pid in tree(root)[1:] if _parent(pid) == root]


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    return 0


def memory(root: int) -> int:
    """Proportional set size of the tree in bytes: what is shared with others counts by share."""
    return sum(_proportional(PROC / str(pid) / "smaps_rollup") for pid in tree(root))


def _proportional(rollup: Path) -> int:
    with suppress(OSError):
        for line in rollup.read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def core_busy(core: int) -> float:
    """Nanoseconds that one core was not idle, by whomever, in steps of a clock tick; stolen time is in it."""
    for line in (PROC / "stat").read_text().splitlines():
        name, *fields = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _waiting, interrupts, soft, stolen, *_ = map(int, fields)
            return (user + nice + system + interrupts + soft + stolen) * TICK
    raise LookupError(f"There is no core {core} in {PROC / 'stat'}.")


def cores() -> tuple[int, int]:
    """The contender's core, and the one for load and origins; the same where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[1 % len(allowed)]


@contextmanager
def on(core: int) -> Iterator[None]:
    """What is started inside stays on this core: children inherit it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
