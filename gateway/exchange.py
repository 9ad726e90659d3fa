"""The record of one request on its way: what the viewer asked, and what is fetched for it.

Values that are filled in as the order in `proxy.flow` proceeds; nothing here decides or awaits.
"""

import copy

import gateway.browser.scripts as scripts
import gateway.rules.brought as brought
import gateway.rules.keys as keys
import gateway.rules.mounting as mounting
from fragments.urls import Place
from gateway.errors import GatewayError
from gateway.message import Body, Entry, Fields, Head, Request, Response
from gateway.model import CachePolicy, Narrowing
from gateway.table import Fragment, Mount, Table, Upstream

READS = frozenset({b"GET", b"HEAD"})
_NOTHING = Narrowing()


class Exchange:
    """One viewer request and all that is done for it. `now` is seconds since the epoch, `started` a steady clock's.

    `conditions` are those of the gateway's own, when it asks whether what it holds is still right. `since` says which
    purges were known when it began: how many this process has followed, and the number of the last one.
    """

    __slots__ = (
        "authority",
        "conditions",
        "error",
        "form",
        "host",
        "id",
        "mount",
        "note",
        "now",
        "public",
        "request",
        "since",
        "started",
        "table",
        "timings",
    )

    def __init__(self, request: Request, table: Table, id: bytes, now: float, started: float) -> None:
        self.request = request
        self.table = table
        self.id = id
        self.now = now
        self.started = started
        self.authority = b""
        self.public = b""
        self.host = b""
        self.mount: Mount | None = None
        self.note = b""
        self.error: GatewayError | None = None
        self.timings = b""
        self.form: brought.Form | None = None  # the viewer's body, where the answer may hold words of it
        self.conditions: Fields | None = None
        self.since = (0, 0)

    def again(self, request: Request, conditions: Fields | None = None) -> "Exchange":
        """The same for another request on its behalf."""
        other = copy.copy(self)
        other.request, other.conditions = request, conditions
        return other


class Lane:
    """What all requests for one mount under one public name have in common, worked out once."""

    __slots__ = ("authority", "base", "key", "mount", "place", "public", "rules", "script")

    def __init__(self, mount: Mount, scheme: bytes, authority: bytes) -> None:
        self.mount = mount
        self.authority = authority
        self.public = scheme + b"://" + authority
        self.place = Place(
            mount.prefix.decode(),
            frozenset(origin.url for origin in mount.upstream.origins),
            mount.links_to,
            public=self.public.decode("latin-1"),
            tag=mount.tag,
            cookies=mount.cookies,
            relinked=mount.relinked,
        )
        self.base = b'<base href="%b/">' % mount.prefix if mount.prefix and mount.router == "base" else b""
        runs = mount.prefix and mount.runtime and mount.aware != "aware"
        self.script = self.public + scripts.MOUNT.path if runs else b""
        origins = sorted(self.place.origins)
        self.rules = mounting.version(self.place, self.opening(None), repr(mount.rewrite), mount.aware, origins)
        # what is stored is stored as edited: under other rules it is asked for again
        self.key = keys.page(scheme, authority, mount.prefix) + self.rules.encode() + b" "

    def opening(self, nonce: bytes | None, inline: bool = True) -> bytes:
        """What stands first in the head of its pages, let in by `nonce` where their policy asks for one.

        `inline`: their policy takes script that is written into the page, if it has the nonce.
        """
        if not self.script:
            return self.base
        script = scripts.tag(self.place, self.mount.router, nonce, self.place.cookies)
        modules = scripts.import_map(self.place, nonce) if inline and self.mount.router == "flip" else b""
        return self.base + script + modules


class Fetch:
    """What is wanted of an upstream, for a page or for a slot. `target` is what the origin sees.

    `follows`: a redirect inside the upstream is followed, as a slot has no address to move to. `scope` says for which
    fragment's slots a sheet is made to hold. `straight`: it is a slot's, there is nothing to fall back on, and nothing
    in it to be filled in its turn.
    """

    __slots__ = (
        "follows",
        "fragment",
        "key",
        "lane",
        "narrows",
        "place",
        "policy",
        "scope",
        "straight",
        "target",
        "timeout",
        "upstream",
    )

    def __init__(
        self,
        upstream: Upstream,
        target: bytes,
        key: bytes,
        place: Place,
        policy: CachePolicy | None,
        timeout: float,
        *,
        lane: Lane | None = None,
        fragment: Fragment | None = None,
        follows: bool = True,
        straight: bool = False,
    ) -> None:
        self.upstream = upstream
        self.target = target
        self.key = key
        self.place = place
        self.policy = policy
        self.timeout = timeout
        self.lane = lane
        self.fragment = fragment
        self.follows = follows
        self.scope = ""
        self.straight = straight
        self.narrows = frozenset[bytes]()  # request fields of which the origin sees no more than is declared to matter
        if policy is not None and policy.vary != _NOTHING:
            self.narrows = keys.narrows(policy.vary.languages, policy.vary.cookies, policy.vary.device)

    def seen(self, request: Request) -> Request:
        """The request with no more in it than its manifest says makes a difference: for the key, and for the origin."""
        policy = self.policy
        if not self.narrows or policy is None or request.method not in READS:
            return request
        key = ("narrowed", self.upstream.team, self.prefix, self.fragment and self.fragment.name, repr(policy.vary))
        head: Head | None = request.head.memo.get(key)
        if head is None:
            vary = policy.vary
            fields = keys.narrowed(request.head.fields, vary.languages, vary.cookies, vary.device, self.place.tag)
            head = request.head.keep(key, Head(fields))
        other = copy.copy(request)
        other.head = head
        return other

    @property
    def mount(self) -> Mount | None:
        return None if self.lane is None else self.lane.mount

    @property
    def prefix(self) -> bytes:
        return self.upstream.home.encode() if self.lane is None else self.lane.mount.prefix

    @property
    def team(self) -> str:
        return self.upstream.team

    @property
    def url(self) -> bytes:
        """Path and query as viewers know them."""
        return self.prefix + self.target

    def __repr__(self) -> str:
        return f"<Fetch {self.fragment.name if self.fragment else 'page'} of {self.upstream.name}>"


class Answer(Response):
    """What a fetch brought, below its mount. `entry` is the stored answer it is, `note` its part of Cache-Status."""

    __slots__ = ("entry", "note")

    def __init__(
        self, status: int, headers: Fields | Head, body: Body, note: bytes = b"", entry: Entry | None = None
    ) -> None:
        self.status = status
        self.head = headers if type(headers) is Head else Head(headers)  # type: ignore[arg-type]  # the other of two
        self.extra = []
        self.body = body
        self.note = note
        self.entry = entry
