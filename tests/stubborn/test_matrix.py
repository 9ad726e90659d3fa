"""The page of the docs tells of every application, and gives a reason for whatever is not the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.stubborn import matrix
from tests.stubborn.matrix import APPS, PREFIXES, Outcome


def test_docs_tell_of_every_application() -> None:
    assert list(matrix.rows()) == [app.title for app in APPS.values()]


def test_docs_name_both_prefixes() -> None:
    assert all(f"`{prefix}`" in matrix.PAGE.read_text() for prefix in PREFIXES.values())


def test_docs_give_a_reason_for_what_is_not_the_same() -> None:
    rows = matrix.rows().values()
    assert not [row.title for row in rows if (row.one + row.two).count("same") != 2 and not row.why]


def test_what_was_found_is_written_and_reasons_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "stubborn.md"
    page.write_text(
        "# Head\n\n| Application | one | two | why |\n|---|---|---|---|\n| Flask | 1 | 2 | since |\n\nFoot\n"
    )
    monkeypatch.setattr(matrix, "PAGE", page)
    two = {"dash": replace(APPS["dash"], title="Dash"), "flask": replace(APPS["flask"], title="Flask")}
    monkeypatch.setattr(matrix, "APPS", two)
    matrix.write({"flask": [Outcome("/apps/one", [], 0, 2, 1), Outcome("/x", ["a"], 0, 2, 1)]})
    assert page.read_text().splitlines() == [
        "# Head",
        "",
        "| Application | one | two | why |",
        "|---|---|---|---|",
        "| Dash | not tried | not tried |  |",
        "| Flask | same (1 steps, 2 pages) | 1 difference | since |",
        "",
        "Foot",
    ]


def test_outcome_is_told_in_a_few_words() -> None:
    assert str(Outcome("/x", [], rescued=0, pages=14, steps=7)) == "same (7 steps, 14 pages)"
    assert str(Outcome("/x", [], rescued=3, pages=14, steps=7)) == "same (7 steps, 14 pages, 3 rescued)"
    assert str(Outcome("/x", ["escaped: GET /a"], rescued=0, pages=14, steps=7)) == "1 difference"
    assert str(Outcome("/x", ["a", "b"], rescued=0, pages=14, steps=7)) == "2 differences"
