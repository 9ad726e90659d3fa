"""An origin's answer put below its mount: fields by `rules.mounting`, bodies by `fragments.rewrite`.

A body that is whole is edited once and remembered by its digest; any other is edited as it streams, and long ones in
steps, so that nobody else waits. What needs no edit passes untouched, coding and all.
"""

import asyncio
import dataclasses
import secrets
from collections import OrderedDict
from collections.abc import Iterator

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
UNPACKED = 64 * 1024 * 1024  # bytes a coded body that is edited as it streams may grow to
SWELLS = 16  # times its length a coded body may unpack to, or to a page's bytes; text packs to a quarter or a tenth
SLICE = 16 * 1024  # bytes edited in one go: a millisecond, and twenty where a page is nothing but the worst tags
PLAIN = "fields of a fragment out of its coding"  # key of a head's memo
NONCE = 16  # bytes of randomness: 128 bits, as CSP asks (section 7.1)
_UNDONE = coding.DECODES | {b""}
_NO_BODY = frozenset({101, 204, 205, 304})
_POLICIES = (b"content-security-policy", b"content-security-policy-report-only")

Key = tuple[bytes, Place, bytes]


class Mounting:
    """`page_bytes`: up to here a body of known length is edited whole. `remembered` is in bytes."""

    def __init__(self, page_bytes: int, fragment_bytes: int) -> None:
        self._page_bytes = page_bytes
        self._fragment_bytes = fragment_bytes
        self._edited: OrderedDict[Key, bytes] = OrderedDict()
        self.remembered = 0

    def untouched(self, exchange: Exchange, fetch: Fetch, response: Response) -> Answer | None:
        """The answer put below its mount at once, when its body may pass as it is; else None."""
        lane = fetch.lane
        if lane is None:
            return None
        head = response.head
        named = by_target(fetch.target)
        mounted: Head | None = None if named else head.memo.get(lane)
        if mounted is not None:
            return Answer(response.status, mounted, response.body)
        if response.status == 304:
            return Answer(304, _unchanged(exchange, lane, head.fields), b"")
        if edits(fetch, response):
            if exchange.request.method != b"HEAD":
                return None
            return Answer(response.status, _fields(lane, response)[0], b"")
        fields = rules.varied(rules.answer(head.fields, lane.place))
        if named or _concerned(fetch, response):
            return Answer(response.status, fields, response.body)
        return Answer(response.status, head.keep(lane, Head(fields)), response.body)

    async def edited(self, fetch: Fetch, response: Response) -> Answer:
        """The answer put below its mount, its body edited: whole if it is small, else as it streams."""
        if fetch.lane is None:
            return await self._fragment(response)
        fields, opening, into = _fields(fetch.lane, response)
        body = response.body
        if isinstance(body, Stream) and body.length is not None and body.length <= self._page_bytes:
            body = await whole(body, self._page_bytes) or b""
        place = _place(fetch, response)
        limit = max(self._page_bytes, SWELLS * len(body)) if isinstance(body, bytes) else UNPACKED
        editing = Editing(_editor(fetch, place, response, opening), _coding(response), into, limit)
        if not isinstance(body, bytes):
            return Answer(response.status, fields, Edited(body, editing))
        named = fetch.target if by_target(fetch.target) else b""
        edits = (fetch.lane.rules, _type(response), opening, into, named)
        key = (digest(body), place, digest(repr(edits).encode()))
        return Answer(response.status, fields, self._known(key) or await self._whole(key, body, editing))

    async def _fragment(self, response: Response) -> Answer:
        """A fragment's body is read whole by whoever stitches it; here it only comes out of its coding."""
        body = response.body
        if not isinstance(body, bytes) or len(body) > self._fragment_bytes:
            read = await whole(body, self._fragment_bytes)
            if read is None:
                raise BadAnswer(f"A fragment is longer than {self._fragment_bytes} bytes.")
            body = read
        head = response.head
        plain: Head | None = head.memo.get(PLAIN)
        if plain is None:
            plain = head.keep(PLAIN, Head(without(rules.hop(head.fields), b"content-encoding", b"content-length")))
        packed = _coding(response)
        return Answer(response.status, plain, coding.decoded(body, packed, self._fragment_bytes) if packed else body)

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
    if b"~" + lane.rules.encode() not in exchange.request.head.index.get(b"if-none-match", b""):
        return mounted
    return without(rules.rewritten(mounted, lane.rules), *_POLICIES)


def _fields(lane: Lane, response: Response) -> tuple[Fields, bytes, bytes]:
    """An edited answer's fields, what stands first in its head if it is a page, and the coding it goes out in."""
    fields, opening = _opened(lane, rules.answer(response.headers, lane.place), response)
    fields = rules.rewritten(fields, lane.rules)
    into = b"" if lane.mount.composes else _coding(response)  # a page is packed once it is composed
    if into:
        fields = rules.varied([*fields, (b"content-encoding", into)])
    return fields, opening, into


def _opened(lane: Lane, fields: Fields, response: Response) -> tuple[Fields, bytes]:
    """A page's opening, and the fields that let it in: a policy of the page's own may forbid all script."""
    if not lane.script or media_type(_type(response).encode("latin-1")) != "text/html":
        return fields, lane.base
    fresh = secrets.token_urlsafe(NONCE).encode()
    admitted = policy.admit(fields, lane.script, fresh)
    if admitted is None:
        return fields, lane.base
    opened, nonce = admitted
    if nonce == fresh:
        opened = rules.personal(opened)
    return opened, lane.opening(nonce, inline=nonce is not None or not any(name in _POLICIES for name, _ in fields))


def _place(fetch: Fetch, response: Response) -> Place:
    """Where the page is shown; one whose address is another while it starts has its relative URLs written out."""
    if fetch.lane is None or fetch.lane.mount.router != "flip" or not _type(response).startswith("text/html"):
        return fetch.place
    return dataclasses.replace(fetch.place, base=fetch.url.decode("latin-1").partition("?")[0])


def _editor(fetch: Fetch, place: Place, response: Response, opening: bytes) -> Rewriter:
    pointers = fetch.mount.rewrite.json_pointers if fetch.mount is not None else ()
    editor = rewriter(_type(response), place, opening, target=fetch.target, pointers=pointers)
    assert editor is not None
    return editor


def _type(response: Response) -> str:
    return response.index.get(b"content-type", b"").decode("latin-1")


def _coding(response: Response) -> bytes:
    packed = joined(response.head.fields, b"content-encoding").strip().lower()
    return b"" if packed == b"identity" else packed
