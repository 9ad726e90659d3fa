"""Which prefix leads where after applications moved, were withdrawn and came back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.registry.moving as moving
from gateway.model import Manifest
from gateway.store.base import Home

LASTS = 100.0


def served(*prefixes: str, team: str = "hotels", upstream: str = "") -> Manifest:
    name = upstream or team
    mounts = {prefix: {"upstream": name} for prefix in prefixes}
    return Manifest.model_validate(
        {"team": team, "upstreams": {name: {"origins": ["http://o.test"]}}, "mounts": mounts}
    )


Steps = list[tuple[float, list[Manifest]]]


def homes(steps: Steps) -> list[Home]:
    known: list[Home] = []
    for now, manifests in steps:
        known = moving.settled(known, manifests, now, LASTS)
    return known


def led(steps: Steps) -> dict[str, str]:
    return {move.old: move.new for move in moving.leads(homes(steps), LASTS)}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([(0, [served("/a")])], {}, id="nothing moved"),
        pytest.param([(0, [served("/a")]), (1, [served("/b")])], {"/a": "/b"}, id="one move"),
        pytest.param(
            [(0, [served("/a")]), (1, [served("/b")]), (2, [served("/c")])],
            {"/a": "/c", "/b": "/c"},
            id="two moves lead on in one step",
        ),
        pytest.param(
            [(0, [served("/a")]), (1, [served("/b")]), (2, [served("/a")])], {"/b": "/a"}, id="back again, no loop"
        ),
        pytest.param(
            [(0, [served("/a")]), (1, [served("/b")]), (2, [served("/a")]), (3, [served("/b")])],
            {"/a": "/b"},
            id="and away again",
        ),
        pytest.param([(0, [served("/a")]), (101, [served("/b")]), (150, [served("/b")])], {"/a": "/b"}, id="in time"),
        pytest.param([(0, [served("/a")]), (1, [served("/b")]), (101, [served("/b")])], {}, id="the time is over"),
        pytest.param(
            [(0, [served("/a")]), (1, [served("/b")]), (2, [served("/b"), served("/a", team="pets")])],
            {},
            id="somebody declares the prefix",
        ),
        pytest.param(
            [
                (0, [served("/a")]),
                (1, [served("/b")]),
                (2, [served("/b"), served("/a", team="pets")]),
                (3, [served("/b")]),
            ],
            {},
            id="which ends it for good",
        ),
        pytest.param([(0, [served("/a")]), (1, [])], {}, id="withdrawn leads nowhere"),
        pytest.param([(0, [served("/a")]), (1, []), (2, [served("/b")])], {"/a": "/b"}, id="withdrawn, back elsewhere"),
        pytest.param(
            [(0, [served("/a")]), (1, [served("/b", team="pets")])], {}, id="another team's application is another"
        ),
        pytest.param([(0, [served("/a")]), (1, [served("/b", upstream="new")])], {}, id="so is another upstream"),
        pytest.param([(0, [served("/")]), (1, [served("/a")])], {}, id="the root leads nowhere"),
        pytest.param([(0, [served("/a")]), (1, [served("/")])], {"/a": "/"}, id="to the root"),
        pytest.param(
            [(0, [served("/keeps", "/a")]), (1, [served("/keeps", "/b")])], {"/a": "/b"}, id="of two mounts one moves"
        ),
        pytest.param([(0, [served("/a", "/keeps")]), (1, [served("/keeps")])], {"/a": "/keeps"}, id="of two one goes"),
    ],
)
def test_where_prefixes_lead(steps: Steps, expected: dict[str, str]) -> None:
    assert led(steps) == expected


def test_a_move_says_until_when() -> None:
    (move,) = moving.leads(homes([(0, [served("/a")]), (7, [served("/b")]), (50, [served("/b")])]), LASTS)
    assert (move.team, move.upstream, move.until) == ("hotels", "hotels", 107.0)


def test_no_team_fills_the_ledger_by_moving_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "PER_TEAM", 3)
    steps: Steps = [(float(number), [served(f"/{number}")]) for number in range(9)]
    assert led(steps) == {"/5": "/8", "/6": "/8", "/7": "/8"}


PREFIX = st.sampled_from(["/a", "/b", "/c", "/d", "/"])
DECLARED = st.lists(st.tuples(st.sampled_from(["one", "two"]), st.sets(PREFIX, max_size=2)), max_size=2)


@given(st.lists(DECLARED, max_size=8))
def test_every_lead_ends_at_a_mount_of_the_same_application(history: list[list[tuple[str, set[str]]]]) -> None:
    steps: Steps = []
    for number, declared in enumerate(history):
        taken: set[str] = set()
        manifests = []
        for team, prefixes in dict(declared).items():
            manifests.append(served(*sorted(prefixes - taken), team=team))
            taken |= prefixes
        steps.append((float(number), manifests))
    known = homes(steps)
    standing = {home.prefix: home.team for home in known if home.left is None}
    for move in moving.leads(known, LASTS):
        assert move.old not in standing
        assert standing[move.new] == move.team
