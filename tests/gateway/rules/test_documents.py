"""YAML and JSON read with positions: what is said, where, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules.documents import DEPTH, NODES, Place, plain, read


def test_every_key_and_item_has_its_place() -> None:
    document = read('team: a\nmounts:\n  /x: { upstream: a }\nlist: [one, "two"]\n')
    assert document.tree == {"team": "a", "mounts": {"/x": {"upstream": "a"}}, "list": ["one", "two"]}
    assert document.place(("mounts", "/x", "upstream")) == Place(3, 9)
    assert document.place(("list", 1)) == Place(4, 13)
    assert document.place(("mounts", "/x", "missing")) == Place(3, 3)
    assert document.faults == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("true", True, id="true"),
        pytest.param("on", "on", id="on is a word"),
        pytest.param("no", "no", id="no is a word"),
        pytest.param("~", None, id="nothing"),
        pytest.param("-12", -12, id="whole number"),
        pytest.param("0.5", 0.5, id="decimal"),
        pytest.param("'12'", "12", id="quoted number"),
        pytest.param("0x10", "0x10", id="hexadecimal is a word"),
        pytest.param("2026-11-24", "2026-11-24", id="a date is a word"),
        pytest.param(".inf", ".inf", id="infinity is a word"),
        pytest.param("9" * 30, "9" * 30, id="a number too long is a word"),
    ],
)
def test_plain_words_are_read_by_the_core_schema(text: str, value: object) -> None:
    assert read(f"a: {text}").tree == {"a": value}


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        pytest.param("a: [1", "syntax", Place(1, 6), id="unclosed list"),
        pytest.param("a: 1\n\tb: 2", "syntax", Place(2, 1), id="tab"),
        pytest.param("a: b: c", "syntax", Place(1, 5), id="two colons"),
        pytest.param("a\x00", "syntax", None, id="control character"),
        pytest.param("", "empty", None, id="nothing"),
        pytest.param("# only a comment", "empty", None, id="only a comment"),
        pytest.param("a: 1\n---\nb: 2", "documents", Place(2, 1), id="two documents"),
        pytest.param("a: 1\nb: 2\na: 3", "duplicate", Place(3, 1), id="a key twice"),
        pytest.param("a: !!python/name:os.system x", "tag", Place(1, 4), id="a tag"),
        pytest.param("? [a]\n: b", "key", Place(1, 3), id="a list as key"),
        pytest.param("a: *b", "alias", Place(1, 4), id="an alias of nothing"),
        pytest.param("&a [*a]", "alias", Place(1, 5), id="an alias of itself"),
        pytest.param("[" * 5000, "depth", Place(1, DEPTH + 1), id="too deep"),
        pytest.param("x" * (1 << 20) + "x", "too-large", None, id="too large"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, code: str, place: Place | None) -> None:
    assert [(fault.code, fault.place) for fault in read(text).faults] == [(code, place)]


def test_aliases_mean_what_they_name() -> None:
    assert read("a: &x { ttl: 1 }\nb: *x").tree == {"a": {"ttl": 1}, "b": {"ttl": 1}}


def test_aliases_are_counted_as_what_they_stand_for() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (fault,) = read("\n".join(lines)).faults
    assert fault.code == "nodes"
    assert str(NODES) in fault.message


def test_aliases_cannot_nest_deeper_than_lists() -> None:
    text = f"a: &a {'[' * 20}{']' * 20}\nb: {'[' * 20}*a{']' * 20}"
    assert [fault.code for fault in read(text).faults] == ["depth"]


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "[NaN]", "a: 1", "[" * 100_000, " " * (1 << 20) + "{}"])
def test_plain_json_is_nothing_else(text: str) -> None:
    with pytest.raises(ValueError):
        plain(text)


@given(st.text())
def test_any_text_is_read_or_told(text: str) -> None:
    document = read(text)
    assert document.faults or document.place(()) is not None


WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)


@given(
    st.recursive(st.none() | st.booleans() | st.integers(-99, 99) | WORDS, lambda inner: st.dictionaries(WORDS, inner))
)
def test_json_reads_the_same_both_ways(value: object) -> None:
    text = json.dumps(value)
    assert read(text).tree == plain(text) == value
