"""A shell read as composing reads it: its plan, each slot in its place, and all that may be said about them.

Pure: bytes and what is declared around them go in, values come out. Nothing that a file holds raises.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import fragments.dialects as dialects
import fragments.parse as parse
import fragments.plan as plans
from fragments.errors import FragmentsError
from fragments.plan import ISOLATIONS, WRAPPED, Plan, Slot
from gateway.proxy.composition import MOST
from gateway.rules.fields import media_type
from gateway.table import Fragment, Mount, Table
from gateway.trial.remarks import Remark, of, placed, remark, wrong

LARGEST = parse.SHELL.size
COMPOSED = 4 << 20  # bytes, the default of the setting `page_bytes`
PAGES = frozenset({"", "text/html", "application/xhtml+xml"})
ATTRIBUTES = ("name", "timeout", "isolation", "required", "optional", "primary", "late", "lazy")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_WIDE = (b"\xff\xfe", b"\xfe\xff")  # byte order marks of UTF-16, whose texts are full of NUL
_LOOKED_AT = 4096  # bytes of a file, to tell text from what is none
_FILLED = re.compile(rb"<(?:mf-slot|section|g|mrow)\b[^>]{0,400}\bdata-mf-slot=")


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of the portal a shell is for. `whole`: from manifests, which say more than a gateway's table."""

    table: Table = field(default_factory=Table)
    told: str = ""  # who was asked; "" when nobody was
    whole: bool = False
    at: str = "/"  # where the page is shown
    host: str = ""

    @property
    def is_known(self) -> bool:
        return bool(self.told)

    @property
    def mount(self) -> Mount | None:
        return self.table.find(self.host.partition(":")[0].encode(), self.at.partition("?")[0].encode())

    def shown(self, target: str) -> "Around":
        """The same portal, seen from another page of the same application."""
        mount = self.mount
        return self if mount is None else replace(self, at=mount.prefix.decode() + target)

    def declared(self, slot: Slot) -> Fragment | None:
        return self.table.fragments.get(slot.name)


NOWHERE = Around()


@dataclass(frozen=True, slots=True)
class Source:
    """A shell as it came: from a file, or from an address with its status and type."""

    name: str
    body: bytes
    content_type: str = ""
    status: int = 200


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A slot in another language: what would be fetched, from where, under which conditions."""

    language: str
    line: int
    source: str  # as written, with its variables
    leads: str  # where that is, or why nowhere
    refused: bool
    failing: str  # what is shown if it fails
    when: tuple[str, ...] = ()  # the conditions it stands under, outermost first
    depends: tuple[str, ...] = ()  # what of the request decides about it
    slot: Slot | None = None  # its place; None where it has none


@dataclass(frozen=True, slots=True)
class Shell:
    """A shell read. Without a plan where it cannot be; the remarks say why."""

    source: Source
    text: bytes
    plan: Plan | None
    remarks: tuple[Remark, ...]
    around: Around = NOWHERE
    slots: tuple[Slot, ...] = ()  # in our own spellings
    inclusions: tuple[Inclusion, ...] = ()
    languages: tuple[str, ...] = ()  # in which it was read
    unread: tuple[str, ...] = ()  # those it seems to speak besides

    @property
    def code(self) -> int:
        return 1 if wrong(self.remarks) else 0


def read(source: Source, around: Around = NOWHERE, languages: Sequence[str] = ()) -> Shell:
    """The shell, in our own spellings only; see `spoken` for one in other languages."""
    text, said = legible(source)
    if text is None:
        return Shell(source, b"", None, tuple(said), around)
    try:
        plan = plans.compile(text)
    except FragmentsError as error:
        said.append(remark("shell-over-budget", str(error)))
        return Shell(source, text, None, placed(said, text.decode("utf-8", "replace")), around)
    said += [*map(of, plan.diagnostics), *of_page(text, around, languages)]
    if not _FILLED.search(text):
        said += of_slots(plan.slots, around)
    remarks = placed(said, text.decode("utf-8", "replace"))
    return Shell(source, text, plan, remarks, around, plan.slots, (), tuple(languages), unread(text, languages))


def unread(text: bytes, languages: Sequence[str]) -> tuple[str, ...]:
    """Include languages a text seems to speak besides these."""
    return tuple(each for each in dialects.spoken(text, dialects.ALL) if each not in languages)


# ---- The file -------------------------------------------------------------------------------------------------------


def legible(source: Source) -> tuple[bytes | None, list[Remark]]:
    """The text in UTF-8, None for what is no page at all."""
    refusal = _refusal(source)
    if refusal is not None:
        return None, [refusal]
    try:
        source.body.decode()
    except UnicodeDecodeError as error:
        return _converted(source, error.start)
    return source.body, []


def _refusal(source: Source) -> Remark | None:
    body, kind = source.body, media_type(source.content_type.encode("latin-1", "replace") or None)
    if source.status != 200:
        return remark("shell-not-ok", f"{source.name} answers {source.status}, which is not a page.")
    if len(body) > LARGEST:
        return remark("shell-too-large", f"{source.name} is longer than {LARGEST >> 20} MiB, more than is composed.")
    if not body.strip():
        return remark("shell-empty", f"{source.name} is empty.")
    if kind not in PAGES:
        return remark("shell-is-no-page", f"{source.name} is {kind}, not HTML.")
    if b"\0" in body[:_LOOKED_AT] and not body.startswith(_WIDE):
        return remark("shell-binary", f"{source.name} is not text: it holds NUL bytes.")
    return None


def _converted(source: Source, at: int) -> tuple[bytes, list[Remark]]:
    """As composing does: by the byte order mark, the field's charset, or the page's own `<meta>`."""
    charset = _CHARSET.search(source.content_type)
    text = parse.decode(source.body, charset[1] if charset else None)
    line, begins = source.body.count(b"\n", 0, at) + 1, source.body.rfind(b"\n", 0, at) + 1
    column = len(source.body[begins:at].decode()) + 1
    lost = "�" in text
    cause = f"{source.name} is not in UTF-8 from byte {at + 1} on; "
    cause += "some of its characters are lost." if lost else "it is converted for every page that is composed."
    return text.encode(), [remark("shell-not-utf-8", cause, line, column=column, level="error" if lost else None)]


# ---- What is said of it besides -------------------------------------------------------------------------------------


def of_page(text: bytes, around: Around, languages: Sequence[str]) -> Iterator[Remark]:
    if len(text) > COMPOSED:
        cause = f"The page has {len(text):,} bytes; a gateway composes {COMPOSED:,} unless its `page_bytes` says more."
        yield remark("shell-large", cause)
    filled = _FILLED.search(text)
    if filled is not None:
        line = text.count(b"\n", 0, filled.start()) + 1
        yield remark("shell-composed", "This page was composed already: its slots carry `data-mf-slot`.", line)
    mount = around.mount if around.is_known else None
    if mount is None:
        return
    if not mount.composes and (plans.has_slots(text) or languages):
        yield remark("shell-composes-not", f"Mount '{mount.name}' of team '{mount.team}' does not compose.")
    for each in languages if around.whole else ():
        if each not in mount.upstream.dialects:
            yield remark("dialect-not-allowed", f"Upstream '{mount.upstream.name}' is not allowed to speak {each}.")


def of_slots(slots: Sequence[Slot], around: Around) -> Iterator[Remark]:
    """What the plan cannot know: which fragments there are, and what they ask for."""
    if any(slot.quirks for slot in slots):
        yield remark(
            "shell-without-doctype", "The page has no doctype that browsers take for a standard one.", 1, column=1
        )
    fetched = [slot for slot in slots if not slot.lazy]
    if len(fetched) > MOST:
        cause = f"Only {MOST} fragments are fetched for a page; this slot and those behind it show their content."
        yield remark("slots-too-many", cause, fetched[MOST].line)
    yield from _of_several(slots)
    for slot in slots:
        yield from _of_attributes(slot)
        fragment = around.declared(slot)
        if around.is_known and slot.include is None and fragment is None:
            yield _undeclared(slot, around)
        wanted = isolation(slot, fragment)
        if wanted not in allowed(slot):
            yield _not_isolable(slot, wanted)


def _of_several(slots: Sequence[Slot]) -> Iterator[Remark]:
    """What one slot takes from another."""
    ids: dict[str, int] = {}
    primaries: list[int] = []
    for slot in slots:
        id = dict(slot.kept).get("id", "")
        if id and id in ids:
            yield remark("slot-twice", f"Slot '{slot.name}' has the id '{id}', as line {ids[id]} has.", slot.line)
        ids.setdefault(id, slot.line)
        if slot.primary and primaries:
            cause = f"Slot '{slot.name}' is primary, as is the one in line {primaries[0]}; both speak for the page."
            yield remark("slot-primaries", cause, slot.line)
        primaries += [slot.line] * slot.primary


def _of_attributes(slot: Slot) -> Iterator[Remark]:
    """What is not Portico's own is a parameter, so a slip of the pen is no error to anybody else."""
    if slot.required and slot.optional:
        yield remark("slot-contradiction", f"Slot '{slot.name}' is required and optional at once.", slot.line)
    for name, _ in slot.query:
        near = difflib.get_close_matches(name, ATTRIBUTES, 1, 0.8)
        if near:
            cause = f"Slot '{slot.name}' has an attribute '{name}', which is sent to the fragment as a parameter."
            yield replace(remark("slot-attribute", cause, slot.line), fix=f"Did you mean '{near[0]}'?")


def allowed(slot: Slot) -> tuple[str, ...]:
    """Isolations that a slot's place can have; where no element can stand, nothing can be put around a piece."""
    return ISOLATIONS if slot.context in WRAPPED else ISOLATIONS[:1]


def isolation(slot: Slot, fragment: Fragment | None) -> str:
    """The stronger of the slot's and the fragment's."""
    return max(slot.isolation or "none", fragment.isolation if fragment else "none", key=ISOLATIONS.index)


def _not_isolable(slot: Slot, wanted: str) -> Remark:
    """A frame or a shadow root is no table row: the slot stays empty. A scope is merely left out."""
    whose = "asks for" if slot.isolation == wanted else "gets a fragment that asks for"
    cause = f"Slot '{slot.name}' {whose} isolation {wanted}, which its place ({slot.context.value}) cannot have"
    lost = wanted in ("shadow", "iframe")
    cause += "; it is never filled." if lost else "; it is not isolated."
    return remark("slot-not-isolable", cause, slot.line, level="error" if lost else "warning")


def _undeclared(slot: Slot, around: Around) -> Remark:
    cause = f"No manifest declares the fragment '{slot.name}' ({around.told})."
    near = difflib.get_close_matches(slot.name, around.table.fragments, 1)
    if slot.required:
        cause += " It is required, so the page is 502 until one does."
    found = remark("slot-undeclared", cause, slot.line, level="error" if slot.required else None)
    return replace(found, fix=f"Did you mean '{near[0]}'? {found.fix}") if near else found
