"""Whether a manifest may be taken: every problem at once, with its path, its line and what to do about it.

Pure: a text, what other teams registered and what the operator allows go in; problems come out, never an exception.
The same function stands behind registration, `portico check` and the files the gateway follows.
"""

import difflib
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

import gateway.model as model
import gateway.rules.addresses as addresses
import gateway.rules.documents as documents
import gateway.table as table
from gateway.model import Manifest
from gateway.rules.documents import Document, Fault, Place, Steps

Tree = Mapping[str, Any]
Level = Literal["error", "warning"]

MOST = 200  # problems told at once; nobody reads further, and a hostile text has a hundred thousand
KINDS = {"upstreams": "upstream", "mounts": "mount", "fragments": "fragment"}

NAMES = "Lower-case letters, digits, - and _, beginning with a letter or digit, at most 63."
PATTERNS = {
    r"^[a-z0-9][a-z0-9_-]{0,62}$": NAMES,
    r"^[a-z0-9][a-z0-9_-]{0,62}(\.[a-z0-9][a-z0-9_-]{0,62}){0,4}$": "Names of letters, digits, - and _ joined by dots, "
    "such as hotels.deals.",
    r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$": "The name of a field or cookie, such as Accept-Language.",
    r"^[A-Za-z0-9.-]{1,253}$": "A host name without scheme, port or path, such as portal.example.",
    r"^[\x21-\x7e]{1,128}$": "Printable ASCII without spaces, at most 128.",
    model.POINTER: "A JSON pointer, such as /links/next; * stands for any name or number.",
}
PORTS = {"http": 80, "https": 443}
MARKS = ("mf.", "__secure-mf.")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to change in a manifest. `path` is dotted, `line` and `column` count from 1 where they are known."""

    path: str
    message: str
    hint: str = ""
    line: int | None = None
    column: int | None = None
    code: str = "invalid"
    level: Level = "error"

    def __str__(self) -> str:
        at = f"{self.line}:{self.column}: " if self.line else ""
        where = f"{self.path}: " if self.path else ""
        return f"{at}{where}{self.message}{' ' + self.hint if self.hint else ''}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a manifest must fit in: other teams' manifests and what the operator allows.

    `trusted` is said of the operator's own files, which may name folders and mount inside another team's prefix.
    `team` is whose manifest it must be, where that is known. `moved` are prefixes that applications left, with where
    each leads now. `site_cookies` are names of cookies that every team may be shown.
    """

    others: Sequence[Manifest] = ()
    networks: Sequence[str] = addresses.NETWORKS
    own_listeners: Sequence[tuple[str, int]] = ()
    trusted: bool = True
    team: str | None = None
    moved: Mapping[str, str] = field(default_factory=dict)
    site_cookies: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A text checked: its manifest when its shape is valid, and all problems from top to bottom."""

    manifest: Manifest | None
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.level == "error")


@dataclass(frozen=True, slots=True)
class _Found:
    """A problem at its path; its line is looked up at the end."""

    steps: Steps
    message: str
    hint: str = ""
    code: str = "invalid"
    level: Level = "error"
    place: Place | None = None


def check(text: str, surroundings: Surroundings | None = None) -> Finding:
    """Everything wrong with a text: its syntax, its shape, and how it fits with the others."""
    around = surroundings or Surroundings()
    return _quick(text, around) or _thorough(text, lambda tree: _fit(tree, around))


def parse(text: str) -> tuple[Manifest | None, list[Problem]]:
    """The manifest a text holds, looked at by itself; None when there are problems."""
    finding = _thorough(text, lambda tree: ())
    return (None if finding.problems else finding.manifest), list(finding.problems)


def problems(manifest: Manifest, surroundings: Surroundings) -> list[Problem]:
    """How a manifest of valid shape fits with the others; without lines, for there is no text."""
    tree = manifest.model_dump(mode="json", exclude_unset=True)
    return list(_told(_fit(tree, surroundings), Document(tree)))


def _quick(text: str, around: Surroundings) -> Finding | None:
    """JSON without a problem needs no lines."""
    try:
        tree = documents.plain(text)
        manifest = Manifest.model_validate(tree)
    except ValueError:
        return None
    return None if not isinstance(tree, dict) or any(_fit(tree, around)) else Finding(manifest)


def _thorough(text: str, fit: Callable[[Tree], Iterable[_Found]]) -> Finding:
    document = documents.read(text)
    faults = [_fault(fault) for fault in document.faults]
    if not isinstance(document.tree, dict):
        if not faults:
            faults.append(_Found((), "A manifest is lines of `key: value`.", "Begin with the line `team: NAME`."))
        return Finding(None, _told(faults, document))
    manifest, shape = _shape(document.tree)
    return Finding(manifest, _told([*faults, *shape, *fit(document.tree)], document))


def _told(found: Iterable[_Found], document: Document) -> tuple[Problem, ...]:
    told = sorted((_problem(item, document) for item in found), key=lambda told: (told.line or 0, told.column or 0))
    if len(told) <= MOST:
        return tuple(told)
    level: Level = "error" if any(problem.level == "error" for problem in told[MOST:]) else "warning"
    more = Problem("", f"And {len(told) - MOST} problems more.", "Mend these first.", code="more", level=level)
    return (*told[:MOST], more)


def _problem(found: _Found, document: Document) -> Problem:
    place = found.place or document.place(found.steps)
    path = ".".join(str(step) for step in found.steps)
    line, column = (place.line, place.column) if place else (None, None)
    path, message, hint = (_sendable(text) for text in (path, found.message, found.hint))
    return Problem(path, message, hint, line, column, found.code, found.level)


def _sendable(text: str) -> str:
    """Without half characters, which a text may write as escapes and no answer can carry."""
    return text.encode("utf-8", "replace").decode()


def _fault(fault: Fault) -> _Found:
    return _Found(fault.steps, fault.message, fault.hint, fault.code, place=fault.place)


# Shape: what Pydantic says, in our words.


def _shape(tree: Tree) -> tuple[Manifest | None, list[_Found]]:
    once = list(_origins_once(tree))
    try:
        return Manifest.model_validate(tree), once
    except ValidationError as error:
        details = error.errors(include_url=False)
    return None, once + [_worded(detail, tree) for detail in details if not _is_origins_once(detail)]


def _origins_once(tree: Tree) -> Iterator[_Found]:
    """The model's own rule, said even when another key of the upstream is wrong."""
    for name, upstream in _mappings(tree, "upstreams"):
        if bool(upstream.get("origins")) == bool(upstream.get("releases")):
            message = f"{_subject(('upstreams', name), tree)} must have either origins or releases."
            hint = f"Write `origins: [http://{name}.internal:8000]`."
            yield _Found(("upstreams", name), message, hint, "origins")


def _is_origins_once(detail: ErrorDetails) -> bool:
    return detail["type"] == "value_error" and len(detail["loc"]) == 2 and detail["loc"][0] == "upstreams"


def _worded(detail: ErrorDetails, tree: Tree) -> _Found:
    loc = detail["loc"]
    is_key = bool(loc) and loc[-1] == "[key]"
    steps = loc[:-1] if is_key else loc
    what = f"The name '{_short(steps[-1])}'" if is_key else _value(steps, detail["input"])
    match detail["type"]:
        case "extra_forbidden":
            message = f"Unknown key '{steps[-1]}' in {_subject(steps[:-1], tree, begins=False)}."
            return _Found(steps, message, _meant(str(steps[-1]), _keys(steps[:-1]), "Keys here are"), "unknown-key")
        case "missing":
            message = f"{_subject(steps[:-1], tree)} has no '{steps[-1]}'."
            return _Found(steps, message, f"Add `{steps[-1]}: …`.", "missing")
        case "literal_error":
            words = [word.strip("' ") for word in detail["ctx"]["expected"].replace(" or ", ", ").split(",")]
            return _Found(
                steps, f"{what} is not a choice.", _meant(str(detail["input"]), words, "Choices are"), "choice"
            )
        case "string_pattern_mismatch":
            hint = PATTERNS.get(detail["ctx"]["pattern"], f"It must match {detail['ctx']['pattern']}.")
            return _Found(steps, f"{what} is not allowed here.", hint, "name" if is_key else "pattern")
        case "value_error":
            return _Found(
                steps,
                f"{what} is not allowed here.",
                _sentence(detail["msg"].partition(", ")[2]),
                "name" if is_key else "value",
            )
        case "dict_type" | "model_type":
            return _Found(steps, f"{what} is not a mapping.", "Write lines of `key: value` here.", "type")
        case "list_type":
            return _Found(steps, f"{what} is not a list.", "Write `[one, two]`, also for one.", "type")
        case other:
            return _Found(steps, f"{what} is not allowed here.", _sentence(detail["msg"]), other.replace("_", "-"))


def _subject(steps: Steps, tree: Tree, *, begins: bool = True) -> str:
    """What a path is about, as one would say it: mount '/hotels' of team 'hotels'."""
    team = tree.get("team")
    of = f" of team '{_short(team)}'" if isinstance(team, str) else ""
    kind = KINDS.get(str(steps[0])) if len(steps) > 1 else None
    if kind is None:
        spoken = f"'{'.'.join(map(str, steps))}' in the manifest{of}" if steps else f"the manifest{of}"
    else:
        inner = f"'{'.'.join(map(str, steps[2:]))}' of " if steps[2:] else ""
        spoken = f"{inner}{kind} '{_short(steps[1])}'{of}"
    return spoken[0].upper() + spoken[1:] if begins else spoken


def _value(steps: Steps, value: object) -> str:
    """A key with its value as it is written, near enough: `timeout: soon`."""
    key = next((str(step) for step in reversed(steps) if isinstance(step, str)), "manifest")
    return f"`{key}: {_short('' if value is None else value)}`"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = "".join(character if character.isprintable() else "�" for character in text[:61])
    return text if len(text) <= 60 else text[:59] + "…"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def _meant(word: str, known: Iterable[str], otherwise: str) -> str:
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1)
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"{otherwise} {', '.join(words[:20])}." if words else ""


def _keys(steps: Steps) -> list[str]:
    """The keys a manifest may have at that path."""
    here: Any = Manifest
    for step in steps:
        here = _inside(here, step)
    return list(here.model_fields) if _is_model(here) else []


def _inside(annotation: Any, step: str | int) -> Any:
    if _is_model(annotation):
        field = annotation.model_fields.get(step)
        return _bare(field.annotation) if field else None
    arguments = typing.get_args(annotation)
    return _bare(arguments[-1]) if arguments else None


def _bare(annotation: Any) -> Any:
    """Without Optional."""
    arguments = [argument for argument in typing.get_args(annotation) if argument is not type(None)]
    return arguments[0] if type(None) in typing.get_args(annotation) else annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


# Fit: rules across manifests. They read the plain tree, so that they speak even when the shape is wrong elsewhere.


def _fit(tree: Tree, around: Surroundings) -> Iterator[_Found]:
    others = [other for other in around.others if other.team != tree.get("team")]
    yield from _team_meant(tree, around.team)
    yield from _upstreams_declared(tree, others)
    yield from _names_owned(tree, others)
    yield from _prefixes_owned(tree, others, around.trusted)
    yield from _origins_allowed(tree, around)
    yield from _links_lead_somewhere(tree, others, around.moved)
    yield from _alternatives_exist(tree, others)
    yield from _cookies_shared(tree, around)
    yield from _tags_differ(tree, others)


def _team_meant(tree: Tree, team: str | None) -> Iterator[_Found]:
    said = tree.get("team")
    if team is not None and isinstance(said, str) and said != team:
        message = f"The manifest is of team '{_short(said)}', and it is registered for team '{_short(team)}'."
        yield _Found(("team",), message, "Use the same name in both places.", "team")


def _upstreams_declared(tree: Tree, others: Sequence[Manifest]) -> Iterator[_Found]:
    own = dict(_mappings(tree, "upstreams"))
    declared = _mapping(tree.get("upstreams"))
    for kind in ("mounts", "fragments"):
        for name, value in _mappings(tree, kind):
            upstream = value.get("upstream")
            if not isinstance(upstream, str) or upstream in declared:
                continue
            owner = next((other.team for other in others if upstream in other.upstreams), None)
            whose = f"which belongs to team '{owner}'" if owner else "which no manifest declares"
            message = f"{_subject((kind, name), tree)} points to upstream '{_short(upstream)}', {whose}."
            hint = _meant(upstream, own, "Upstreams of this team are") or "Declare it under `upstreams`."
            yield _Found((kind, name, "upstream"), message, hint, "upstream")


def _names_owned(tree: Tree, others: Sequence[Manifest]) -> Iterator[_Found]:
    for other in others:
        for kind, names in (("upstreams", other.upstreams.keys()), ("fragments", other.fragments.keys())):
            for name in names & _mapping(tree.get(kind)).keys():
                message = f"{KINDS[kind].capitalize()} '{name}' belongs to team '{other.team}'."
                yield _Found((kind, name), message, "Choose another name.", "owned")
        for name in _mapping(tree.get("fragments")):
            if name.partition(".")[0] == other.team and name not in other.fragments:
                message = f"Fragment '{_short(name)}' is named after team '{other.team}'."
                yield _Found(("fragments", name), message, "Begin its name with its own team.", "name", "warning")


def _prefixes_owned(tree: Tree, others: Sequence[Manifest], trusted: bool) -> Iterator[_Found]:
    for prefix, mount in _mappings(tree, "mounts"):
        for other in others:
            for taken, theirs in other.mounts.items():
                if not _share_a_host(mount, theirs):
                    continue
                if prefix == taken:
                    message = f"Mount '{prefix}' belongs to team '{other.team}'."
                    yield _Found(("mounts", prefix), message, "Choose another prefix, or other hosts.", "owned")
                elif taken != "/" and prefix.startswith(taken + "/") and not trusted:
                    message = f"Mount '{_short(prefix)}' lies inside mount '{taken}' of team '{other.team}'."
                    hint = "Choose a prefix outside, or ask the operator to declare it in a manifest file."
                    yield _Found(("mounts", prefix), message, hint, "owned")


def _share_a_host(mount: Tree, other: model.Mount) -> bool:
    hosts = mount.get("hosts")
    if not isinstance(hosts, list) or not hosts or not other.hosts:
        return True
    return bool({str(host).lower() for host in hosts} & {host.lower() for host in other.hosts})


def _origins_allowed(tree: Tree, around: Surroundings) -> Iterator[_Found]:
    for steps, origin in _origins(tree):
        reason = _refusal(origin, around)
        if reason:
            message = f"Origin '{_short(origin)}' of {_subject(steps[:2], tree, begins=False)} {reason[0]}."
            yield _Found(steps, message, reason[1], "origin")


def _origins(tree: Tree) -> Iterator[tuple[Steps, str]]:
    for name, upstream in _mappings(tree, "upstreams"):
        for number, origin in enumerate(_texts(upstream.get("origins"))):
            yield ("upstreams", name, "origins", number), origin
        for release, value in _mappings(upstream, "releases"):
            for number, origin in enumerate(_texts(value.get("origins"))):
                yield ("upstreams", name, "releases", release, "origins", number), origin


def _refusal(origin: str, around: Surroundings) -> tuple[str, str] | None:
    """Why an origin of valid shape may not be, and what to do; None when it may."""
    try:
        model.origin(origin)
    except ValueError:
        return None  # its shape is told already
    if origin.startswith("file:"):
        hint = "Serve the folder by HTTP, or ask the operator to declare it in a manifest file."
        return None if around.trusted else ("is a folder of the gateway's machine", hint)
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        return "has no valid host and port", "Ports go from 1 to 65535; IPv6 addresses stand in brackets."
    if port == 0:
        return "has no valid host and port", "Ports go from 1 to 65535."
    reason = addresses.refusal(host, around.networks)
    if reason:
        return reason, "Point to the server's own name or address, or ask the operator for `origin_networks`."
    if any(addresses.is_here(host, port, listener) for listener in around.own_listeners):
        return "is the gateway itself", "Point to the team's own server."
    return None


def _links_lead_somewhere(tree: Tree, others: Sequence[Manifest], moved: Mapping[str, str]) -> Iterator[_Found]:
    prefixes = {*_mapping(tree.get("mounts")), *(prefix for other in others for prefix in other.mounts)}
    for name, mount in _mappings(tree, "mounts"):
        for number, prefix in enumerate(_texts(mount.get("links_to"))):
            if prefix not in prefixes:
                why = f"moved to '{moved[prefix]}'" if prefix in moved else "no team mounts yet"
                message = f"{_subject(('mounts', name), tree)} links to '{_short(prefix)}', which {why}."
                hint = f"Write '{moved[prefix]}'." if prefix in moved else _meant(prefix, prefixes, "Mounts are")
                code = "moved" if prefix in moved else "links-to"
                yield _Found(("mounts", name, "links_to", number), message, hint, code, "warning")


def _alternatives_exist(tree: Tree, others: Sequence[Manifest]) -> Iterator[_Found]:
    names = {*_mapping(tree.get("fragments")), *(name for other in others for name in other.fragments)}
    for name, fragment in _mappings(tree, "fragments"):
        alternative = fragment.get("alternative")
        if not isinstance(alternative, str) or alternative.startswith("/"):
            continue
        steps = ("fragments", name, "alternative")
        if alternative == name:
            message = f"{_subject(steps[:2], tree)} is its own alternative."
            yield _Found(steps, message, "Name another fragment, or a path of its origin.", "alternative")
        elif alternative not in names:
            message = f"{_subject(steps[:2], tree)} has alternative '{_short(alternative)}', which nobody serves yet."
            yield _Found(steps, message, _meant(alternative, names, "Fragments are"), "alternative", "warning")


def _cookies_shared(tree: Tree, around: Surroundings) -> Iterator[_Found]:
    """A cookie that no application has marked may be anybody's session: sharing it is the operator's to do."""
    for steps, name in _cookies(tree):
        if name.lower().startswith(MARKS):
            message = f"`{_short(name)}` looks like a cookie the gateway has marked as an application's own."
            yield _Found(steps, message, "Use the name the application gave.", "cookies")
        elif not around.trusted and name not in around.site_cookies:
            message = f"Cookie '{_short(name)}' is not one that every team may be shown."
            hint = "Ask the operator to name it in `site_cookies`, or to declare this in a manifest file."
            yield _Found(steps, message, hint, "cookies")


def _cookies(tree: Tree) -> Iterator[tuple[Steps, str]]:
    """Cookies of the whole site that this team's origins would be shown; those of the root are the root's own."""
    at_root = _mapping(_mapping(tree.get("mounts")).get("/")).get("upstream")
    for prefix, mount in _mappings(tree, "mounts"):
        for number, name in enumerate(_texts(mount.get("cookies"))):
            yield ("mounts", prefix, "cookies", number), name
    for fragment, value in _mappings(tree, "fragments"):
        if value.get("upstream") != at_root:
            for number, name in enumerate(_texts(_mapping(value.get("forward")).get("cookies"))):
                yield ("fragments", fragment, "forward", "cookies", number), name


def _tags_differ(tree: Tree, others: Sequence[Manifest]) -> Iterator[_Found]:
    """Tags are short: a name chosen for it could share another application's, and be shown its cookies."""
    taken = {table.tag(other.team, upstream): other.team for other in others for upstream in other.upstreams}
    for name in _mapping(tree.get("upstreams")):
        owner = taken.get(table.tag(str(tree.get("team")), str(name)))
        if owner is not None:
            message = f"Upstream '{_short(name)}' would share its cookies' names with one of team '{owner}'."
            yield _Found(("upstreams", name), message, "Choose another name.", "owned")


def _mapping(value: object) -> Tree:
    return value if isinstance(value, dict) else {}


def _mappings(tree: Tree, key: str) -> Iterator[tuple[str, Tree]]:
    """The named mappings below a key; what has another shape is passed over."""
    return ((name, value) for name, value in _mapping(tree.get(key)).items() if isinstance(value, dict))


def _texts(value: object) -> list[str]:
    return [text if isinstance(text, str) else "" for text in value] if isinstance(value, list) else []
