"""How a figure comes about: the body is looked at, the load warms up, then the kernel's counters stand around one run.

Contenders take turns, so that what else the machine does in a minute meets all; the median of the rounds counts.
"""

import gzip
import http.client
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import tests.bench.kernel as kernel
import tests.bench.wrk as wrk
from tests.bench.contenders import Contender
from tests.bench.wrk import Load, Unfit

WARM = 1  # seconds; wrk counts in whole ones
QUICK = "/plain/fresh/4k.txt"  # what a connection is opened with before something on it is timed

Check = Callable[[bytes], str | None]


@dataclass(frozen=True, slots=True)
class Work:
    """One address, asked for again and again. `check` says what is wrong with a body, or nothing."""

    name: str
    path: str
    check: Check
    headers: Mapping[str, str] = field(default_factory=dict)
    connections: int = 64  # viewers at once; what they wait for when the load ends is work that nobody counts
    cache: str = ""  # what the gateway's Cache-Status has to say, so that the work is the one that was meant


@dataclass(frozen=True, slots=True)
class Run:
    """One contender, one round: nanoseconds of processor time for so many requests."""

    load: Load
    nanoseconds: int
    noise: float  # the share of the contender's core that others used

    @property
    def cost(self) -> float:
        """Microseconds of processor time for a request."""
        return self.nanoseconds / self.load.requests / 1000


def interleaved(
    work: Work, contenders: Sequence[Contender], core: int, rounds: int, seconds: int
) -> dict[str, list[Run]]:
    """Every contender once a round, each time another one first."""
    runs: dict[str, list[Run]] = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        first = number % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            runs[contender.name].append(one(work, contender, core, seconds))
    return runs


def one(work: Work, contender: Contender, core: int, seconds: int) -> Run:
    url = contender.url + work.path
    look(work, contender)
    wrk.load(url, WARM, work.connections, work.headers)
    began, others, used = time.monotonic_ns(), kernel.core_busy(core), kernel.busy(contender.pid)
    load = wrk.load(url, seconds, work.connections, work.headers)
    if not load.requests:
        raise Unfit(f"{contender.name}, {work.name}: nothing was answered in {seconds} s.")
    nanoseconds = kernel.busy(contender.pid) - used
    noise = (kernel.core_busy(core) - others - nanoseconds) / (time.monotonic_ns() - began)
    return Run(load, nanoseconds, max(0.0, noise))


def look(work: Work, contender: Contender) -> None:
    """Twice: the first may fill a cache. Raises Unfit when the answer is not the one that was meant."""
    fetch(contender.url + work.path, work.headers)
    body, fields = fetch(contender.url + work.path, work.headers)
    if (fields.get("content-encoding") == "gzip") != ("Accept-Encoding" in work.headers):
        raise Unfit(f"{contender.name}, {work.name}: gzip was not spoken as it was asked for.")
    wrong = work.check(gzip.decompress(body) if "Accept-Encoding" in work.headers else body)
    if wrong is not None:
        raise Unfit(f"{contender.name}, {work.name}: {wrong}")
    if work.cache not in fields.get("cache-status", work.cache):
        raise Unfit(f"{contender.name}, {work.name}: Cache-Status says {fields['cache-status']}, not {work.cache}.")


def fetch(url: str, headers: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        connection.request("GET", parts.path, headers=dict(headers))
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise Unfit(f"{url} answered {response.status}: {body[:200]!r}")
        return body, {name.lower(): value for name, value in response.getheaders()}
    finally:
        connection.close()


def first_byte(work: Work, contender: Contender) -> tuple[float, float]:
    """Seconds until the first byte of the body is here, and until all is, on an open connection without load."""
    parts = urlsplit(contender.url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        connection.request("GET", QUICK)
        connection.getresponse().read()
        began = time.perf_counter()
        connection.request("GET", work.path)
        response = connection.getresponse()
        body = response.read(1)
        first = time.perf_counter() - began
        body += response.read()
        whole = time.perf_counter() - began
    finally:
        connection.close()
    wrong = work.check(body)
    if wrong is not None:
        raise Unfit(f"{contender.name}, {work.name}: {wrong}")
    return first, whole


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def ratio(runs: Sequence[Run], others: Sequence[Run]) -> float:
    """How many times less the first needs than the others, round by round: what disturbed one disturbed both."""
    return median([other.cost / run.cost for run, other in zip(runs, others, strict=True)])
