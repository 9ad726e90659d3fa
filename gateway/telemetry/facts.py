"""What telemetry is told: typed records. Logs, metrics and traces are views of the same facts and cannot disagree."""

from dataclasses import dataclass
from typing import NamedTuple


class Served(NamedTuple):
    """One exchange, answered. `seconds` runs to the answer's head; `error` is empty when nothing went wrong.

    Bytes as they came: they become text when somebody reads them, not for every request.
    """

    id: bytes
    at: float
    method: bytes
    target: bytes
    status: int
    seconds: float
    team: str
    mount: bytes | None
    cache: bytes
    error: str


@dataclass(frozen=True, slots=True)
class Degraded:
    """A slot that was not filled as it should be, and why."""

    id: str
    at: float
    fragment: str
    team: str
    outcome: str
    why: str


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something an operator wants to know: a table swapped, a manifest refused, a store lost and found."""

    at: float
    room: str
    what: str


class Leaked(NamedTuple):
    """A request that left its mount and was led back: which page asked, for what (Sec-Fetch-Dest), what helped.

    Bytes as they came; `target` is what was asked for, `page` the path of the page that asked.
    """

    at: float
    mount: bytes
    team: str
    page: bytes
    target: bytes
    kind: bytes = b""
    how: str = "rescue"


Fact = Served | Degraded | Noticed | Leaked
