"""How what the verbs say looks to people: problems with their lines, columns, one log of many processes.

Text in, lines out; what strangers wrote is made printable here. Colours on a terminal only.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.demo.leash import Say
    from gateway.demo.stage import Demo
    from gateway.registry.check import Problem

ADMIN = "http://127.0.0.1:8081"  # where a registry listens unless told otherwise


def console(*, err: bool = False) -> Any:
    """Colours on a terminal only, and not where NO_COLOR is set; lines are never broken."""
    from rich.console import Console

    return Console(stderr=err, highlight=False, soft_wrap=True, markup=False, emoji=False)


def wrong(problems: Iterable["Problem"]) -> int:
    return sum(problem.level == "error" for problem in problems)


def problems(source: str, text: str, problems: Sequence["Problem"]) -> None:
    """Each problem with the line it stands in; their number at the end."""
    if not problems:
        return
    from rich.text import Text

    screen = console()
    lines = text.splitlines()
    for problem in problems:
        colour = "red" if problem.level == "error" else "yellow"
        at = f"{source}:{problem.line}:{problem.column}" if problem.line else source
        screen.print(Text.assemble((at, "bold"), "  ", (problem.path, "cyan"), "  ", (problem.message, colour)))
        for row in _excerpt(lines, problem):
            screen.print(Text(row, "dim"))
        if problem.hint:
            screen.print(Text(f"    hint: {problem.hint}"))
    errors = wrong(problems)
    counts = [count(errors, "problem")] if errors else []
    counts += [count(len(problems) - errors, "warning")] if len(problems) > errors else []
    screen.print(Text(f"{source}: {' and '.join(counts)}.", "bold"))


def _excerpt(lines: Sequence[str], problem: "Problem") -> Iterator[str]:
    """The offending line and a caret below its column; long lines are shown around it."""
    if not problem.line or problem.line > len(lines):
        return
    line, column = lines[problem.line - 1].expandtabs(1), problem.column or 1
    start = max(0, column - 60)
    yield f"    {problem.line:>4} | {line[start : start + 110].rstrip()}"
    yield f"         | {' ' * (column - 1 - start)}^"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def routes(table: dict[str, Any]) -> Iterator[str]:
    """Mounts and fragments in columns; where an upstream's origins are several, all of them."""
    origins = {upstream["name"]: ", ".join(upstream["origins"]) for upstream in table["upstreams"]}
    mounts = [(*_named(row["prefix"], row), origins.get(row["upstream"], "")) for row in table["mounts"]]
    fragments = [(*_named(row["name"], row), row["path"], *_times(row)) for row in table["fragments"]]
    yield from _columns([("MOUNT", "TEAM", "UPSTREAM", "ORIGINS"), *mounts])
    yield ""
    yield from _columns([("FRAGMENT", "TEAM", "UPSTREAM", "PATH", "WAITS AT MOST", "KEPT"), *fragments])
    yield ""
    if table.get("moved"):
        yield from _columns([("MOVED", "LEADS TO", "TEAM", "UNTIL"), *(_moved(row) for row in table["moved"])])
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
    yield from _columns(
        [tuple(map(printable, row)) for row in [("MOUNT", "URL", "FROM", "KIND", "TIMES", "TEAM"), *told]]
    )
    yield ""
    yield from (f"{row['mount']} {printable(row['target'])}: {printable(row['fix'])}" for row in rows)


def printable(text: str) -> str:
    """What strangers asked for, printable."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


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
