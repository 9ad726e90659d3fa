"""What an application has to be told, and what it must not: the request side, judged by an origin that repeats it all.

In targets and fields `%X` is the prefix, `%P` the public origin and `%O` the application's own.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.leaks.viewer import Got, Viewer


@dataclass(frozen=True, slots=True)
class Wish:
    """One request, and what has to hold of its answer. `below`: only where there is a prefix."""

    id: str
    channel: str
    target: str
    holds: Callable[[Got, Viewer], bool]
    fields: tuple[tuple[str, str], ...] = ()
    below: bool = False

    @property
    def kind(self) -> str:
        return self.channel[0]

    def granted(self, viewer: Viewer) -> bool:
        sent = [(name, _filled(value, viewer)) for name, value in self.fields]
        return self.holds(viewer.get(_filled(self.target, viewer), *sent), viewer)


def _filled(text: str, viewer: Viewer) -> str:
    told = {"%X": viewer.prefix, "%P": viewer.public, "%O": viewer.site.origin.url}
    for sign, value in told.items():
        text = text.replace(sign, value)
    return text


def saw(got: Got, name: str) -> list[str]:
    """The values of a field as the origin saw it."""
    return [value for key, value in json.loads(got.body)["fields"] if key.lower() == name.lower()]


def _target(meant: str) -> Callable[[Got, Viewer], bool]:
    return lambda got, _: got.status == 200 and json.loads(got.body)["target"] == meant


def _own_path(name: str, meant: str) -> Callable[[Got, Viewer], bool]:
    return lambda got, _: [urlsplit(value).path for value in saw(got, name)] == [meant]


def _unseen(*names: str) -> Callable[[Got, Viewer], bool]:
    return lambda got, _: not any(saw(got, name) for name in names)


def _without(name: str, word: str) -> Callable[[Got, Viewer], bool]:
    return lambda got, _: not any(word in value for value in saw(got, name))


def _origin_fits(got: Got, viewer: Viewer) -> bool:
    """What checks against forged requests compare: Origin and Host mean the same server."""
    return [urlsplit(value).netloc for value in saw(got, "Origin")] == saw(got, "Host")


def _slash(got: Got, viewer: Viewer) -> bool:
    led = urlsplit(got.get("Location") or "")
    local = led.netloc in ("", urlsplit(viewer.public).netloc)
    return got.status in (301, 307, 308) and local and led.path == viewer.prefix + "/" and led.query == "q=/1"


def _whole_or_right(got: Got, viewer: Viewer) -> bool:
    """A part of an edited page is counted in its edited bytes, or the page comes whole (RFC 9110 section 14.2)."""
    page = viewer.page("/html").body
    return got.body == (page if got.status == 200 else page[2:41])


def _somebody_else(got: Got, viewer: Viewer) -> bool:
    return not any("only-for-others" in seen.target for seen in viewer.site.origin.requests)


WISHES = (
    Wish("q-origin", "Q2", "%X/echo", _origin_fits, (("Origin", "%P"),)),
    Wish("q-referer", "Q3", "%X/echo", _own_path("Referer", "/some/page"), (("Referer", "%P%X/some/page"),)),
    Wish("q-prefix-withheld", "Q4", "%X/echo", _unseen("X-Forwarded-Prefix", "X-Script-Name", "X-Ingress-Path")),
    Wish(
        "q-prefix-forged",
        "Q5",
        "%X/echo",
        _unseen("X-Forwarded-Prefix", "X-Original-URL", "X-Rewrite-URL"),
        (("X-Forwarded-Prefix", "/evil"), ("X-Original-URL", "/evil"), ("X-Rewrite-URL", "/evil")),
    ),
    Wish("q-host-forged", "Q5", "%X/echo", _without("X-Forwarded-Host", "evil"), (("X-Forwarded-Host", "evil.test"),)),
    Wish("q-forwarded-forged", "Q5", "%X/echo", _without("Forwarded", "evil"), (("Forwarded", "host=evil.test"),)),
    Wish("q-for-forged", "Q5", "%X/echo", _without("X-Forwarded-For", "6.6.6.6"), (("X-Forwarded-For", "6.6.6.6"),)),
    Wish("q-foreign-cookie", "Q6", "%X/echo", _unseen("Cookie"), (("Cookie", "others=secret"),), below=True),
    Wish(
        "q-destination",
        "Q7",
        "%X/echo",
        _own_path("Destination", "/files/b"),
        (("Destination", "%P%X/files/b"),),
    ),
    Wish("q-query", "Q10", "%X/echo?q=1%2F2&q=/3", _target("/echo?q=1%2F2&q=/3")),
    Wish("q-range", "Q13", "%X/html", _whole_or_right, (("Range", "bytes=2-40"),)),
    Wish("q-slash", "Q11", "%X?q=/1", _slash, below=True),
    Wish("q-segment", "Q12", "%Xfoo/echo?only-for-others", _somebody_else, below=True),
)
