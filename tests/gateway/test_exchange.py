"""The record of one request: filled in on its way, deciding nothing."""

import gateway.table as tables
from fragments.urls import Place
from gateway.exchange import Answer, Exchange, Fetch, Lane
from gateway.message import Request
from gateway.model import Manifest
from gateway.table import Table

TABLE = tables.compile(
    [
        Manifest.model_validate(
            {
                "team": "hotels",
                "upstreams": {"app": {"origins": ["http://o.test"]}},
                "mounts": {"/stays": {"upstream": "app"}},
                "fragments": {"hotels.deals": {"upstream": "app", "path": "/d"}},
            }
        )
    ]
)


def test_an_exchange_begins_empty() -> None:
    request = Request(b"GET", b"/", [])
    exchange = Exchange(request, Table(), b"id", now=5.0, started=1.0)
    assert exchange.request is request
    assert (exchange.mount, exchange.error, exchange.note, exchange.timings) == (None, None, b"", b"")


def test_two_exchanges_share_nothing() -> None:
    one, other = (Exchange(Request(b"GET", b"/", []), Table(), b"id", 0.0, 0.0) for _ in range(2))
    one.authority = b"shop.test"
    assert other.authority == b""


def test_a_fetch_knows_its_team_and_public_path() -> None:
    mount = TABLE.find(b"", b"/stays/d")
    assert mount is not None
    fetch = Fetch(mount.upstream, b"/d?x", b"key", Place("/stays"), None, 1.0, lane=Lane(mount, b"http", b"shop.test"))
    assert (fetch.team, fetch.prefix, fetch.url) == ("hotels", b"/stays", b"/stays/d?x")
    assert repr(fetch) == "<Fetch page of app>"


def test_a_fetch_for_a_slot_names_its_fragment() -> None:
    fragment = TABLE.fragments["hotels.deals"]
    fetch = Fetch(fragment.upstream, b"/d", b"key", Place(""), None, 1.0, fragment=fragment)
    assert repr(fetch) == "<Fetch hotels.deals of app>"
    assert (fetch.prefix, fetch.url) == (b"/stays", b"/stays/d")


def test_a_lane_holds_what_requests_of_a_mount_share() -> None:
    mount = TABLE.find(b"", b"/stays/")
    assert mount is not None
    lane = Lane(mount, b"https", b"shop.test")
    assert (lane.public, lane.place.prefix) == (b"https://shop.test", "/stays")
    assert lane.place.origins == {"http://o.test"} and lane.place.public == "https://shop.test"
    assert lane.key != Lane(mount, b"https", b"other.test").key


def test_an_answer_carries_its_note() -> None:
    answer = Answer(200, [], b"x", b"portico; hit")
    assert (answer.note, answer.entry, answer.status) == (b"portico; hit", None, 200)
