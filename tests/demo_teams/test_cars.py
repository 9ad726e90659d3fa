"""The cars team's folder is what its publishing writes, and nothing older."""

import json
import re
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


def test_the_example_in_the_estimate_is_reckoned_from_what_its_rows_say() -> None:
    told = (CARS / "dist/fragments/estimate.html").read_text("utf-8")
    example = re.search(r"<caption>(\d+) days, (\d+) km ", told)
    assert example is not None
    days, km = map(int, example.groups())
    rows = re.findall(r'data-price="(\d+)" data-fuel="(\d+)".*?€(\d+)</td></tr>', told)
    assert len(rows) == 4
    assert all(int(price) * days + int(fuel) * km // 100 == int(sum) for price, fuel, sum in rows)


def test_a_trip_takes_a_car_there_is() -> None:
    cars = {car["id"] for car in json.loads((CARS / "cars.json").read_text("utf-8"))}
    assert {trip["car"] for trip in json.loads((CARS / "trips.json").read_text("utf-8"))} <= cars
