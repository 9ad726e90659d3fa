"""One connection for many: answers find who asked, silence is told to all, and no one's leaving harms another."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from gateway.store.base import StoreError, StoreRefused
from gateway.store.redis.address import Login
from gateway.store.redis.pipe import PATIENCE, PING, Pipe, Server, opened, packed, said
from tests.kit.ports import free_port
from tests.kit.redis import RedisServer

pytestmark = pytest.mark.anyio

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HELLO = b"%1\r\n+server\r\n+x\r\n"


@pytest.fixture
async def pipe(fresh_redis: RedisServer) -> AsyncIterator[Pipe]:
    pipe = await opened(Server("127.0.0.1", fresh_redis.port), Login())
    yield pipe
    pipe.end("the test is over")


async def test_answers_come_to_who_asked(pipe: Pipe) -> None:
    async def echo(number: int) -> bool:
        return bool(said(await pipe.ask(packed(b"ECHO", b"%d" % number))) == b"%d" % number)

    assert all(await asyncio.gather(*map(echo, range(500))))


async def test_several_are_one_write(pipe: Pipe, fresh_redis: RedisServer) -> None:
    asked = pipe.ask_all([packed(b"SET", b"a", b"1"), packed(b"INCR", b"a"), packed(b"LPUSH", b"a", b"x"), PING])
    first, second, third, fourth = [await answer for answer in asked]
    assert (first, second, fourth) == (b"OK", 2, b"PONG")
    with pytest.raises(StoreRefused, match="WRONGTYPE"):
        said(third)
    assert fresh_redis.cli("GET", "a") == b"2"


async def test_who_leaves_takes_nobodys_answer(pipe: Pipe) -> None:
    left, stays = pipe.ask(packed(b"ECHO", b"left")), pipe.ask(packed(b"ECHO", b"stays"))
    left.cancel()
    assert await stays == b"stays"


async def test_silence_is_told_to_all_who_wait_and_to_who_opened_it(pipe: Pipe, fresh_redis: RedisServer) -> None:
    reasons: list[str] = []
    pipe.lost = reasons.append
    fresh_redis.freeze()
    try:
        began = time.monotonic()
        first = pipe.ask(PING)
        await asyncio.sleep(PATIENCE / 2)
        second = pipe.ask(PING)
        for answer in (first, second):
            with pytest.raises(StoreError, match="in time"):
                said(await answer)
        assert PATIENCE <= time.monotonic() - began < 3 * PATIENCE
        with pytest.raises(StoreError, match="ended"):
            said(await pipe.ask(PING))
        assert all(isinstance(answer, StoreError) for answer in await asyncio.gather(*pipe.ask_all([PING, PING])))
    finally:
        fresh_redis.thaw()
    assert reasons == ["Redis did not answer in time."]


async def test_silence_is_noticed_when_nobody_asks(pipe: Pipe, fresh_redis: RedisServer) -> None:
    lost = asyncio.Event()
    pipe.lost = lambda reason: lost.set()
    fresh_redis.freeze()
    try:
        await asyncio.wait_for(lost.wait(), 5)
    finally:
        fresh_redis.thaw()


@pytest.mark.parametrize(
    ("login", "why"),
    [
        pytest.param(Login("nobody", "wrong"), "WRONGPASS", id="a wrong password"),
        pytest.param(Login(db=99), "DB index", id="a database that is not there"),
    ],
)
async def test_why_it_does_not_open_is_told(fresh_redis: RedisServer, login: Login, why: str) -> None:
    with pytest.raises(StoreError, match=why) as told:
        await opened(Server("127.0.0.1", fresh_redis.port), login)
    assert "wrong" not in str(told.value)


async def spoken(speak: Speak) -> Pipe | str:
    """What comes of a server that speaks so."""
    port, over = free_port(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await speak(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        over.set()

    async with await asyncio.start_server(talk, "127.0.0.1", port):
        try:
            pipe = await opened(Server("127.0.0.1", port), Login("ann", "word", 2))
        except StoreError as error:
            await over.wait()
            return str(error)
        pipe.end("the test is over")
        await over.wait()
        return pipe


async def test_a_server_of_before_is_spoken_to_as_before() -> None:
    heard = b""

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        for answer in (b"-ERR unknown command 'HELLO'\r\n", b"+OK\r\n", b"+OK\r\n", b"+PONG\r\n"):
            heard += await reader.read(1000)
            writer.write(answer)
        await reader.read(1)

    found = await spoken(old)
    assert isinstance(found, Pipe) and not found.tracks
    assert b"AUTH\r\n$3\r\nann\r\n$4\r\nword" in heard and b"SELECT\r\n$1\r\n2" in heard


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another protocol"),
        pytest.param(HELLO + b"+more\r\n" * 5, id="answers nobody asked for"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_nonsense_ends_it(answer: bytes) -> None:
    async def odd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(answer)

    assert "cannot be opened" in str(await spoken(odd))
