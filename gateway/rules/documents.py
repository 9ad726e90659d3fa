"""YAML and JSON as people write them: read whole, with the line and column of every key.

YAML 1.2 core schema only: no tags, no merge keys, no numbers in disguise, so a text means what it seems to mean. Any
text at all gives a `Document`: what is wrong is told in `faults`, never raised. The only file that knows ruamel.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

Steps = tuple[str | int, ...]

BYTES = 1 << 20  # a large team's manifest is some 50 kB; Kubernetes refuses objects above 1.5 MiB
NODES = 100_000  # counted after aliases, so that nine lines of aliases are not a billion values
DEPTH = 32  # a manifest needs six

WORDS: dict[str, bool | None] = {"true": True, "True": True, "TRUE": True, "false": False, "False": False}
WORDS |= {"FALSE": False, "": None, "~": None, "null": None, "Null": None, "NULL": None}
INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
DECIMAL = re.compile(r"[-+]?(\.[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{0,18})?)([eE][-+]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a text, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a text before anyone asks what it says."""

    code: str
    message: str
    hint: str
    place: Place | None = None
    steps: Steps = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A text read: plain dicts, lists and scalars, and where they stood."""

    tree: object = None
    places: Mapping[Steps, Place] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    def place(self, steps: Steps) -> Place | None:
        """Where the key or item of that path stands, or else the nearest one around it."""
        for end in range(len(steps), -1, -1):
            if place := self.places.get(steps[:end]):
                return place
        return None


def read(text: str) -> Document:
    """The text as a document; empty tree and at least one fault when it cannot be read."""
    if len(text.encode("utf-8", "replace")) > BYTES:
        return Document(faults=(Fault("too-large", f"The text is larger than {BYTES} bytes.", "Split it by team."),))
    builder = _Builder()
    try:
        for event in _events(text):
            builder.take(event)
    except _Stop as stop:
        return Document(faults=(*builder.faults, stop.fault))
    except YAMLError as error:
        return Document(faults=(*builder.faults, _fault(error)))
    return builder.document()


def plain(text: str) -> object:
    """The tree of a JSON text, ten times faster than `read`; raises ValueError when it is not plainly JSON."""
    if len(text) > BYTES:
        raise ValueError("too large")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("too deep") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is written twice")
    return found


def _refuse(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def _events(text: str) -> Iterator[Event]:
    reader = YAML(typ="safe", pure=True)
    yield from reader.parse(text)


def _place(mark: Any) -> Place | None:
    return None if mark is None else Place(mark.line + 1, mark.column + 1)


def _fault(error: YAMLError) -> Fault:
    """ruamel's complaint in one sentence, with its place."""
    if not isinstance(error, MarkedYAMLError):
        return Fault("syntax", f"This is not YAML: {str(error).splitlines()[0]}.", "Save the file as UTF-8 text.")
    said = ", ".join(str(part) for part in (error.context, error.problem) if part)
    hint = (
        "Indent with spaces only." if "\\t" in said else "Check indentation, quotes and brackets here and just above."
    )
    return Fault("syntax", f"This is not YAML: {said}.", hint, _place(error.problem_mark or error.context_mark))


class _Stop(Exception):
    """Reading on would make no sense."""

    def __init__(self, code: str, message: str, hint: str, place: Place | None) -> None:
        super().__init__(message)
        self.fault = Fault(code, message, hint, place)


@dataclass(slots=True)
class _Open:
    """A mapping or sequence being filled."""

    value: dict[str, Any] | list[Any]
    steps: Steps
    anchor: str | None
    nodes: int
    height: int = 1
    key: str | None = None


class _Builder:
    """Events in, one tree out; a loop with a stack, so that no text is too deep for Python."""

    def __init__(self) -> None:
        self.tree: Any = None
        self.places: dict[Steps, Place] = {}
        self.faults: list[Fault] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int, int]] = {}
        self._nodes = 0
        self._documents = 0

    def document(self) -> Document:
        if self._documents == 0:
            self.faults.append(Fault("empty", "There is nothing in the text.", "Begin with the line `team: NAME`."))
        return Document(self.tree, self.places, tuple(self.faults))

    def take(self, event: Event) -> None:
        match event:
            case DocumentStartEvent():
                self._begin(event)
            case ScalarEvent():
                self._scalar(event)
            case AliasEvent():
                self._alias(event)
            case MappingStartEvent():
                self._open(event, {})
            case SequenceStartEvent():
                self._open(event, [])
            case MappingEndEvent() | SequenceEndEvent():
                self._close()

    def _begin(self, event: Event) -> None:
        self._documents += 1
        if self._documents > 1:
            place = _place(event.start_mark)
            raise _Stop("documents", "There is more than one document in the text.", "Keep one, without ---.", place)

    def _open(self, event: NodeEvent, value: dict[str, Any] | list[Any]) -> None:
        place = _place(event.start_mark)
        self._check(event, place)
        if self._wants_key():
            raise _Stop("key", "A key is a list or a mapping here.", "Keys are plain words.", place)
        if len(self._stack) == DEPTH:
            raise _Stop("depth", f"More than {DEPTH} levels deep.", "A manifest needs six levels.", place)
        steps = self._attach(value, place)
        self._stack.append(_Open(value, steps, event.anchor, self._nodes))

    def _close(self) -> None:
        closed = self._stack.pop()
        self._lift(closed.height + 1)
        if closed.anchor:
            self._anchors[closed.anchor] = closed.value, self._nodes - closed.nodes + 1, closed.height

    def _scalar(self, event: ScalarEvent) -> None:
        place = _place(event.start_mark)
        self._check(event, place)
        if self._wants_key():
            self._key(str(event.value), place)
            return
        value = str(event.value) if event.style else _scalar(str(event.value))
        if event.anchor:
            self._anchors[event.anchor] = value, 1, 0
        self._attach(value, place)

    def _alias(self, event: AliasEvent) -> None:
        place = _place(event.start_mark)
        value, nodes, height = self._anchors.get(str(event.anchor), (None, 0, 0))
        if not nodes or self._wants_key():
            message = f"The alias *{event.anchor} stands where nothing of that name is complete."
            raise _Stop("alias", message, f"Define &{event.anchor} above, outside of what uses it.", place)
        if len(self._stack) + height > DEPTH:
            raise _Stop("depth", f"More than {DEPTH} levels deep.", "A manifest needs six levels.", place)
        self._nodes += nodes
        self._lift(height + 1)
        self._attach(value, place)

    def _lift(self, height: int) -> None:
        if self._stack:
            self._stack[-1].height = max(self._stack[-1].height, height)

    def _check(self, event: NodeEvent, place: Place | None) -> None:
        self._nodes += 1
        if self._nodes > NODES:
            raise _Stop("nodes", f"More than {NODES} values.", "Split it by team, and use fewer aliases.", place)
        tag = getattr(event, "ctag", None)
        if tag:
            self.faults.append(Fault("tag", f"The tag {tag} is not read here.", "Leave it out.", place))

    def _wants_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None

    def _key(self, key: str, place: Place | None) -> None:
        around = self._stack[-1]
        steps = (*around.steps, key)
        if isinstance(around.value, dict) and key in around.value:
            before = self.places.get(steps)
            hint = f"It stands on line {before.line} already; keep one." if before else "Keep one."
            self.faults.append(Fault("duplicate", f"The key '{key}' is written twice.", hint, place, steps))
        elif place is not None:
            self.places[steps] = place
        around.key = key

    def _attach(self, value: Any, place: Place | None) -> Steps:
        if self._nodes > NODES:
            raise _Stop("nodes", f"More than {NODES} values.", "Split it by team, and use fewer aliases.", place)
        if not self._stack:
            self.tree = value
            if place is not None:
                self.places[()] = place
            return ()
        around = self._stack[-1]
        if isinstance(around.value, dict):
            key, around.key = around.key or "", None
            around.value[key] = value
            return (*around.steps, key)
        around.value.append(value)
        steps = (*around.steps, len(around.value) - 1)
        if place is not None:
            self.places[steps] = place
        return steps


def _scalar(text: str) -> bool | int | float | str | None:
    """A plain scalar by the core schema (YAML 1.2.2 section 10.3.2), less octal, hex, infinity and not-a-number."""
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text)
    if DECIMAL.fullmatch(text):
        return float(text)
    return text
