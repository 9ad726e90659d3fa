"""What an answer becomes to be kept, and what is kept becomes to be an answer; under which key, and for whom."""

from collections.abc import Callable, Sequence

import gateway.rules.brought as brought
import gateway.rules.freshness as freshness
import gateway.rules.keys as keys
import gateway.rules.noting as noting
import gateway.rules.purges as purges
import gateway.rules.surrogates as surrogates
import gateway.rules.targeted as targeted
import gateway.rules.validators as validators
from gateway.exchange import Answer, Exchange, Fetch
from gateway.message import Entry, Field, Fields, Head, Request, Stream, joined
from gateway.rules.freshness import Hit, Lifetime, Miss, Stale
from gateway.store.codec import digest

NOT_FOR_VIEWERS = frozenset({b"surrogate-key", b"surrogate-control", b"age", targeted.OURS})


class Recording(Stream):
    """A body that passes on as it comes and is kept once it came whole."""

    def __init__(self, body: Stream, limit: int, keep: Callable[[bytes], None]) -> None:
        self.ended: Callable[[], None] | None = None  # called once it is kept, or will not be
        self._body = body
        self._left = limit
        self._keep = keep
        self._chunks: list[bytes] | None = []

    @property
    def length(self) -> int | None:
        return self._body.length

    @property
    def trailers(self) -> Fields:
        return self._body.trailers

    async def read(self) -> bytes:
        try:
            chunk = await self._body.read()
        except BaseException:
            self._end()
            raise
        if self._chunks is not None:
            self._left -= len(chunk)
            if self._left < 0:
                self._chunks = None
                self._end()
            elif chunk:
                self._chunks.append(chunk)
            else:
                chunks, self._chunks = self._chunks, None
                self._keep(b"".join(chunks))
                self._end()
        return chunk

    def close(self) -> None:
        self._body.close()
        self._end()

    def _end(self) -> None:
        ended, self.ended = self.ended, None
        if ended is not None:
            ended()


def key_of(fetch: Fetch, request: Request) -> bytes:
    """What a manifest lets through to a fragment's origin may change the answer, so it stands in the key."""
    fragment = fetch.fragment
    if fragment is None and fetch.narrows:  # the origin sees them, and need not say so
        return keys.variant(fetch.key, sorted(fetch.narrows), fetch.seen(request).headers)
    if fragment is None or not fragment.headers:
        return fetch.key
    return keys.variant(fetch.key, sorted(fragment.headers), fetch.seen(request).headers)


def depends(fetch: Fetch, fields: Fields) -> tuple[bytes, ...]:
    """The request fields by which an answer was chosen. No fragment's origin is told the codings of a viewer."""
    names = keys.vary(fields)
    return names if fetch.fragment is None else tuple(name for name in names if name != b"accept-encoding")


def bypass(request: Request) -> str | None:
    """Why the cache has no say in a page's request, in the words of RFC 9211 section 2.2 where it has one."""
    if request.method not in (b"GET", b"HEAD"):
        return "method"
    index = request.head.index
    if b"authorization" in index or b"range" in index or validators.is_for_the_origin(request.head):
        return "request"
    return None


def reflected(fetch: Fetch, request: Request) -> str | None:
    """A page that may hold an include tag of this viewer's own words is nobody else's: there it would be the page's."""
    lane = fetch.lane
    return "request" if lane is not None and lane.mount.composes and brought.carries(request) else None


def stored(entry: Entry, now: float, note: bytes) -> Answer:
    answer = Answer(entry.status, entry.head, entry.body, note, entry)
    answer.extra.append((b"age", b"%d" % max(0, now - entry.stored)))
    return answer


def with_cookies(exchange: Exchange, fetch: Fetch) -> bool:
    """Whether the origin saw cookies that do not stand in the key: a fragment is shown none but those its key has."""
    return fetch.fragment is None and b"cookie" in exchange.request.head.index and b"cookie" not in fetch.narrows


def asked_of(fetch: Fetch, request: Request) -> freshness.Asked | None:
    """What a viewer asks of the cache, as far as the mount obeys: that strangers reload is no reason to ask an origin.

    Of fragments no viewer asks anything.
    """
    if fetch.fragment is not None:
        return None
    return freshness.asked(request.head, obeyed=fetch.policy is not None and fetch.policy.reloads == "obeyed")


def unstored(request: Request) -> bool:
    """Whether a request forbids to keep its answer (RFC 9111 section 5.2.1.5)."""
    asked = freshness.asked(request.head)
    return asked is not None and asked.unstored


def shared_note(verdict: Miss, found: Hit | Stale) -> bytes:
    """Of an answer that somebody else asked for at the same moment."""
    return noting.forwarded(verdict.reason, ttl=found.ttl, collapsed=True)


def made(
    status: int, fields: Sequence[Field], body: bytes, life: Lifetime, now: float, tags: tuple[str, ...], since: int
) -> Entry:
    fresh = now + life.fresh
    times = (now - life.age, fresh, fresh + life.revalidate, fresh + life.error)
    return Entry(status, tuple(fields), body, digest(body), *times, tags, since)


def passed(fetch: Fetch, answer: Answer, note: bytes) -> Answer:
    """An answer of an origin as viewers may see it, with what became of it here. What it says to the composer stays."""
    if not NOT_FOR_VIEWERS.isdisjoint(answer.head.index):
        hidden = NOT_FOR_VIEWERS
        if fetch.lane is not None and fetch.lane.mount.composes:
            hidden -= {surrogates.CONTROL}
        answer.head = Head([field for field in answer.head.fields if field[0] not in hidden])
    answer.note = note
    return answer


def tags_of(fetch: Fetch, fields: Fields) -> tuple[str, ...]:
    """The manifest's tags, the origin's Surrogate-Key, and the names every entry answers to."""
    declared = fetch.policy.tags if fetch.policy is not None else []
    origins = fetch.upstream.origins
    origin = origins[0].url.encode() + fetch.target if origins else b""
    return purges.tags(declared, joined(fields, b"surrogate-key"), team=fetch.team, url=fetch.url, origin=origin)


def times_of(entry: Entry) -> tuple[float, float, float, float]:
    return entry.stored, entry.fresh, entry.revalidate, entry.error
