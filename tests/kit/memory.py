"""How much memory a process takes at most, from a moment on: what Linux counts as resident."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Growth:
    """How much more memory a process has had resident since `begin` than it had then."""

    pid: int
    before: int = 0

    def begin(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # the peak counts from now on (proc(5))
        self.before = self._kept("VmRSS")

    @property
    def most(self) -> int:
        return self._kept("VmHWM") - self.before

    def _kept(self, name: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))
