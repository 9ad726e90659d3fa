"""Two answers that may differ have two keys; what makes no difference is not in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.keys as keys
from gateway.message import Fields

PAGE = (b"http", b"shop.test", b"/hotels", b"/x?q=1")


def page(scheme: bytes, authority: bytes, prefix: bytes, target: bytes) -> bytes:
    return keys.page(scheme, authority, prefix) + target


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((b"https", b"shop.test", b"/hotels", b"/x?q=1"), id="scheme"),
        pytest.param((b"http", b"other.test", b"/hotels", b"/x?q=1"), id="host"),
        pytest.param((b"http", b"shop.test:81", b"/hotels", b"/x?q=1"), id="port"),
        pytest.param((b"http", b"shop.test", b"/pets", b"/x?q=1"), id="mount"),
        pytest.param((b"http", b"shop.test", b"", b"/hotels/x?q=1"), id="the root mount"),
        pytest.param((b"http", b"shop.test", b"/hotels", b"/y?q=1"), id="path"),
        pytest.param((b"http", b"shop.test", b"/hotels", b"/x?q=2"), id="query"),
        pytest.param((b"http", b"shop.test", b"/hotels", b"/x"), id="no query"),
        pytest.param((b"http", b"shop.test", b"/hotels", b"/x?"), id="an empty query"),
        pytest.param((b"http", b"shop.test", b"/hotels", b"/X?q=1"), id="case of the path"),
    ],
)
def test_pages_are_told_apart(other: tuple[bytes, bytes, bytes, bytes]) -> None:
    assert page(*PAGE) == page(*PAGE)
    assert page(*other) != page(*PAGE)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((b"pets.deals", b"http", b"shop.test", b"/hotels", b"/d"), id="name"),
        pytest.param((b"hotels.deals", b"https", b"shop.test", b"/hotels", b"/d"), id="scheme"),
        pytest.param((b"hotels.deals", b"http", b"other.test", b"/hotels", b"/d"), id="host"),
        pytest.param((b"hotels.deals", b"http", b"shop.test", b"/stays", b"/d"), id="prefix"),
        pytest.param((b"hotels.deals", b"http", b"shop.test", b"/hotels", b"/d?city=x"), id="query"),
    ],
)
def test_fragments_are_told_apart(other: tuple[bytes, bytes, bytes, bytes, bytes]) -> None:
    one = (b"hotels.deals", b"http", b"shop.test", b"/hotels", b"/d")
    assert keys.fragment(*other) != keys.fragment(*one)


def test_a_fragment_is_no_page() -> None:
    assert keys.fragment(b"x", b"http", b"shop.test", b"/hotels", b"/d") != page(
        b"http", b"shop.test", b"/hotels", b"/d"
    )


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        pytest.param([], (), id="none"),
        pytest.param([(b"vary", b"Accept-Language, ACCEPT")], (b"accept", b"accept-language"), id="sorted, lower case"),
        pytest.param([(b"vary", b"b"), (b"vary", b"a")], (b"a", b"b"), id="several lines"),
        pytest.param([(b"vary", b"a, a,,")], (b"a",), id="once each"),
        pytest.param([(b"vary", b"a, " * 999)], (b"a",), id="however long"),
    ],
)
def test_vary(fields: Fields, names: tuple[bytes, ...]) -> None:
    assert keys.vary(fields) == names


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param([(b"a", b"1")], [(b"a", b"2")], False, id="another value"),
        pytest.param([(b"a", b"1")], [], False, id="absent"),
        pytest.param([], [], True, id="both absent"),
        pytest.param([(b"a", b" 1 ")], [(b"a", b"1")], True, id="white space around it"),
        pytest.param([(b"a", b"1"), (b"b", b"2")], [(b"a", b"1"), (b"b", b"3")], True, id="a field that is not named"),
        pytest.param([(b"a", b"1"), (b"a", b"2")], [(b"a", b"2"), (b"a", b"1")], False, id="another order of lines"),
        pytest.param([(b"a", b"x")], [(b"a", b"X")], False, id="another case: normalisation loses nothing"),
    ],
)
def test_variant(one: Fields, other: Fields, same: bool) -> None:
    assert (keys.variant(b"k", [b"a"], one) == keys.variant(b"k", [b"a"], other)) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(b"gzip, br", b"br, gzip", True, id="the order of codings makes no difference"),
        pytest.param(b"gzip", b"gzip, compress", True, id="nor does one we never use"),
        pytest.param(b"gzip", b"br", False, id="another coding does"),
        pytest.param(b"gzip", b"gzip;q=0", False, id="a refusal does"),
    ],
)
def test_variant_by_accept_encoding(one: bytes, other: bytes, same: bool) -> None:
    name = b"accept-encoding"
    assert (keys.variant(b"k", [name], [(name, one)]) == keys.variant(b"k", [name], [(name, other)])) is same


VALUES = st.lists(st.sampled_from([b"a=1", b"b", b"=", b"2", b",", b" "]), max_size=4).map(b"".join)


@given(VALUES, VALUES, VALUES, VALUES)
def test_variants_do_not_run_into_each_other(a: bytes, b: bytes, c: bytes, d: bytes) -> None:
    one, other = [(b"a", a), (b"b", b)], [(b"a", c), (b"b", d)]
    same = (a.strip(), b.strip()) == (c.strip(), d.strip())
    assert (keys.variant(b"k", [b"a", b"b"], one) == keys.variant(b"k", [b"a", b"b"], other)) is same


def test_a_key_is_never_longer_than_it_may_be() -> None:
    short, long = b"k" * keys.LONGEST, b"k" * 9000
    assert keys.limited(short) == short
    assert len(keys.limited(long)) == keys.LONGEST
    assert keys.limited(long + b"a") != keys.limited(long + b"b")
    assert len(keys.variant(b"k", [b"a"], [(b"a", long)])) == keys.LONGEST
    assert len(keys.fragment(b"n", b"http", b"h", b"", long)) == keys.LONGEST


@given(st.binary(min_size=1000, max_size=1100), st.binary(min_size=1000, max_size=1100))
def test_keys_that_differ_differ_when_they_are_limited(one: bytes, other: bytes) -> None:
    assert (keys.limited(one) == keys.limited(other)) is (one == other)


def test_variants_of_one_url_are_counted() -> None:
    variants = keys.Variants(most=2)
    assert variants.admits(b"u", b"1", until=10, now=0)
    assert variants.admits(b"u", b"2", until=20, now=0)
    assert variants.admits(b"u", b"1", until=30, now=0), "known ones may always be kept again"
    assert not variants.admits(b"u", b"3", until=30, now=19), "more than that may not"
    assert variants.admits(b"v", b"3", until=30, now=19), "another URL has its own"
    assert variants.admits(b"u", b"3", until=30, now=20), "those of no use any more do not count"
    assert not variants.admits(b"u", b"4", until=30, now=20)
    variants.forget(b"u")
    assert variants.admits(b"u", b"4", until=30, now=20)
    assert repr(variants) == "<Variants of 2 URLs>"


def test_variants_of_few_urls_are_counted_at_a_time() -> None:
    variants = keys.Variants(most=1, urls=2)
    for url in (b"a", b"b", b"c"):
        assert variants.admits(url, b"1", until=10, now=0)
    assert variants.admits(b"a", b"2", until=10, now=0), "it was forgotten"


TRACKING = ["utm_*", "fbclid"]


@pytest.mark.parametrize(
    ("whole", "sort", "ignore", "target"),
    [
        pytest.param(b"/x?b=1&a=2", False, [], b"/x?b=1&a=2", id="as it was sent"),
        pytest.param(b"/x?b=1&a=2", True, [], b"/x?a=2&b=1", id="sorted by name"),
        pytest.param(b"/x?a=2&b=1&a=1", True, [], b"/x?a=2&a=1&b=1", id="values of one name stay in order"),
        pytest.param(b"/x?utm_source=m&a=1&fbclid=y", False, TRACKING, b"/x?a=1", id="less what makes no difference"),
        pytest.param(b"/x?utm_source=m", False, TRACKING, b"/x", id="nothing left"),
        pytest.param(b"/x?utm_", False, TRACKING, b"/x", id="without a value"),
        pytest.param(b"/x?", True, TRACKING, b"/x?", id="an empty query stays one"),
        pytest.param(b"/x", True, TRACKING, b"/x", id="no query"),
        pytest.param(b"/x?fbclid2=1", False, TRACKING, b"/x?fbclid2=1", id="another name that begins so"),
        pytest.param(b"/x?utm%5fsource=1", False, TRACKING, b"/x?utm%5fsource=1", id="spelled otherwise it is another"),
        pytest.param(b"/x?UTM_a=1", False, TRACKING, b"/x?UTM_a=1", id="in capitals, too"),
        pytest.param(b"/x?a=utm_b&a", False, TRACKING, b"/x?a=utm_b&a", id="a value is no name"),
        pytest.param(b"/x?a=1;utm_b=2", False, TRACKING, b"/x?a=1;utm_b=2", id="a semicolon parts nothing"),
        pytest.param(b"/x?a=1&&b=2", False, TRACKING, b"/x?a=1&&b=2", id="every byte else stays"),
        pytest.param(b"/x?a=1?utm_b=2&utm_c=3", False, TRACKING, b"/x?a=1?utm_b=2", id="a second question mark"),
    ],
)
def test_target(whole: bytes, sort: bool, ignore: list[str], target: bytes) -> None:
    assert keys.target(whole, sort=sort, ignore=ignore) == target


QUERIES = st.lists(st.sampled_from([b"a=1", b"a=2", b"b", b"utm_x=1", b"fbclid", b""]), max_size=6).map(b"&".join)


@given(QUERIES, st.booleans())
def test_a_target_is_worked_out_once(query: bytes, sort: bool) -> None:
    once = keys.target(b"/x?" + query, sort=sort, ignore=TRACKING)
    assert keys.target(once, sort=sort, ignore=TRACKING) == once
    kept = [each for each in query.split(b"&") if not each.startswith((b"utm_", b"fbclid"))]
    assert sorted(once.partition(b"?")[2].split(b"&")) == sorted(kept or [b""])


@pytest.mark.parametrize(
    ("accepted", "offered", "best"),
    [
        pytest.param(b"de", ("en", "de"), b"de", id="one that is offered"),
        pytest.param(b"de-AT,de;q=0.9,en;q=0.5", ("en", "de"), b"de", id="a shorter one will do"),
        pytest.param(b"de", ("en", "de-AT"), b"de-AT", id="a longer one, too"),
        pytest.param(b"de", ("de-CH", "de-AT"), b"de-CH", id="of several longer ones the first offered"),
        pytest.param(b"fr;q=0.4, en;q=0.8", ("fr", "en"), b"en", id="the one that is liked better"),
        pytest.param(b"fr, en", ("en", "fr"), b"fr", id="of two liked alike the first said"),
        pytest.param(b"FR", ("en", "fr"), b"fr", id="in any case"),
        pytest.param(b"en;q=0, fr;q=0.1", ("en", "fr"), b"fr", id="not one that is refused"),
        pytest.param(b"es", ("en", "de"), b"en", id="none is liked: the first offered"),
        pytest.param(b"*", ("en", "de"), b"en", id="any is liked"),
        pytest.param(b"", ("en", "de"), b"en", id="nothing is said"),
        pytest.param(b"de;q=2, !", ("en", "de"), b"en", id="nonsense is nothing"),
        pytest.param(b", ".join([b"xx"] * 40) + b", de", ("en", "de"), b"en", id="too many are not read"),
    ],
)
def test_language(accepted: bytes, offered: tuple[str, ...], best: bytes) -> None:
    assert keys.language(accepted, offered) == best


@given(st.binary(max_size=40))
def test_any_accept_language_is_one_of_those_offered(value: bytes) -> None:
    assert keys.language(value, ("en", "de-AT", "fr")) in (b"en", b"de-AT", b"fr")


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (b"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36", keys.MOBILE),
        (b"Mozilla/5.0 (Android 14; Mobile; rv:120.0) Gecko/120.0 Firefox/120.0", keys.MOBILE),
        (b"Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", keys.DESKTOP),
        (b"curl/8", keys.DESKTOP),
        (b"", keys.DESKTOP),
    ],
)
def test_agent(agent: bytes, kind: bytes) -> None:
    assert keys.agent(agent) == kind
    assert keys.agent(kind) == kind


def test_narrowed_fields_hold_no_more_than_makes_a_difference() -> None:
    fields: Fields = [
        (b"accept-language", b"de-AT"),
        (b"cookie", b"sid=1; consent=yes; ab=2"),
        (b"user-agent", b"curl/8"),
        (b"accept", b"*/*"),
    ]
    assert keys.narrowed(fields) is fields
    narrow = keys.narrowed(fields, languages=("en", "de"), cookies=["consent", "ab"], device=True)
    assert narrow == [
        (b"cookie", b"ab=2; consent=yes"),
        (b"accept", b"*/*"),
        (b"accept-language", b"de"),
        (b"user-agent", keys.DESKTOP),
    ]
    assert keys.narrowed(narrow, languages=("en", "de"), cookies=["consent", "ab"], device=True) == narrow
    assert keys.narrowed(fields, cookies=["other"]) == [fields[0], *fields[2:]]


def test_an_applications_own_cookies_are_named_as_it_named_them() -> None:
    carried = (
        b"mf.1a2b3c4d.edition=own; edition=sites; mf.ffffffff.edition=others; __Secure-mf.1a2b3c4d.edition=no; x=1"
    )
    (kept,) = keys.narrowed([(b"cookie", carried)], cookies=["edition"], tag="1a2b3c4d")
    assert kept == (b"cookie", b"edition=sites; mf.1a2b3c4d.edition=own")
    assert keys.narrowed([(b"cookie", carried)], cookies=["edition"]) == [(b"cookie", b"edition=sites")]


def test_which_fields_are_narrowed() -> None:
    assert keys.narrows() == frozenset()
    assert keys.narrows(["de"], ["a"], True) == {b"accept-language", b"cookie", b"user-agent"}


@given(st.lists(st.sampled_from([b"a=1", b"a=2", b"b=1", b"sid=9"]), max_size=4))
def test_two_that_are_narrowed_to_the_same_have_one_key(pairs: list[bytes]) -> None:
    """And the origin sees nothing by which it could tell them apart."""
    one: Fields = [(b"cookie", b"; ".join(pairs))]
    other: Fields = [(b"cookie", b"; ".join([b"sid=8", *(pair for pair in pairs if pair != b"sid=9")]))]
    seen = [keys.narrowed(each, cookies=["a", "b"]) for each in (one, other)]
    assert seen[0] == seen[1]
    assert keys.variant(b"k", [b"cookie"], seen[0]) == keys.variant(b"k", [b"cookie"], seen[1])
