"""Documents as Chromium reads them, and what reading them below a prefix should have changed in them.

The tree comes from DOMParser, so nothing is loaded and no script runs. Which elements and attributes there are is the
browser's word; how a value is mapped is `fragments.urls`, on values in which every entity is resolved.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from playwright.sync_api import Page

import fragments.css as css
import fragments.rewrite as rewrite
from fragments.urls import FOREIGN, PRESENTATION, Change, Place, absolute, carriers, refresh, scripted

Tree = list[Any]  # ["#text", data] | ["#comment", data] | [namespace, name, [[attribute, value], …], children]

READ = """sources => sources.map(source => {
  const tree = node => {
    if (node.nodeType === 3) return ["#text", node.data]
    if (node.nodeType === 4) return ["#cdata", node.data]
    if (node.nodeType === 8) return ["#comment", node.data]
    if (node.nodeType === 7) return ["#instruction", node.target + " " + node.data]
    if (node.nodeType === 10) return ["#doctype", node.name, node.publicId, node.systemId]
    const inside = node.localName === "template" && node.content ? node.content : node
    const attributes = node.attributes ? [...node.attributes].map(each => [each.name, each.value]) : []
    return [node.namespaceURI ?? "", node.localName ?? "#document", attributes, [...inside.childNodes].map(tree)]
  }
  return JSON.stringify(tree(new DOMParser().parseFromString(source, "text/html")))
})"""

HTML = "http://www.w3.org/1999/xhtml"
AT_ONCE = 200  # documents for one call of the browser


def read(page: Page, sources: Sequence[str]) -> Iterator[Tree]:
    for at in range(0, len(sources), AT_ONCE):
        yield from (json.loads(tree) for tree in page.evaluate(READ, list(sources[at : at + AT_ONCE])))


def differences(before: Tree, after: Tree, place: Place, path: str = "") -> Iterator[str]:
    """Where a rewritten document is not the original with its URLs mapped."""
    if before[0].startswith("#") or after[0].startswith("#"):
        if before != after:
            yield f"{path}: {before!r} became {after!r}"
        return
    (namespace, name, attributes, children), (_, other, others, after_children) = before, after
    path = f"{path}/{name}"
    if (namespace, name) != (after[0], other):
        yield f"{path}: became {after[0]} {other}"
        return
    yield from _attributes(namespace, name, attributes, others, place, path)
    if len(children) != len(after_children):
        yield f"{path}: {len(children)} children became {len(after_children)}"
        return
    if name == "style" or (name == "script" and _said(attributes, "type") in ("importmap", "speculationrules")):
        yield from _text(name, children, after_children, place, path)
        return
    for child, after_child in zip(children, after_children, strict=True):
        yield from differences(child, after_child, place, path)


def _attributes(
    namespace: str, name: str, before: list[list[str]], after: list[list[str]], place: Place, path: str
) -> Iterator[str]:
    said, now = dict(before), dict(after)
    for attribute in said.keys() | now.keys():
        old, new = said.get(attribute), now.get(attribute)
        if old is None or new is None:
            if not (attribute == "integrity" and name == "link" and new is None):
                yield f"{path}@{attribute}: {old!r} became {new!r}"
        elif new not in _meant(namespace, name, attribute, old, said, place):
            yield f"{path}@{attribute}: {old!r} became {new!r}"


def _meant(namespace: str, name: str, attribute: str, value: str, said: dict[str, str], place: Place) -> list[str]:
    """What a value may have become; where a rule may look at more than this element, staying is right as well."""
    if attribute == "style":
        return [css.rewrite_text(value, place)]
    if namespace != HTML:
        return _foreign(attribute, value, place)
    if name == "meta" and attribute == "content":
        return _of_meta(value, said, place)
    if name == "iframe" and attribute == "srcdoc":
        return [rewrite.html(value.encode(), place).decode()]
    change: Change | None = carriers(name.encode()).get(attribute.encode())
    if change is not None and name == "link" and attribute == "href":
        return [change(value, place), absolute(value, place)]
    if change is not None:
        return [change(value, place)]
    loose = scripted(attribute.encode())
    return [value] if loose is None else [loose(value, place)]


def _foreign(attribute: str, value: str, place: Place) -> list[str]:
    change = FOREIGN.get(attribute.encode())
    if change is not None:
        return [change(value, place)]
    if attribute.encode() in PRESENTATION:
        return [css.rewrite_text(value, place)]
    if attribute in ("from", "to", "by", "values"):
        return [value, ";".join(FOREIGN[b"href"](each, place) for each in value.split(";"))]
    loose = scripted(attribute.encode())
    return [value] if loose is None else [value, loose(value, place)]


def _of_meta(value: str, said: dict[str, str], place: Place) -> list[str]:
    if said.get("http-equiv", "").strip().lower() == "refresh":
        return [refresh(value, place)]
    return [value, absolute(value, place)]


def _said(attributes: list[list[str]], name: str) -> str:
    return next((value.strip().lower() for attribute, value in attributes if attribute == name), "")


def _text(name: str, before: list[Tree], after: list[Tree], place: Place, path: str) -> Iterator[str]:
    for old, new in zip(before, after, strict=True):
        if old[0] != new[0]:
            yield f"{path}: {old!r} became {new!r}"
        elif name == "style" and old[0] == "#text" and new[1] != css.rewrite_text(old[1], place):
            yield f"{path}: {old[1]!r} became {new[1]!r}"
