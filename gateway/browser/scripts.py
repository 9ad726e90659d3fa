"""What viewers load of ours, as it is served, and the elements that load the runtimes of mounted and of composed pages.

Of a script, the small one is served that `./dev small` makes. A path holds the digest of what is there, so viewers keep
it for good.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from importlib.resources import files

from fragments.urls import Place


@dataclass(frozen=True, slots=True)
class Script:
    """A script, or what else a page loads of ours: where viewers ask for it, what it is, and its bytes."""

    name: str
    body: bytes
    suffix: str = "js"
    kind: bytes = b"text/javascript; charset=utf-8"
    path: bytes = field(init=False)

    def __post_init__(self) -> None:
        digest = sha256(self.body).hexdigest()[:16]
        object.__setattr__(self, "path", f"/-/browser/{self.name}-{digest}.{self.suffix}".encode())


# What the gateway itself answers, on every mount's pages.
OURS = ("/-/browser", "/-/fragment", "/-/slots", "/-/u")


def tag(place: Place, router: str, nonce: bytes | None, cookies: Collection[bytes] = ()) -> bytes:
    """What comes first in the head of a page of this place; `cookies` are the site's that its scripts may read."""
    told = {
        "src": MOUNT.path.decode(),
        "data-prefix": place.prefix,
        "data-stays": " ".join((place.prefix, *OURS, *place.links_to)),
        "data-tag": place.tag,
        "data-cookies": b" ".join(name + b"=" for name in sorted(cookies)).decode("latin-1"),
        "data-router": router,
    }
    if nonce is not None:
        told["nonce"] = nonce.decode("latin-1")
    written = " ".join(f'{name}="{escape(value)}"' for name, value in told.items())
    return f"<script {written}></script>".encode()


def slots_tag(shell: str, soft: bool) -> bytes:
    """Loads the slots runtime, in the head of a composed page; `shell` names the shell's literals.

    It does not wait for the end of the page, as a module otherwise does: that is when the slowest late piece is here.
    """
    told = {"src": SLOTS.path.decode(), "data-shell": shell}
    if soft:
        told["data-soft"] = SOFT.path.decode()
    written = " ".join(f'{name}="{escape(value)}"' for name, value in told.items())
    return f'<script type="module" async data-mf-runtime {written}></script>'.encode()


def import_map(place: Place, nonce: bytes | None) -> bytes:
    """Puts what modules import by a root path below the prefix; what is there already, and other mounts, stay."""
    addresses = {"/": f"{place.prefix}/"} | {f"{stays}/": f"{stays}/" for stays in (place.prefix, *place.links_to)}
    let_in = "" if nonce is None else f' nonce="{escape(nonce.decode("latin-1"))}"'
    text = json.dumps({"imports": addresses}, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="importmap"{let_in}>{text}</script>'.encode()


def _small(name: str) -> Script:
    """The first line of its file says what it was made of, and is nobody else's business."""
    text = files("gateway.browser").joinpath(f"{name}.min.js").read_bytes()
    return Script(name, text.partition(b"\n")[2])


def _prefetch(eagerness: str) -> Script:
    """Speculation rules: which links are fetched before they are followed. A link that ends a session never is."""
    leave = ("logout", "log-out", "signout", "sign-out")
    never = ("[download]", "[rel~=nofollow]", "[rel~=external]", "[data-no-prefetch]", "[data-no-prefetch] *")
    marked = ",".join((*never, *(f'[href*="{word}" i]' for word in leave)))
    where = {"and": [{"href_matches": "/*"}, {"not": {"href_matches": "/-/*"}}, {"not": {"selector_matches": marked}}]}
    rules = {"prefetch": [{"source": "document", "where": where, "eagerness": eagerness}]}
    body = json.dumps(rules, separators=(",", ":")).encode()
    return Script(f"prefetch-{eagerness}", body, "json", b"application/speculationrules+json")


MOUNT = _small("mount")
SLOTS = _small("slots")
SOFT = _small("soft")  # navigation between pages of one shell, loaded by the slots runtime
TRANSITIONS = Script(
    "transitions",
    b"@media (prefers-reduced-motion:no-preference){@view-transition{navigation:auto}}\n",
    "css",
    b"text/css; charset=utf-8",
)
PREFETCH = {eagerness: _prefetch(eagerness) for eagerness in ("conservative", "moderate", "eager")}
OWN = {each.path: (each.kind, each.body) for each in (MOUNT, SLOTS, SOFT, TRANSITIONS, *PREFETCH.values())}
