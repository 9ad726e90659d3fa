"""A fragment as a page of its own: a shell of ours with nothing but its slot.

At an address of its own, so that no cache takes it for the page it stands in. It is what a lazy slot loads, what a
frame shows where no script runs, and what a team looks at.
"""

import re
from dataclasses import replace
from html import escape
from urllib.parse import unquote_plus

import fragments.plan as plans
from fragments.contain import Fitted
from fragments.plan import Plan
from fragments.scan import attributes, tokens, unescape
from gateway.exchange import Answer
from gateway.message import Entry
from gateway.proxy.composition import Filled
from gateway.recent import Recent

A_YEAR = 365 * 86400.0
_PAGE = (
    '<!doctype html>\n<html{language}><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<title>{name}</title></head><body style="margin:0">'
    '<mf-slot name="{name}" primary required></mf-slot></body></html>\n'
)
_FIELDS = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"max-age=%d" % A_YEAR),
    (b"x-robots-tag", b"noindex"),
    (b"x-frame-options", b"SAMEORIGIN"),
)
_POLICIES = frozenset({b"content-security-policy", b"content-security-policy-report-only"})
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8}")  # BCP 47, near enough
_plans: Recent[tuple[str, str], Plan] = Recent(1024)


def page(name: str, query: bytes, language: str = "") -> Plan:
    """The plan of the page, its slot asking with this query."""
    plan = _plans.get((name, language)) or _plans.put((name, language), _compiled(name, language))
    pairs = [pair.partition("=") for pair in query.decode("latin-1").split("&") if pair]
    asked = tuple((unquote_plus(key), unquote_plus(value)) for key, _, value in pairs)
    return replace(plan, slots=(replace(plan.slots[0], query=asked),), digest=f"{plan.digest} {asked!r}")


def _compiled(name: str, language: str) -> Plan:
    lang = f' lang="{language}"' if language else ""
    return plans.compile(_PAGE.format(language=lang, name=escape(name)).encode())


def language(filled: Filled) -> str:
    """What the piece says it is written in, or its answer; "" when neither does."""
    said = ""
    if isinstance(filled.filling, Fitted):
        wrapper = next(tokens(filled.filling.html), None)
        found = [] if wrapper is None else attributes(filled.filling.html, wrapper)
        said = next((unescape(each.value or b"") for each in found if each.name == b"lang"), "")
    if not said and filled.part is not None:
        said = filled.part.head.index.get(b"content-language", b"").decode("latin-1")
    return said if _LANGUAGE.fullmatch(said) else ""


def shell(now: float, filled: Filled) -> Answer:
    """The shell as an answer that lasts, under the policies of the fragment's own."""
    policies = [] if filled.part is None else [field for field in filled.part.head.fields if field[0] in _POLICIES]
    entry = Entry(200, (*_FIELDS, *policies), b"", b"", now, now + A_YEAR, now + A_YEAR, now + A_YEAR)
    return Answer(200, entry.head, b"", b"", entry)
