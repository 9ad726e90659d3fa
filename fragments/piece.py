"""A fragment's answer, read: what stands in the slot, what goes to the head, what does not belong into another's page.

Each answer is parsed on its own, within budgets, and written again in normal form; URLs are put below its mount.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import fragments.parse as parse
import fragments.shortcut as shortcut
from fragments.errors import NotMarkup, OverBudget
from fragments.head import HeadItem
from fragments.ids import elements, prefixed
from fragments.parse import Node
from fragments.plan import WRAPPED, Context, Diagnostic, Foreign, brings, has_slots, parsed_as
from fragments.scan import Kind, attributes, tokens, unescape
from fragments.sift import MARK, Sieve
from fragments.urls import Place, below


@dataclass(frozen=True, slots=True)
class Piece:
    html: bytes  # in normal form
    head: tuple[HeadItem, ...] = ()
    title: str | None = None
    classes: str = ""  # these three were html's and body's
    lang: str | None = None
    dir: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    digest: str = ""
    stable: bool = True  # parsing what is written gives the same again
    data: tuple[tuple[str, str], ...] = ()  # html's and body's, too: the attributes that scripts read
    module: str = ""  # the public URL of a module that takes the slot over, if one does
    base: str = "/"  # below which its team's application is shown
    ids: frozenset[str] = frozenset()
    defines: frozenset[str] = frozenset()  # custom elements, as far as its inline scripts say
    slots: bool = False  # there may be some of its own in it, to be filled


def read(
    body: bytes,
    content_type: str,
    place: Place,
    context: Context = Context.FLOW,
    *,
    slots: bool = False,
    foreign: Foreign | None = None,
    ids: str = "",
) -> Piece:
    """The piece an answer is. Its own slots are kept if it may have `slots`, unless one of their tags is `foreign` as
    it is written; its ids begin with `ids`. Raises OverBudget, or NotMarkup for what is no HTML."""
    source = _characters(body, content_type)
    written = source.encode("utf-8", "replace")
    slots = slots and has_slots(written) and (foreign is None or not brings(written, foreign))
    if slots:
        written = slotted(written)
        source = written.decode("utf-8", "replace")
    told = parse.survey(written, in_flow=context in WRAPPED)
    lower = written.lower()
    if context in WRAPPED and not slots and not ids:
        sieve = Sieve(place, context, place.base, slots, marked=False)
        plain = shortcut.read(source, lower, told, sieve)
        if plain is not None:
            return _piece(*plain, True, sieve, len(written))
    nodes, roots = _tree(source, told.document, context)
    if ids:
        prefixed(nodes, ids)
    based = _based(nodes, place) if b"<base" in lower else place
    sieve = Sieve(based, context, place.base, slots, MARK.encode() in lower)
    html, stable = sieve.written(nodes)
    return _piece(html, roots, stable, sieve, len(written))


def _tree(source: str, document: bool, context: Context) -> tuple[list[Node], dict[str, str]]:
    if not document:
        return parse.part(source, *parsed_as(context)), {}
    head, body = parse.document(source)
    return head.children + body.children, body.attributes


def _piece(html: str, roots: dict[str, str], stable: bool, sieve: Sieve, size: int) -> Piece:
    if parse.grown(size, len(html)):
        raise OverBudget(f"{size} bytes of markup mean {len(html)} once they are closed properly. Close them.")
    if any(name in ("id", "style") or name.startswith("on") for name in roots):
        sieve.say("piece-root-attributes", "The id, style and handlers of html and body are the page's; left out.")
    written = html.encode()
    parts = (sieve.title, roots, sieve.items, sieve.context, sieve.module, sieve.place.prefix, len(written))
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=16)
    digest.update(written)
    return Piece(
        written,
        tuple(sieve.items),
        sieve.title,
        roots.get("class", ""),
        roots.get("lang"),
        roots.get("dir"),
        tuple(sieve.diagnostics),
        digest.hexdigest(),
        stable,
        tuple((name, value) for name, value in roots.items() if name.startswith("data-") and not name.startswith(MARK)),
        sieve.module,
        f"{sieve.place.prefix}/",
        frozenset(sieve.ids),
        frozenset(sieve.defines),
        sieve.slots,
    )


# ---- What is markup -------------------------------------------------------------------------------------------------

_MARKUP = {"text/html", "application/xhtml+xml"}
_SNIFFED = 1445  # bytes, and which of them no text has: MIME Sniffing, 7
_BINARY = bytes({*range(0x09), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)})
_ONE_IN = 32  # a stray control character in an old page is no archive
_TWO_BYTES = (b"\xff\xfe", b"\xfe\xff")


def _characters(body: bytes, content_type: str) -> str:
    essence, _, parameters = content_type.partition(";")
    essence = essence.strip().lower()
    if essence not in _MARKUP:
        raise NotMarkup(f"The answer is {essence or 'of no type'}, not HTML. Send Content-Type: text/html.")
    charset = _charset(parameters)
    sniffed = body[:_SNIFFED]
    wide = body.startswith(_TWO_BYTES) or (charset or "").lower().startswith("utf-16")
    if not wide and (len(sniffed) - len(sniffed.translate(None, _BINARY))) * _ONE_IN > len(sniffed):
        raise NotMarkup("The answer says it is HTML but is binary. Check its Content-Encoding.")
    if len(body) > parse.PIECE.size:
        parse.survey(body)  # raises, before anything is decoded
    return parse.decode(body, charset)


def _charset(parameters: str) -> str | None:
    for each in parameters.split(";"):
        name, _, value = each.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'")
    return None


def _based(nodes: Sequence[Node], place: Place) -> Place:
    """The first `<base href>` says what relative URLs are relative to, if it stays with this application."""
    for element in elements(nodes, templates=False):
        if element.name == "base" and element.space == parse.HTML and "href" in element.attributes:
            base = below(element.attributes["href"], place)
            return replace(place, base=base) if base[:1] == "/" and base[1:2] not in ("/", "\\") else place
    return place


# ---- Slots of its own ------------------------------------------------------------------------------------------------

_COMMENT_SLOT = re.compile(rb"<!--mf:slot(?=[\t\n\f\r /])(.*?)--!?>", re.DOTALL)


def slotted(source: bytes) -> bytes:
    """The source with each slot that is a comment, which no parser keeps, as a template; and with an end tag for each
    that is closed at once, as a shell's may be and HTML's elements are not."""
    parts: list[bytes] = []
    at = 0
    for token in tokens(source):
        if token.kind is Kind.COMMENT and (found := _COMMENT_SLOT.fullmatch(source, token.start, token.end)):
            parts += (source[at : token.start], _as_template(found[1]))
        elif token.kind is Kind.START and token.closed and token.name == b"mf-slot" and not token.foreign:
            parts += (source[at : token.end], b"</mf-slot>")
        else:
            continue
        at = token.end
    return b"".join((*parts, source[at:]))


def _as_template(described: bytes) -> bytes:
    tag = b"<mf-slot" + described + b">"
    token = next(tokens(tag), None)
    found = attributes(tag, token) if token is not None else []
    values = {each.name.decode("utf-8", "replace"): unescape(each.value or b"") for each in found}
    named = {"mf-slot": values.pop("name", ""), **{name: value for name, value in values.items() if name != "mf-slot"}}
    return f"{parse.start_tag('template', named)}</template>".encode("utf-8", "replace")
