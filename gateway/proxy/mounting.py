"""An origin's answer put below its mount: fields by `rules.mounting`, bodies by `fragments.rewrite`.

A body that is whole is edited once and remembered by its digest; any other is edited as it streams, and long ones in
steps, so that nobody else waits. What needs no edit passes untouched, coding and all. What follows from a head alone is
worked out once for all answers that have it.
"""

import asyncio
import dataclasses
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

import gateway.rules.coding as coding
import gateway.rules.mounting as rules
import gateway.rules.policy as policy
from fragments.rewrite import by_target, concerns, rewriter
from fragments.stream import Rewriter
from fragments.urls import Place
from gateway.errors import BadAnswer
from gateway.exchange import Answer, Exchange, Fetch, Lane
from gateway.message import Fields, Head, Response, Stream, joined, whole, without
from gateway.rules.fields import media_type
from gateway.store.codec import digest
from gateway.table import Mount

REMEMBERED = 32 * 1024 * 1024  # bytes of edited bodies kept per worker
KEY = 700  # what each weighs besides its bytes
LATEST = 8 * 1024 * 1024  # bytes of bodies that were the same again at their address, known without a digest
UNPACKED = 64 * 1024 * 1024  # bytes a coded body that is edited as it streams may grow to
SWELLS = 16  # times its length a coded body may unpack to, or to a page's bytes; text packs to a quarter or a tenth
SLICE = 16 * 1024  # bytes edited in one go: a millisecond, and twenty where a page is nothing but the worst tags
PLAIN = "fields of a fragment out of its coding"  # key of a head's memo
NONCE = 16  # bytes of randomness: 128 bits, as CSP asks (section 7.1)
_UNDONE = coding.DECODES | {b""}
_NO_BODY = frozenset({101, 204, 205, 304})
_POLICIES = (b"content-security-policy", b"content-security-policy-report-only")

Key = tuple[bytes, Place, bytes]


class Way(NamedTuple):
    """What becomes of answers that have one head: their fields, what stands first in the page, the codings."""

    head: Head
    opening: bytes
    packed: bytes
    into: bytes


class Latest(NamedTuple):
    """A body as it came from its address, by which way it was edited, and what came of it."""

    body: bytes
    way: Way
    edited: bytes

    @property
    def weight(self) -> int:
        return len(self.body) + len(self.edited) + KEY


class Mounting:
    """`page_bytes`: up to here a body of known length is edited whole. `remembered` is in bytes."""

    def __init__(self, page_bytes: int, fragment_bytes: int) -> None:
        self._page_bytes = page_bytes
        self._fragment_bytes = fragment_bytes
        self._edited: OrderedDict[Key, bytes] = OrderedDict()
        self.remembered = 0
        self._latest: dict[bytes, Latest] = {}
        self._kept = 0

    def untouched(self, exchange: Exchange, fetch: Fetch, response: Response) -> Answer | None:
        """The answer put below its mount at once, when its body may pass as it is; else None."""
        lane = fetch.lane
        if lane is None:
            return self._plain(response)
        head = response.head
        named = by_target(fetch.target)
        known: Head | Way | None = None if named else head.memo.get(lane)
        if type(known) is Head:
            return Answer(response.status, known, response.body)
        if response.status == 304:
            return Answer(304, _unchanged(exchange, lane, head.fields), b"")
        if type(known) is Way or edits(fetch, response):
            if exchange.request.method != b"HEAD":
                last = self._latest.get(fetch.key)
                if last is None or last.way is not known or last.body is not response.body:
                    return None
                return Answer(response.status, last.way.head, last.edited)
            return Answer(response.status, _way(fetch, response).head, b"")
        fields = rules.varied(rules.answer(head.fields, lane.place))
        if named or _concerned(fetch, response):
            return Answer(response.status, fields, response.body)
        return Answer(response.status, head.keep(lane, Head(fields)), response.body)

    async def edited(self, fetch: Fetch, response: Response) -> Answer:
        """The answer put below its mount, its body edited: whole if it is small, else as it streams."""
        if fetch.lane is None:
            return await self._fragment(response)
        way = _way(fetch, response)
        body = response.body
        if isinstance(body, Stream) and body.length is not None and body.length <= self._page_bytes:
            body = await whole(body, self._page_bytes) or b""
        if not isinstance(body, bytes):
            return Answer(response.status, way.head, Edited(body, _editing(fetch, response, way, UNPACKED)))
        last = self._latest.get(fetch.key)
        if last is not None and last.way is way and last.body == body:
            return Answer(response.status, way.head, last.edited)
        return Answer(response.status, way.head, await self._again(fetch, response, way, body))

    async def _again(self, fetch: Fetch, response: Response, way: Way, body: bytes) -> bytes:
        """A body edited, or what came of it the last time, whatever its address was."""
        assert fetch.lane is not None
        named = fetch.target if by_target(fetch.target) else b""
        edits = (fetch.lane.rules, _type(response), way.opening, way.into, named)
        key = (digest(body), _place(fetch, response), digest(repr(edits).encode()))
        known = self._known(key)
        if known is not None:
            self._keep(fetch.key, Latest(body, way, known))
            return known
        limit = max(self._page_bytes, SWELLS * len(body))
        return await self._whole(key, body, _editing(fetch, response, way, limit))

    def _keep(self, address: bytes, latest: Latest) -> None:
        before = self._latest.pop(address, None)
        self._kept += latest.weight - (0 if before is None else before.weight)
        self._latest[address] = latest
        while self._kept > LATEST:
            self._kept -= self._latest.pop(next(iter(self._latest))).weight

    def _plain(self, response: Response) -> Answer | None:
        """A fragment's answer that is all here, in no coding."""
        body, plain = response.body, response.head.memo.get(PLAIN)
        if type(plain) is not Head or not isinstance(body, bytes) or len(body) > self._fragment_bytes:
            return None
        return Answer(response.status, plain, body)

    async def _fragment(self, response: Response) -> Answer:
        """A fragment's body is read whole by whoever stitches it; here it only comes out of its coding."""
        body = response.body
        if not isinstance(body, bytes) or len(body) > self._fragment_bytes:
            read = await whole(body, self._fragment_bytes)
            if read is None:
                raise BadAnswer(f"A fragment is longer than {self._fragment_bytes} bytes.")
            body = read
        head, packed = response.head, _coding(response)
        plain = Head(without(rules.hop(head.fields), b"content-encoding", b"content-length"))
        if packed:
            return Answer(response.status, plain, coding.decoded(body, packed, self._fragment_bytes))
        return Answer(response.status, head.keep(PLAIN, plain), body)

    def _known(self, key: Key) -> bytes | None:
        known = self._edited.get(key)
        if known is not None:
            self._edited.move_to_end(key)
        return known

    async def _whole(self, key: Key, body: bytes, editing: "Editing") -> bytes:
        steps: list[bytes] = []
        for step in editing.feed(body):
            if steps:
                await asyncio.sleep(0)
            steps.append(step)
        edited = b"".join(steps) + editing.close()
        self._remember(key, edited)
        return edited

    def _remember(self, key: Key, edited: bytes) -> None:
        twin = self._edited.pop(key, None)
        if twin is not None:  # another request was as fast
            self.remembered -= _weight(key, twin)
        self._edited[key] = edited
        self.remembered += _weight(key, edited)
        while self.remembered > REMEMBERED:
            self.remembered -= _weight(*self._edited.popitem(last=False))


def _weight(key: Key, edited: bytes) -> int:
    """In bytes, near enough: strangers may make a million short pages up."""
    return len(edited) + len(key[1].base or "") + KEY


class Editing:
    """One body out of its coding, through its editor, and into its coding again, step by step."""

    def __init__(self, editor: Rewriter, packed: bytes, into: bytes, limit: int) -> None:
        self._editor = editor
        self._decoder = coding.Decoder(packed, limit) if packed else None
        self._encoder = coding.Encoder(into) if into else None
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self._begun = self._begun or bool(chunk)
        for plain in [chunk] if self._decoder is None else self._decoder.steps(chunk):
            for at in range(0, len(plain), SLICE):
                yield self._packed(self._editor.feed(plain[at : at + SLICE]))

    def close(self) -> bytes:
        if not self._begun:
            return b""  # nothing is nothing in every coding
        if self._decoder is not None:
            self._decoder.close()
        last = self._packed(self._editor.close())
        return last if self._encoder is None else last + self._encoder.close()

    def _packed(self, edited: bytes) -> bytes:
        return edited if self._encoder is None else self._encoder.feed(edited)


class Edited(Stream):
    """A body that is edited as it passes."""

    def __init__(self, body: Stream, editing: Editing) -> None:
        self._body = body
        self._editing = editing
        self._steps: Iterator[bytes] = iter(())
        self._ended = self._begun = False

    async def read(self) -> bytes:
        while not self._ended:
            for step in self._steps:
                if self._begun:
                    await asyncio.sleep(0)
                self._begun = True
                if step:
                    return step
            chunk = await self._body.read()
            if not chunk:
                self._ended = True
                return self._editing.close()
            self._steps, self._begun = self._editing.feed(chunk), False
        return b""

    def close(self) -> None:
        self._body.close()


def edits(fetch: Fetch, response: Response) -> bool:
    """Whether the body of such an answer is changed on its way."""
    mount = fetch.mount
    if mount is None or mount.aware == "aware" or response.status in _NO_BODY or not _concerned(fetch, response):
        return False
    return (
        _wanted(_type(response), mount)
        and _coding(response) in _UNDONE
        and b"no-transform" not in joined(response.head.fields, b"cache-control")
    )


def _concerned(fetch: Fetch, response: Response) -> bool:
    pointers = fetch.mount.rewrite.json_pointers if fetch.mount is not None else ()
    return concerns(_type(response), fetch.target, pointers)


def _wanted(kind: str, mount: Mount) -> bool:
    kind = kind.partition(";")[0].strip().lower()
    if kind == "text/css":
        return mount.rewrite.css
    if kind in ("text/html", "application/xhtml+xml"):
        return mount.rewrite.html
    return kind == "application/json" or mount.rewrite.manifests


def _unchanged(exchange: Exchange, lane: Lane, fields: Fields) -> Fields:
    """A 304's fields. They take the place of the stored ones (RFC 9111 section 3.2): so its validator must name the
    edited bytes, and the page's policy stays the stored one, whose nonce is the stored page's.
    """
    mounted = rules.answer(fields, lane.place)
    asked = exchange.request.head.index if exchange.conditions is None else dict(exchange.conditions)
    if b"~" + lane.rules.encode() not in asked.get(b"if-none-match", b""):
        return mounted
    return without(rules.rewritten(mounted, lane.rules), *_POLICIES)


def _way(fetch: Fetch, response: Response) -> Way:
    """What becomes of an edited answer. A nonce of ours is for one answer; all else is for all that have this head."""
    lane, head = fetch.lane, response.head
    assert lane is not None
    known = None if by_target(fetch.target) else head.memo.get(lane)
    if type(known) is Way:
        return known
    fields, opening, once = _opened(lane, rules.answer(head.fields, lane.place), response)
    fields = rules.rewritten(fields, lane.rules)
    packed = _coding(response)
    into = b"" if lane.mount.composes else packed  # a page is packed once it is composed
    if into:
        fields = rules.varied([*fields, (b"content-encoding", into)])
    way = Way(Head(fields), opening, packed, into)
    return way if once or by_target(fetch.target) else head.keep(lane, way)


def _opened(lane: Lane, fields: Fields, response: Response) -> tuple[Fields, bytes, bool]:
    """A page's opening, and the fields that let it in: a policy of the page's own may forbid all script.

    The third tells whether this is for one answer only.
    """
    if not lane.script or media_type(_type(response).encode("latin-1")) != "text/html":
        return fields, lane.base, False
    fresh = secrets.token_urlsafe(NONCE).encode()
    admitted = policy.admit(fields, lane.script, fresh)
    if admitted is None:
        return fields, lane.base, False
    opened, nonce = admitted
    inline = nonce is not None or not any(name in _POLICIES for name, _ in fields)
    if nonce == fresh:
        return rules.personal(opened), lane.opening(nonce, inline=inline), True
    return opened, lane.opening(nonce, inline=inline), False


def _place(fetch: Fetch, response: Response) -> Place:
    """Where the page is shown; one whose address is another while it starts has its relative URLs written out."""
    if fetch.lane is None or fetch.lane.mount.router != "flip" or not _type(response).startswith("text/html"):
        return fetch.place
    return dataclasses.replace(fetch.place, base=fetch.url.decode("latin-1").partition("?")[0])


def _editing(fetch: Fetch, response: Response, way: Way, limit: int) -> Editing:
    pointers = fetch.mount.rewrite.json_pointers if fetch.mount is not None else ()
    kind, place = _type(response), _place(fetch, response)
    editor = rewriter(kind, place, way.opening, target=fetch.target, pointers=pointers)
    assert editor is not None
    return Editing(editor, way.packed, way.into, limit)


def _type(response: Response) -> str:
    return response.index.get(b"content-type", b"").decode("latin-1")


def _coding(response: Response) -> bytes:
    packed = joined(response.head.fields, b"content-encoding").strip().lower()
    return b"" if packed == b"identity" else packed
