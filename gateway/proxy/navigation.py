"""How viewers move between composed pages, as their mount declares it: told in a page's head and fields.

All of it is an addition: a browser that knows none of it loads the next page as ever.
"""

import hashlib
from html import escape

import gateway.browser.scripts as scripts
from fragments.head import HeadItem
from fragments.plan import Plan
from fragments.scan import unescape
from gateway.message import Fields
from gateway.recent import Recent
from gateway.table import Mount

RUNTIME = HeadItem("module", "portico slots", scripts.slots_tag("", False))
_SHEET = f'<link rel="stylesheet" href="{escape(scripts.TRANSITIONS.path.decode())}">'
TRANSITIONS = HeadItem("stylesheet", "portico transitions", _SHEET.encode())
_shells: Recent[str, str] = Recent(1024)


def items(mount: Mount | None, plan: Plan) -> tuple[HeadItem, ...]:
    """What stands in the head for it."""
    if mount is None or not (mount.navigation.soft or mount.navigation.transitions):
        return ()
    found = (TRANSITIONS,) if mount.navigation.transitions else ()
    if mount.navigation.soft:
        found = (*found, HeadItem("module", RUNTIME.key, scripts.slots_tag(shell(plan), True)))
    return found


def fields(mount: Mount | None) -> Fields:
    if mount is None or mount.navigation.prefetch == "off":
        return []
    return [(b"speculation-rules", b'"%b"' % scripts.PREFETCH[mount.navigation.prefetch].path)]


def shell(plan: Plan) -> str:
    """A name of everything around the slots: where it is the same, only slots have to change."""
    known = _shells.get(plan.digest)
    return known or _shells.put(plan.digest, _digest(plan))


def _digest(plan: Plan) -> str:
    """What describes one page alone, its title and metadata, is not what surrounds its slots."""
    heading = plan.heading
    apart = [region for region in (heading.title, *(region for _, region in heading.metadata)) if region is not None]
    hashed = hashlib.blake2b(digest_size=12)
    for number, literal in enumerate(plan.literals):
        at = 0
        for region in sorted(each for each in apart if each.literal == number):
            hashed.update(literal[at : region.start])
            at = region.end
        hashed.update(literal[at:])
        hashed.update(b"\0%d\0" % number)
    return hashed.hexdigest()


def title(plan: Plan) -> str | None:
    """What the shell itself says its title is."""
    region = plan.heading.title
    if region is None:
        return None
    written = plan.literals[region.literal][region.start : region.end]
    return unescape(written[written.index(b">") + 1 : written.rindex(b"<")])
