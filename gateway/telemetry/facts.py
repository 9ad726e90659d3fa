"""What telemetry is told: typed records. Logs, metrics and traces are views of the same facts and cannot disagree."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Served:
    """One exchange, answered. `seconds` runs to the answer's head; `error` is empty when nothing went wrong."""

    id: str
    at: float
    method: str
    target: str
    status: int
    seconds: float
    team: str
    mount: str
    cache: str
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


Fact = Served | Degraded | Noticed
