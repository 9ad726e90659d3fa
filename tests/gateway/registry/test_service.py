"""Deeds of the registry: checked, written down, and served when they return."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import Conflict, Unknown
from gateway.model import CachePolicy
from gateway.registry.check import Surroundings
from gateway.registry.follow import Follow
from gateway.registry.service import Kind, Outdated, Refused, Service
from gateway.rules.leaks import Leak
from gateway.store.base import Purge, StoreError
from gateway.store.sqlite import SqliteLedger
from gateway.table import Current

pytestmark = pytest.mark.anyio

PATHS = (("/once", 1), ("/often", 3))


def text(team: str, prefix: str = "") -> str:
    return f"""
team: {team}
upstreams: {{ {team}: {{ origins: ["http://{team}.internal:8000"] }} }}
mounts: {{ {prefix or "/" + team}: {{ upstream: {team}, cache: {{ tags: [{team}-rooms] }} }} }}
fragments: {{ {team}.deals: {{ upstream: {team}, path: /deals, timeout: 500ms, cache: {{ ttl: 30s }} }} }}
"""


class Registry(Service):
    """A service with all it works on, on one file."""

    def __init__(self, folder: Path) -> None:
        self.ledger = SqliteLedger(folder / "ledger.sqlite")
        self.current = Current()
        self.forgotten: list[Purge] = []
        self.follow = Follow(self.ledger, self.current, self._forget, globs=(str(folder / "*.yaml"),))
        super().__init__(self.ledger, self.follow, self.current, Surroundings(), clock=lambda: 1000.0)

    async def _forget(self, purge: Purge) -> None:
        self.forgotten.append(purge)


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    (tmp_path / "shell.yaml").write_text(text("shell", "/"))
    registry = Registry(tmp_path)
    await registry.follow.load()
    yield registry
    await registry.ledger.close()


async def test_a_registration_is_shown_with_who_and_when(registry: Registry) -> None:
    taken = await registry.register("hotels", text("hotels"), "team hotels")
    assert (taken.created, taken.registered.revision, taken.warnings) == (True, 1, ())
    shown = registry.show("hotels")
    assert (shown.file, shown.revision, shown.at, shown.by) == ("", 1, 1000.0, "team hotels")
    assert [(shown.team, bool(shown.file)) for shown in registry.teams()] == [("shell", True), ("hotels", False)]


async def test_of_two_teams_that_want_one_prefix_at_once_one_gets_it(registry: Registry) -> None:
    asked = [registry.register(team, text(team, "/same"), "operator") for team in ("hotels", "pets", "cars")]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(result) for result in results].count(Refused) == 2
    assert len(registry.table().mounts) == 2


async def test_what_another_process_registered_counts(registry: Registry, tmp_path: Path) -> None:
    other = Registry(tmp_path)
    await other.follow.load()
    await other.register("hotels", text("hotels"), "operator")
    with pytest.raises(Refused, match=r"The manifest has 1 problem\. Nothing") as refused:
        await registry.register("pets", text("pets", "/hotels"), "operator")
    assert refused.value.problems[0].message == "Mount '/hotels' belongs to team 'hotels'."
    await other.ledger.close()


async def test_a_change_on_an_old_revision_is_outdated(registry: Registry) -> None:
    await registry.register("hotels", text("hotels"), "operator", expected=0)
    with pytest.raises(Outdated, match="revision 1"):
        await registry.register("hotels", text("hotels", "/stays"), "operator", expected=0)
    with pytest.raises(Outdated, match="revision 1, not 7"):
        await registry.withdraw("hotels", "operator", expected=7)


async def test_a_team_of_a_file_is_left_to_the_file(registry: Registry) -> None:
    with pytest.raises(Conflict, match=r"'shell' is declared by the file shell\.yaml"):
        await registry.register("shell", text("shell"), "operator")
    with pytest.raises(Conflict, match=r"shell\.yaml"):
        await registry.withdraw("shell", "operator")


async def test_who_is_not_there_is_unknown(registry: Registry) -> None:
    with pytest.raises(Unknown, match="'pets' is not registered"):
        registry.show("pets")
    with pytest.raises(Unknown, match="'pets' is not registered"):
        await registry.withdraw("pets", "operator")


async def test_checking_changes_nothing(registry: Registry) -> None:
    assert (await registry.check(text("hotels", "/"), "hotels")).errors[0].code == "owned"
    assert (await registry.check(text("hotels"))).problems == ()
    assert await registry.ledger.number() == 0


async def test_the_table_is_told_row_by_row(registry: Registry) -> None:
    await registry.register("hotels", text("hotels"), "operator")
    rows = registry.table()
    assert (rows.number, rows.teams) == (2, ["shell", "hotels"])
    assert [(row.prefix, row.team, row.upstream) for row in rows.mounts] == [
        ("/", "shell", "shell"),
        ("/hotels", "hotels", "hotels"),
    ]
    assert [(row.name, row.path) for row in rows.fragments] == [("hotels.deals", "/deals"), ("shell.deals", "/deals")]
    assert [(row.timeout, row.cache) for row in rows.fragments] == [(0.5, CachePolicy(ttl=30.0))] * 2
    assert rows.upstreams[0].origins == ["http://hotels.internal:8000"]


@pytest.mark.parametrize(
    ("kind", "value", "own"),
    [
        pytest.param("team", "hotels", True, id="itself"),
        pytest.param("team", "shell", False, id="another"),
        pytest.param("tag", "hotels-rooms", True, id="a tag it declares"),
        pytest.param("tag", "shell-rooms", False, id="a tag another declares"),
        pytest.param("url", "/hotels/1?a=/", True, id="a URL below its mount"),
        pytest.param("url", "/hotelsandmore", False, id="a URL that begins like its mount"),
        pytest.param("url", "/", False, id="another's URL"),
    ],
)
async def test_what_a_team_may_purge_is_its_own(registry: Registry, kind: Kind, value: str, own: bool) -> None:
    await registry.register("hotels", text("hotels"), "operator")
    assert registry.owns("hotels", kind, value) is own


async def test_a_purge_is_done_here_when_it_returns(registry: Registry) -> None:
    purge = await registry.purge("tag", "rooms")
    assert registry.forgotten == [purge] == [Purge("tag", "rooms", 1)]


async def test_what_is_written_counts_even_if_the_store_fails_right_after(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh = registry.follow.refresh
    answers = iter([True, False])

    async def fails_the_second_time() -> None:
        if not next(answers):
            raise StoreError("gone")
        await refresh()

    monkeypatch.setattr(registry.follow, "refresh", fails_the_second_time)
    taken = await registry.register("hotels", text("hotels"), "operator")
    assert [row.revision for row in await registry.ledger.manifests()] == [taken.registered.revision]


async def test_a_move_is_told_to_who_asks_and_to_who_links_there(registry: Registry) -> None:
    await registry.register("hotels", text("hotels"), "operator")
    await registry.register("hotels", text("hotels", "/stays"), "operator")
    (row,) = registry.table().moved
    assert (row.prefix, row.leads_to, row.team) == ("/hotels", "/stays", "hotels")
    pets = text("pets").replace("upstream: pets, cache", "upstream: pets, links_to: [/hotels], cache", 1)
    (problem,) = (await registry.check(pets, "pets")).problems
    assert (problem.code, problem.level) == ("moved", "warning")
    assert problem.message == "Mount '/pets' of team 'pets' links to '/hotels', which moved to '/stays'."
    assert problem.hint == "Write '/stays'."


async def test_leaks_are_told_with_what_mends_them_until_they_are_forgotten(registry: Registry) -> None:
    seen = [Leak("hotels", "/hotels", path, "empty", "rescue", "/hotels/", times, 999.0) for path, times in PATHS]
    await registry.ledger.add_leaks([*seen, Leak("pets", "/pets", "/x", "", "rescue", "/pets/", 1, 999.0)], 999.0)
    rows = await registry.leaks("hotels")
    assert [(row.target, row.times) for row in rows] == [("/often", 3), ("/once", 1)]
    assert "Ask for 'often'" in rows[0].fix
    assert len(await registry.leaks()) == 3
    await registry.forget_leaks("hotels")
    assert [row.team for row in await registry.leaks()] == ["pets"]
