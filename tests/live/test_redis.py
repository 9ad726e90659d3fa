"""Gateways that share a Redis share what they stored; when it is away they are slower, never wrong, never down."""

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.rules.freshness import ASKABLE
from gateway.store.redis.entries import ENTRY
from gateway.store.redis.pipe import PATIENCE
from tests.kit import ports
from tests.kit.redis import RedisServer
from tests.live.portal import Crew, Portal, directives, gateway_for, registered, soon

HOST = "portal.example"  # stored answers belong to a host: gateways behind one balancer are asked for the same
OFFER = "Only tonight"
ASKED = '"GET /fragments/deals HTTP/1.1" 200'  # as the hotels' server logs it
DAY = 86_400_000
ASKED_ABOUT = int(ASKABLE * 1000)  # what has a validator stays that much longer


@pytest.fixture
def redis(fresh_redis: RedisServer) -> Iterator[RedisServer]:
    """An empty Redis; one that a test stopped is started again."""
    yield fresh_redis
    if not ports.answers(fresh_redis.port):
        fresh_redis.start()


@pytest.fixture
def gateway(crew: Crew, redis: RedisServer, tmp_path: Path) -> Iterator[Portal]:
    with gateway_for(tmp_path / "first", registered(crew), "--redis", redis.url) as portal:
        yield portal


@pytest.fixture
def another(crew: Crew, redis: RedisServer, tmp_path: Path) -> Iterator[Portal]:
    """A second gateway on the same Redis, with a memory of its own."""
    with gateway_for(tmp_path / "second", registered(crew), "--redis", redis.url) as portal:
        yield portal


def kept(redis: RedisServer, part: str) -> list[bytes]:
    """Keys whose name holds a text."""
    found = redis.cli("KEYS", f"*{part}*")
    assert isinstance(found, list)
    return [key for key in found if isinstance(key, bytes)]


def home(portal: Portal) -> httpx.Response:
    answer = portal.get("/", Host=HOST)
    assert answer.status_code == 200
    return answer


def test_fragments_are_stored_with_their_time_to_live(gateway: Portal, redis: RedisServer) -> None:
    with redis.monitor() as said:
        home(gateway)
        soon(lambda: len(kept(redis, "hotels.deals")) and len(kept(redis, "cars.featured")))
    stores = [command for command in said if re.match(r"SET portico:2:e:\{fragment [^}]*hotels\.deals ", command, re.I)]
    assert len(stores) == 1
    life = re.search(r" PX (\d+)$", stores[0], re.I)
    assert life and DAY < int(life[1]) <= 30_000 + DAY  # fresh for 30 s, then usable for a day when hotels fail
    for key in redis_entries(redis):
        assert 0 < int(str(redis.cli("PTTL", key))) <= 61_000 + DAY + ASKED_ABOUT


def test_a_page_asset_is_kept_for_as_long_as_its_origin_says(gateway: Portal, redis: RedisServer) -> None:
    assert gateway.get("/pets/portrait/3.svg", Host=HOST).status_code == 200
    (key,) = soon(lambda: [key for key in redis_entries(redis) if b"portrait/3.svg" in key])
    assert DAY - 5000 < int(str(redis.cli("PTTL", key))) <= DAY + ASKED_ABOUT


def test_what_may_not_be_shared_is_not_there(gateway: Portal, redis: RedisServer) -> None:
    form = {"stay": "1", "name": "Ida", "arrival": "2099-05-01", "nights": "2", "guests": "1"}
    with httpx.Client(base_url=gateway.url) as visitor:
        ticket = visitor.get(visitor.post("/hotels/book", data=form).headers["location"])
        assert "Ida" in ticket.text
        visitor.get("/hotels/bookings")
    home(gateway)
    soon(lambda: kept(redis, "hotels.deals"))
    assert not kept(redis, "bookings") and not kept(redis, "book")
    assert not [key for key in redis_entries(redis) if b"Ida" in bytes(str(redis.cli("GET", key)), "utf-8")]


def test_the_second_request_is_a_hit(gateway: Portal) -> None:
    home(gateway)
    timings = home(gateway).headers["server-timing"]
    for name in ("shell.header", "hotels.deals", "pets.adoptable", "cars.featured"):
        assert re.search(rf'{re.escape(name)};[^,]*"?hit', timings), timings
    gateway.get("/pets/portrait/3.svg")
    assert "hit" in directives(gateway.get("/pets/portrait/3.svg"))


def test_another_gateway_has_a_hit_without_asking_the_origin(
    crew: Crew, gateway: Portal, another: Portal, redis: RedisServer
) -> None:
    first = home(gateway)
    soon(lambda: kept(redis, "hotels.deals") and kept(redis, "pets.adoptable"))
    asked = crew.children["hotels"].output.count(ASKED)
    gateway.get("/pets/portrait/5.svg", Host=HOST)
    soon(lambda: kept(redis, "portrait/5.svg"))
    second = home(another)
    assert re.search(r'hotels\.deals;[^,]*"?hit', second.headers["server-timing"]), second.headers["server-timing"]
    assert "hit" in directives(another.get("/pets/portrait/5.svg", Host=HOST))
    assert crew.children["hotels"].output.count(ASKED) == asked
    assert 'class="hotels-deals"' in first.text and 'class="hotels-deals"' in second.text


def test_a_purge_is_heard_by_every_gateway(crew: Crew, gateway: Portal, another: Portal, redis: RedisServer) -> None:
    for portal in (gateway, another):
        home(portal)
        assert re.search(r"hotels\.deals;[^,]*hit", home(portal).headers["server-timing"])
    asked = crew.children["hotels"].output.count(ASKED)
    done = gateway.portico("purge", "--tag", "hotels")
    assert done.returncode == 0, done.stdout + done.stderr
    soon(lambda: home(another) and crew.children["hotels"].output.count(ASKED) > asked)
    assert "cars.featured" in home(another).headers["server-timing"]


def test_redis_stops_during_two_hundred_requests(gateway: Portal, redis: RedisServer) -> None:
    paths = ["/", "/hotels/", "/pets/", "/cars/", "/pets/portrait/3.svg"]
    wrong: list[str] = []
    slowest = 0.0

    def visit(visitor: httpx.Client, number: int) -> None:
        nonlocal slowest
        path = paths[number % len(paths)]
        began = time.monotonic()
        answer = visitor.get(f"{path}?visit={number}" if number % 2 else path)
        slowest = max(slowest, time.monotonic() - began)
        whole = path != "/" or ('class="hotels-deals"' in answer.text and 'class="cars-featured"' in answer.text)
        if answer.status_code != 200 or not whole:
            wrong.append(f"{number} {path}: {answer.status_code}")

    def visits(first: int) -> None:
        with httpx.Client(base_url=gateway.url, timeout=10) as visitor:
            for number in range(first, 200, 4):
                visit(visitor, number)
                if number == 60:
                    redis.stop()

    visitors = [threading.Thread(target=visits, args=(first,)) for first in range(4)]
    for each in visitors:
        each.start()
    for each in visitors:
        each.join(60)
    assert not ports.answers(redis.port)
    assert wrong == []
    assert slowest < 2.0
    assert gateway.child.running


def test_redis_that_comes_back_is_used_again(gateway: Portal, redis: RedisServer) -> None:
    home(gateway)
    redis.stop()
    assert gateway.get("/pets/portrait/1.svg").status_code == 200
    assert home(gateway)
    redis.start()
    assert not kept(redis, "portrait")
    soon(lambda: gateway.get(f"/pets/portrait/2.svg?{time.time()}") and kept(redis, "portrait"), 5)


def test_a_hanging_redis_costs_little(gateway: Portal, redis: RedisServer) -> None:
    """It takes connections and answers nothing, as a swapping or firewalled one does."""
    home(gateway)
    redis.cli("CLIENT", "PAUSE", "3000", "ALL")
    took = []
    with httpx.Client(base_url=gateway.url) as visitor:
        for number in range(20):
            began = time.monotonic()
            answer = visitor.get(f"/pets/portrait/3.svg?pause={number}")
            took.append(time.monotonic() - began)
            assert answer.status_code == 200
    assert sum(each >= PATIENCE for each in took) < len(took) / 2  # who asks first waits for it, the next do not


def test_a_registration_is_seen_by_every_gateway(crew: Crew, gateway: Portal, another: Portal) -> None:
    file = gateway.folder / "deals.yaml"
    file.write_text(crew.manifest("deals"))
    done = gateway.portico("register", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    soon(lambda: OFFER in home(another).text)
    assert OFFER in home(gateway).text


def test_registrations_outlive_an_emptied_redis(
    crew: Crew, gateway: Portal, redis: RedisServer, tmp_path: Path
) -> None:
    file = gateway.folder / "deals.yaml"
    file.write_text(crew.manifest("deals"))
    assert gateway.portico("register", str(file)).returncode == 0
    redis.stop()
    assert OFFER in home(gateway).text
    redis.start()
    time.sleep(0.5)
    assert OFFER in home(gateway).text
    soon(lambda: kept(redis, "manifests"), 5)
    with gateway_for(tmp_path / "third", registered(crew), "--redis", redis.url) as third:
        assert OFFER in home(third).text


def test_a_gateway_starts_without_its_redis(crew: Crew, redis: RedisServer, tmp_path: Path) -> None:
    redis.stop()
    with gateway_for(tmp_path, registered(crew), "--redis", redis.url) as portal:
        assert 'class="hotels-deals"' in home(portal).text
        redis.start()
        soon(lambda: portal.get(f"/pets/portrait/3.svg?{time.time()}") and kept(redis, "portrait"), 5)


def redis_entries(redis: RedisServer) -> list[bytes]:
    """Keys of stored answers."""
    return [key for key in kept(redis, "") if key.startswith(ENTRY)]
