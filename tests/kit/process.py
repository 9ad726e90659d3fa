"""Child processes: started, waited for, surely ended with all their children; what they said is shown on failure."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.kit import ports


class Child:
    """One running command; its standard output and error, as text, in the order they came."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], cwd: Path | None) -> None:
        self.command = list(command)
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
            cwd=cwd,
            start_new_session=True,
        )
        self._said = bytearray()
        self._news = threading.Condition()
        self._over = False
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def __repr__(self) -> str:
        state = "running" if self.running else f"ended with {self.process.returncode}"
        return f"<Child {self.command[0]} {self.pid} {state}>"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def output(self) -> str:
        with self._news:
            return self._said.decode(errors="replace")

    @property
    def memory(self) -> int:
        """Bytes resident in the command and all its children, as Linux counts them."""
        return sum(_resident(pid) for pid in _group(self.pid))

    def wait_line(self, pattern: str, timeout: float = 10.0) -> re.Match[str]:
        """The first match of a regular expression in the output, now or within the timeout."""
        end = time.monotonic() + timeout
        with self._news:
            while True:
                found = re.search(pattern, self._said.decode(errors="replace"), re.MULTILINE)
                if found:
                    return found
                if self._over:
                    raise AssertionError(f"{self!r} ended before it said {pattern!r}:\n{self.output}")
                if not self._news.wait(end - time.monotonic()) and time.monotonic() >= end:
                    raise AssertionError(f"{self!r} did not say {pattern!r} within {timeout:g} s:\n{self.output}")

    def wait_port(self, port: int, timeout: float = 10.0) -> None:
        end = time.monotonic() + timeout
        while not ports.answers(port):
            if not self.running:
                raise AssertionError(f"{self!r} ended before port {port} answered:\n{self.output}")
            if time.monotonic() > end:
                raise AssertionError(f"{self!r} did not answer on port {port} within {timeout:g} s:\n{self.output}")
            time.sleep(0.02)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, timeout: float = 10.0) -> int:
        """The exit code, once the command has ended by itself."""
        code = self.process.wait(timeout)
        self._reader.join(1.0)
        return code

    def end(self, patience: float = 5.0) -> None:
        """Asks the whole process group to end, then insists."""
        self._tell_group(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        self._tell_group(signal.SIGKILL)
        self.process.wait()
        self._reader.join(1.0)

    def _tell_group(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as out:
            while some := out.read1(65536):  # type: ignore[attr-defined]
                with self._news:
                    self._said += some
                    self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()


def _group(leader: int) -> list[int]:
    """Processes of one group: the fifth field of /proc/[pid]/stat, after a name that may hold anything (proc(5))."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(entry.read_text().rpartition(")")[2].split()[2]) == leader:
                found.append(int(entry.parent.name))
    return found


def _resident(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


@contextmanager
def running(
    *command: str,
    line: str | None = None,
    port: int | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 10.0,
) -> Iterator[Child]:
    """Runs a command until the block ends; enters it once the line was said (a pattern) or the port answers."""
    child = Child(command, env or {}, cwd)
    try:
        if line is not None:
            child.wait_line(line, timeout)
        if port is not None:
            child.wait_port(port, timeout)
        yield child
    except BaseException:
        print(f"--- {child!r} said:\n{child.output}")
        raise
    finally:
        child.end()
