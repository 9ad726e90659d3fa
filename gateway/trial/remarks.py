"""What may be said of a shell, by code: how grave it is, and what mends it.

The causes come from the code that compiles shells; here a team is told what to do about each. Pure.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, NamedTuple

from fragments.plan import Diagnostic

Level = Literal["error", "warning"]


class Known(NamedTuple):
    """An error is a slot or a page that is not what its author wrote; a warning works, by another way than written."""

    level: Level
    fix: str


def _wrong(fix: str) -> Known:
    return Known("error", fix)


def _odd(fix: str) -> Known:
    return Known("warning", fix)


_NAMED = 'Write `name="team.fragment"`, as a manifest declares it under `fragments`.'
_MOVED = "Move it to where markup can stand; in a head, a table or a select as a template, `<template mf-slot=…>`."

CODES: dict[str, Known] = {
    # the file itself
    "more": _odd("Mend these first, and check again."),
    "shell-empty": _wrong("Give it a page; the smallest is `<!doctype html><title>…</title><body>…`."),
    "shell-binary": _wrong("Give it the page's HTML, not an image, an archive or a compiled file."),
    "shell-too-large": _wrong("Send less, or fetch the rest from the page; such a page is sent without its fragments."),
    "shell-large": _odd("Send less, or raise the setting; such a page is sent without its fragments."),
    "shell-over-budget": _wrong("Close what is opened. Such a page is sent as it is, without its fragments."),
    "shell-is-no-page": _wrong("Slots are filled in HTML only. Send it as `Content-Type: text/html`."),
    "shell-not-ok": _wrong("Ask for a page that answers 200."),
    "shell-not-utf-8": _odd("Save and send it as UTF-8, with `<meta charset=utf-8>` first in the head."),
    "shell-without-doctype": _odd(
        "Begin the page with `<!doctype html>`, so that browsers do not read it in quirks mode."
    ),
    "shell-composed": _wrong("Ask the shell's origin instead of the portal, which has filled the slots already."),
    "shell-composes-not": _wrong("Say `composes: true` of that mount, or nobody fills the slots."),
    # slots
    "slot-without-name": _wrong(_NAMED),
    "slot-refused": _wrong(_MOVED),
    "slot-not-closed": _wrong("Write `</mf-slot>` behind its fallback; `<mf-slot … />` is whole, too."),
    "slots-too-many": _wrong("Ask for several things in one fragment; each slot may cost a fetch."),
    "slot-timeout": _wrong(
        'Write it like `timeout="400ms"` or `timeout="1.5s"`; until then the fragment\'s own holds.'
    ),
    "slot-isolation": _wrong("Write `none`, `scope`, `shadow` or `iframe`; until then it is a frame."),
    "slot-not-isolable": _wrong("Take `isolation` away here, or move the slot to where an element can stand."),
    "slot-undeclared": _odd("Register the fragment, or mend the name; until then the slot shows its content."),
    "slot-twice": _odd("Give each its own id; scripts and labels find only the first."),
    "slot-primaries": _wrong("Keep one: its title, status and cookies become the page's."),
    "slot-attribute": _odd("Mend its name, or rename the parameter."),
    "slot-contradiction": _wrong("Take one of the two away; until then it is required."),
    "slot-in-text": _odd(_MOVED),
    "slot-in-fallback": _odd("Put it beside the slot it stands in. A fallback holds no slots."),
    "fallback-not-closed": _odd(
        "Close in the fallback what it opens, and nothing else; until then it is closed for you."
    ),
    "slot-late": _odd("Take `late` away, or move the slot to where an element or a table row can stand."),
    "slot-lazy": _odd("Take `lazy` away, or move the slot to where an element can stand."),
    "slot-primary": _odd("Make the slot around it primary as well, or none."),
    # other include languages
    "dialect-not-allowed": _wrong("List the language in the upstream's `dialects`, or nobody reads these tags."),
    "esi-unknown": _odd("Take it out; ESI 1.0 knows include, remove, comment, try, choose, vars and inline."),
    "esi-misplaced": _wrong(
        "Put `when` and `otherwise` directly into `choose`, `attempt` and `except` directly into `try`."
    ),
    "esi-stray-end": _odd("Take the end tag out, or open what it closes."),
    "include-without-src": _wrong("Write `src`, or SSI's `virtual`: a path such as `/cart/box`."),
    "include-in-text": _wrong("Move it out of the attribute, script or comment: no markup can be put there."),
    "include-refused": _wrong("Name a path of this portal, or an absolute URL of an origin that has a mount here."),
    "not-closed": _wrong("Close it; until then it ends where the page does."),
    "ssi-file": _wrong("Write `include virtual` with a path; files of a server are nobody's to include."),
    "ssi-set": _odd("Include it where it is to be shown; what an include answers is nobody's variable."),
    "ssi-unknown": _odd(
        "Take it out. Known are include, echo, set, if, elif, else, endif, block, endblock and config."
    ),
    "test-unreadable": _wrong(
        "Compare with `==`, `!=`, `<`, `>`, `<=` or `>=`, join by `&` and `|`, negate by `!`. There are no patterns."
    ),
    "too-deep": _wrong("Nest less, or move the inner part into a page of its own and include that."),
    "try-without-one-attempt": _wrong("Give `esi:try` exactly one `esi:attempt` and one `esi:except`."),
}
_UNKNOWN = _odd("")
_LINE = re.compile(r" ?\(line \d+\)\Z")


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to change in a shell. `line` and `column` count from 1; 0 where there is no saying."""

    code: str
    cause: str
    fix: str = ""
    line: int = 0
    column: int = 0
    level: Level = "warning"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def remark(code: str, cause: str, line: int = 0, *, column: int = 0, level: Level | None = None) -> Remark:
    known = CODES.get(code, _UNKNOWN)
    return Remark(code, cause, known.fix, line, column, level or known.level)


def of(diagnostic: Diagnostic, line: int = 0) -> Remark:
    """What compiling a shell said, with what mends it."""
    return remark(diagnostic.code, _LINE.sub("", diagnostic.message), line or diagnostic.line)


_SLOT = re.compile(r"<mf-slot|<!--mf:slot|<template\b[^>]{0,400}mf-slot", re.IGNORECASE)
_INCLUDE = re.compile(r"</?esi:|<!--esi|<!--#|<fragment\b|<h-include\b|<turbo-frame\b", re.IGNORECASE)
MOST = 200  # told at once, as of a manifest; nobody reads further


def placed(remarks: Iterable[Remark], text: str) -> tuple[Remark, ...]:
    """From top to bottom, each once, with the column where its line opens a slot or an include."""
    lines = text.split("\n")
    columns = dict[tuple[int, bool], int]()
    found = sorted(dict.fromkeys(remarks), key=lambda remark: (remark.line, remark.column, remark.code))
    told = [_placed(each, lines, columns) for each in found[:MOST]]
    if len(found) > MOST:
        told.append(remark("more", f"{len(found) - MOST} more are not told here.", level=_worst(found[MOST:])))
    return tuple(told)


def _placed(each: Remark, lines: Sequence[str], columns: dict[tuple[int, bool], int]) -> Remark:
    if each.column or not 0 < each.line <= len(lines):
        return each
    key = each.line, each.code.startswith(("slot", "fallback"))
    if key not in columns:
        columns[key] = _column(lines[each.line - 1], _SLOT if key[1] else _INCLUDE)
    return replace(each, column=columns[key])


def _column(line: str, opening: re.Pattern[str]) -> int:
    found = opening.search(line)
    return (found.start() if found else len(line) - len(line.lstrip())) + 1


def _worst(remarks: Iterable[Remark]) -> Level:
    return "error" if wrong(remarks) else "warning"


def wrong(remarks: Iterable[Remark]) -> int:
    return sum(each.level == "error" for each in remarks)
