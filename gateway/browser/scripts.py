"""The scripts viewers load, as they are served, and the element that loads the runtime of a mounted page.

Served is the small one that `./dev small` makes of each; its path holds its digest, so viewers keep it for good.
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
    """A script: where viewers ask for it, and its bytes."""

    name: str
    body: bytes
    path: bytes = field(init=False)

    def __post_init__(self) -> None:
        digest = sha256(self.body).hexdigest()[:16]
        object.__setattr__(self, "path", f"/-/browser/{self.name}-{digest}.js".encode())


OURS = ("/-/browser", "/-/fragment", "/-/u")  # what the gateway itself answers, on every mount's pages


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


MOUNT = _small("mount")
