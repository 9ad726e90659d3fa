"""Words for people: columns, counts, and nothing that moves a cursor."""

import pytest

import gateway.trial.columns as columns


@pytest.mark.parametrize(("number", "said"), [(0, "0 pages"), (1, "1 page"), (2, "2 pages")])
def test_a_count_is_said(number: int, said: str) -> None:
    assert columns.count(number, "page") == said


def test_what_strangers_wrote_is_made_printable() -> None:
    assert columns.printable("a\x1b[2J\nb") == "a\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}b"


def test_columns_are_as_wide_as_their_widest_and_end_without_blanks() -> None:
    assert list(columns.columns([("A", "B"), ("long", ""), ("x", "y")])) == ["A     B", "long", "x     y"]
