"""What is said of shells: every code has its fix, each remark its place, and a page has them all.

`python -m tests.gateway.trial.test_remarks` writes that page's table.
"""

import re

import pytest

import fragments.dialects as dialects
import gateway.trial.remarks as remarks
from fragments.plan import Diagnostic
from gateway.trial.remarks import CODES, MOST, placed, remark
from tests.house.tree import MODULES, ROOT

_SAID = re.compile(r"(?:Diagnostic\(|_said\(|remark\()\s*\"([a-z0-9-]+)\"")
OF_PIECES = {"fragments.piece", "fragments.contain"}  # what a fragment's answer is told, which no shell knows


PAGE = ROOT / "docs" / "registering.md"
MARKED = re.compile(r"(<!-- generated: codes -->\n).*?(<!-- end -->)", re.DOTALL)


def shown() -> str:
    told = ((code, known.level, known.fix.replace("|", r"\|")) for code, known in CODES.items() if code != "more")
    rows = (f"| `{code}` | {level} | {fix} |\n" for code, level, fix in told)
    return "| Code | | What to do |\n|---|---|---|\n" + "".join(rows)


def written(page: str) -> str:
    return MARKED.sub(lambda found: found[1] + shown() + found[2], page)


def test_a_page_tells_all_of_them() -> None:
    assert PAGE.read_text() == written(PAGE.read_text()), "write it: python -m tests.gateway.trial.test_remarks"


def said() -> list[str]:
    """Codes that compiling and reading a shell may say, found in the source of those who say them."""
    rooms = [name for name in MODULES if name.startswith(("fragments.plan", "gateway.trial."))]
    return sorted({code for name in rooms for code in _SAID.findall(MODULES[name].read_text())} | {*dialects.CODES})


@pytest.mark.parametrize("code", said())
def test_every_code_has_a_level_and_says_what_mends_it(code: str) -> None:
    assert CODES[code].fix.endswith(".")


@pytest.mark.parametrize("code", ["slot-without-name", "slot-refused", "slot-not-closed", "slots-too-many"])
def test_a_slot_that_is_not_what_was_written_is_an_error(code: str) -> None:
    assert CODES[code].level == "error"


def test_what_compiling_said_keeps_its_line_apart() -> None:
    found = remarks.of(Diagnostic("slot-refused", "No slot can stand here. (line 7)", 7))
    assert (found.cause, found.line, found.level) == ("No slot can stand here.", 7, "error")


def test_an_unknown_code_is_a_warning_without_a_fix() -> None:
    found = remarks.of(Diagnostic("of-tomorrow", "It is so.", 2))
    assert (found.level, found.fix) == ("warning", "")


@pytest.mark.parametrize(
    ("code", "line", "column"),
    [
        pytest.param("slot-late", "  <p><mf-slot name=x>", 6, id="an element"),
        pytest.param("slot-late", "<esi:when><!--mf:slot name=x-->", 11, id="a comment, not the include before it"),
        pytest.param("slot-late", "<table><template class=a mf-slot=x>", 8, id="a template"),
        pytest.param(
            "include-refused", "<mf-slot></mf-slot><esi:include>", 20, id="an include, not the slot before it"
        ),
        pytest.param("ssi-unknown", "x <!--#exec -->", 3, id="a directive"),
        pytest.param("slot-late", "    name=x>", 5, id="the rest of a tag: where the line begins to say something"),
    ],
)
def test_the_column_is_where_the_line_opens_what_is_meant(code: str, line: str, column: int) -> None:
    (found,) = placed([remark(code, "It is so.", 2)], f"first\n{line}\nlast")
    assert found.column == column


def test_they_stand_from_top_to_bottom_each_once() -> None:
    given = [remark("slot-late", "b", 3), remark("slot-late", "a", 1), remark("slot-late", "b", 3)]
    assert [each.line for each in placed(given, "\n\n\n")] == [1, 3]


def test_a_line_that_is_not_there_has_no_column() -> None:
    assert placed([remark("slot-late", "a", 9)], "one")[0].column == 0


def test_no_more_are_told_than_one_reads() -> None:
    given = [remark("slot-in-text", "a", line) for line in range(1, MOST + 5)] + [remark("slot-refused", "z", 999)]
    told = placed(given, "\n" * 300)
    assert (len(told), told[-1].code, told[-1].cause) == (MOST + 1, "more", "5 more are not told here.")
    assert told[-1].level == "error"


def test_a_long_line_is_looked_at_once() -> None:
    text = "<template " * 100_000
    assert placed([remark("slot-late", str(number), 1) for number in range(100)], text)[0].column == 1


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
