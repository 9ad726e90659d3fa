"""`portico check URL`, from the address to what is said: read, shown below two prefixes, told; its shells besides."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

import fragments.dialects as dialects
import fragments.plan as plans
import gateway.trial.compare as compare
import gateway.trial.crawl as crawl
import gateway.trial.listing as listing
import gateway.trial.spoken as spoken
import gateway.trial.spot as spots
from gateway.trial.columns import count
from gateway.trial.compare import PAGES, Read
from gateway.trial.shells import NOWHERE, Around, Shell, Source
from gateway.trial.spot import CHANNELS, Closed, Spot

HEADS: dict[Closed, str] = {
    "nothing": "Nothing closes these: decide, and mend them in the application.",
    "router": "The mount's `router` closes these.",
    "runtime": "The runtime in the browser closes these, as long as the mount's `runtime` is on.",
    "rescue": "The rescue closes these, by a redirect each time.",
    "notice": "Good to know; these do not leak.",
}
WORDS = ("Nothing leaks.", "What leaks is closed in the browser.", "Some of it nothing closes.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial found."""

    url: str
    prefixes: tuple[str, str]
    pages: int
    files: int
    spots: tuple[Spot, ...]
    shells: tuple[Shell, ...] = ()  # those of its pages that have slots

    @property
    def leaks(self) -> int:
        return spots.code(self.spots)

    @property
    def code(self) -> int:
        """The worst of its leaks, and of its shells."""
        return max([self.leaks, *(shell.code for shell in self.shells)])

    def as_json(self) -> dict[str, Any]:
        return {
            "url": self.url,
            "prefixes": list(self.prefixes),
            "pages": self.pages,
            "files": self.files,
            "leaks": [spot.as_json() for spot in self.spots],
            **({"shells": [listing.as_json(shell) for shell in self.shells]} if self.shells else {}),
            "exit": self.code,
        }


def run(
    url: str,
    *,
    pages: int = crawl.PAGES_READ,
    links_to: Sequence[str] = (),
    around: Around = NOWHERE,
    languages: Sequence[str] = (),
    tell: crawl.Tell = lambda line: None,
    transport: httpx.BaseTransport | None = None,
) -> Outcome:
    """Raises errors.Unreachable when nothing answers there. `around` and `languages` are for those pages with slots."""
    with crawl.client(transport) as http:
        reads = crawl.read(http, url, pages, tell)
    first = compare.free(reads)
    found = [spot for read in reads for spot in compare.spots(read, first, tuple(links_to))]
    shown = sum(read.kind in PAGES for read in reads)
    if (
        shown and sum(spot.channel == "J24" for spot in found) == shown
    ):  # then no script runs on a page with the runtime
        found = [spots.walled(spot) for spot in found]
    composed = tuple(_shells(reads, around, languages))
    return Outcome(url, (first, compare.SECOND), shown, len(reads) - shown, tuple(spots.gathered(found)), composed)


def _shells(reads: Sequence[Read], around: Around, languages: Sequence[str]) -> Iterator[Shell]:
    for read in reads:
        if read.kind in PAGES and (plans.has_slots(read.body) or dialects.spoken(read.body, languages)):
            yield spoken.read(Source(read.url, read.body, read.content_type), around.shown(read.target), languages)


def lines(outcome: Outcome) -> Iterator[str]:
    """For people: by what closes them, the worst first."""
    one, other = outcome.prefixes
    seen = f"{count(outcome.pages, 'page')}, {count(outcome.files, 'file')}"
    yield f"{outcome.url} below {one} and below {other}: {seen}."
    said: Closed | None = None
    for spot in outcome.spots:
        if spot.closed != said:
            yield ""
            yield HEADS[spot.closed]
            said = spot.closed
        again = f"  ({spot.times} times)" if spot.times > 1 else ""
        yield f"  {spot.channel:<4} {spot.where}  {CHANNELS[spot.channel].what}{again}"
        yield f"       {spot.text}"
        yield f"       hint: {spot.fix}"
    yield ""
    yield WORDS[outcome.leaks]
