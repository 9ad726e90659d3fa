"""Edits name bytes; all others stay."""

from __future__ import annotations

import pytest

from fragments.edit import Edits


def test_bytes_that_no_edit_names_stay() -> None:
    edits = Edits()
    edits.replace(2, 4, b"XYZ")
    edits.insert(6, b"!")
    assert edits.apply(b"abcdefgh") == b"abXYZef!gh"
    assert edits.apply(b"abcdefgh", 1, 7) == b"bXYZef!g"


def test_no_edits_change_nothing() -> None:
    edits = Edits()
    assert not edits
    assert edits.apply(b"abc") == b"abc"


def test_edits_do_not_overlap() -> None:
    edits = Edits()
    edits.replace(2, 4, b"")
    assert edits
    assert repr(edits) == "<Edits: 1>"
    with pytest.raises(AssertionError, match="left to right"):
        edits.replace(3, 5, b"")
