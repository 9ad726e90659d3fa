"""Leaks are counted right, and the peers are given what their operators would write."""

from collections import Counter
from pathlib import Path

import pytest

import tests.bench.leaks as leaks
import tests.leaks.judge as judge
from tests.bench.table import Table
from tests.leaks.browsing import Ending
from tests.leaks.escapes import ESCAPES
from tests.leaks.origin import worst_case
from tests.leaks.viewer import Viewer


def test_gateway_has_to_close_all_and_damage_nothing() -> None:
    """Seen without a proxy, some fields are not an application's to say: these are not closed."""
    with worst_case() as site:
        site.public = site.origin.url
        own, peer = (leaks.figure("at /", name, Viewer(site)) for name in ("portico", "nginx"))
    count = len(list(judge.all_markers("")))
    assert own.cells[2:5] == ("98/98", "22/22", "27/27")
    assert own.floor == count
    assert peer.floor is None
    assert own.cells == peer.cells
    assert own.cells[-2:] == (f"{own.value:.0f}/{count}", "0")
    assert not Table("leaks", "x", leaks.BYTES, [own]).holds(own)


def test_endings_are_counted() -> None:
    endings: Counter[Ending] = Counter({"runtime": 60, "rescued": 10, "leaked": 2})
    figure = leaks.counted("below /hotels", "portico", endings)
    assert (figure.cells, figure.value, figure.floor) == (("60", "10", "70/72"), 70, len(ESCAPES))
    assert leaks.counted("below /hotels", "nginx", endings).floor is None


def test_who_is_not_installed_has_a_line_that_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    figure = leaks._figure(tmp_path, leaks.CADDY, "/hotels")
    assert figure.cells[0] == "not installed"
    assert len(figure.cells) == len(leaks.BYTES) - 2
    assert leaks.PORTICO.installed


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("proxy_redirect / {prefix}/;", id="redirects"),
        pytest.param("proxy_cookie_path / {prefix}/;", id="cookies"),
        pytest.param("sub_filter 'href=\"/' 'href=\"{prefix}/';", id="double quotes"),
        pytest.param('sub_filter "href=\'/" "href=\'{prefix}/";', id="single quotes"),
        pytest.param("sub_filter 'url(/' 'url({prefix}/';", id="sheets"),
        pytest.param("sub_filter_once off;", id="everywhere"),
    ],
)
def test_peer_is_given_all_that_can_be_written(line: str) -> None:
    assert line in leaks.substituted()
    assert leaks.substituted().count("sub_filter ") == 8
