"""Cache-Control for some caches only: ours, then that of every shared one at the edge (RFC 9213).

The first field of the list that holds speaks alone; one that breaks its grammar is as if it were not there.
"""

import gateway.rules.structured as structured
from gateway.message import Head, joined
from gateway.rules.structured import Item, Text, Token

OURS = b"mf-cache-control"  # for this gateway, and no viewer's business
LIST = (OURS, b"cdn-cache-control")  # RFC 9213 section 2.2: the most specific first
_LISTING = frozenset({b"private", b"no-cache"})  # these may name fields, all others have a number or nothing
Said = dict[bytes, bytes | None]


def said(head: Head) -> Said | None:
    """The directives of the first targeted field that is valid and not empty; None when there is none.

    Its Cache-Control and Expires are then somebody else's (section 2.1).
    """
    for name in LIST:
        if name in head.index:
            found = structured.dictionary(joined(head.fields, name))
            if found:
                return {key: _argument(key, item) for key, item in found.items() if item.value is not False}
    return None


def _argument(key: bytes, item: Item) -> bytes | None:
    """As Cache-Control would have it. A number is an Integer (section 2.1): digits in quotes are nonsense, so stale."""
    value = item.value
    if key in _LISTING:
        return _names(value)
    if isinstance(value, bool):
        return None
    return b"%d" % value if isinstance(value, int) else b"nonsense"


def _names(value: object) -> bytes | None:
    """Fields by name, as Strings or Tokens; what is neither means all of the answer."""
    if isinstance(value, tuple):
        names = [_names(each.value) for each in value]
        return b", ".join(name for name in names if name) if names and all(names) else None
    return bytes(value) or None if isinstance(value, (Text, Token)) else None
