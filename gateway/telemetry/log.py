"""Facts as lines on standard error: JSON for machines, short columns on a terminal.

Lines are written in batches, a moment after they were told, so that no exchange waits for the disk.
"""

import asyncio
import json
import json.encoder
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TextIO, assert_never

from gateway.telemetry.facts import Degraded, Fact, Leaked, Noticed, Served

PAUSE = 0.2  # seconds between a fact and its line, at most
MOST = 20_000  # facts kept while the reader of the log does not keep up; then the oldest go, and that is said

# the C function behind json.dumps for one string
_quoted = json.encoder.encode_basestring_ascii

Teller = Callable[[Fact], None]


class Log:
    """Tell it facts; it writes."""

    def __init__(self, out: TextIO, people: bool) -> None:
        self._out = out
        self._line = for_people if people else for_machines
        self._facts: list[Fact] = []
        self._lost = 0
        self._timer: asyncio.TimerHandle | None = None

    def tell(self, fact: Fact) -> None:
        if len(self._facts) >= MOST:
            self._lost += 1
            return
        self._facts.append(fact)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self.flush)

    def flush(self) -> None:
        self._timer = None
        facts, self._facts = self._facts, []
        if self._lost:
            facts.append(Noticed(facts[-1].at, "log", f"{self._lost} facts not written: the log is read too slowly"))
            self._lost = 0
        if facts:
            self._out.write("".join(self._line(fact) + "\n" for fact in facts))
            self._out.flush()


def for_machines(fact: Fact) -> str:
    """One JSON object; every control byte of what strangers sent is escaped by JSON itself."""
    if isinstance(fact, Served):
        return (
            f'{{"fact":"served","id":"{fact.id.decode()}","at":{fact.at:.3f},"method":{_json(fact.method)},'
            f'"target":{_json(fact.target)},"status":{fact.status},"seconds":{fact.seconds:.6f},"team":"{fact.team}",'
            f'"mount":"{_mount(fact)}","cache":{_json(fact.cache)},"error":{_quoted(fact.error)}}}'
        )
    if isinstance(fact, Leaked):
        return (
            f'{{"fact":"leaked","at":{fact.at:.3f},"team":"{fact.team}","mount":"{_mount(fact)}",'
            f'"page":{_json(fact.page)},"target":{_json(fact.target)},"kind":{_json(fact.kind)},"how":"{fact.how}"}}'
        )
    return json.dumps({"fact": type(fact).__name__.lower(), **asdict(fact)}, ensure_ascii=True)


def for_people(fact: Fact) -> str:
    clock = datetime.fromtimestamp(fact.at, UTC).astimezone().strftime("%H:%M:%S")
    match fact:
        case Served():
            took = f"{fact.seconds * 1000:.1f} ms"
            tail = f"  {_plain(fact.error)}" if fact.error else ""
            where = _plain(f"{fact.method.decode('latin-1')} {fact.target.decode('latin-1')}")
            return f"{clock} {fact.status} {where}  {took}  {_mount(fact)}  {fact.cache.decode('latin-1')}{tail}"
        case Degraded():
            whose = _plain(f"{fact.fragment} of {fact.team or 'nobody'}")
            return f"{clock} --- slot {whose}: {fact.outcome}, {_plain(fact.why)}"
        case Leaked():
            what = _plain(f"{fact.target.decode('latin-1')} from {fact.page.decode('latin-1')}")
            return f"{clock} --- leak of {_mount(fact)}: {what}, closed by {fact.how}"
        case Noticed():
            return f"{clock} {fact.room}: {_plain(fact.what)}"
        case _:
            assert_never(fact)


def _mount(fact: Served | Leaked) -> str:
    return "" if fact.mount is None else fact.mount.decode() or "/"


def _json(raw: bytes) -> str:
    return _quoted(raw.decode("latin-1"))


def _plain(text: str) -> str:
    """Printable, so that nobody's bytes can move the cursor or forge a line."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
