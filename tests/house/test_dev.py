"""`./dev` brings what a verb needs, once, and says so. uv and Python are recorders here; the script is the real one."""

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.house.tree import ROOT

PYTHON = """#!/bin/sh
case "$1" in
  -V) echo 'Python 3.11.9' ;;
  -c) ;;
  *) echo "python $*" >>"$LOG"; exit "${PYTHON_EXIT:-0}" ;;
esac
"""
UV = """#!/bin/sh
echo "uv $* UV_PYTHON_DOWNLOADS=$UV_PYTHON_DOWNLOADS" >>"$LOG"
case "$*" in
  venv*) for last; do :; done; mkdir -p "$last/bin" && cp "$FAKES/venv-python" "$last/bin/python" ;;
  *sync*) exit "${SYNC_EXIT:-0}" ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Workshop:
    """A copy of what ./dev reads, in a folder of its own, with recorders for what it calls."""

    folder: Path

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "log").write_text("")
        fakes = self.folder / "fakes"
        path = os.pathsep.join([str(fakes), str(Path(sys.executable).parent), "/usr/bin", "/bin"])
        asked = {"PATH": path, "LOG": str(self.folder / "log"), "FAKES": str(fakes), **env}
        return subprocess.run([self.folder / "dev", *words], env=asked, capture_output=True, text=True, timeout=20)

    @property
    def calls(self) -> list[str]:
        """What the last run called, each by its first words and the lock it named."""
        return [_short(line) for line in (self.folder / "log").read_text().splitlines()]


def _short(line: str) -> str:
    words = line.split()
    lock = [Path(word).name for word in words if word.endswith(".lock")]
    return " ".join([*words[: 2 if words[1] == "venv" else 3], *lock])


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    for name in ("dev", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "fakes").mkdir()
    for name, script in (("uv", UV), ("venv-python", PYTHON)):
        (tmp_path / "fakes" / name).write_text(script)
        (tmp_path / "fakes" / name).chmod(0o755)
    return Workshop(tmp_path)


def test_first_start_brings_all_and_says_what_and_how_long(workshop: Workshop) -> None:
    done = workshop.run("demo", "--port", "9000")
    assert done.returncode == 0, done.stderr
    assert workshop.calls == ["uv venv", "uv pip sync demo.lock", "uv pip install", "python -m gateway"]
    log = (workshop.folder / "log").read_text()
    assert "--require-hashes" in log
    assert "UV_PYTHON_DOWNLOADS=never" in log
    assert "python -m gateway demo --port 9000" in log
    said = done.stderr.splitlines()
    assert len(said) == 3
    assert all(re.fullmatch(r"dev: \S.*, \d+ s", line) for line in said)
    assert done.stdout == ""


def test_second_start_brings_nothing_in_less_than_a_second(workshop: Workshop) -> None:
    workshop.run("demo")
    start = time.monotonic()
    done = workshop.run("demo")
    assert time.monotonic() - start < 1.0
    assert workshop.calls == ["python -m gateway"]
    assert done.stderr == ""


@pytest.mark.parametrize("changed", ["requirements/demo.lock", "pyproject.toml"])
def test_change_is_noticed(workshop: Workshop, changed: str) -> None:
    workshop.run("portico", "routes")
    with (workshop.folder / changed).open("a") as file:
        file.write("# changed\n")
    workshop.run("portico", "routes")
    assert workshop.calls == ["uv pip sync demo.lock", "uv pip install", "python -m gateway"]


def test_environment_grows_for_the_tests_and_is_not_cut_down_for_the_demo(workshop: Workshop) -> None:
    workshop.run("demo")
    workshop.run("test", "tests/house")
    assert workshop.calls == [
        "uv pip sync test.lock",
        "uv pip install",
        "python -m tests.kit.parts",
        "python -m pytest",
    ]
    workshop.run("demo")
    assert workshop.calls == ["python -m gateway"]


def test_tree_that_was_moved_is_installed_anew(workshop: Workshop, tmp_path: Path) -> None:
    workshop.run("demo")
    moved = Workshop(tmp_path / "moved")
    shutil.copytree(tmp_path, moved.folder, ignore=shutil.ignore_patterns("moved"))
    moved.run("demo")
    assert moved.calls == ["uv pip sync demo.lock", "uv pip install", "python -m gateway"]


def test_failed_step_is_named_and_tried_again(workshop: Workshop) -> None:
    done = workshop.run("demo", SYNC_EXIT="1")
    assert done.returncode == 1
    assert "packages from requirements/demo.lock: failed" in done.stderr
    workshop.run("demo")
    assert workshop.calls == ["uv pip sync demo.lock", "uv pip install", "python -m gateway"]


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        pytest.param([], "--durations=10", id="all tests"),
        pytest.param(["--long"], "--durations=10 --long", id="long ones too"),
        pytest.param(["-k", "a or b"], "--durations=10 -k a or b", id="some tests"),
        pytest.param(["--cov"], "--durations=10 --cov", id="what they reach"),
    ],
)
def test_pytest_is_asked_for(workshop: Workshop, given: list[str], asked: str) -> None:
    workshop.run("test", *given)
    assert (workshop.folder / "log").read_text().endswith(f"python -m pytest {asked}\n")


def test_exit_code_is_that_of_what_was_run(workshop: Workshop) -> None:
    workshop.run("demo")
    assert workshop.run("portico", "check", "x.yaml", PYTHON_EXIT="7").returncode == 7


def test_no_python_says_what_to_install(workshop: Workshop) -> None:
    for name in ("sh", "dirname", "date", "cat", "cksum", "grep", "rm"):
        (workshop.folder / "fakes" / name).symlink_to(shutil.which(name) or name)
    done = workshop.run("demo", PATH=str(workshop.folder / "fakes"))
    assert done.returncode == 1
    assert "apt-get install python3" in done.stderr


def test_help_names_every_verb() -> None:
    said = subprocess.run([ROOT / "dev", "--help"], capture_output=True, text=True, check=True).stdout
    for verb in ("demo", "test", "check", "portico", "bench", "lock"):
        assert f"./dev {verb}" in said


def test_unknown_verb_ends_with_2() -> None:
    done = subprocess.run([ROOT / "dev", "nonsense"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "no verb 'nonsense'" in done.stderr
