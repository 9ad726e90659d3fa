"""Followed live: files and ledger into the table, within a second, the last good staying."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from gateway.registry.follow import Follow, News
from gateway.store.base import Ledger, Purge, StoreError
from gateway.store.redis.ledger import RedisLedger
from gateway.store.sqlite import SqliteLedger
from gateway.table import Current
from tests.kit.redis import RedisServer

pytestmark = pytest.mark.anyio


def text(team: str, prefix: str = "", origin: str = "http://127.0.0.1:9000") -> str:
    return f"""
team: {team}
upstreams: {{ {team}: {{ origins: ["{origin}"] }} }}
mounts: {{ {prefix or "/" + team}: {{ upstream: {team} }} }}
"""


def json_of(team: str, prefix: str) -> str:
    return f'{{"team":"{team}","upstreams":{{"{team}":{{"origins":["http://a:1"]}}}},"mounts":{{"{prefix}":{{"upstream":"{team}"}}}}}}'


class Process:
    """One gateway process as far as the registry goes."""

    def __init__(self, ledger: Ledger, globs: tuple[str, ...], moved_for: float = 3600.0) -> None:
        self.ledger = ledger
        self.current = Current()
        self.forgotten: list[Purge] = []
        self.news: list[News] = []
        self.follow = Follow(
            ledger, self.current, self._forget, globs=globs, report=self.news.append, moved_for=moved_for
        )

    async def _forget(self, purge: Purge) -> None:
        self.forgotten.append(purge)

    @property
    def mounts(self) -> list[str]:
        return sorted(prefix.decode() for prefix in self.current.table.mounts)

    @property
    def moved(self) -> dict[str, str]:
        return {move.old: move.new for move in self.current.table.moved.values()}


@asynccontextmanager
async def running(ledger: Ledger, *globs: str, moved_for: float = 3600.0) -> AsyncIterator[Process]:
    process = Process(ledger, globs, moved_for)
    await process.follow.load()
    task = asyncio.create_task(process.follow.run())
    try:
        yield process
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await ledger.close()


async def within_a_second(holds: Callable[[], bool]) -> None:
    for _ in range(100):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within a second")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.sqlite"


async def test_a_file_changed_added_and_removed_is_seen(tmp_path: Path, database: Path) -> None:
    (tmp_path / "hotels.yaml").write_text(text("hotels"))
    async with running(SqliteLedger(database), str(tmp_path / "*.yaml")) as process:
        assert process.mounts == ["/hotels"]
        (tmp_path / "hotels.yaml").write_text(text("hotels", "/stays"))
        await within_a_second(lambda: process.mounts == ["/stays"])
        assert process.forgotten == [Purge("team", "hotels")]
        (tmp_path / "pets.yaml").write_text(text("pets"))
        await within_a_second(lambda: process.mounts == ["/pets", "/stays"])
        (tmp_path / "hotels.yaml").unlink()
        await within_a_second(lambda: process.mounts == ["/pets"])


async def test_a_file_that_turns_bad_leaves_its_last_good_one_serving(tmp_path: Path, database: Path) -> None:
    file = tmp_path / "hotels.yaml"
    file.write_text(text("hotels"))
    async with running(SqliteLedger(database), str(tmp_path / "*.yaml")) as process:
        table = process.current.table
        for bad in ("team: [", "", text("hotels").replace("upstream:", "upstraem:"), text("hotels", origin="http://0")):
            file.write_text(bad)
            await within_a_second(lambda: str(file) in process.follow.troubles and process.news[-1].problems != ())
            assert process.current.table is table
            assert process.news[-1].message == "It has problems; the last good one stays."
            file.write_text(text("hotels"))
            await within_a_second(lambda: not process.follow.troubles)
        assert process.current.table is table


async def test_one_bad_file_does_not_keep_the_others_out(tmp_path: Path, database: Path) -> None:
    (tmp_path / "a.yaml").write_text("team: [")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "c.yaml").write_text(text("hotels"))
    (tmp_path / "d.yaml").write_text(text("pets", "/hotels"))
    (tmp_path / "e.yaml").write_text(text("hotels", "/other"))
    async with running(SqliteLedger(database), str(tmp_path / "*.yaml")) as process:
        assert process.current.table.teams == ("hotels",)
        codes = {Path(source).name: problems[0].code for source, problems in process.follow.troubles.items()}
        assert codes == {"a.yaml": "syntax", "b.yaml": "unreadable", "d.yaml": "owned", "e.yaml": "owned"}


async def test_a_folder_may_come_later(tmp_path: Path, database: Path) -> None:
    async with running(SqliteLedger(database), str(tmp_path / "teams" / "*.yaml")) as process:
        (tmp_path / "teams").mkdir()
        (tmp_path / "teams" / "hotels.yaml").write_text(text("hotels", origin="file:./dist"))
        await within_a_second(lambda: process.mounts == ["/hotels"])
        origin = process.current.table.upstreams["hotels"].origins[0]
        assert origin.folder == str(tmp_path / "teams" / "dist")


@pytest.fixture(params=["sqlite", "redis"])
def make(request: pytest.FixtureRequest, database: Path) -> Callable[[], Ledger]:
    if request.param == "sqlite":
        return lambda: SqliteLedger(database)
    server: RedisServer = request.getfixturevalue("fresh_redis")
    return lambda: RedisLedger(server.url)


async def test_every_process_follows_registrations_and_purges(make: Callable[[], Ledger]) -> None:
    async with running(make()) as one, running(make()) as two, running(make()) as three:
        await one.ledger.put("hotels", json_of("hotels", "/hotels"), 1.0, "")
        for process in (one, two, three):
            await within_a_second(lambda process=process: process.mounts == ["/hotels"])  # type: ignore[misc]
        purge = await two.ledger.purge("tag", "rooms", 1.0)
        for process in (one, two, three):
            await within_a_second(lambda process=process: purge in process.forgotten)  # type: ignore[misc]
        await three.ledger.delete("hotels", 1.0, "")
        for process in (one, two, three):
            await within_a_second(lambda process=process: process.mounts == [])  # type: ignore[misc]
            assert process.forgotten.count(purge) == 1


async def test_a_registration_that_cannot_be_read_leaves_the_last_good_one(make: Callable[[], Ledger]) -> None:
    async with running(make()) as process:
        await process.ledger.put("hotels", json_of("hotels", "/hotels"), 1.0, "")
        await process.follow.refresh()
        await process.ledger.put("hotels", '{"team": "hotels", "from": "a newer version"}', 1.0, "")
        await process.follow.refresh()
        assert process.mounts == ["/hotels"]
        assert list(process.follow.troubles) == ["team hotels"]


async def test_files_come_first(tmp_path: Path, database: Path) -> None:
    ledger = SqliteLedger(database)
    await ledger.put("pets", json_of("pets", "/hotels"), 1.0, "")
    await ledger.put("hotels", json_of("hotels", "/other"), 1.0, "")
    (tmp_path / "hotels.yaml").write_text(text("hotels"))
    async with running(ledger, str(tmp_path / "*.yaml")) as process:
        assert process.current.table.teams == ("hotels", "pets")
        found = process.current.table.find(b"", b"/hotels")
        assert found is not None
        assert found.team == "hotels"
        assert process.current.table.find(b"", b"/other") is None


async def test_without_its_ledger_the_files_serve_and_it_is_found_again(
    tmp_path: Path, fresh_redis: RedisServer
) -> None:
    (tmp_path / "hotels.yaml").write_text(text("hotels"))
    fresh_redis.stop()
    try:
        ledger = RedisLedger(fresh_redis.url)
        async with running(ledger, str(tmp_path / "*.yaml")) as process:
            assert process.mounts == ["/hotels"]
            assert list(process.follow.troubles) == ["ledger"]
            fresh_redis.start()
            await ledger.put("pets", json_of("pets", "/pets"), 1.0, "")
            await asyncio.sleep(1)  # what failed is asked again after that time
            await within_a_second(lambda: process.mounts == ["/hotels", "/pets"])
            assert process.follow.troubles == {}
    finally:
        if not fresh_redis.cli("PING"):
            fresh_redis.start()


async def test_a_ledger_that_lost_everything_gets_it_back(fresh_redis: RedisServer) -> None:
    async with running(RedisLedger(fresh_redis.url)) as one, running(RedisLedger(fresh_redis.url)) as two:
        await one.ledger.put("hotels", json_of("hotels", "/hotels"), 1.0, "team hotels")
        for process in (one, two):
            await within_a_second(lambda process=process: process.mounts == ["/hotels"])  # type: ignore[misc]
        fresh_redis.flush()
        await asyncio.sleep(0.7)
        assert one.mounts == two.mounts == ["/hotels"]
        assert [(row.team, row.revision, row.by) for row in await one.ledger.manifests()] == [
            ("hotels", 1, "team hotels")
        ]


async def test_a_purge_that_reaches_no_store_is_reported(database: Path) -> None:
    async def fails(purge: Purge) -> None:
        raise StoreError("Redis is away")

    news: list[News] = []
    ledger = SqliteLedger(database)
    follow = Follow(ledger, Current(), fails, report=news.append)
    await follow.load()
    await ledger.purge("tag", "rooms", 1.0)
    await follow.refresh()
    assert "purge of tag rooms did not reach the store" in news[-1].message
    await ledger.close()


async def test_a_move_outlives_the_process(make: Callable[[], Ledger]) -> None:
    async with running(make()) as process:
        for prefix in ("/a", "/b", "/c"):
            await process.ledger.put("hotels", json_of("hotels", prefix), 1.0, "")
            await process.follow.refresh()
        assert process.moved == {"/a": "/c", "/b": "/c"}
        until = {move.old: move.until for move in process.follow.moved}
    async with running(make()) as again:
        assert again.moved == {"/a": "/c", "/b": "/c"}
        assert {move.old: move.until for move in again.follow.moved} == until


async def test_a_file_that_changed_while_nobody_ran_is_a_move(tmp_path: Path, make: Callable[[], Ledger]) -> None:
    (tmp_path / "hotels.yaml").write_text(text("hotels"))
    async with running(make(), str(tmp_path / "*.yaml")) as process:
        assert process.moved == {}
    (tmp_path / "hotels.yaml").write_text(text("hotels", "/stays"))
    async with running(make(), str(tmp_path / "*.yaml")) as process:
        assert process.moved == {"/hotels": "/stays"}


async def test_a_move_ends_in_time(database: Path) -> None:
    async with running(SqliteLedger(database), moved_for=0.3) as process:
        for prefix in ("/a", "/b"):
            await process.ledger.put("hotels", json_of("hotels", prefix), 1.0, "")
            await process.follow.refresh()
        assert process.moved == {"/a": "/b"}
        await asyncio.sleep(0.8)
        await within_a_second(lambda: process.moved == {})
        assert [(home.prefix, home.left) for home in await process.ledger.homes()] == [("/b", None)]


async def test_or_when_somebody_declares_the_prefix(database: Path) -> None:
    async with running(SqliteLedger(database)) as process:
        for team, prefix in (("hotels", "/a"), ("hotels", "/b"), ("pets", "/a")):
            await process.ledger.put(team, json_of(team, prefix), 1.0, "")
            await process.follow.refresh()
        assert process.moved == {}
        assert process.mounts == ["/a", "/b"]


async def test_who_links_to_what_moved_is_relinked_and_forgotten(tmp_path: Path, database: Path) -> None:
    pets = text("pets").replace("upstream: pets }", "upstream: pets, links_to: [/hotels] }")
    (tmp_path / "pets.yaml").write_text(pets)
    (tmp_path / "hotels.yaml").write_text(text("hotels"))
    async with running(SqliteLedger(database), str(tmp_path / "*.yaml")) as process:
        (tmp_path / "hotels.yaml").write_text(text("hotels", "/stays"))
        await within_a_second(lambda: process.mounts == ["/pets", "/stays"])
        mount = process.current.table.find(b"", b"/pets/")
        assert mount is not None and mount.relinked == (("/hotels", "/stays"),)
        assert process.forgotten == [Purge("team", "hotels"), Purge("team", "pets")]


async def test_moves_wait_for_a_ledger_that_is_away(tmp_path: Path, fresh_redis: RedisServer) -> None:
    (tmp_path / "hotels.yaml").write_text(text("hotels"))
    try:
        async with running(RedisLedger(fresh_redis.url), str(tmp_path / "*.yaml")) as process:
            fresh_redis.stop()
            (tmp_path / "hotels.yaml").write_text(text("hotels", "/stays"))
            await asyncio.sleep(0.5)
            await within_a_second(lambda: process.moved == {"/hotels": "/stays"})
            fresh_redis.start()
            other = RedisLedger(fresh_redis.url)
            for _ in range(300):
                if [home.to for home in await other.homes() if home.left] == ["/stays"]:
                    break
                await asyncio.sleep(0.01)
            else:
                raise AssertionError("not within three seconds")
            await other.close()
    finally:
        if not fresh_redis.cli("PING"):
            fresh_redis.start()
