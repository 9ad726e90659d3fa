"""Before anything runs: a folder of the demo's own."""

from pathlib import Path

import pytest

import gateway.demo.life as life
from gateway.demo.crew import DemoError


def test_a_state_folder_is_made_anew_but_never_of_a_stranger_s(tmp_path: Path) -> None:
    old = tmp_path / "demo"
    (old / "teams").mkdir(parents=True)
    (old / "teams" / "gone.yaml").touch()
    assert life.state_folder(old, 1) == old
    assert list(old.iterdir()) == []
    (old / "my-thesis.txt").touch()
    with pytest.raises(DemoError, match="holds other things"):
        life.state_folder(old, 1)
    assert (old / "my-thesis.txt").exists()


def test_without_a_wish_the_state_is_near_and_else_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert life.state_folder(None, 7) == tmp_path / ".portico" / "demo-7"
    (tmp_path / "file").touch()
    with pytest.raises(DemoError, match=r"cannot be made: Not a directory. Give another folder with --state"):
        life.state_folder(tmp_path / "file" / "demo", 7)
