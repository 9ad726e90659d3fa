"""Words for people: rows in columns, how many of something, what strangers wrote made printable. Imports nothing."""

from collections.abc import Iterator, Sequence


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Each as wide as its widest; the last one ends where it ends."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """What strangers asked for, printable: it moves nobody's cursor."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)
