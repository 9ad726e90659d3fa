"""Answers as broken as teams send them, places a slot can stand in, and how two documents are compared in Chromium."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from playwright.sync_api import Page

from fragments.contain import Fitted, fit
from fragments.errors import FragmentsError
from fragments.piece import Piece, read
from fragments.plan import WRAPPED, Context, Plan, Slot, compile
from fragments.stitch import Fallback, Filling, Nothing, page
from fragments.urls import Place

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    body: bytes
    content_type: str = HTML
    status: int = 200


def _html(**bodies: str) -> dict[str, Answer]:
    return {name.replace("_", "-"): Answer(body.encode()) for name, body in bodies.items()}


ANSWERS: dict[str, Answer] = {
    **_html(
        good="<p>Hello <b>you</b></p>",
        empty="",
        unclosed_div="<div><div><div>x",
        unclosed_b="<b>x",
        unclosed_a='<a href="/z">z',
        unclosed_p_in_p="<p>a<p>b",
        unclosed_table="<table><tr><td>x",
        unclosed_row="<tr><td>1",
        unclosed_cell="<td>1<td>2",
        unclosed_select="<select><option>x",
        unclosed_button="<button>x",
        unclosed_form="<form><input name=x>",
        form_in_form="<form><input name=x></form>",
        unclosed_ul="<ul><li>x",
        li="<li>z",
        dd="<dd>z<dt>y",
        unclosed_svg="<svg><g><path d=M0>",
        svg_breaks_out="<svg><g></div><p>x",
        foreign_object="<svg><foreignObject><div>x</svg></div>y",
        math="<math><mi>x<p>y",
        mglyph='<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x&gt;">',
        unclosed_comment="<!--",
        comment_abrupt="<!-->x",
        comment_bang="<!-- x --!> y",
        bogus_comment="<!x y",
        cdata="<![CDATA[x]]>y",
        textarea="<textarea>",
        title="<title>",
        style="<style>b{",
        script="<script>",
        script_text="<script>var a = '<b>';",
        script_comment="<script><!--<script></script>",
        script_escaped="<script><!-- <script> </script> --></script><b>x",
        xmp="<xmp>x</div>",
        iframe="<iframe>x</div>",
        noembed="<noembed>x",
        noframes="<noframes>x",
        noscript="<noscript><div></noscript>",
        noscript_comment="<noscript><!--</noscript>-->x",
        plaintext="<plaintext>x",
        template="<template><div>",
        template_rows="<template><tr><td>x",
        template_for='<template for="s">x</template>',
        start_instruction='<?start name="s"?>x<?end?>',
        end_tags="</div></div></section></main></body></html>x",
        end_p="</p></p>x",
        end_table="</td></tr></table>x",
        end_li="</li></ul></ol>x",
        end_a="</a></b></form>x",
        end_body="</body>x",
        end_html="x</html>y",
        end_template="</template></svg></select>x",
        end_slot="</mf-slot></section>x",
        own_marker='<mf-slot name="x" data-mf-slot="0-000000000000"></mf-slot></mf-slot>x',
        markers="<!--/mf:0-000000000000-->x<!--mf:slot name=q-->",
        html_tag='<html class="evil" id=e onclick=x><body class="b" style="color:red">x',
        frameset="<frameset><frame src=x>",
        head_tags='<head><title>T</title><base href="/evil/"><meta http-equiv=refresh content="0;url=/x"></head>x',
        document="<!doctype html><html lang=de class=k><head><title>t</title></head><body class=b><p>x",
        old_doctype='<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML//EN"><p>x<table><tr><td>y',
        attribute='<a href="',
        attribute_quote="<div title='x><p>y",
        odd_names='<link rel=stylesheet href=/x <b "c =d \'e><p <i "=1>x',
        odd_values="<style media='\"></style><b>'>b{}</style>",
        module="<script type=module src=/m.js <b>'</script>x",
        import_map='<script type=importmap>{"imports":{"<\\/script><b>": "/x"}}</script>x',
        many_attributes="<div " + " ".join(f"a{n}" for n in range(3000)) + ">x",
        hidden_input="<input type=hidden><input>x",
        nobr="<nobr>a<nobr>b",
        heading="<h1>a<h2>b",
        misnested="<b><p>x</b>y</p><i><div>z</i>",
        formatting="<b><i><u><s><tt><big><code><em>x",
        pre="<pre>\n\nx</pre>",
        listing="<listing>\n\nx",
        ruby="<ruby>a<rt>b<rp>c",
        object="<object><p>x",
        optgroup="<optgroup label=a><option>b",
        col="<col><colgroup><col>",
        caption="<caption>x<tr>",
        image="<image src=x><isindex>",
        null="a\0b<\0p>c",
        shadow='<template shadowrootmode="open"><p>x</template>y',
        srcdoc="<iframe srcdoc=\"</iframe><script>parent.document.body.innerHTML=''\"></iframe>",
        deep="<div>" * 200_000,
        deep_b="<b>" * 60 + "x",
        amplify="".join(f"<b x{n}>" for n in range(600)) + "<p>" * 2000,
        amplify_below="".join(f"<b x{n}>" for n in range(60)) + "<p>x</p>" * 200,
        hidden_depth="<svg></div><style>" + "<g>" * 100_000,
        megabyte_of_comments="<!--" * 260_000,
    ),
    "wrong-charset": Answer("<p>Привет</p><b>".encode("cp1251")),
    "declared-charset": Answer("<meta charset=windows-1251><p>Привет<b>".encode("cp1251"), "text/html"),
    "utf-16": Answer("<p>x<b>".encode("utf-16")),
    "gzip-garbage": Answer(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + bytes(range(256)) * 4),
    "json": Answer(b'{"a": "<div>"}', "application/json"),
    "text": Answer(b"<div>", "text/plain"),
    "no-content": Answer(b"", status=204),
    "redirect": Answer(b"<a href=/x>moved", status=302),
    "server-error": Answer(b"<h1>oh", status=500),
}

_HEAD = '<!doctype html><html lang="en"><head><title>Shell</title><meta name="last"></head>'
_AFTER = "<form><input><button>b</button></form><table><tr><td>c</table><ul><li>q</ul><noscript>n</noscript><p>end"
SHELLS: dict[str, str] = {
    "body": f"{_HEAD}<body class=s><div>1</div>SLOT<div>2</div>{_AFTER}</body></html>",
    "div": f"{_HEAD}<body><div class=a>1 SLOT 2</div>{_AFTER}",
    "p": f"{_HEAD}<body><p>1 SLOT 2</p>{_AFTER}</body></html>",
    "table": f"{_HEAD}<body><table>SLOT<tr><td>z</table>{_AFTER}",
    "tbody": f"{_HEAD}<body><table><tr><td>a</tr>SLOT<tr><td>z</table>{_AFTER}",
    "tr": f"{_HEAD}<body><table><tr><td>a</td>SLOT<td>z</table>{_AFTER}",
    "td": f"{_HEAD}<body><table><tr><td>SLOT</td><td>z</table>{_AFTER}",
    "li": f"{_HEAD}<body><ul><li>SLOT<b>y</b></li><li>2</ul>{_AFTER}",
    "a": f"{_HEAD}<body><a href=/x>SLOT<b>y</b></a>{_AFTER}",
    "form": f"{_HEAD}<body><form id=f>SLOT<input name=i></form>{_AFTER}",
    "table-in-form": f"{_HEAD}<body><form id=f><table><tr><td>SLOT</table><input name=i></form>{_AFTER}",
    "button": f"{_HEAD}<body><button>SLOT<b>y</b></button>{_AFTER}",
    "select": f"{_HEAD}<body><select>SLOT<option>2</select>{_AFTER}",
    "dl": f"{_HEAD}<body><dl><dt>SLOT<b>y</b><dd>2</dl>{_AFTER}",
    "formatting": f"{_HEAD}<body><b><nobr>SLOT<i>y</b>{_AFTER}",
    "head": f"{_HEAD.replace('<meta', 'SLOT<meta')}<body>{_AFTER}",
    "svg": f"{_HEAD}<body><svg><g>SLOT<path d=M1></g></svg>{_AFTER}",
    "template": f"{_HEAD}<body><template><p>SLOT</p>z</template>{_AFTER}",
    "quirks": f"<title>q</title><meta name=last><body><p>1 SLOT 2</p>{_AFTER}",
    "open-form": f"{_HEAD}<body><table><form id=f><tr><td>SLOT<input name=i></table></form><input>{_AFTER}",
}
ASKED = ("body", "p", "table", "li")
PLACE = Place("/cart", base="/cart/fragments/mini")


def shell(name: str, spelling: str = '<mf-slot name="n"><i>F</i></mf-slot>') -> Plan:
    return compile(SHELLS[name].replace("SLOT", spelling).encode())


def filling(answer: Answer, slot: Slot, isolation: str = "none") -> Filling:
    """What a gateway makes of an answer: only a good one is content."""
    if answer.status == 204:
        return Nothing()
    if answer.status != 200:
        return Fallback()
    try:
        return fit(_piece(answer, slot.context), slot, isolation)
    except FragmentsError:
        return Fallback()


@cache
def _piece(answer: Answer, context: Context) -> Piece:
    return read(answer.body, answer.content_type, PLACE, context)


@dataclass(frozen=True)
class Case:
    """A page, and the same page with the slot empty. `hoisted` things stand after the shell's own in the head."""

    name: str
    html: str
    empty: str
    marks: tuple[str, ...]
    hoisted: int


def case(name: str, plan: Plan, fillings: Sequence[Filling]) -> Case:
    filled = b"".join(page(plan, fillings)).decode()
    empty = b"".join(page(plan, [Nothing()] * len(plan.slots))).decode()
    keys = {item.key for each in fillings if isinstance(each, Fitted) for item in each.head}
    return Case(name, filled, empty, tuple(slot.mark for slot in plan.slots), len(keys))


@cache
def cases(names: tuple[str, ...], isolation: str = "none") -> list[Case]:
    made = []
    for name in names:
        plan = shell(name)
        (slot,) = plan.slots
        started = isolation if slot.context in WRAPPED else "none"
        made += [case(f"{name}: {key}", plan, [filling(answer, slot, started)]) for key, answer in ANSWERS.items()]
    return made


# A document as text, each slot as one word whatever is in it and on whatever rung it stands.
_DUMP = re.sub(
    r"\n\s*",
    "\n",
    r"""
    (doc, marks, hoisted) => {
        const out = [doc.compatMode];
        const slots = new Set(marks);
        let left = hoisted, passed = false;
        const text = words => { if (words) out.push('"' + words + '"'); };
        const children = parent => {
            let words = "", until = null;
            for (const node of parent.childNodes) {
                if (until !== null) {
                    if (node.nodeType === 8 && node.data === until) until = null;
                    continue;
                }
                if (node.nodeType === 3) { words += node.data; continue; }
                text(words); words = "";
                if (node.nodeType === 8 && node.data.startsWith("mf:") && slots.has(node.data.slice(3))) {
                    out.push("SLOT " + node.data.slice(3));
                    until = "/" + node.data;
                } else visit(node);
            }
            text(words);
            if (until !== null) out.push("NOT ENDED " + until);
        };
        const visit = node => {
            if (node.nodeType === 8) { out.push("<!--" + node.data); return; }
            if (node.nodeType !== 1) { out.push("type " + node.nodeType + " " + node.nodeName); return; }
            if (slots.has(node.getAttribute("data-mf-slot"))) {
                out.push("SLOT " + node.getAttribute("data-mf-slot"));
                return;
            }
            if (passed && left > 0 && node.parentNode === doc.head) { left--; return; }
            const attributes = [...node.attributes].map(a => a.name + "=" + a.value).sort().join(" ");
            const owner = node.form ? " of form " + node.form.id : "";
            out.push("<" + node.namespaceURI.slice(-4) + ":" + node.localName + " " + attributes + owner);
            if (node.localName === "meta" && node.getAttribute("name") === "last") passed = true;
            if (node.shadowRoot) { out.push("#shadow"); children(node.shadowRoot); }
            children(node.content && node.localName === "template" ? node.content : node);
            out.push(">");
        };
        children(doc);
        return out.join("\n");
    }
    """,
)

_COMPARE = f"""
    ([cases, scripting]) => {{
        const dump = {_DUMP};
        const parsed = html => {{
            if (!scripting) return [new DOMParser().parseFromString(html, "text/html"), () => {{}}];
            const frame = document.body.appendChild(document.createElement("iframe"));
            const doc = frame.contentDocument;
            doc.open(); doc.write(html); doc.close();
            return [doc, () => frame.remove()];
        }};
        const known = new Map();
        const read = (html, marks, hoisted) => {{
            const [doc, done] = parsed(html);
            const text = dump(doc, marks, hoisted);
            done();
            return text;
        }};
        const differing = [];
        for (const [name, html, empty, marks, hoisted] of cases) {{
            if (!known.has(empty)) known.set(empty, read(empty, marks, 0));
            const got = read(html, marks, hoisted), wanted = known.get(empty);
            if (got === wanted) continue;
            const a = got.split("\\n"), b = wanted.split("\\n");
            const at = a.findIndex((line, n) => line !== b[n]);
            const near = lines => lines.slice(Math.max(0, at - 2), at + 3).join(" | ");
            differing.push([name, near(a), near(b)]);
        }}
        return differing;
    }}
"""


def differing(tab: Page, compared: Sequence[Case], *, scripting: bool) -> list[list[str]]:
    """The cases whose document outside of the slots is not the one with empty slots, with where they part."""
    tab.route("**/*", lambda route: route.abort())
    rows = [[each.name, each.html, each.empty, list(each.marks), each.hoisted] for each in compared]
    found: list[list[str]] = tab.evaluate(_COMPARE, [rows, scripting])
    return found
