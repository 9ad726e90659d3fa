"""`./dev bench`: what the gateway costs, side by side with nginx on this machine.

Ratios count, not absolute figures. Everything listens on loopback, and only what was started here is ended.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import tests.bench.contenders as contenders
import tests.bench.kernel as kernel
import tests.bench.machine as machine
from tests.bench.nginx import Ports
from tests.bench.suites import COUNTED, SUITES, Ground
from tests.bench.table import Table, rendered
from tests.bench.wrk import Unfit

MARK = "<!-- What follows is written by ./dev bench --markdown -->"
SERVERS = ("/usr/sbin", "/usr/local/sbin")  # where they are installed, and a person's PATH often does not look
END = """exit codes:
  0  measured, every floor holds
  1  measured, a floor does not hold, or an answer was not the one that was meant
  2  something that is needed is missing, or the command was not understood

examples:
  ./dev bench
  ./dev bench leaks
  ./dev bench pass composed --rounds 5 --seconds 4
  BENCH_PYTHON=/path/to/venv/bin/python ./dev bench --markdown docs/performance.md
"""


def main(words: Sequence[str] | None = None) -> int:
    asked = _asked(words)
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), *SERVERS])
    loaded = bool(set(asked.suites or SUITES) - COUNTED)
    lacks = contenders.missing() if loaded else []
    if lacks or (loaded and not hasattr(os, "sched_setaffinity")):
        why = f"install {' and '.join(lacks)} (apt-get install {' '.join(lacks)})" if lacks else "run it on Linux"
        print(f"bench: something needed is missing: {why}", file=sys.stderr)
        return 2
    for name in [name for name in os.environ if name.startswith("PORTICO_")]:
        del os.environ[name]
    head = machine.described()
    print("\n".join(head), flush=True)
    try:
        tables = _tables(asked) if loaded else _counted(asked)
    except Unfit as unfit:
        print(f"bench: {unfit}", file=sys.stderr)
        return 1
    if asked.json is not None:
        asked.json.write_text(
            json.dumps({"head": head, "tables": [table.as_json() for table in tables]}, indent=1) + "\n"
        )
    if asked.markdown is not None:
        rewrite(asked.markdown, written(head, tables, asked.rounds, asked.seconds))
    return int(not all(table.holds(figure) for table in tables for figure in table.figures))


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "./dev bench", description=__doc__, epilog=END, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suites", nargs="*", metavar="suite", help=f"any of {', '.join(SUITES)}; all without one")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender; the median counts [3]")
    parser.add_argument("--seconds", type=int, default=2, help="of load for one figure, after one to warm up [2]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every round, for programs")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="a page whose figures are written anew")
    asked = parser.parse_args(words)
    unknown = [name for name in asked.suites if name not in SUITES]
    if unknown:
        parser.error(f"there is no suite {', '.join(unknown)}; there are {', '.join(SUITES)}")
    if asked.rounds < 1 or asked.seconds < 1:
        parser.error("--rounds and --seconds are whole numbers from 1")
    return asked


def _tables(asked: argparse.Namespace) -> list[Table]:
    core, other = kernel.cores()
    if core == other:
        print(
            "bench: only one core is to be had: contender and load share it, and figures are worth little", flush=True
        )
    os.sched_setaffinity(0, {other})
    with tempfile.TemporaryDirectory(prefix="portico-bench-") as name:
        folder = Path(name)
        with contenders.origins(folder, other) as ports:
            ground = Ground(folder, ports, core, asked.rounds, asked.seconds)
            return [table for suite in asked.suites or SUITES for table in _suite(suite, ground)]


def _counted(asked: argparse.Namespace) -> list[Table]:
    """Suites that need no origins of the bench, no core of their own and no load."""
    nobody = Ports(0, (0, 0, 0), 0)
    with tempfile.TemporaryDirectory(prefix="portico-bench-") as name:
        ground = Ground(Path(name), nobody, 0, asked.rounds, asked.seconds)
        return [table for suite in asked.suites for table in _suite(suite, ground)]


def _suite(suite: str, ground: Ground) -> list[Table]:
    """One suite in a folder of its own, its tables shown as soon as they are there."""
    began, home = time.monotonic(), ground.folder / suite
    home.mkdir()
    made = SUITES[suite](replace(ground, folder=home))
    for table in made:
        print(f"\n{rendered(table)}", end="", flush=True)
    print(f"\nbench: {suite}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return made


def written(head: Sequence[str], tables: Sequence[Table], rounds: int, seconds: int) -> str:
    """The part of the page that is measured."""
    lines = [f"- {line}" for line in head]
    lines.append(f"- {rounds} rounds of {seconds} s each, medians.")
    return "\n".join(lines) + "\n\n" + "\n".join(rendered(table) for table in tables)


def rewrite(page: Path, figures: str) -> None:
    """What stands above the mark is somebody's text and stays."""
    before = page.read_text().partition(MARK)[0] if page.exists() else "# Performance\n\n"
    page.write_text(f"{before}{MARK}\n\n{figures}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
