"""The cars team's folder is what its publishing writes, and nothing older."""

import subprocess
import sys
from pathlib import Path

from tests.demo_teams.origins import ROOT

CARS = ROOT / "demo_teams" / "cars"


def test_the_folder_is_what_publishing_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, CARS / "publish.py", tmp_path], check=True)
    fresh = {file.relative_to(tmp_path): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert fresh == {key: (CARS / "dist" / key).read_bytes() for key in fresh}
    sheets = {file.relative_to(CARS / "dist") for file in CARS.glob("dist/assets/*")}
    assert sheets == {key for key in fresh if key.parts[0] == "assets"}
