"""One child process on a leash: its own process group, its output line by line, and a sure end.

On Linux the kernel itself kills it when this process dies, however that happens.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 1.8  # seconds to end by itself, then it is killed: all that hang on us are gone within three
LINE = 8192  # longer lines of a log are cut into pieces

# Runs before each command: asks Linux for SIGKILL at the parent's death (1 is PR_SET_PDEATHSIG), then becomes it.
LEASH = (
    "import ctypes, os, signal, sys\n"
    "ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)\n"
    "if os.getppid() != int(sys.argv[1]): sys.exit('the demo has ended already')\n"
    "try: os.execvp(sys.argv[2], sys.argv[2:])\n"
    "except OSError as error: sys.exit(f'{sys.argv[2]} cannot be run: {error.strerror}')\n"
)

Say = Callable[[str, str], None]  # who, what


@dataclass(slots=True)
class Child:
    """A command on its leash, and its output, line by line, into the log."""

    name: str
    command: Sequence[str]
    cwd: Path
    say: Say
    last: list[str] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None
    reader: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Child {self.name}: {'alive' if self.alive else f'ended {self.code}'}>"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    @property
    def code(self) -> int | None:
        return self.process.returncode if self.process else None

    async def start(self) -> None:
        self.last.clear()
        self.process = await asyncio.create_subprocess_exec(
            *leashed(self.command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self.cwd,
            process_group=0,
        )
        assert self.process.stdout is not None
        self.reader = asyncio.create_task(self._read(self.process.stdout))

    async def end(self, patience: float = PATIENCE) -> None:
        """Asks the whole group to end, then insists; returns when the child is gone."""
        if self.process is None:
            return
        self._tell(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), patience)
        self._tell(signal.SIGKILL)
        await self.process.wait()
        if self.reader is not None:
            await asyncio.wait([self.reader], timeout=0.2)
            self.reader.cancel()

    def kill(self) -> None:
        self._tell(signal.SIGKILL)

    def _tell(self, number: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    async def _read(self, stream: asyncio.StreamReader) -> None:
        async for line in _lines(stream):
            self.last = [*self.last[-9:], line]
            self.say(self.name, line)


def leashed(command: Sequence[str]) -> list[str]:
    """The command as it is started: on Linux by a program that first ties it to this process, elsewhere as it is."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", "-c", LEASH, str(os.getpid()), *command]


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    rest = b""
    while some := await stream.read(LINE):
        *lines, rest = (rest + some).split(b"\n")
        if len(rest) > LINE:
            lines, rest = [*lines, rest], b""
        for line in lines:
            yield line.decode(errors="replace").rstrip()
    if rest:
        yield rest.decode(errors="replace").rstrip()
