"""Fragments over real sockets, on connections that are open: whatever an answer is, its slot holds the same as ever."""

import asyncio
import gzip
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from gateway.errors import TimedOut
from gateway.message import Response
from gateway.proxy.straight import Sent
from gateway.telemetry.facts import Degraded
from gateway.transport.connection import Coming, Connection
from gateway.transport.pool import Pool
from gateway.transport.resolve import Resolver
from tests.gateway.proxy.playbook import Play, manifest, playing
from tests.kit.origin import Answer, Origin, Raw, Seen, html, serving

pytestmark = pytest.mark.anyio

Answering = Callable[[Seen], Answer | Raw | Awaitable[Answer | Raw]]
SHELL = '<!doctype html><title>S</title><main><mf-slot name="pets.box"><i>fallback</i></mf-slot></main>'
FRESH = ("Cache-Control", "no-store")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: no-store\r\n"


@asynccontextmanager
async def portal(answer: Answering, shell: str = SHELL, **fragment: Any) -> AsyncIterator[tuple[Play, Origin]]:
    """A shell and one fragment, each at an origin of its own; the shell is kept."""
    async with serving(lambda _: html(shell, ("Cache-Control", "max-age=600"))) as pages, serving(answer) as pieces:
        box = {"upstream": "pets", "path": "/box", "timeout": "300ms", **fragment}
        team = manifest("pets", fragments={"pets.box": box})
        team["upstreams"] = {"pets": {"origins": [pieces.url]}}
        home = manifest("home", mounts={"/": {"upstream": "home", "composes": True}})
        home["upstreams"] = {"home": {"origins": [pages.url]}}
        pool = Pool(Resolver(("loopback",)))
        async with playing([home, team], {}, transport=pool, deadline=1.0) as play:
            yield play, pieces
        await pool.aclose()


async def slot(play: Play, *headers: tuple[str, str]) -> str:
    """What the page holds in its slot, without the wrapper."""
    text = (await play.get("/", *headers)).text
    return text.partition("<main>")[2].partition("</main>")[0].partition(">")[2].rpartition("</mf-slot>")[0]


def redirecting(seen: Seen) -> Answer:
    return html("<b>there</b>", FRESH) if seen.path == "/there" else Answer(b"", 302, [("Location", "/there")])


def coded(_: Seen) -> Answer:
    return Answer(
        gzip.compress(b"<b>packed</b>"), 200, [("Content-Type", "text/html"), ("Content-Encoding", "gzip"), FRESH]
    )


def in_chunks(_: Seen) -> Answer:
    return Answer([b"<b>", b"x</b>"], headers=[("Content-Type", "text/html")])


def cut(_: Seen) -> Raw:
    return Raw(HEAD + b"Content-Length: 50\r\n\r\n<b>half")


LONG = "<b>" + "x" * 200_000 + "</b>"


@pytest.mark.parametrize(
    ("answer", "holds"),
    [
        pytest.param(lambda _: html("<b>x</b>", FRESH), "<b>x</b>", id="whole"),
        pytest.param(lambda _: html("", FRESH), "", id="empty"),
        pytest.param(redirecting, "<b>there</b>", id="moved inside its upstream"),
        pytest.param(coded, "<b>packed</b>", id="coded"),
        pytest.param(in_chunks, "<b>x</b>", id="in chunks"),
        pytest.param(
            lambda _: Raw([HEAD + b"Content-Length: 8\r\n\r\n", 0.02, b"<b>", 0.02, b"x</b>"], close=False),
            "<b>x</b>",
            id="piece by piece",
        ),
        pytest.param(lambda _: html(LONG, FRESH), LONG, id="long"),
        pytest.param(lambda _: Answer(b"", 204), "", id="nothing"),
        pytest.param(lambda _: html("no", status=404), "<i>fallback</i>", id="not there"),
        pytest.param(lambda _: html("no", status=500), "<i>fallback</i>", id="broken"),
        pytest.param(cut, "<i>fallback</i>", id="cut short"),
        pytest.param(lambda _: Answer(b"late", delay=2.0), "<i>fallback</i>", id="late"),
        pytest.param(
            lambda _: Raw([HEAD + b"Content-Length: 999\r\n\r\n<b>", 2.0]), "<i>fallback</i>", id="never ending"
        ),
        pytest.param(
            lambda _: Answer(b"<b>x</b>", headers=[("Content-Type", "image/png")]), "<i>fallback</i>", id="no markup"
        ),
    ],
)  # fmt: skip
async def test_a_slot_holds_the_same_the_first_time_and_ever_after(answer: Answering, holds: str) -> None:
    warm = [html("<b>warm</b>", FRESH)]
    async with portal(lambda seen: warm.pop() if warm else answer(seen)) as (play, _):
        assert await slot(play) == "<b>warm</b>"
        for _ in range(4):
            assert await slot(play) == holds


async def test_it_is_asked_for_on_the_connection_that_is_open_and_by_no_coroutine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with portal(lambda _: html("<b>x</b>", FRESH)) as (play, origin):
        await slot(play)
        await slot(play)
        monkeypatch.setattr(Pool, "handle_async_request", None)
        assert [await slot(play) for _ in range(4)] == ["<b>x</b>"] * 4
    assert (len(origin.requests), origin.connections) == (6, 1)
    assert origin.requests[-1].all("x-request-id") != origin.requests[-2].all("x-request-id")
    heads = [{name.lower() for name, _ in seen.headers} for seen in origin.requests]
    assert all(each == heads[0] for each in heads)


async def test_a_connection_that_was_closed_meanwhile_is_nobodys_failure() -> None:
    first = [Raw([HEAD + b"Content-Length: 8\r\n\r\n<b>x</b>", 0.05])]
    async with portal(lambda _: first.pop() if first else html("<b>y</b>", FRESH)) as (play, origin):
        assert [await slot(play) for _ in range(3)] == ["<b>x</b>", "<b>y</b>", "<b>y</b>"]
    assert origin.connections == 2


async def test_what_may_be_kept_is_kept() -> None:
    count = itertools.count()

    def kept_at_last(_: Seen) -> Answer:
        number = next(count)
        return html(f"<b>{number}</b>", ("Cache-Control", "max-age=600") if number == 3 else FRESH)

    async with portal(kept_at_last) as (play, _):
        assert [await slot(play) for _ in range(6)] == ["<b>0</b>", "<b>1</b>", "<b>2</b>", *["<b>3</b>"] * 3]


async def test_what_changes_is_never_what_it_was() -> None:
    count = itertools.count()
    async with portal(lambda _: html(f"<b>{next(count) // 2 % 2}</b>", FRESH)) as (play, _):
        assert [await slot(play) for _ in range(12)] == [f"<b>{n // 2 % 2}</b>" for n in range(12)]


async def test_a_page_that_is_the_same_again_has_its_own_times_and_name() -> None:
    """A whole one: it promises more than one that leaves before its parts are there, whatever those will say."""
    required = SHELL.replace('name="pets.box"', 'name="pets.box" required')
    async with portal(lambda _: html("<b>x</b>", FRESH), required) as (play, _):
        pages = [await play.get("/") for _ in range(6)]
    assert len({page.body for page in pages}) == 1
    assert len({page.get("etag") for page in pages}) == 1
    assert len({page.get("x-request-id") for page in pages}) == 6
    assert {page.get("cache-control") for page in pages} == {"no-store"}
    assert all("pets.box;desc=" in (page.get("server-timing") or "") for page in pages)


async def test_a_page_that_is_the_same_again_comes_to_each_viewer_in_its_coding() -> None:
    async with portal(lambda _: html("<b>x</b>", FRESH)) as (play, _):
        for _ in range(4):
            plain, packed = await play.get("/"), await play.get("/", ("accept-encoding", "gzip"))
            assert (plain.get("content-encoding"), packed.get("content-encoding")) == (None, "gzip")
            assert gzip.decompress(packed.body) == plain.body


@pytest.mark.parametrize("policy", [FRESH, ("Set-Cookie", "a=1")], ids=lambda each: each[1])
async def test_a_piece_that_says_something_else_of_its_page_is_heard(policy: tuple[str, str]) -> None:
    said = [policy] * 3
    async with portal(lambda _: html("<b>x</b>", *([said.pop()] if said else [("Cache-Control", "private")]))) as (
        play,
        _,
    ):
        for _ in range(3):
            assert await slot(play) == "<b>x</b>"
        last = [(await play.get("/")).get("cache-control") for _ in range(3)]
    assert set(last) == {"private, no-cache"}


async def test_what_one_viewer_is_shown_no_other_is() -> None:
    def greets(seen: Seen) -> Answer:
        return html(f"<b>{seen.get('Cookie')}</b>", ("Cache-Control", "max-age=600"))

    async with portal(greets, forward={"cookies": ["who"]}) as (play, _):
        for _ in range(4):
            for who in ("ann", "bob"):
                assert await slot(play, ("cookie", f"who={who}; other=1")) == f"<b>who={who}</b>"


async def test_the_same_fragment_twice_on_a_page_has_a_place_of_its_own_each_time() -> None:
    twice = "<!doctype html><main>" + '<mf-slot name="pets.box"></mf-slot>' * 2 + "</main>"
    async with portal(lambda _: html("<b>x</b>", FRESH), twice) as (play, _):
        pages = [(await play.get("/")).text for _ in range(5)]
    marks = [page.count("data-mf-slot=") for page in pages]
    assert marks == [2] * 5 and len(set(pages)) == 1
    first, second = pages[0].split("data-mf-slot=")[1:]
    assert first.partition(">")[0] != second.partition(">")[0]


async def test_a_required_one_that_is_refused_fails_its_page_and_is_told_once() -> None:
    required = SHELL.replace('name="pets.box"', 'name="pets.box" required')
    first = [html("<b>x</b>", FRESH)]
    refused = Answer(b"{}", headers=[("Content-Type", "application/json"), FRESH])
    async with portal(lambda _: first.pop() if first else refused, required) as (play, _):
        assert (await play.get("/")).status == 200
        assert [(await play.get("/")).status for _ in range(3)] == [502] * 3
        assert len([fact for fact in play.facts if type(fact) is Degraded]) == 3


async def test_a_viewer_that_goes_away_leaves_no_connection_behind() -> None:
    first = [html("<b>x</b>", FRESH)]
    async with portal(lambda _: first.pop() if first else Answer(b"late", delay=2.0), timeout="2s") as (play, origin):
        await slot(play)
        going = asyncio.ensure_future(play.get("/"))
        while len(origin.requests) < 2:  # noqa: ASYNC110  a thread of its own fills the list
            await asyncio.sleep(0.005)
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
        pool = play.flow._forward._pools["http"]
        home = pool._homes[origin.url]
        assert (home.all, home.idle) == (set(), [])


class Never(Connection):
    """One that is there to be closed."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Told(Sent[str]):
    """What is not plain is left to a rest that names itself."""

    def __init__(self, read: Callable[[Response], str | None], rest: Callable[[Coming], Awaitable[str]]) -> None:
        super().__init__()
        self.connection = cast(Connection, Never())
        self._own = read, rest
        self.told: list[object] = []
        self.then = self.told.append

    def read(self, response: Response) -> str | None:
        return self._own[0](response)

    async def rest(self, begun: Coming) -> str:
        return await self._own[1](begun)


async def rest_of(begun: Coming) -> str:
    return f"rest of {(await begun).body!r}"


def sent(read: Callable[[Response], str | None]) -> Told:
    return Told(read, rest_of)


async def test_what_is_plain_is_there_at_once() -> None:
    waits = sent(lambda response: f"read {response.body!r}")
    assert (waits.done, repr(waits)) == (False, "<Told waiting>")
    waits.set(Response(200, [], b"x"))
    assert (waits.done, waits.result(), waits.told) == (True, "read b'x'", [waits])


async def test_what_is_not_plain_is_left_to_the_rest() -> None:
    waits = sent(lambda _: None)
    waits.set(Response(200, [], b"x"))
    assert (waits.done, waits.result(), waits.told) == (True, "rest of b'x'", [waits])


async def test_a_failure_is_the_rests_to_tell() -> None:
    waits = sent(lambda _: "never")
    waits.fail(TimedOut("late"))
    with pytest.raises(TimedOut):
        waits.result()


async def test_a_defect_in_reading_is_told_to_who_waits() -> None:
    def broken(_: Response) -> str | None:
        raise ValueError("no")

    waits = sent(broken)
    waits.set(Response(200, [], b"x"))
    assert waits.told == [waits]
    with pytest.raises(ValueError, match="no"):
        waits.result()


async def test_what_is_cancelled_closes_its_connection_and_is_heard_of_no_more() -> None:
    waits = sent(lambda _: "never")
    connection = waits.connection
    waits.cancel()
    assert isinstance(connection, Never) and connection.closed
    waits.set(Response(200, [], b"x"))
    waits.fail(TimedOut("late"))
    assert (waits.done, waits.told) == (False, [])


async def test_a_rest_that_still_waits_is_cancelled() -> None:
    begun = asyncio.Event()
    ended: list[BaseException] = []

    async def rest(_: Coming) -> str:
        begun.set()
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError as error:
            ended.append(error)
            raise
        return "never"

    waits = Told(lambda _: None, rest)
    waits.set(Response(200, [], b"x"))
    await begun.wait()
    assert not waits.done
    waits.cancel()
    await asyncio.sleep(0.01)
    assert waits.done and len(ended) == 1
