"""The tree holds what was written for it: no machine's paths, nothing huge, and scripts that run."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.house.tree import ROOT

LARGEST = 1 << 20
BROUGHT = {".git", ".venv", ".dev", ".portico", "node_modules", "__pycache__"}
BROUGHT |= {".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"}
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".lock", ".js", ".mjs", ".css", ".html", ".json", ".svg", ".conf", ""}
# Spelled in halves, so that this file holds none of them.
MACHINES = ["/" + place for place in ("work/", "root/", "home/runner", "opt/wheels", "opt/pypi")]


def written() -> list[Path]:
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in BROUGHT and not name.endswith(".egg-info")]
        found += [Path(folder, name) for name in files if not name.startswith(".coverage")]
    return sorted(found)


@pytest.mark.parametrize("script", ["dev", ".ci/run"])
def test_script_is_executable_and_plain_sh(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    assert (ROOT / script).read_text().startswith("#!/bin/sh\n")
    assert subprocess.run(["sh", "-n", ROOT / script], capture_output=True).returncode == 0


def test_no_file_is_huge() -> None:
    assert not [f"{path}: {path.stat().st_size}" for path in written() if path.stat().st_size > LARGEST]


def test_no_file_knows_a_machine() -> None:
    texts = [path for path in written() if path.suffix in TEXT]
    assert not [f"{path}: {sign}" for path in texts for sign in MACHINES if sign in path.read_text(errors="replace")]
