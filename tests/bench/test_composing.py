"""What composing costs is measured in the Python that is asked about, not in the one that asks."""

from pathlib import Path

import pytest

import tests.bench.composing as composing
from tests.bench.table import Figure, Table
from tests.bench.wrk import Unfit

SAID = """[{"suite": "composing", "title": "T", "columns": ["work", "what"], "at_most": true, "note": "", "figures": [
  {"work": "w", "contender": "c", "cells": ["1"], "value": 1.0, "floor": 2.0, "rounds": []}]}]"""


@pytest.fixture(autouse=True)
def _one_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing, "shells", lambda: {"a shell": b"<p>\xc3\xa9"})


def interpreter(folder: Path, script: str) -> str:
    file = folder / "python"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


def test_what_another_python_says_is_the_table(tmp_path: Path) -> None:
    python = interpreter(tmp_path, f"cat > '{tmp_path}/given'; echo \"$@\" > '{tmp_path}/asked'; echo '{SAID}'")
    figure = Figure("w", "c", ("1",), 1.0, 2.0)
    assert composing.tables(python, 3) == [Table("composing", "T", ("work", "what"), [figure], at_most=True)]
    assert (tmp_path / "given").read_text() == '{"a shell": "<p>\\u00c3\\u00a9"}'
    assert (tmp_path / "asked").read_text() == "-m tests.bench.composing 3\n"


def test_one_that_cannot_is_said(tmp_path: Path) -> None:
    python = interpreter(tmp_path, "cat > /dev/null; echo 'No module named selectolax' >&2; exit 1")
    with pytest.raises(Unfit, match="cannot compose: No module named selectolax"):
        composing.tables(python, 1)


def test_this_process_measures_each_shell_and_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing, "ODD_BYTES", 20_000)
    costs, growths = composing.measured(composing.shells(), 1)
    assert [(figure.work, figure.contender) for figure in costs.figures] == [
        ("compile a shell", "a shell"),
        *(("read and fit a piece", name) for name in composing.pieces()),
    ]
    assert all(figure.value > 0 for figure in costs.figures)
    assert [figure.work for figure in growths.figures] == list(composing.ODD)
