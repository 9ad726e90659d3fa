"""Through a running gateway, below three prefixes: what bytes can close is closed, and nothing else has changed."""

from collections import Counter

import pytest

import tests.leaks.judge as judge
from tests.leaks.markers import CONTROLS, MARKERS, PAGES, Control, Marker
from tests.leaks.origin import worst_case
from tests.leaks.viewer import Viewer
from tests.leaks.wishes import Wish

GATEWAYS_OWN = {"r-accel", "r-sendfile", "r-hsts", "r-clear-site-data", "r-alt-svc", "r-cookie-domain"}
FORGED = {"q-prefix-forged", "q-host-forged", "q-forwarded-forged", "q-for-forged"}


def named(each: Marker | Wish | Control) -> str:
    return f"{each.channel}-{each.id}" if isinstance(each, (Marker, Wish)) else each.id


@pytest.mark.parametrize("marker", judge.JUDGED, ids=named)
def test_leak_is_closed(viewer: Viewer, marker: Marker | Wish) -> None:
    if judge.applies(marker, viewer.prefix):
        verdict = judge.judge(viewer, marker)
        assert verdict == judge.CLOSED, f"{marker.channel} {marker.id} below '{viewer.prefix}': {verdict}"


@pytest.mark.parametrize("control", CONTROLS, ids=named)
def test_what_is_no_leak_comes_through_as_it_is(viewer: Viewer, control: Control) -> None:
    assert judge.changed(viewer, control) == ""


@pytest.mark.parametrize(
    "path", [path for path in PAGES if any(each.page == path and each.written for each in MARKERS)]
)
def test_bytes_around_markers_are_the_origins(viewer: Viewer, path: str) -> None:
    if PAGES[path].charset != "utf-16-le":
        assert judge.around(viewer.page(path).body, path) == judge.around(viewer.site.whole(path), path)


def test_nothing_is_put_below_the_prefix_twice(viewer: Viewer) -> None:
    twice = [path for path in PAGES if viewer.prefix and viewer.prefix.encode() * 2 in viewer.page(path).body]
    assert not twice


def test_table_is_wide_enough() -> None:
    """A marker for each channel and spelling; each has a name of its own."""
    ids = [each.id for each in judge.JUDGED] + [control.id for control in CONTROLS]
    assert len(ids) == len(set(ids))
    kinds = Counter(each.kind for each in judge.JUDGED)
    assert all(kinds[kind] >= floor for kind, floor in {"R": 12, "Q": 10, "H": 37, "C": 10, "D": 15}.items()), kinds
    assert len(CONTROLS) >= 25


def test_judge_finds_no_fault_where_there_is_no_proxy() -> None:
    """At `/` an application is right about all its URLs; only what is a gateway's to say is missing."""
    with worst_case() as site:
        site.public = site.origin.url
        viewer = Viewer(site)
        found = {marker.id for marker, verdict in judge.verdicts(viewer) if verdict != judge.CLOSED}
        assert found == GATEWAYS_OWN | FORGED
        assert judge.damage(viewer) == []


def test_judge_calls_it_a_leak_when_nothing_was_rewritten() -> None:
    """The same answers, said to come from below a prefix: all URLs lead out of it."""
    with worst_case() as site:
        site.public = site.origin.url
        viewer = Viewer(site)
        for path in {each.page for each in MARKERS}:
            viewer.page(path)
        site.prefix = "/hotels"
        urls = [each for each in MARKERS if each.means in ("url", "public")]
        assert {judge.judge(viewer, each).state for each in urls} == {"leaked"}
