"""How what the verbs say looks to people: problems with their lines, columns, one log of many processes.

Text in, lines out; what strangers wrote is made printable here. Colours on a terminal only.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.trial.columns import columns, count, printable

if TYPE_CHECKING:
    from gateway.demo.leash import Say
    from gateway.demo.stage import Demo
    from gateway.registry.check import Problem
    from gateway.trial.remarks import Remark

ADMIN = "http://127.0.0.1:8081"  # where a registry listens unless told otherwise


def console(*, err: bool = False) -> Any:
    """Colours on a terminal only, and not where NO_COLOR is set; lines are never broken."""
    from rich.console import Console

    return Console(stderr=err, highlight=False, soft_wrap=True, markup=False, emoji=False)


def wrong(problems: Iterable["Problem"]) -> int:
    return sum(problem.level == "error" for problem in problems)


class _Told(NamedTuple):
    """One thing that is wrong, wherever it was found. Line and column are 0 where they are not known."""

    line: int
    column: int
    label: str
    message: str
    hint: str
    level: str


def problems(source: str, text: str, problems: Sequence["Problem"]) -> None:
    """Each problem of a manifest with the line it stands in; their number at the end."""
    told = [
        _Told(each.line or 0, each.column or 1, each.path, each.message, each.hint, each.level) for each in problems
    ]
    _tell(source, text.splitlines(), told)


def remarks(source: str, text: str, remarks: Sequence["Remark"]) -> None:
    """The same of a shell, by their codes."""
    told = [
        _Told(each.line, each.column or 1, each.code, printable(each.cause), each.fix, each.level) for each in remarks
    ]
    _tell(source, text.split("\n"), told)


def _tell(source: str, lines: Sequence[str], told: Sequence[_Told]) -> None:
    if not told:
        return
    from rich.text import Text

    screen = console()
    for each in told:
        colour = "red" if each.level == "error" else "yellow"
        at = f"{source}:{each.line}:{each.column}" if each.line else source
        screen.print(Text.assemble((at, "bold"), "  ", (each.label, "cyan"), "  ", (each.message, colour)))
        for row in _excerpt(lines, each):
            screen.print(Text(row, "dim"))
        if each.hint:
            screen.print(Text(f"    hint: {each.hint}"))
    errors = sum(each.level == "error" for each in told)
    counts = [count(errors, "problem")] if errors else []
    counts += [count(len(told) - errors, "warning")] if len(told) > errors else []
    screen.print(Text(f"{source}: {' and '.join(counts)}.", "bold"))


def _excerpt(lines: Sequence[str], told: _Told) -> Iterator[str]:
    """The offending line and a caret below its column; long lines are shown around it."""
    if not told.line or told.line > len(lines):
        return
    start = max(0, told.column - 60)
    yield f"    {told.line:>4} | {printable(lines[told.line - 1].expandtabs(1)[start : start + 110].rstrip())}"
    yield f"         | {' ' * (told.column - 1 - start)}^"


def routes(table: dict[str, Any]) -> Iterator[str]:
    """Mounts and fragments in columns; where an upstream's origins are several, all of them."""
    origins = {upstream["name"]: ", ".join(upstream["origins"]) for upstream in table["upstreams"]}
    mounts = [(*_named(row["prefix"], row), origins.get(row["upstream"], "")) for row in table["mounts"]]
    fragments = [(*_named(row["name"], row), row["path"], *_times(row)) for row in table["fragments"]]
    yield from columns([("MOUNT", "TEAM", "UPSTREAM", "ORIGINS"), *mounts])
    yield ""
    yield from columns([("FRAGMENT", "TEAM", "UPSTREAM", "PATH", "WAITS AT MOST", "KEPT"), *fragments])
    yield ""
    if table.get("moved"):
        yield from columns([("MOVED", "LEADS TO", "TEAM", "UNTIL"), *(_moved(row) for row in table["moved"])])
        yield ""
    yield f"Table {table['number']}: {count(len(mounts), 'mount')}, {count(len(fragments), 'fragment')}."


def _moved(row: dict[str, Any]) -> tuple[str, str, str, str]:
    until = time.strftime("%Y-%m-%d %H:%M", time.localtime(row["until"]))
    return row["prefix"], row["leads_to"], row["team"], until


def leaks(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Leaks in columns, then what mends each."""
    if not rows:
        yield "No leaks were seen."
        return
    told = [
        (row["mount"], row["target"], row["page"], row["kind"] or "unsaid", str(row["times"]), row["team"])
        for row in rows
    ]
    yield from columns(
        [tuple(map(printable, row)) for row in [("MOUNT", "URL", "FROM", "KIND", "TIMES", "TEAM"), *told]]
    )
    yield ""
    yield from (f"{row['mount']} {printable(row['target'])}: {printable(row['fix'])}" for row in rows)


def _named(name: str, row: dict[str, Any]) -> tuple[str, str, str]:
    hosts = " on " + ", ".join(row["hosts"]) if row.get("hosts") else ""
    return name + hosts, row["team"], row["upstream"]


def _times(fragment: dict[str, Any]) -> tuple[str, str]:
    from gateway.model import CachePolicy, kept, spoken

    cache = fragment["cache"]
    return spoken(fragment["timeout"]), kept(None if cache is None else CachePolicy.model_validate(cache))


COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_red")


def log(*, err: bool) -> "Say":
    """One log of all processes: who speaks is told by name and colour."""
    from rich.text import Text

    screen = console(err=err)
    colours: dict[str, str] = {"demo": "bold", "smoke": "bold"}

    def say(who: str, what: str) -> None:
        colour = colours.setdefault(who, COLOURS[len(colours) % len(COLOURS)])
        screen.print(Text.assemble((f"{who:>8} │ ", colour), Text.from_ansi(for_people(what))))

    return say


def for_people(line: str) -> str:
    """A fact of the gateway, which writes JSON into a pipe, as one reads it; any other line stays."""
    try:
        fact = json.loads(line) if line.startswith('{"fact"') else {}
        clock = time.strftime("%H:%M:%S", time.localtime(fact.get("at", 0)))
        match fact.get("fact"):
            case "served":
                took = f"{fact['seconds'] * 1000:.1f} ms"
                words = (fact["method"], fact["target"], took, fact["cache"], fact["error"])
                told = f"{clock} {fact['status']} {' '.join(word for word in words if word)}"
            case "degraded":
                told = (
                    f"{clock} slot {fact['fragment']} of {fact['team'] or 'nobody'}: {fact['outcome']}, {fact['why']}"
                )
            case "leaked":
                told = f"{clock} leak of {fact['mount']}: {fact['target']} from {fact['page']}, closed by {fact['how']}"
            case "noticed":
                told = f"{clock} {fact['room']}: {fact['what']}"
            case _:
                return line
    except (ValueError, KeyError, TypeError, AttributeError):
        return line
    return "".join(letter if letter.isprintable() else "�" for letter in told)


def ready(demo: "Demo") -> None:
    """Where everything is, and three things to try, each with its way back."""
    from rich.text import Text

    screen = console()
    rows = [("Portal", f"{demo.portal}/"), ("Registry", f"{demo.admin}/")]
    rows += [("its token", os.path.relpath(demo.state / "admin.token"))]
    screen.print()
    for label, value in rows:
        screen.print(Text.assemble(f"  {label:<22}", (value, "bold")))
    screen.print("\n  Three things to try, in another terminal:\n")
    for label, command in _tries(demo):
        screen.print(Text.assemble(f"  {label:<22}", (command, "bold cyan")))
    screen.print("\n  Ctrl-C ends everything.\n")


def _tries(demo: "Demo") -> Iterator[tuple[str, str]]:
    where = f" --state {os.path.relpath(demo.state)}" if demo.keeps_state else ""
    admin = "" if demo.admin == ADMIN else f" --admin {demo.admin}"
    victim, slow = _victims(demo)
    yield "kill a team", f"{demo.program} demo kill {victim}{where}"
    yield "  and back", f"{demo.program} demo start {victim}{where}"
    yield "slow a team", f"{demo.program} demo slow {slow} 3s{where}"
    yield "  and back", f"{demo.program} demo slow {slow} 0s{where}"
    for team in demo.newcomers[:1]:
        yield "register a fragment", f"{demo.program} register {os.path.relpath(demo.manifest(team))}{admin}{where}"
        yield "  and back", f"{demo.program} withdraw {team.name}{admin}{where}"


def _victims(demo: "Demo") -> tuple[str, str]:
    """Teams that may fail before one's eyes: those that do not own the page itself."""
    names = [team.name for team in demo.crew if team.registered and team.name != "shell"]
    return names[0], names[-1] if len(names) < 2 else names[1]
