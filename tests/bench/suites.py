"""What is measured, against whom, and the floor that has to hold; the figures come back as tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import tests.bench.composing as composing
import tests.bench.contenders as contenders
import tests.bench.kernel as kernel
import tests.bench.leaks as leaks
import tests.bench.pages as pages
import tests.bench.rewriting as rewriting
import tests.bench.rounds as rounds
from tests.bench.contenders import GATEWAY, OPENED, PEER, Contender
from tests.bench.nginx import Ports
from tests.bench.rounds import Check, Run, Work
from tests.bench.table import Figure, Table

MB = 1e6
COST = ("work", "contender", "CPU µs/request", "req/s per full core", f"against {PEER}")
SPEED = ("work", "contender", "MB/s of HTML per core", "CPU ms/page", f"against {PEER}")
WAIT = ("work", "contender", "first byte ms", "whole page ms")
SIZE = ("work", "contender", "MB")


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a suite is run: a folder, the origins, the contender's core, and how long."""

    folder: Path
    ports: Ports
    core: int
    rounds: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Task:
    """A work and its floors: how many times less than each of these peers the gateway has to need."""

    work: Work
    floors: Mapping[str, float] = field(default_factory=dict)


def passing(ground: Ground) -> list[Table]:
    """Bodies handed through as they are."""
    tasks = [
        Task(_plain("4 KB", "4k"), {PEER: 0.5, "caddy": 2.0}),
        Task(_plain("100 KB", "100k"), {PEER: 0.7}),
    ]
    peers = (PEER, "haproxy", "caddy")
    return [_costs(ground, "pass", "Pass-through: a mount against proxy_pass", tasks, peers)]


def composed(ground: Ground) -> list[Table]:
    """A shell of 31 KB and five fragments of 3 KB from three origins."""
    check = same_text(pages.shell(pages.fragment))
    kept, gzip = "/kept/shell-kept.html", {"Accept-Encoding": "gzip"}
    cached = [
        Task(Work("all cached", kept, check, cache="hit"), {PEER: 2.0}),
        Task(Work("all cached, gzip", kept, check, gzip, cache="hit"), {PEER: 5.0}),
    ]
    fetched = [
        Task(Work("shell cached, 5 fetches", "/kept/shell-fresh.html", check, cache="hit"), {PEER: 0.7}),
        Task(Work("nothing cached, 6 fetches", "/fresh/shell-fresh.html", check, cache="fwd="), {PEER: 0.7}),
    ]
    return [
        _costs(ground, "composed", "Composed page, all cached: against SSI with proxy_cache", cached, (PEER, OPENED)),
        _costs(ground, "composed", "Composed page, fragments fetched: against SSI", fetched, (PEER,)),
    ]


def mounted(ground: Ground) -> list[Table]:
    """HTML of an application that believes to live at `/`, its links put below the prefix."""
    size, odd = contenders.PAGE_BYTES, contenders.ODD_BYTES
    known = Task(
        Work("20 KB seen before", "/shop/fresh/page.html", same_links(pages.page(size), "/shop"), cache="fwd="),
        {PEER: 0.4},
    )
    new = Work(
        "100 KB never seen before", "/odd/page", same_links(pages.page(odd), "/odd"), cache="fwd=", connections=8
    )
    seen, unseen = measured = _measured(ground, [known.work, new], (PEER,))
    note = noise(measured)
    return [
        Table("mounted", "Mounted HTML: against sub_filter", COST, compared(known, seen), note=note),
        Table("mounted", "Mounted HTML never seen before, proxying included", SPEED, read(new, unseen), note=note),
    ]


def slow(ground: Ground) -> list[Table]:
    """One fragment of five takes its time, nothing is cached: when does the viewer see something?"""
    work = Work("one fragment takes 300 ms", "/fresh/shell-slow.html", same_text(pages.shell(pages.fragment)))
    figures = []
    with _running(ground, (PEER,)) as started:
        for contender in started:
            times = [rounds.first_byte(work, contender) for _ in range(2 * ground.rounds + 1)]
            first, whole = (1000 * rounds.median(column) for column in zip(*times, strict=True))
            cells = (f"{first:.2f}", f"{whole:.1f}")
            figures.append(Figure(work.name, contender.name, cells, first, 5.0 if contender.name == GATEWAY else None))
    note = "Tuned to send a page in one piece, nginx waits for all of it; untuned it streams, at five times the cost."
    return [Table("slow", "First byte while one fragment takes 300 ms", WAIT, figures, at_most=True, note=note)]


def memory(ground: Ground) -> list[Table]:
    """What a worker takes after it started and pages were answered: proportional set size.

    Of several, each is a process of its own, and the registry is in their parent; one alone has the registry in it.
    """
    work = Work("at rest", "/kept/shell-kept.html", same_text(pages.shell(pages.fragment)))
    taken = {}
    with contenders.gateway(ground.folder, ground.ports, ground.core, 2, "two workers") as several:
        rounds.look(work, several)
        workers = sorted(kernel.memory(pid) for pid in kernel.children(several.pid))
        taken[f"{GATEWAY}, one of two workers"] = workers[-1]
    with _running(ground, (PEER,)) as started:
        for contender in started:
            rounds.look(work, contender)
            taken[contender.name] = kernel.memory(contender.pid)
    taken[f"{GATEWAY}, one worker and the registry"] = taken.pop(GATEWAY)
    figures = [
        Figure(work.name, name, (f"{size / MB:.1f}",), size / MB, 60.0 if name.startswith(GATEWAY) else None)
        for name, size in taken.items()
    ]
    return [Table("memory", "Memory of one worker at rest", SIZE, figures, at_most=True)]


def rewritten(ground: Ground) -> list[Table]:
    """Bodies edited in this process, and how long the oddest hold everybody else up."""
    return rewriting.tables(ground.rounds)


def put_together(ground: Ground) -> list[Table]:
    """Shells compiled and pieces read, in the gateway's Python."""
    return composing.tables(contenders.python(), ground.rounds)


def leaking(ground: Ground) -> list[Table]:
    """How many leaks of the worst-case origin are closed, and what is damaged."""
    return leaks.tables(ground.folder)


SUITES: dict[str, Callable[[Ground], list[Table]]] = {
    "pass": passing,
    "composed": composed,
    "mounted": mounted,
    "slow": slow,
    "memory": memory,
    "leaks": leaking,
    "rewriting": rewritten,
    "composing": put_together,
}
COUNTED = frozenset(
    {"leaks", "rewriting", "composing"}
)  # suites that put no load on anybody: they need neither wrk nor a core alone


def same_bytes(meant: bytes) -> Check:
    return lambda body: None if body == meant else f"the body differs from the origin's ({len(body)} bytes)."


def same_text(meant: str) -> Check:
    """What a person reads is the same; the marks around a fragment are each server's own."""
    wanted = pages.text(meant)
    return lambda body: None if pages.text(body.decode()) == wanted else f"the text differs ({len(body)} bytes)."


def same_links(origin: str, prefix: str) -> Check:
    """Every link of the origin's page leads below the prefix, and there are no others."""
    wanted = [prefix + link for link in pages.links(origin)]
    return lambda body: None if pages.links(body.decode()) == wanted else f"links do not lead below {prefix}."


def _plain(name: str, file: str) -> Work:
    return Work(name, f"/plain/fresh/{file}.txt", same_bytes(pages.plain(contenders.SIZES[file])), cache="fwd=")


@contextmanager
def _running(ground: Ground, peers: Sequence[str]) -> Iterator[list[Contender]]:
    with ExitStack() as life:
        starts = contenders.installed(peers)
        folder = Path(mkdtemp(dir=ground.folder))
        yield [life.enter_context(start(folder, ground.ports, ground.core)) for start in starts]


def _measured(ground: Ground, works: Sequence[Work], peers: Sequence[str]) -> list[dict[str, list[Run]]]:
    with _running(ground, peers) as started:
        return [rounds.interleaved(work, started, ground.core, ground.rounds, ground.seconds) for work in works]


def _costs(ground: Ground, suite: str, title: str, tasks: Sequence[Task], peers: Sequence[str]) -> Table:
    measured = _measured(ground, [task.work for task in tasks], peers)
    figures = [each for task, runs in zip(tasks, measured, strict=True) for each in compared(task, runs)]
    return Table(suite, title, COST, figures, note=noise(measured))


def compared(task: Task, runs: Mapping[str, list[Run]]) -> list[Figure]:
    """A line for every contender, and one more for each further peer the gateway has a floor against."""
    figures = []
    for name, own in runs.items():
        cost, ratio = rounds.median([run.cost for run in own]), rounds.ratio(own, runs[PEER])
        cells = (f"{cost:.1f}", f"{1e6 / cost:,.0f}", f"{ratio:.2f}")
        floor = task.floors.get(PEER) if name == GATEWAY else None
        figures.append(Figure(task.work.name, name, cells, ratio, floor, _kept(own)))
    for name, floor in task.floors.items():
        if name != PEER and name in runs:
            ratio = rounds.ratio(runs[GATEWAY], runs[name])
            figures.append(Figure(task.work.name, f"{GATEWAY} against {name}", ("", "", f"{ratio:.2f}"), ratio, floor))
    return figures


def read(work: Work, runs: Mapping[str, list[Run]]) -> list[Figure]:
    """How fast HTML is read and edited."""
    figures = []
    for name, own in runs.items():
        cost = rounds.median([run.cost for run in own])
        speed = contenders.ODD_BYTES / cost
        cells = (f"{speed:.1f}", f"{cost / 1000:.2f}", f"{rounds.ratio(own, runs[PEER]):.2f}")
        figures.append(Figure(work.name, name, cells, speed, 25.0 if name == GATEWAY else None, _kept(own)))
    return figures


def noise(measured: Sequence[Mapping[str, list[Run]]]) -> str:
    """What else the contender's core did, at worst; ratios hold, absolute figures grow with it."""
    worst = max(run.noise for runs in measured for own in runs.values() for run in own)
    return f"Other work took up to {worst:.0%} of the contender's core."


def _kept(runs: Sequence[Run]) -> tuple[dict[str, float], ...]:
    return tuple({**asdict(run.load), "cost": run.cost, "noise": run.noise} for run in runs)
