"""Ids of one piece kept apart from those of others: each gets a prefix, and so does all in the piece that refers to it.

Only what refers to an id of the piece changes; what means the page around stays. Scripts are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import fragments.patterns as patterns
import fragments.scope as scope
from fragments.parse import HTML, Element, Node


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LISTS = _words(
    "for headers itemref aria-activedescendant aria-controls aria-describedby aria-details aria-errormessage "
    "aria-flowto aria-labelledby aria-owns aria-actions"
)
_SINGLE = _words("list form popovertarget commandfor interestfor anchor contextmenu")
_HASHES = frozenset({"href", "xlink:href", "usemap"})
_NAMED = frozenset({"a", "map"})  # whose name is what a hash may mean
_WORD = re.compile(r"[^\t\n\f\r ]+")
_REFERENCE = patterns.compile(r"((?i:url)\([ \t\n\r\f]*+[\"']?+#)([^\"'()\\ \t\n\r\f]++)")


def prefixed(nodes: Sequence[Node], prefix: str) -> None:
    """Gives every id in this tree the prefix, in place."""
    names = frozenset(_names(nodes))
    if names:
        for element in elements(nodes):
            _change(element, names, prefix)


def elements(nodes: Sequence[Node], templates: bool = True) -> Iterator[Element]:
    """All elements in document order; those within templates as well, if they count."""
    pending = list(reversed(nodes))
    while pending:
        node = pending.pop()
        if isinstance(node, Element):
            yield node
            if templates or node.name != "template":
                pending += reversed(node.children)


def _names(nodes: Sequence[Node]) -> Iterator[str]:
    for element in elements(nodes):
        if name := element.attributes.get("id"):
            yield name
        if element.name in _NAMED and element.space == HTML and (name := element.attributes.get("name")):
            yield name


def _change(element: Element, names: frozenset[str], prefix: str) -> None:
    attributes = element.attributes
    for name, value in attributes.items():
        if name == "id" or name in _SINGLE or (name == "name" and element.name in _NAMED and element.space == HTML):
            attributes[name] = prefix + value if value in names else value
        elif name in _LISTS:
            attributes[name] = _WORD.sub(lambda found: prefix + found[0] if found[0] in names else found[0], value)
        elif name in _HASHES and value[:1] == "#" and value[1:] in names:
            attributes[name] = f"#{prefix}{value[1:]}"
        elif "#" in value and "(" in value:
            attributes[name] = _referring(value, names, prefix)
    if element.name == "style":
        element.children = [
            _referring(scope.with_ids(child, names, prefix), names, prefix) if isinstance(child, str) else child
            for child in element.children
        ]


def _referring(text: str, names: frozenset[str], prefix: str) -> str:
    """CSS with its references to elements, such as `fill: url(#a)`."""
    return _REFERENCE.sub(lambda found: f"{found[1]}{prefix * (found[2] in names)}{found[2]}", text)
