"""A piece's sheets, made to hold in its slot alone: within `@scope`, or within a shadow root.

What is the whole document's wherever it is written (fonts, key frames, registered properties, imports, names of layers)
comes out of the scope. A shadow root reads neither fonts nor registered properties, so its document gets them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote

import fragments.patterns as patterns
from fragments.characters import decode
from fragments.keyframes import apart, declared
from fragments.selectors import identified, in_scope, in_shadow, rooted
from fragments.sheet import Rule, rules

PARAMETER = "mf-scope"  # of a sheet's URL: whose it is, or one of the next two
SHADOW, DOCUMENT = ":host", ":document"  # a sheet in a shadow root, and what of it is the document's

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}(?:\.[a-z0-9][a-z0-9_-]{0,62}){0,4}")
_CHARSET = re.compile(rb'@charset "([!#-~]{1,100})";')  # exactly so (CSS Syntax, 3.2)
_DEPTH = 8  # groups within groups that are looked into; what is deeper stays where it is, in the scope


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GROUPS = frozenset({"media", "supports", "container", "layer", "starting-style", "document", "-moz-document"})
_OUTSIDE = _words(
    "font-face keyframes -webkit-keyframes -moz-keyframes -o-keyframes property counter-style font-feature-values "
    "font-palette-values position-try color-profile function custom-media"
)
_FIRST = frozenset({"charset", "import", "namespace", "layer"})  # statements, only before any other rule
_PAGE_WIDE = frozenset({"page", "view-transition"})  # these mean the page as a whole, whose they are not
_DOCUMENTS = frozenset({"font-face", "property"})  # what a shadow root does not read


def is_name(value: str) -> bool:
    """Whether this may be asked for: a fragment's name, or a sheet of or for a shadow root."""
    return value in (SHADOW, DOCUMENT) or _NAME.fullmatch(value) is not None


def sheet(css: bytes, name: str, charset: str | None = None) -> bytes:
    """A sheet that was asked for by an address `addressed` made, in UTF-8: whoever reads it is to be told so, for in
    another charset other characters may end a rule."""
    text = decode(css, charset or _declared(css))
    if name == SHADOW:
        changed = in_shadow_root(text).inside
    else:
        changed = in_shadow_root(text).outside if name == DOCUMENT else scoped(text, name)
    return changed.encode("utf-8", "replace")


def _declared(css: bytes) -> str | None:
    found = _CHARSET.match(css)
    return found[1].decode("ascii") if found else None


def addressed(url: str, name: str) -> str:
    """The address of an external sheet, with whose it is. Only the gateway's own can be asked so."""
    if url[:1] != "/" or url[1:2] in ("/", "\\"):
        return url
    return _with_parameter(url, name)


def _with_parameter(url: str, name: str) -> str:
    path, hash_, fragment = url.partition("#")
    return f"{path}{'&' if '?' in path else '?'}{PARAMETER}={quote(name, safe=':')}{hash_}{fragment}"


class Sorted(NamedTuple):
    first: str  # what has to be first in a sheet
    inside: str
    outside: str


def scoped(css: str, name: str, frames: frozenset[str] | None = None) -> str:
    """The sheet with its rules in the scope of the slots this fragment fills, and of no slot in these. Its `frames` are
    names of key frames that are the piece's own; without any, those that the sheet declares."""
    css = apart(css, declared(css) if frames is None else frames, name)
    found = _sorted(css, name, in_scope, _OUTSIDE)
    written = f'"{_escaped(name)}"'
    roots = f"[data-mf-slot][name={written}],[data-mf-slot][data-mf-name={written}]"
    scope = f"@scope ({roots}) to ([data-mf-slot]){{{found.inside}}}" if found.inside else ""
    return found.first + scope + found.outside


def in_shadow_root(css: str) -> Sorted:
    """What stands in the shadow root, and what in its document."""
    inside = _sorted(css, SHADOW, in_shadow, _DOCUMENTS)
    imports = "".join(_imported(rule, DOCUMENT) for rule in rules(css) if rule.name == "import" and rule.is_statement)
    has_own = any(url[:1] == "/" for url in _URLS_OF_IMPORTS.findall(imports))
    return Sorted("", inside.first + inside.inside, (imports if has_own else "") + inside.outside)


def _escaped(name: str) -> str:
    return re.sub(r"[^a-z0-9._\-]", lambda found: f"\\{ord(found[0]):x} ", name)


def _sorted(css: str, name: str, root: Callable[..., str], outside: frozenset[str]) -> Sorted:
    first: list[str] = []
    inside: list[str] = []
    out: list[str] = []
    for rule in rules(css):
        if rule.is_statement and (named := rule.name) in _FIRST:
            if named == "charset":  # of a text that has its own no more
                continue
            if not inside and not out:
                first.append(_imported(rule, name) if named == "import" else rule.text)
            elif named == "layer":
                inside.append(_layers(rule))
            continue
        _sort(rule, root, outside, inside, out, 0)
    return Sorted("".join(first), "".join(inside), "".join(out))


def _sort(
    rule: Rule, root: Callable[..., str], outside: frozenset[str], inside: list[str], out: list[str], depth: int
) -> None:
    name = rule.name
    if name in outside:
        out.append(rule.text)
    elif name in _GROUPS and not rule.is_statement and depth < _DEPTH:
        own: list[str] = []
        others: list[str] = []
        for each in rule.rules:
            _sort(each, root, outside, own, others, depth + 1)
        if own or name == "layer":  # an empty one still has its place among layers
            inside.append(rule.around("".join(own)))
        if others:
            out.append(rule.around("".join(others)))
    elif not name:
        inside.append(rule.after(rooted(rule.prelude, root)))
    elif name not in _PAGE_WIDE:
        inside.append(rule.text)


def _layers(statement: Rule) -> str:
    """A statement that names layers, said where no statement may stand."""
    return "".join(f"@layer {name.lstrip()}{{}}" for name in statement.prelude.split(","))


# Imports are sheets of the piece as well.

_IMPORT = patterns.compile(
    r"([ \t\n\r\f]*+(?:[uU][rR][lL]\([ \t\n\r\f]*+)?+[\"']?+)([^\"'()\\ \t\n\r\f]++)(?=[\"'() \t\n\r\f]|\Z)"
)
_URLS_OF_IMPORTS = re.compile(r"@import[ \t\n\r\f]*(?:url\([ \t\n\r\f]*)?[\"']?([^\"')]*)", re.IGNORECASE)
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:|[/\\]{2}")


def _imported(rule: Rule, name: str) -> str:
    found = _IMPORT.match(rule.prelude)
    if found is None or _ELSEWHERE.match(found[2]):
        return rule.text
    return rule.after(found[1] + _with_parameter(found[2], name) + rule.prelude[found.end() :])


# ---- Ids ------------------------------------------------------------------------------------------------------------


def with_ids(css: str, names: frozenset[str], prefix: str) -> str:
    """The sheet with these ids as they are with this prefix, in its selectors."""
    return "".join(_with_ids(rules(css), names, prefix, 0)) if "#" in css else css


def _with_ids(found: list[Rule], names: frozenset[str], prefix: str, depth: int) -> Iterator[str]:
    for rule in found:
        name = rule.name
        if name in _GROUPS and not rule.is_statement and depth < _DEPTH:
            yield rule.around("".join(_with_ids(rule.rules, names, prefix, depth + 1)))
        elif name in ("", "scope"):
            yield rule.after(identified(rule.prelude, names, prefix))
        else:
            yield rule.text
