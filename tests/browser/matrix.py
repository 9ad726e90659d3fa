"""Places a slot can stand in, what answers make of them, and how two documents are compared in Chromium.

`python -m tests.browser.matrix` prints on which rung answers end, without a browser.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from playwright.sync_api import Browser, Page

import fragments.late as late
import fragments.nonces as nonces
from fragments.contain import Fitted, fit
from fragments.errors import FragmentsError
from fragments.piece import Piece, read
from fragments.plan import WRAPPED, Context, Plan, Slot, compile, compile_piece
from fragments.stitch import Fallback, Filling, Nothing, Stitch, page
from fragments.urls import Place
from tests.browser.abilities import patches
from tests.browser.nasty import HTML, KINDS, WHOLE, Answer, drawn, spliced_tags
from tests.browser.ordinary import ORDINARY

# ---- Places ---------------------------------------------------------------------------------------------------------

_HEAD = '<!doctype html><html lang="en"><head><title>Shell</title><meta name="last"></head>'
_QUIRKS = "<title>q</title><meta name=last>"
_AFTER = (
    "<form><input><button>b</button></form><table><tr><td>c</table><ul><li>q</ul><select><option>o</select>"
    "<a href=/e>a</a><svg><title>t</title></svg><!--c--><textarea>x</textarea><noscript>n</noscript><p>end"
)
SHELLS: dict[str, str] = {
    "body": f"{_HEAD}<body class=s><div>1</div>SLOT<div>2</div>{_AFTER}</body></html>",
    "div": f"{_HEAD}<body><div class=a>1 SLOT 2</div>{_AFTER}",
    "section": f"{_HEAD}<body><main><section>SLOT<h2>2</h2></section></main>{_AFTER}</body></html>",
    "p": f"{_HEAD}<body><p>1 SLOT 2</p>{_AFTER}</body></html>",
    "p unclosed": f"{_HEAD}<body><p>1 SLOT 2<b>3{_AFTER}</body></html>",
    "h1": f"{_HEAD}<body><h1>1 SLOT 2</h1>{_AFTER}",
    "pre": f"{_HEAD}<body><pre>SLOT\n2</pre>{_AFTER}",
    "table": f"{_HEAD}<body><table>SLOT<tr><td>z</table>{_AFTER}",
    "thead": f"{_HEAD}<body><table><thead>SLOT</thead><tr><td>z</table>{_AFTER}",
    "tbody": f"{_HEAD}<body><table><tr><td>a</tr>SLOT<tr><td>z</table>{_AFTER}",
    "tr": f"{_HEAD}<body><table><tr><td>a</td>SLOT<td>z</table>{_AFTER}",
    "td": f"{_HEAD}<body><table><tr><td>SLOT</td><td>z</table>{_AFTER}",
    "caption": f"{_HEAD}<body><table><caption>SLOT</caption><tr><td>z</table>{_AFTER}",
    "colgroup": f"{_HEAD}<body><table><colgroup><col>SLOT<col></colgroup><tr><td>z</table>{_AFTER}",
    "li": f"{_HEAD}<body><ul><li>SLOT<b>y</b></li><li>2</ul>{_AFTER}",
    "ul": f"{_HEAD}<body><ul><li>1SLOT<li>2</ul>{_AFTER}",
    "dl": f"{_HEAD}<body><dl><dt>SLOT<b>y</b><dd>2</dl>{_AFTER}",
    "a": f"{_HEAD}<body><a href=/x>SLOT<b>y</b></a>{_AFTER}",
    "form": f"{_HEAD}<body><form id=f>SLOT<input name=i></form>{_AFTER}",
    "fieldset": f"{_HEAD}<body><form id=f><fieldset><legend>l</legend>SLOT<input name=i></fieldset></form>{_AFTER}",
    "table in form": f"{_HEAD}<body><form id=f><table><tr><td>SLOT</table><input name=i></form>{_AFTER}",
    "form open": f"{_HEAD}<body><table><form id=f><tr><td>SLOT<input name=i></table></form><input>{_AFTER}",
    "button": f"{_HEAD}<body><button>SLOT<b>y</b></button>{_AFTER}",
    "label": f"{_HEAD}<body><label>SLOT<input></label>{_AFTER}",
    "summary": f"{_HEAD}<body><details open><summary>SLOT</summary>2</details>{_AFTER}",
    "accordion": f"{_HEAD}<body><div>SLOT</div><details name=d open>2</details>{_AFTER}",
    "object": f"{_HEAD}<body><p><object>SLOT</object>2</p>{_AFTER}",
    "ruby": f"{_HEAD}<body><ruby>1SLOT<rt>2</ruby>{_AFTER}",
    "select": f"{_HEAD}<body><select>SLOT<option>2</select>{_AFTER}",
    "option": f"{_HEAD}<body><select><option>1SLOT<option>2</select>{_AFTER}",
    "select button": f"{_HEAD}<body><select><button>SLOT</button><option>2</select>{_AFTER}",
    "formatting": f"{_HEAD}<body><b><nobr>SLOT<i>y</b>{_AFTER}",
    "formatting open": f"{_HEAD}<body><font color=red><i><a href=/x>1<p>SLOT<table><tr><td>y</table>{_AFTER}",
    "formatting reopened": f"{_HEAD}<body><p><a href=/x><b><nobr>1</p>SLOT 2{_AFTER}",
    "formatting reopened in li": f"{_HEAD}<body><ul><li><p><a href=/x><b>1</p>SLOT 2<li>3</ul>{_AFTER}",
    "head": f"{_HEAD.replace('<meta', 'SLOT<meta')}<body>{_AFTER}",
    "svg": f"{_HEAD}<body><svg><g>SLOT<path d=M1></g></svg>{_AFTER}",
    "foreign object": f"{_HEAD}<body><svg><foreignObject>SLOT</foreignObject><path d=M1></svg>{_AFTER}",
    "math": f"{_HEAD}<body><math><mrow>SLOT<mi>y</mi></mrow></math>{_AFTER}",
    "math text": f"{_HEAD}<body><math><mtext>SLOT</mtext><mi>y</mi></math>{_AFTER}",
    "template": f"{_HEAD}<body><template><p>SLOT</p>z</template>{_AFTER}",
    "shadow": f"{_HEAD}<body><div><template shadowrootmode=open><p>SLOT</p>z</template></div>{_AFTER}",
    "custom": f"{_HEAD}<body><x-app><x-side>SLOT</x-side>z</x-app>{_AFTER}",
    "quirks": f"{_QUIRKS}<body><p>1 SLOT 2</p>{_AFTER}",
    "after body": f"{_HEAD}<body>{_AFTER}</body>SLOT</html>",
    "after html": f"{_HEAD}<body>{_AFTER}</body></html>SLOT",
    "between head and body": f"{_HEAD}SLOT<body class=s>{_AFTER}</body></html>",
    "before html": f"<!doctype html>SLOT<html lang=en><head><title>q</title><meta name=last></head><body>{_AFTER}",
    "no body tag": f"<!doctype html><title>q</title><meta name=last>SLOT<p>1{_AFTER}",
    "deep": f"{_HEAD}<body>{'<div>' * 400}SLOT<p>z{'</div>' * 400}{_AFTER}",
}
# Where no slot stands, and what would change the page if one did.
REFUSED: dict[str, tuple[str, str]] = {
    "formatting remains in a select": ("<select><p><b>x</p>SLOT<option>y", "z"),
    "a term ended formatting": ("<select><p><b>x<svg><dt>SLOT", "z"),
    "formatting remains in a drawing": ("<svg><desc><p><b>x</p></desc><g>SLOT</g></svg>", "<desc>z</desc>"),
    "formatting remains in a formula": ("<math><mtext><p><b>x</p></mtext><mrow>SLOT</mrow></math>", "<mtext>z</mtext>"),
    "options are copied": (
        "<select><button><selectedcontent></button>SLOT<option>2</select>",
        "<option selected>z</option>",
    ),
    "noscript opens what it does not close": (
        "<noscript><button><svg></noscript><caption>SLOT</button>",
        "<table></table>",
    ),
}
# Slots whose piece comes at the end of the page. A `<template for>` patches it in: the shell must not be patched.
LATE: dict[str, str] = {
    "late": SHELLS["body"],
    "late in p": SHELLS["p"],
    "late in li": SHELLS["li"],
    "late rows": SHELLS["table"],
    "late cells": SHELLS["tr"],
    "late behind open tags": SHELLS["p unclosed"],
    # Where the marks around it would not be siblings, it is an ordinary one.
    "late without a body tag": SHELLS["no body tag"],
    "late where formatting is reopened": SHELLS["formatting reopened"],
}
_SLOT = '<mf-slot name="n"><i>F</i></mf-slot>'
_CARD = f"<div class=card><h2>a</h2>{_SLOT}<p>b</div><ul><li>c</ul>"
# Slots in a piece: the shell it is for, the piece, and how it is fenced in itself.
NESTED: dict[str, tuple[str, str, str]] = {
    "nested": ("body", _CARD, "none"),
    "nested in words": ("p", f"<b>1 {_SLOT} 2</b>", "none"),
    "nested in a section": ("li", f"<ul></ul><li>1 {_SLOT}<li>2", "none"),
    "nested rows": ("table", '<tr><td>a</tr><!--mf:slot name="n"--><tr><td>b', "none"),
    "nested cell": ("div", f"<table><tr><td>{_SLOT}<td>b</table>", "none"),
    "nested in a shadow": ("body", _CARD, "shadow"),
}
PLACES = (*SHELLS, *LATE, *NESTED)
# Where scripting takes its time to be looked at each time; everywhere with --long.
USUAL = {
    *("body", "div", "p", "h1", "table", "tbody", "tr", "td", "caption", "li", "dl", "a", "form", "table in form"),
    *("button", "summary", "select", "option", "formatting", "head", "svg", "foreign object", "math", "template"),
    *(
        "shadow",
        "quirks",
        "after body",
        "late",
        "late in p",
        "late rows",
        "nested",
        "nested rows",
        "nested in a shadow",
    ),
}
ASKED = ("body", "p", "table", "li")  # through a running gateway
ISOLATIONS = ("none", "scope", "shadow", "iframe")
PREFIX = Place("/cart", base="/cart/fragments/mini")


def shell(name: str, spelling: str = _SLOT) -> Plan:
    return compile(SHELLS[name].replace("SLOT", spelling).encode())


@dataclass(frozen=True)
class Standing:
    """A slot somewhere, and the page around it when it is filled in order."""

    plan: Plan
    slot: Slot

    def page(self, filling: Filling) -> tuple[bytes, str]:
        """The page, and the rung it shows."""
        return b"".join(page(self.plan, [filling])), rung(filling)

    def empty(self) -> bytes:
        return b"".join(page(self.plan, [Nothing()]))


class Late(Standing):
    def page(self, filling: Filling) -> tuple[bytes, str]:
        stitch = Stitch(self.plan, [late.waiting(self.slot, ())], coming={0})
        sent = stitch.open()
        arrived = stitch.arrive(0, filling)
        shown = rung(filling) if arrived else "fallback"
        return b"".join([*sent, *arrived, *stitch.close()]), shown


@dataclass(frozen=True)
class Nested(Standing):
    outer: Fitted
    inner: Plan

    def page(self, filling: Filling) -> tuple[bytes, str]:
        head = (*self.outer.head, *(filling.head if isinstance(filling, Fitted) else ()))
        whole = replace(self.outer, html=b"".join(page(self.inner, [filling])), head=head, plain=False)
        return b"".join(page(self.plan, [whole])), rung(filling)

    def empty(self) -> bytes:
        return self.page(Nothing())[0]


def unslotted(name: str) -> tuple[Plan, Case]:
    """The plan of a page where no slot stands, and what would be made of it if one did."""
    written, body = REFUSED[name]
    whole = f"{_QUIRKS}{written}{_AFTER}"
    first, last = (
        ("<mf-slot data-mf-slot=0>", "</mf-slot>") if "noscript" in written else ("<!--mf:0-->", "<!--/mf:0-->")
    )
    html, empty = (whole.replace("SLOT", first + inside + last) for inside in (body, ""))
    return compile(whole.replace("SLOT", _SLOT).encode()), Case(name, html, empty, ("0",), ())


def rung(filling: Filling) -> str:
    return filling.rung if isinstance(filling, Fitted) else type(filling).__name__.lower()


@cache
def standing(place: str) -> Standing:
    if place in NESTED:
        return _nested(*NESTED[place])
    if place in LATE:
        plan = compile(LATE[place].replace("SLOT", _SLOT.replace('"n"', '"n" late')).encode())
        return (Late if plan.slots[0].late else Standing)(plan, plan.slots[0])
    plan = shell(place)
    return Standing(plan, plan.slots[0])


def _nested(outside: str, piece: str, isolation: str) -> Nested:
    plan = shell(outside)
    outer = fit(read(piece.encode(), HTML, PREFIX, plan.slots[0].context, slots=True), plan.slots[0], isolation)
    inner = compile_piece(outer.html, plan.slots[0])
    return Nested(plan, inner.slots[0], outer, inner)


# ---- What an answer makes of a place --------------------------------------------------------------------------------


def filling(answer: Answer, slot: Slot, isolation: str = "none") -> Filling:
    """What a gateway makes of an answer: only a good one is content."""
    if answer.status == 204:
        return Nothing()
    if answer.status != 200:
        return Fallback()
    piece = _piece(answer.body.replace(b"MARK", slot.mark.encode()), answer.content_type, slot.context)
    try:
        return fit(piece, slot, isolation) if piece else Fallback()
    except FragmentsError:
        return Fallback()


@cache
def _piece(body: bytes, content_type: str, context: Context) -> Piece | None:
    try:
        return read(body, content_type, PREFIX, context)
    except FragmentsError:
        return None


def dressed(answer: Answer, slot: Slot, isolation: str) -> Filling:
    """The same with ids of its own and the nonce of a policy, as it leaves a gateway that is told to."""
    body = answer.body.replace(b"MARK", slot.mark.encode())
    try:
        piece = read(body, answer.content_type, PREFIX, slot.context, ids="n-")
        return nonces.fitted(fit(piece, slot, isolation), b"bm9uY2U")
    except FragmentsError:
        return Fallback()


@dataclass(frozen=True)
class Case:
    """A page, and the same page with the slot empty. What is `hoisted` may stand in the head; None means anything."""

    name: str
    html: str
    empty: str
    marks: tuple[str, ...]
    hoisted: tuple[str, ...] | None
    rung: str = "light"


def case(name: str, plan: Plan, fillings: Sequence[Filling]) -> Case:
    """A page with several slots."""
    filled = b"".join(page(plan, fillings)).decode()
    empty = b"".join(page(plan, [Nothing()] * len(plan.slots))).decode()
    return Case(name, filled, empty, tuple(slot.mark for slot in plan.slots), _hoisted(fillings))


def _hoisted(fillings: Iterable[Filling]) -> tuple[str, ...]:
    items = {item.key: item for each in fillings if isinstance(each, Fitted) for item in each.head}
    return tuple("importmap" if item.kind == "importmap" else item.html.decode() for item in items.values())


def put(name: str, answer: Answer, place: str, isolation: str = "none") -> Case:
    """An answer in a place, begun on the rung that is wanted, where the place has it."""
    where = standing(place)
    wanted = isolation if where.slot.context in WRAPPED else "none"
    return filled(f"{place}: {name}", where, filling(answer, where.slot, wanted))


def filled(name: str, where: Standing, content: Filling) -> Case:
    html, shown = where.page(content)
    empty = where.empty()
    hoisted = () if isinstance(where, Late) else _hoisted([content])
    return Case(name, html.decode(), empty.decode(), (where.slot.mark,), hoisted, shown)


def cases(place: str, answers: Mapping[str, Answer], isolation: str = "none") -> list[Case]:
    return [put(name, answer, place, isolation) for name, answer in answers.items()]


# ---- On which rung answers end --------------------------------------------------------------------------------------

_RUNGS = ("light", "section", "shadow", "iframe", "fallback")


def shares(title: str, rungs: Iterable[str]) -> str:
    """One line of the table: how many, and how much of it on each rung."""
    counted = Counter(rungs)
    whole = sum(counted[each] for each in _RUNGS)
    told = "".join(f"{each:>10} {counted[each] / whole:6.1%}" for each in _RUNGS)
    return f"{title:<32}{whole:>7}{told}"


def main() -> None:
    """Prints the table."""
    for line in table():
        print(line)


FEW = ("body", "div", "p", "li", "td", "custom")


def table() -> list[str]:
    """The nasty ones, those drawn at random, and the ordinary ones where they belong: on which rungs they end."""
    nasty = {name: answer for kind, each in KINDS.items() if kind != WHOLE for name, answer in each.items()}
    lines = [shares("nasty, everywhere", (each.rung for place in PLACES for each in cases(place, nasty)))]
    for isolation in ISOLATIONS:
        rungs = (each.rung for place in FEW for each in cases(place, nasty, isolation))
        lines.append(shares(f"nasty, in flow, from {isolation}", rungs))
    at_random = (each.rung for each in scattered(drawn(2000, seed=1), seed=1))
    ordinary = (put(name, answer, place).rung for name, (place, answer) in ORDINARY.items())
    return [*lines, shares("random, everywhere", at_random), shares("ordinary", ordinary)]


def scattered(answers: Sequence[Answer], seed: int) -> list[Case]:
    """Each answer in some place, on some rung; the same ones for the same seed."""
    dice = random.Random(seed)
    return [
        put(repr(answer.body), answer, dice.choice(PLACES), dice.choices(ISOLATIONS, (12, 3, 4, 1))[0])
        for answer in answers
    ]


Part = Callable[[random.Random, int], str]  # of a page, of so many tags at most


def shells_at_random(
    number: int, seed: int, part: Part = spliced_tags, most: tuple[int, int] = (7, 5)
) -> list[Standing]:
    """Slots in pages that are broken themselves, where one can stand there at all."""
    dice = random.Random(seed)
    found = []
    for _ in range(number):
        before, after = (part(dice, each) for each in most)
        plan = compile(f"{dice.choice((_HEAD, _QUIRKS))}{before}{_SLOT}{after}{_AFTER}".encode())
        found += [Standing(plan, slot) for slot in plan.slots]
    return found


# ---- Two documents compared -----------------------------------------------------------------------------------------

# A document as text, each slot as one word whatever is in it and on whatever rung it stands; in the order of the
# document, with the form that each control belongs to. Of a template that has patched a slot an empty comment is left.
# To a browser that does not patch, instructions are comments, and such a template waits for the runtime.
_DUMP = """
    (doc, marks, hoisted) => {
        const out = [doc.compatMode];
        const slots = new Set(marks);
        const controls = new Set(["button", "fieldset", "input", "object", "output", "select", "textarea"]);
        const brought = (hoisted || []).map(html => new DOMParser().parseFromString(html, "text/html").head.firstChild);
        let passed = false;
        const isBrought = node => {
            if (node.parentNode !== doc.head) return false;
            if (!hoisted) return passed;
            if (node.localName === "script" && node.type === "importmap") return hoisted.includes("importmap");
            const at = brought.findIndex(each => each && each.isEqualNode(node));
            return at >= 0 && Boolean(brought.splice(at, 1));
        };
        const text = words => { if (words) out.push('"' + words + '"'); };
        const instruction = node => node.nodeType === 7 ? "?" + node.target + " " + node.data
            : node.nodeType === 8 && !window.patches ? node.data : "";
        const isMark = node => node.nodeType === 8 && node.data.startsWith("mf:");
        const begins = node => isMark(node)
            ? node.data.slice(3)
            : (/^[?]start .*?"mf-(.*?)"/.exec(instruction(node)) || [])[1];
        const ends = (node, first) => isMark(first)
            ? node.nodeType === 8 && node.data === "/" + first.data
            : /^[?]end\\b/.test(instruction(node));
        const children = parent => {
            let words = "", first = null;
            for (const node of parent.childNodes) {
                if (first) {
                    if (ends(node, first)) first = null;
                    continue;
                }
                if (node.nodeType === 3) { words += node.data; continue; }
                text(words); words = "";
                const mark = begins(node);
                if (mark && slots.has(mark)) {
                    out.push("SLOT " + mark);
                    first = node;
                } else visit(node);
            }
            text(parent === doc.body ? words.trimEnd() : words);
            if (first) out.push("NOT ENDED " + first.data);
        };
        const visit = node => {
            if (node.nodeType === 8) { if (node.data) out.push("<!--" + node.data); return; }
            if (node.nodeType !== 1) { out.push("type " + node.nodeType + " " + node.nodeName); return; }
            if (slots.has(node.getAttribute("data-mf-slot"))) {
                out.push("SLOT " + node.getAttribute("data-mf-slot"));
                return;
            }
            if (isBrought(node)) return;
            if (!window.patches && slots.has(node.getAttribute("data-mf-late"))) return;
            const attributes = [...node.attributes].map(a => a.name + "=" + a.value).sort().join(" ");
            const owner = controls.has(node.localName) && node.form ? " of form " + node.form.id : "";
            out.push("<" + node.namespaceURI.slice(-4) + ":" + node.localName + " " + attributes + owner);
            if (node.localName === "meta" && node.getAttribute("name") === "last") passed = true;
            if (node.shadowRoot) { out.push("#shadow"); children(node.shadowRoot); }
            children(node.content && node.localName === "template" ? node.content : node);
            out.push(">");
        };
        children(doc);
        return out.join("\\n");
    }
"""

# With scripting a document has to be that of a frame, and it has to be parsed as a page is; DOMParser has none.
_COMPARE = f"""
    ([written, scripting]) => {{
        const cases = JSON.parse(written);
        const dump = {_DUMP};
        const frame = document.body.appendChild(document.createElement("iframe"));
        const parsed = html => {{
            if (!scripting) return new DOMParser().parseFromString(html, "text/html");
            const doc = frame.contentDocument;
            doc.open(); doc.write(html); doc.close();
            return doc;
        }};
        const known = new Map();
        const read = (html, marks, hoisted) => dump(parsed(html), marks, hoisted);
        const differing = [];
        for (const [name, html, empty, marks, hoisted] of cases) {{
            if (!known.has(empty)) known.set(empty, read(empty, marks, []));
            const got = read(html, marks, hoisted), wanted = known.get(empty);
            if (got === wanted) continue;
            const a = got.split("\\n"), b = wanted.split("\\n");
            const at = a.findIndex((line, n) => line !== b[n]);
            const near = lines => lines.slice(Math.max(0, at - 2), at + 3).join(" | ");
            differing.push([name, near(a), near(b)]);
        }}
        frame.remove();
        return differing;
    }}
"""
# Nothing is loaded, and what is inline may run. A frame is made once for so many documents: that is what takes time.
_EMPTY = """<!doctype html><meta http-equiv="Content-Security-Policy"
    content="default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'"><body></body>"""
_AT_ONCE = 200


def opened(browser: Browser) -> Page:
    """A page in which documents can be compared."""
    tab = browser.new_page()
    tab.set_content(_EMPTY)
    tab.evaluate("able => { window.patches = able }", patches(browser))
    return tab


def differing(tab: Page, compared: Iterable[Case], *, scripting: bool) -> list[list[str]]:
    """The cases whose document outside of the slots is not the one with empty slots, with where they part."""
    once = {(each.html, each.marks, each.hoisted): each for each in compared}
    rows = [[each.name, each.html, each.empty, list(each.marks), each.hoisted] for each in once.values()]
    found: list[list[str]] = []
    for at in range(0, len(rows), _AT_ONCE):
        found += tab.evaluate(_COMPARE, [json.dumps(rows[at : at + _AT_ONCE]), scripting])
    return found


if __name__ == "__main__":
    main()
