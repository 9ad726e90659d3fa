"""The load: wrk with connections kept open, and what it says."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_TOTAL = re.compile(r"^\s*(\d+) requests in ([\d.]+)(ms|us|s|m|h),", re.MULTILINE)
_QUANTILE = re.compile(r"^\s*(50|99)%\s+([\d.]+)(ms|us|s|m|h)$", re.MULTILINE)
_SOCKETS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_STATUSES = re.compile(r"Non-2xx or 3xx responses: (\d+)")


class Unfit(Exception):
    """What was measured is not what was meant; no figure is better than a wrong one."""


@dataclass(frozen=True, slots=True)
class Load:
    requests: int
    seconds: float
    median: float  # seconds to a whole answer
    slowest: float  # the same for the slowest one in a hundred
    timeouts: int = 0


def load(url: str, seconds: int, connections: int, headers: Mapping[str, str]) -> Load:
    """Asks for one URL as fast as it is answered. Raises Unfit when an answer was an error."""
    fields = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *fields, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 20)
    if done.returncode:
        raise Unfit(f"wrk ended with {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return read(done.stdout)


def read(said: str) -> Load:
    """wrk's report as figures."""
    total = _TOTAL.search(said)
    if total is None:
        raise Unfit(f"wrk gave no figures:\n{said}")
    statuses = _STATUSES.search(said)
    sockets = _SOCKETS.search(said)
    connect, receive, write, timeouts = map(int, sockets.groups()) if sockets else (0, 0, 0, 0)
    if statuses or connect or receive or write:
        raise Unfit(f"wrk met errors:\n{said}")
    quantiles = {name: float(number) * UNITS[unit] for name, number, unit in _QUANTILE.findall(said)}
    return Load(
        int(total[1]),
        float(total[2]) * UNITS[total[3]],
        quantiles.get("50", 0.0),
        quantiles.get("99", 0.0),
        timeouts,
    )
