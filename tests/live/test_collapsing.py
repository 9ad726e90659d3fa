"""Many who ask for the same at once, at gateways with several workers: the origin is asked once, if it is for all.

And never is one viewer's answer another's, whatever an origin says of it.
"""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.kit.origin import Answer, Origin, Seen
from tests.kit.redis import RedisServer
from tests.live.portal import Portal, gateway_for, soon

pytestmark = pytest.mark.anyio

HOST = "portal.example"
COLD = 1000
MANIFEST = """\
team: shop
upstreams: {{ shop: {{ origins: ["{url}"] }} }}
mounts: {{ /shop: {{ upstream: shop, cookies: ["*"] }} }}
"""


@pytest.fixture
def redis(fresh_redis: RedisServer) -> RedisServer:
    return fresh_redis


@pytest.fixture
def shop() -> Iterator[Origin]:
    with Origin(answer) as origin:
        yield origin


@pytest.fixture
def portals(shop: Origin, redis: RedisServer, tmp_path: Path) -> Iterator[list[Portal]]:
    """Two gateways of two workers each, on one Redis."""
    manifests = {"shop": MANIFEST.format(url=shop.url)}
    with ExitStack() as life:
        started = [
            life.enter_context(gateway_for(tmp_path / name, manifests, "--redis", redis.url, workers=2))
            for name in ("first", "second")
        ]
        for portal in started:
            soon(partial(is_warm, portal), 10)
        yield started


def is_warm(portal: Portal) -> bool:
    return portal.get("/shop/warm", Host=HOST).status_code == 200


def answer(seen: Seen) -> Answer:
    """Whoever asks stands in the body; what may be kept of it is what the query says."""
    who = seen.get("X-Who") or "nobody"
    fields = [("Content-Type", "text/html")]
    if seen.query:
        parts = (part.partition(":") for part in httpx.QueryParams(seen.query)["say"].split("|") if part)
        fields += [(name, value) for name, _, value in parts]
    return Answer(f"<p>{who}</p>".encode(), headers=fields, delay=0.3 if "slow" in seen.target else 0.0)


async def status(port: int, target: str) -> bytes:
    """A viewer that costs little: a thousand of a real client's would be what is measured."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.partition(b"\r\n")[0]


async def test_a_thousand_who_miss_at_once_cost_one_fetch(portals: list[Portal], shop: Origin) -> None:
    target = "/shop/slow?say=Cache-Control:max-age%3D60"
    ports = itertools.islice(itertools.cycle(httpx.URL(portal.url).port or 0 for portal in portals), COLD)
    assert set(await asyncio.gather(*(status(port, target) for port in ports))) == {b"HTTP/1.1 200 OK"}
    asked = [each for each in shop.targets if "/slow" in each]
    print(f"{COLD} cold requests, 2 gateways x 2 workers, one Redis: {len(asked)} fetch")
    assert len(asked) == 1


SAYS = [
    "", "no-store", "private", "private, max-age=60", "no-cache", "max-age=60", "public, max-age=60", "s-maxage=60",
    "must-revalidate", "max-age=0", "max-age=60, private", "stale-while-revalidate=60, max-age=0",
    'private="x-a", max-age=60',
]  # fmt: skip
MORE = [
    "",
    "Set-Cookie:a=1",
    "Vary:X-Who",
    "Vary:Cookie",
    "Vary:*",
    "Expires:Thu, 01 Jan 2099 00:00:00 GMT",
    "Pragma:no-cache",
]


def for_all(said: str, more: str) -> bool:
    """Whether these fields let anybody have it."""
    shared = any(word in said for word in ("max-age", "s-maxage")) and "no-store" not in said and "private" not in said
    expires = more.startswith("Expires") and said in ("", "must-revalidate")
    return (shared or expires) and not more.startswith(("Set-Cookie", "Vary:*", "Vary:X-Who", "Vary:Cookie"))


BRIEFLY = {"", "private, max-age=60", "no-cache", 'private="x-a", max-age=60'}


@pytest.mark.parametrize(
    "said", [pytest.param(each, marks=() if each in BRIEFLY else pytest.mark.long) for each in SAYS]
)
async def test_nobody_is_given_what_is_anothers(portals: list[Portal], said: str) -> None:
    """Twenty viewers at once, four times over, with each further field."""
    limits = httpx.Limits(max_connections=80)
    async with httpx.AsyncClient(limits=limits, timeout=30) as viewer:
        for number, more in enumerate(MORE):
            say = "|".join(part for part in (f"Cache-Control:{said}" if said else "", more) if part)
            target = f"/shop/page-{SAYS.index(said)}-{number}"
            for _ in range(4):
                names = [f"u{name}" for name in range(20)]
                asked = [
                    viewer.get(
                        portals[at % 2].url + target,
                        params={"say": say},
                        headers={"Host": HOST, "X-Who": name, "Cookie": f"sid={name}"},
                    )
                    for at, name in enumerate(names)
                ]
                for name, got in zip(names, await asyncio.gather(*asked), strict=True):
                    assert got.status_code == 200
                    if not for_all(said, more):
                        assert got.text == f"<p>{name}</p>", f"{name} was given another's, {say!r}"
