"""The command: help that is there at once and teaches, exit codes, and what a mistyped word is answered."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

import gateway.cli as cli
import gateway.verbs.options as options
from tests.gateway.verbs.calling import portico

VERBS = [*sorted(typer.main.get_group(cli.app).commands), "demo kill", "demo start", "demo slow"]
HEAVY = ("fastapi", "redis", "uvicorn", "pydantic", "httpx", "starlette", "jinja2", "selectolax", "asyncio")


def test_help_is_there_at_once() -> None:
    script = "import sys, gateway.cli\ntry: gateway.cli.main()\nexcept SystemExit: print(*sys.modules)"
    command = [sys.executable, "-c", script, "--help"]
    done = subprocess.run(command, cwd=Path(cli.__file__).parents[1], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "typer" in loaded
    assert not loaded & set(HEAVY)


def test_help_tells_every_exit_code() -> None:
    told = portico("--help").stdout
    assert re.findall(r"^    (\d)  ", told, re.M) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_ends_in_two_examples_that_are_understood(verb: str) -> None:
    told = portico(*verb.split(), "--help").stdout
    examples = [line.strip() for line in told.rstrip().partition("Examples:\n")[2].splitlines()]
    assert len(examples) >= 2
    for example in examples:
        assert example.startswith(f"portico {verb}" if verb != "demo" else "portico demo")
        words = [word.strip("'") for word in example.partition(" > ")[0].split()[1:]]
        assert "--help" in told and portico(*words, "--help").exit_code == 0


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_speaks_json(verb: str) -> None:
    assert "--json" in portico(*verb.split(), "--help").stdout


def test_a_mistyped_verb_is_guessed() -> None:
    done = portico("registr")
    assert done.exit_code == options.USAGE
    assert "Did you mean 'register'?" in done.output


def test_version() -> None:
    assert portico("--version").stdout.startswith("portico 0.")
