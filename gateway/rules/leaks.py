"""Leaks: requests that left their mount because something on a page asked for a path of the root. Pure.

Which are one and the same, how a team is told of them, and what mends each.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

LONGEST = 512  # characters kept of a path: enough to find it, and strangers' paths must not add up
LIFE = 30 * 86400.0  # seconds a leak is remembered after it was last seen
PER_TEAM = 2000  # leaks kept of one team; those seen longest ago go first


@dataclass(frozen=True, slots=True)
class Leak:
    """A path that pages of one mount ask for outside of it, as often as it was seen, and by which page last."""

    team: str
    mount: str
    target: str  # the path asked for, without its query
    kind: str  # what the viewer wanted it for (Sec-Fetch-Dest); "" when it did not say
    how: str  # what put it right: "rescue"
    page: str  # the path of the page that asked last
    times: int = 1
    last: float = 0.0

    @property
    def key(self) -> tuple[str, str, str]:
        return self.team, self.mount, self.target


def added(known: Leak | None, more: Leak) -> Leak:
    """Both as one: the counts together, the rest as it was seen last."""
    return more if known is None else replace(more, times=known.times + more.times)


def short(path: str) -> str:
    """A path as it is kept: without query, and no longer than anybody reads."""
    return path.partition("?")[0][:LONGEST]


def ordered(leaks: Iterable[Leak]) -> list[Leak]:
    """By mount, what happens most often first."""
    return sorted(leaks, key=lambda leak: (leak.team, leak.mount, -leak.times, leak.target))


def fix(leak: Leak) -> str:
    """What mends it, in a sentence for whoever owns the page."""
    relative = f"'{leak.target.lstrip('/') or './'}'"
    advice = _FIXES.get(leak.kind, _UNSAID)
    return advice.format(target=leak.target, relative=relative, page=leak.page)


# By what the request was for (Fetch Metadata, section 2.1, and the destinations of the Fetch standard).
_CALL = (
    "A script of {page} asks for '{target}', by fetch() or the like. Ask for {relative}, relative to the page, "
    "or leave the mount's `runtime` on."
)
_ELEMENT = (
    "A script of {page} makes an element that loads '{target}'. Give it {relative}, or set the bundler's public path "
    "to a relative one ('./')."
)
_MODULE = (
    "A script of {page} loads '{target}', by import(), an element or a worker. Build with a relative base "
    "(Vite: base: './'; webpack: publicPath: 'auto')."
)
_PAGE = (
    "A script of {page} leads to '{target}', by location, a form or a link it made. Use {relative}, "
    "or give the router its base."
)
_SHEET = "A style sheet used by {page} loads '{target}' in a way that is not rewritten. Use a relative url()."
_FIXES = {
    "empty": _CALL,
    "document": _PAGE,
    "iframe": _PAGE,
    "frame": _PAGE,
    "script": _MODULE,
    "worker": _MODULE,
    "sharedworker": _MODULE,
    "serviceworker": "{page} registers '{target}' as service worker. Register {relative}, with the scope './'.",
    "font": _SHEET,
    "manifest": "{page} names '{target}' as its web manifest from a script. Name {relative} in the page itself.",
    "websocket": "A script of {page} connects to '{target}'. Make the URL of it relative to document.baseURI.",
    **dict.fromkeys(("image", "style", "audio", "video", "track", "embed", "object", "json"), _ELEMENT),
}
_UNSAID = "{page} asks for '{target}' of the whole site. Ask for {relative}, relative to the page."
