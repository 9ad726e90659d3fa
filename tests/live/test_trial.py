"""The demo's own teams, tried as anybody's application is: read, shown below two prefixes, and what leaks is told."""

import json
import subprocess

import pytest

from tests.live.portal import PORTICO, ROOT, Crew


@pytest.mark.parametrize(
    ("team", "code", "channels"),
    [
        pytest.param("hotels", 0, set(), id="pages of a server leak nothing"),
        pytest.param("cars", 0, set(), id="nor does a bucket"),
        pytest.param("pets", 0, set(), id="nor pages that go on in the browser"),
    ],
)
def test_a_team_is_tried(crew: Crew, team: str, code: int, channels: set[str]) -> None:
    done = subprocess.run(
        [*PORTICO, "check", crew.url(team), "--json"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    told = json.loads(done.stdout)
    assert {leak["channel"] for leak in told["leaks"] if leak["closed"] != "notice"} == channels
    assert (done.returncode, told["exit"]) == (code, code)
    assert told["pages"] > 5
