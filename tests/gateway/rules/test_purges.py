"""What was purged is gone in every tier, by number; and whose answers make what forgotten."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.purges as purges
from gateway.message import Entry, Field, Head
from gateway.rules.purges import Purged


@dataclass(frozen=True)
class Order:
    kind: str
    value: str
    number: int
    soft: bool = False


TAGS = ("sale", "team:hotels", "url:/hotels/a?q=1", "origin:http://h:1/a?q=1")
ENTRY = Entry(200, (), b"", b"", 0.0, 1.0, 1.0, 1.0, TAGS, since=5)


def told(*orders: Order) -> Purged:
    known = Purged()
    for order in orders:
        known.add(order)
    return known


@pytest.mark.parametrize(
    ("order", "said"),
    [
        pytest.param(Order("tag", "sale", 6), "hard", id="by its tag"),
        pytest.param(Order("tag", "sale", 6, soft=True), "soft", id="softly"),
        pytest.param(Order("tag", "sale", 5), "", id="before it was asked for"),
        pytest.param(Order("tag", "sal", 6), "", id="another tag"),
        pytest.param(Order("team", "hotels", 6), "hard", id="by its team"),
        pytest.param(Order("team", "pets", 6), "", id="another team"),
        pytest.param(Order("url", "/hotels/a?q=1", 6), "hard", id="by its URL"),
        pytest.param(Order("url", "/hotels/a", 6), "", id="another query"),
        pytest.param(Order("prefix", "/hotels", 6), "hard", id="by a path above it"),
        pytest.param(Order("prefix", "/hotels/", 6), "hard", id="with a slash at its end"),
        pytest.param(Order("prefix", "/hotels/a", 6), "hard", id="by its own path"),
        pytest.param(Order("prefix", "/", 6), "hard", id="by the root"),
        pytest.param(Order("prefix", "/hot", 6), "", id="whole segments only"),
        pytest.param(Order("prefix", "/hotels/a/b", 6), "", id="a path below it"),
        pytest.param(Order("prefix", "/hotels", 6, soft=True), "soft", id="softly by a path"),
        pytest.param(Order("origin", "http://h:1", 6), "hard", id="by its origin"),
        pytest.param(Order("origin", "http://h:1/a", 6), "hard", id="by its URL there"),
        pytest.param(Order("origin", "http://h:11", 6), "", id="another origin"),
        pytest.param(Order("tag", "team:hotels", 6), "", id="a tag cannot name a team"),
        pytest.param(Order("tag", "url:/hotels/a?q=1", 6), "", id="nor a URL"),
    ],
)
def test_says(order: Order, said: str) -> None:
    assert told(order).says(ENTRY) == said
    assert told(order, Order("tag", "other", 9)).says(ENTRY) == said
    assert told(order).says(replace(ENTRY, since=order.number)) == ""


def test_the_harder_of_two_counts() -> None:
    soft, hard = Order("tag", "sale", 7, soft=True), Order("team", "hotels", 6)
    assert told(soft, hard).says(ENTRY) == told(hard, soft).says(ENTRY) == "hard"
    assert told(soft, hard).says(replace(ENTRY, since=6)) == "soft"


def test_an_older_order_told_later_takes_nothing_back() -> None:
    known = told(Order("tag", "sale", 9), Order("tag", "sale", 6))
    assert known.says(replace(ENTRY, since=8)) == "hard"
    assert known.number == 9


def test_what_is_not_remembered_any_more_counts_as_purged() -> None:
    known = told(*(Order("tag", f"t{number}", number) for number in range(1, purges.MOST + 11)))
    assert len(known) == purges.MOST
    assert known.floor == 10
    assert known.says(replace(ENTRY, since=9)) == "hard"
    assert known.says(replace(ENTRY, since=10)) == ""
    assert "10" in repr(known)


def test_the_same_name_over_and_over_takes_one_place() -> None:
    known = told(*(Order("prefix", "/a", number) for number in range(1, 5000)))
    assert (len(known), known.floor) == (1, 0)


def test_paths_are_few() -> None:
    known = told(*(Order("prefix", f"/p{number}", number) for number in range(1, purges.BELOW + 2)))
    assert (len(known), known.floor) == (purges.BELOW, 1)


KINDS = st.sampled_from([("tag", "a"), ("tag", "b"), ("url", "/x"), ("url", "/y"), ("prefix", "/x"), ("team", "t")])
ORDERS = st.lists(st.tuples(KINDS, st.booleans()), max_size=20)


@given(ORDERS, st.integers(0, 20), st.sampled_from([("a", "team:t", "url:/x"), ("b", "url:/y"), ("url:/x/z",)]))
def test_it_agrees_with_going_through_all_of_them(
    orders: list[tuple[tuple[str, str], bool]], since: int, tags: tuple[str, ...]
) -> None:
    given_orders = [Order(kind, value, at, soft) for at, ((kind, value), soft) in enumerate(orders, 1)]
    entry = replace(ENTRY, tags=tags, since=since)
    hit = [order.soft for order in given_orders if order.number > since and any(_names(order, tag) for tag in tags)]
    assert told(*given_orders).says(entry) == ("" if not hit else "soft" if all(hit) else "hard")


def _names(order: Order, tag: str) -> bool:
    if order.kind == "prefix":
        return tag == f"url:{order.value}" or tag.startswith(f"url:{order.value}/")
    return tag == (order.value if order.kind == "tag" else f"{order.kind}:{order.value}")


def test_tags() -> None:
    made = purges.tags(["hotels", "url:/x"], b"a, b team:pets a", team="hotels", url=b"/hotels/", origin=b"http://h/")
    assert made == ("hotels", "a", "b", "team:hotels", "url:/hotels/", "origin:http://h/")
    assert purges.tags([], b"", team="t", url=b"/") == ("team:t", "url:/")
    many = purges.tags([], b" ".join(b"t%d" % n for n in range(1000)) + b" " + b"x" * 5000, team="t", url=b"/")
    assert len(many) == purges.TAGS + 2


PUBLIC = b"https://shop.test"


@pytest.mark.parametrize(
    ("method", "status", "fields", "paths"),
    [
        pytest.param(b"POST", 200, [], [b"/hotels/a?q=1"], id="its target"),
        pytest.param(b"PURIFY", 204, [], [b"/hotels/a?q=1"], id="a method that nobody knows is unsafe"),
        pytest.param(b"PUT", 303, [], [b"/hotels/a?q=1"], id="a redirect is no failure"),
        pytest.param(b"GET", 200, [], [], id="a safe method"),
        pytest.param(b"HEAD", 200, [], [], id="HEAD"),
        pytest.param(b"OPTIONS", 200, [], [], id="OPTIONS"),
        pytest.param(b"DELETE", 404, [], [], id="one that failed"),
        pytest.param(b"DELETE", 500, [], [], id="an origin that failed"),
        pytest.param(b"POST", 201, [(b"location", b"/hotels/b")], [b"/hotels/a?q=1", b"/hotels/b"], id="Location"),
        pytest.param(
            b"POST", 200, [(b"content-location", b"c?x#y")], [b"/hotels/a?q=1", b"/hotels/c?x"], id="Content-Location"
        ),
        pytest.param(
            b"POST",
            303,
            [(b"location", b"https://SHOP.test:443/hotels/b")],
            [b"/hotels/a?q=1", b"/hotels/b"],
            id="absolute",
        ),
        pytest.param(
            b"POST", 303, [(b"location", b"https://evil.test/hotels/b")], [b"/hotels/a?q=1"], id="another host"
        ),
        pytest.param(b"POST", 303, [(b"location", b"//evil.test/hotels/b")], [b"/hotels/a?q=1"], id="without a scheme"),
        pytest.param(
            b"POST", 303, [(b"location", b"http://shop.test/hotels/b")], [b"/hotels/a?q=1"], id="another scheme"
        ),
        pytest.param(
            b"POST", 303, [(b"location", b"https://shop.test:8/hotels")], [b"/hotels/a?q=1"], id="another port"
        ),
        pytest.param(b"POST", 303, [(b"location", b"/pets/")], [b"/hotels/a?q=1"], id="another team's"),
        pytest.param(
            b"POST", 303, [(b"location", b"/hotels/../pets/")], [b"/hotels/a?q=1"], id="another team's by dots"
        ),
        pytest.param(b"POST", 303, [(b"location", b"/hotels-x")], [b"/hotels/a?q=1"], id="whole segments"),
        pytest.param(b"POST", 303, [(b"location", b"http://[")], [b"/hotels/a?q=1"], id="nonsense"),
    ],
)
def test_invalidates(method: bytes, status: int, fields: list[Field], paths: list[bytes]) -> None:
    found = purges.invalidates(method, status, b"/hotels/a?q=1", Head(fields), public=PUBLIC, prefix=b"/hotels")
    assert found == paths


@given(st.binary(max_size=30))
def test_any_location_is_read(value: bytes) -> None:
    found = purges.invalidates(b"POST", 200, b"/h", Head([(b"location", value)]), public=PUBLIC, prefix=b"/h")
    assert all(path == b"/h" or path.startswith((b"/h/", b"/h?")) for path in found)
