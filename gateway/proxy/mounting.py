"""An origin's answer put below its mount: fields by `rules.mounting`, bodies by `fragments.rewrite`.

A body that is whole is edited once and remembered by its digest; any other is edited as it streams. What needs no
edit passes untouched, coding and all.
"""

from collections import OrderedDict

import gateway.rules.coding as coding
import gateway.rules.mounting as rules
from fragments.rewrite import Rewriter, rewriter
from fragments.urls import Place
from gateway.errors import BadAnswer
from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import Head, Response, Stream, joined, whole, without
from gateway.rules.fields import media_type
from gateway.store.codec import digest
from gateway.table import Mount

REMEMBERED = 32 * 1024 * 1024  # bytes of edited bodies kept per worker
UNPACKED = 64 * 1024 * 1024  # bytes a coded body that is edited as it streams may grow to
PLAIN = "fields of a fragment out of its coding"  # key of a head's memo
EDITED = frozenset({"text/html", "application/xhtml+xml", "text/css", "application/manifest+json"})
_UNDONE = frozenset({b"", b"gzip", b"x-gzip", b"br", b"deflate"})
_NO_BODY = frozenset({204, 205, 206, 304})


class Mounting:
    """`page_bytes`: up to here a body of known length is edited whole."""

    def __init__(self, page_bytes: int, fragment_bytes: int) -> None:
        self._page_bytes = page_bytes
        self._fragment_bytes = fragment_bytes
        self._edited: OrderedDict[tuple[bytes, Place, str], bytes] = OrderedDict()
        self._size = 0

    def untouched(self, exchange: Exchange, fetch: Fetch, response: Response) -> Answer | None:
        """The answer put below its mount at once, when its body may pass as it is; else None."""
        if fetch.fragment is not None:
            return None
        head = response.head
        mounted: Head | None = head.memo.get(fetch.lane)
        if mounted is not None:
            return Answer(response.status, mounted, response.body)
        kind = media_type(head.index.get(b"content-type"))
        fields = rules.answer(head.fields, fetch.place)
        if kind not in EDITED:
            return Answer(response.status, head.keep(fetch.lane, Head(fields)), response.body)
        if not _edits(kind, response, fetch):
            return Answer(response.status, fields, response.body)
        if exchange.request.method == b"HEAD":
            return Answer(response.status, rules.rewritten(fields, rules.version(fetch.place)), b"")
        return None

    async def edited(self, fetch: Fetch, response: Response) -> Answer:
        """The answer put below its mount, its body edited: whole if it is small, else as it streams."""
        if fetch.fragment is not None:
            return await self._fragment(response)
        kind = media_type(response.index.get(b"content-type"))
        editor = rewriter(kind, fetch.place)
        assert editor is not None
        fields = rules.rewritten(rules.answer(response.headers, fetch.place), rules.version(fetch.place))
        packed = _coding(response)
        body = response.body
        if isinstance(body, Stream) and body.length is not None and body.length <= self._page_bytes:
            body = await whole(body, self._page_bytes) or b""
        if isinstance(body, bytes):
            return Answer(response.status, fields, self._whole(body, packed, kind, fetch.place, editor))
        decoder = coding.Decoder(packed, UNPACKED) if packed else None
        return Answer(response.status, fields, Edited(body, decoder, editor))

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

    def _whole(self, body: bytes, packed: bytes, kind: str, place: Place, editor: Rewriter) -> bytes:
        key = (digest(body), place, f"{kind} {packed.decode('latin-1')}")
        known = self._edited.get(key)
        if known is not None:
            self._edited.move_to_end(key)
            return known
        plain = coding.decoded(body, packed, max(self._page_bytes, 16 * len(body)))
        edited = editor.feed(plain) + editor.close()
        self._remember(key, edited)
        return edited

    def _remember(self, key: tuple[bytes, Place, str], edited: bytes) -> None:
        self._edited[key] = edited
        self._size += len(edited)
        while self._size > REMEMBERED:
            self._size -= len(self._edited.popitem(last=False)[1])


class Edited(Stream):
    """A body that is edited as it passes."""

    def __init__(self, body: Stream, decoder: coding.Decoder | None, editor: Rewriter) -> None:
        self._body = body
        self._decoder = decoder
        self._editor: Rewriter | None = editor

    async def read(self) -> bytes:
        while self._editor is not None:
            chunk = await self._body.read()
            if edited := self._edit(chunk):
                return edited
        return b""

    def _edit(self, chunk: bytes) -> bytes:
        """What can be told by now; an empty chunk is the end."""
        assert self._editor is not None
        plain = chunk if self._decoder is None else self._decoder.feed(chunk) if chunk else self._decoder.close()
        if chunk:
            return self._editor.feed(plain)
        editor, self._editor = self._editor, None
        return editor.feed(plain) + editor.close()

    def close(self) -> None:
        self._body.close()


def _edits(kind: str, response: Response, fetch: Fetch) -> bool:
    mount = fetch.mount
    if mount is None or mount.aware == "aware" or response.status in _NO_BODY or not _wanted(kind, mount):
        return False
    return _coding(response) in _UNDONE and b"no-transform" not in joined(response.headers, b"cache-control")


def _wanted(kind: str, mount: Mount) -> bool:
    if kind == "text/css":
        return mount.rewrite.css
    if kind == "application/manifest+json":
        return mount.rewrite.manifests
    return mount.rewrite.html


def _coding(response: Response) -> bytes:
    packed = response.index.get(b"content-encoding", b"").strip().lower()
    return b"" if packed == b"identity" else packed
