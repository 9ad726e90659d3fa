"""Figures as a table: the same lines on a terminal and in Markdown, and as JSON with every round."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. `value` is what the floor, where there is one, is held against."""

    work: str
    contender: str
    cells: tuple[str, ...]
    value: float
    floor: float | None = None
    rounds: tuple[dict[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One suite's figures. `at_most`: the floor is a ceiling, for what should be small."""

    suite: str
    title: str
    columns: tuple[str, ...]
    figures: Sequence[Figure]
    at_most: bool = False
    note: str = ""

    def holds(self, figure: Figure) -> bool:
        if figure.floor is None:
            return True
        return figure.value <= figure.floor if self.at_most else figure.value >= figure.floor

    def as_json(self) -> dict[str, object]:
        figures = [{**asdict(figure), "holds": self.holds(figure)} for figure in self.figures]
        return {"suite": self.suite, "title": self.title, "columns": self.columns, "figures": figures}


def rendered(table: Table) -> str:
    """A Markdown table, its columns aligned so that it reads on a terminal too."""
    rows = [(*table.columns, "at most" if table.at_most else "floor", "holds")]
    rows += [_row(table, figure) for figure in table.figures]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    lines.insert(
        1, "|" + "|".join("-" * (width + 1) + (":" if at > 1 else "-") for at, width in enumerate(widths)) + "|"
    )
    note = f"\n{table.note}\n" if table.note else ""
    return f"### {table.title}\n\n" + "\n".join(lines) + "\n" + note


def _row(table: Table, figure: Figure) -> tuple[str, ...]:
    if figure.floor is None:
        return (figure.work, figure.contender, *figure.cells, "", "")
    return (
        figure.work,
        figure.contender,
        *figure.cells,
        f"{figure.floor:g}",
        "yes" if table.holds(figure) else "**no**",
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    named = [cell.ljust(width) for cell, width in zip(cells[:2], widths[:2], strict=True)]
    counted = [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True)]
    return "| " + " | ".join([*named, *counted]) + " |"
