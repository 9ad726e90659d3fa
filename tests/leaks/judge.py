"""Says of everything that came through a proxy whether it is closed, leaked or damaged; knows no proxy's means."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from tests.leaks.markers import CONTROLS, MARKERS, PAGES, Control, Marker
from tests.leaks.origin import FIELD_BODY, fences
from tests.leaks.reading import resolved
from tests.leaks.viewer import Viewer
from tests.leaks.wishes import WISHES, Wish, saw

State = Literal["closed", "leaked", "damaged"]

# What a gateway may bring along of its own: one script, and the base it may need.
OPENING = re.compile(rb"(?:<base [^>]*>)?<script\b[^>]*\bsrc=[\"']?[^\s>\"']*/-/browser/[^>]*></script>")


@dataclass(frozen=True, slots=True)
class Verdict:
    state: State
    why: str = ""


CLOSED = Verdict("closed")
JUDGED: tuple[Marker | Wish, ...] = (*MARKERS, *WISHES)


def applies(marker: Marker | Wish, prefix: str) -> bool:
    """At `/` there is nobody to keep cookies apart from and no page outside that could be meant."""
    if isinstance(marker, Wish):
        return bool(prefix) or not marker.below
    return bool(prefix) or marker.means not in ("alone", "referrer")


def judge(viewer: Viewer, marker: Marker | Wish) -> Verdict:
    try:
        if isinstance(marker, Wish):
            return CLOSED if marker.granted(viewer) else Verdict("leaked", "the origin was told otherwise")
        return _MEANS.get(marker.means, _urls)(viewer, marker)
    except Exception as error:  # what cannot be read any more was broken on its way
        return Verdict("damaged", f"{type(error).__name__}: {error}")


def changed(viewer: Viewer, control: Control) -> str:
    """What a control became; nothing when every byte is as it was."""
    if control.id == "range":
        got = viewer.get(viewer.prefix + control.page, ("Range", "bytes=2-40"))
        meant = (viewer.site.whole(control.page) * 9)[2:41]
        return "" if (got.status, got.body) == (206, meant) else f"{got.status} {got.body!r}"
    got = viewer.page(control.page)
    if control.field:
        said, written = got.get(control.field), viewer.site.spelled(control)
        return "" if said == written else f"{control.field}: {said} instead of {written}"
    meant, came = viewer.site.whole(control.page), got.body
    if control.written:
        meant, came = (_part(body, control.id, PAGES[control.page].type) for body in (meant, came))
    return "" if came == meant else f"{came!r} instead of {meant!r}"


def around(body: bytes, path: str) -> bytes:
    """A page less its markers and what a gateway may bring along."""
    for marker in MARKERS:
        if marker.page == path:
            body = body.replace(_part(body, marker.id, PAGES[path].type), b"")
    return OPENING.sub(b"", body)


def all_markers(prefix: str) -> Iterator[Marker | Wish]:
    return (each for each in JUDGED if applies(each, prefix))


def verdicts(viewer: Viewer) -> Iterator[tuple[Marker | Wish, Verdict]]:
    return ((marker, judge(viewer, marker)) for marker in all_markers(viewer.prefix))


def damage(viewer: Viewer) -> list[str]:
    """The controls that did not come through as they were."""
    return [control.id for control in CONTROLS if _broken(viewer, control)]


def _broken(viewer: Viewer, control: Control) -> bool:
    try:
        return changed(viewer, control) != ""
    except (ValueError, OSError):
        return True


def _part(body: bytes, id: str, type: str) -> bytes:
    before, after = (fence.encode() for fence in fences(id, type))
    assert body.count(before) == body.count(after) == 1, f"the comments around {id} are gone"
    return body.partition(before)[2].partition(after)[0]


def _text(viewer: Viewer, marker: Marker) -> str:
    """What a marker became: the value of its field, its part of a page, or the whole document."""
    got = viewer.page(marker.page)
    if marker.field:
        values = got.all(marker.field)
        assert len(values) == 1, f"{marker.field} came {len(values)} times"
        return values[0]
    page = PAGES[marker.page]
    charset = page.charset
    if charset.startswith("utf-16"):
        return _between(got.body.decode(charset), marker.id, page.type)
    return (_part(got.body, marker.id, page.type) if marker.written else got.body).decode(charset)


def _between(text: str, id: str, type: str) -> str:
    before, after = fences(id, type)
    assert text.count(before) == text.count(after) == 1, f"the comments around {id} are gone"
    return text.partition(before)[2].partition(after)[0]


def _urls(viewer: Viewer, marker: Marker) -> Verdict:
    urls = marker.read(_text(viewer, marker))
    if len(urls) != len(marker.ends):
        return Verdict("damaged", f"{len(marker.ends)} URLs became {urls}")
    found = [_leads(viewer, marker, url, end) for url, end in zip(urls, marker.ends, strict=True)]
    return next((verdict for verdict in found if verdict.state != "closed"), CLOSED)


def _leads(viewer: Viewer, marker: Marker, url: str, end: str) -> Verdict:
    """Where a browser would go by this URL from a page of the application."""
    own = marker.url + end
    if marker.means == "public" and not url.startswith(viewer.public):
        return Verdict("leaked", f"{url} does not name {viewer.public}")
    went = resolved(url, f"{viewer.public}{viewer.prefix}/some/page")
    if went == viewer.public + viewer.prefix + own:
        return CLOSED
    left = {viewer.public + own, viewer.site.origin.url + own}
    return Verdict("leaked" if went in left else "damaged", f"{url} leads to {went}")


def _path(viewer: Viewer, marker: Marker) -> Verdict:
    read = marker.read(_text(viewer, marker))
    return CLOSED if read == [viewer.prefix + "/"] else Verdict("leaked", f"it says {read}")


def _absent(viewer: Viewer, marker: Marker) -> Verdict:
    said = viewer.page(marker.page).get(marker.field)
    return CLOSED if said is None else Verdict("leaked", f"{marker.field}: {said}")


def _origin(viewer: Viewer, marker: Marker) -> Verdict:
    said = _text(viewer, marker)
    return CLOSED if said == viewer.public else Verdict("leaked", f"{marker.field}: {said}")


def _referrer(viewer: Viewer, marker: Marker) -> Verdict:
    said = _text(viewer, marker)
    return Verdict("leaked", said) if said == "no-referrer" else CLOSED


def _condition(viewer: Viewer, marker: Marker) -> Verdict:
    got, own = viewer.page(marker.page), viewer.site.spelled(marker)
    tag = _text(viewer, marker)
    if tag == own and got.body != FIELD_BODY:
        return Verdict("damaged", "a strong validator of other bytes")
    again = viewer.get(viewer.prefix + marker.page, ("If-None-Match", tag))
    return CLOSED if again.status == 304 else Verdict("leaked", f"{tag} was answered with {again.status}")


def _policy(viewer: Viewer, marker: Marker) -> Verdict:
    """Word for word the origin's, but for words that name it."""
    texts = (_text(viewer, marker), viewer.site.spelled(marker))
    if not marker.field:
        texts = (marker.read(texts[0])[0], marker.read(texts[1])[0])
    came, wrote = ([part.split() for part in text.split(";")] for text in texts)
    words = [word for part in came for word in part if "/-/browser/" not in word and "'nonce-" not in word]
    meant = [word for part in wrote for word in part]
    if len(words) != len(meant):
        return Verdict("damaged", f"{texts[1]} became {texts[0]}")
    for word, own in zip(words, meant, strict=True):
        if marker.url in own:
            verdict = _leads(viewer, marker, word, "")
            if verdict.state != "closed":
                return verdict
        elif word != own:
            return Verdict("damaged", f"{own} became {word}")
    return CLOSED


@dataclass(frozen=True, slots=True)
class Cookie:
    """A Set-Cookie as a browser keeps it (RFC 6265 section 5.2)."""

    name: str
    value: str
    path: str
    domain: str
    others: frozenset[str]

    def __repr__(self) -> str:
        return f"{self.name} at {self.path}{' of ' + self.domain if self.domain else ''}"

    @property
    def refused(self) -> bool:
        """By the rules for names (RFC 6265bis section 4.1.3)."""
        name, secure = self.name.lower(), "secure" in self.others
        if name.startswith("__host-"):
            return not secure or self.path != "/" or bool(self.domain)
        return name.startswith("__secure-") and not secure


def cookie(value: str, asked: str) -> Cookie:
    pair, *attributes = (part.strip() for part in value.split(";"))
    name, _, said = pair.partition("=")
    told = {word.strip().lower(): rest.strip() for word, _, rest in (part.partition("=") for part in attributes)}
    path = told.pop("path", "")
    if not path.startswith("/"):
        path = asked.rpartition("/")[0] or "/"  # its default is the directory of what was asked for
    domain = told.pop("domain", "")
    return Cookie(
        name, said, path, domain, frozenset(f"{word}={rest}".rstrip("=").lower() for word, rest in told.items())
    )


def _cookie(viewer: Viewer, marker: Marker) -> Verdict:
    asked = viewer.prefix + marker.page
    kept, own = cookie(_text(viewer, marker), asked), cookie(viewer.site.spelled(marker), marker.page)
    if not _below(kept.path, viewer.prefix) or kept.domain not in ("", urlsplit(viewer.public).hostname):
        return Verdict("leaked", f"kept as {kept}")
    if kept.refused or kept.others != own.others | (kept.others & {"secure"}) or kept.value != own.value:
        return Verdict("damaged", f"{own} became {kept} with {sorted(kept.others)}")
    back = saw(viewer.get(f"{viewer.prefix}/echo", ("Cookie", f"{kept.name}={kept.value}")), "Cookie")
    return CLOSED if back == [f"{own.name}={own.value}"] else Verdict("damaged", f"it came back as {back}")


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")


def _alone(viewer: Viewer, marker: Marker) -> Verdict:
    """The portal has a cookie of the same name, which a browser sends along."""
    kept = cookie(_text(viewer, marker), viewer.prefix + marker.page)
    sent = ("Cookie", f"session=others; {kept.name}={kept.value}")
    back = saw(viewer.get(f"{viewer.prefix}/echo", sent), "Cookie")
    return CLOSED if back == ["session=own"] else Verdict("leaked", f"the origin was sent {back}")


_MEANS: dict[str, Callable[[Viewer, Marker], Verdict]] = {
    "path": _path,
    "absent": _absent,
    "origin": _origin,
    "referrer": _referrer,
    "condition": _condition,
    "policy": _policy,
    "cookie": _cookie,
    "alone": _alone,
}
