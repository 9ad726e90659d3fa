"""What came with a viewer's request: what a page may speak of, and which include tags are the viewer's own words.

A tag is foreign if the request holds it, or its beginning up to where a value of the request ends; however it is
encoded, quoted or spaced there. Such a tag is text (CWE-97, and what ledge and ATS learned about reflected includes).
"""

import html
import itertools
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from urllib.parse import unquote_plus

import fragments.patterns as patterns
import gateway.rules.cookies as jar
from fragments.values import Asked
from gateway.message import Fields, Request, every

FORM = 64 * 1024  # bytes of a body that are looked through; a longer one that could hold a tag is foreign as a whole
TAG = 160  # letters and digits of a tag, enough to tell it from others
MOST = 2048  # openings of one request; who sends more has every tag taken for theirs
ROUNDS = 4  # encodings within one another
Foreign = Callable[[bytes], bool]

_LESS = rb"<|%(?:25)*3c|(?:&|%(?:25)*26)(?:amp;)*(?:lt|#|%(?:25)*23)|(?:\\|%(?:25)*5c)(?:u0*|x|0?)(?:3c|\{0*3c|74)"
_MAYBE = re.compile(_LESS, re.IGNORECASE)
_PARTS = re.compile(rb"[&;/?]")
_STRINGS = patterns.compile(rb"\"((?:[^\"\\]++|\\.)*+)\"", re.DOTALL)
_OPENS = re.compile(r"<(?:/?[efhtm]|!|$)", re.IGNORECASE)
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|u\{0*([0-9a-fA-F]{1,6})\}|0?([0-7]{2,3})|[bfnrtv])")
_SQUEEZED = re.compile(r"[^a-z0-9!#</]+|(?<!<)/")  # an end tag is told from what it ends, blanks and signs are not


def asked(request: Request, public: bytes, url: bytes, tag: str, shared: Iterable[bytes]) -> Asked:
    """What a page may say of the request; of its cookies those that its origin is shown."""
    index = request.head.index
    cookies = jar.taken(b"; ".join(every(request.headers, b"cookie")), tag.encode(), frozenset(shared))
    pairs = (pair.partition("=") for pair in _read(cookies).split(";") if pair.strip())
    return Asked(
        host=_read(public.partition(b"://")[2]),
        url=_read(url),
        cookies={name.strip(): value.strip() for name, _, value in reversed([*pairs])},
        languages=_read(index.get(b"accept-language", b"")),
        agent=_read(index.get(b"user-agent", b"")),
        referer=_read(index.get(b"referer", b"")),
    )


def _read(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def carries(request: Request) -> bool:
    """Whether the request holds what could open a tag; its answer may hold it, too, and is kept for nobody else."""
    if _MAYBE.search(request.target) and any(map(_opens, (request.target, *_PARTS.split(request.target)))):
        return True
    known: bool | None = request.head.memo.get(carries)
    return request.head.keep(carries, _in_fields(request.head.fields)) if known is None else known


def _in_fields(fields: Fields) -> bool:
    return any(_MAYBE.search(value) and _opens(value) for _, value in fields)


def _opens(value: bytes) -> bool:
    return _OPENS.search(_meant(_read(value))) is not None


def foreign(request: Request, form: "Form | None" = None) -> Foreign | None:
    """Tells the tags that came with the request from a page's own; None when there can be none.

    `form` is its body, where that came as a stream.
    """
    if form is not None and form.unseen:
        return lambda _: True
    body = request.body if form is None else bytes(form.seen)
    told = body if isinstance(body, bytes) else b""
    if not carries(request) and not (told and _MAYBE.search(told)):
        return None
    kind = request.index.get(b"content-type", b"")
    found = _Brought([*_texts(request.target, request.head.fields), *_of_body(told, kind.lower())])
    return (lambda _: True) if found.goes_on and form is not None and form.is_longer else found


def _texts(target: bytes, fields: Fields) -> Iterable[bytes]:
    path, _, query = target.partition(b"?")
    yield path
    yield from path.split(b"/")
    yield from _pairs(query)
    for name, value in fields:
        yield value
        if name == b"cookie":
            for pair in value.split(b";"):
                yield pair.strip()
                yield pair.partition(b"=")[2].strip()


def _pairs(form: bytes) -> Iterable[bytes]:
    """A form or a query as a whole, its pairs, its names, and its values one after another: so pages may write them."""
    if not form:
        return
    pairs = form.split(b"&")
    yield form
    yield from pairs
    yield from (pair.partition(b"=")[0] for pair in pairs)
    yield from (pair.partition(b"=")[2] for pair in pairs)
    yield b"".join(pair.partition(b"=")[2] for pair in pairs)


def _of_body(body: bytes, kind: bytes) -> Iterable[bytes]:
    """The words of JSON, the parts of a multipart form (RFC 7578), else pairs; all of it where nothing says which."""
    if not body:
        return
    yield body
    if b"json" in kind or body.lstrip()[:1] in (b"{", b"["):
        yield from (found[1] for found in _STRINGS.finditer(body))
    if b"multipart" in kind or body.startswith(b"--"):
        yield from (part.partition(b"\r\n\r\n")[2] for part in body.split(b"\r\n--"))
    if b"json" not in kind and b"multipart" not in kind:
        yield from _pairs(body)


class _Brought:
    """`goes_on`: a value ends where a tag opens, so that any other value may be the rest of it."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        found: set[str] = set()
        several = dict.fromkeys(texts)
        self.goes_on = False
        for text in several:
            if _MAYBE.search(text):
                squeezed = _squeezed(_meant(_read(text)))
                self.goes_on |= squeezed.endswith("<")
                found.update(itertools.islice(_openings(squeezed), MOST + 1 - len(found)))
        if self.goes_on:
            rests = (_squeezed("<" + _meant(_read(text))).replace("<", "")[:TAG] for text in several)
            found.update(itertools.islice(filter(None, rests), MOST + 1 - len(found)))
        self._openings = sorted(found)
        self._lengths = {len(opening) for opening in found}
        self._found = found

    def __call__(self, tag: bytes) -> bool:
        """Whether an opening begins with the tag, or the tag with an opening."""
        if len(self._openings) > MOST:
            return True
        written = _squeezed(_meant(_read(tag[: 4 * TAG]))).replace("<", "")[:TAG]
        at = bisect_left(self._openings, written)
        if at < len(self._openings) and self._openings[at].startswith(written):
            return True
        return any(written[:length] in self._found for length in self._lengths if length <= len(written))


def _openings(text: str) -> Iterable[str]:
    """What follows each "<", up to the end of its text."""
    for found in re.finditer("<", text):
        opening = text[found.end() : found.end() + 2 * TAG].replace("<", "")[:TAG]
        if opening:
            yield opening


def _meant(text: str) -> str:
    """The text out of its encodings, as often as there are any."""
    for _ in range(ROUNDS):
        before = text
        text = html.unescape(_ESCAPED.sub(_character, unquote_plus(text)))
        if text == before:
            break
    return text


def _character(found: re.Match[str]) -> str:
    four, two, more, octal = found.groups()
    if found.lastindex is None:
        return " "
    number = int(octal, 8) if octal else int(four or two or more, 16)
    return chr(number) if number < 0x110000 else ""


def _squeezed(text: str) -> str:
    return _SQUEEZED.sub("", text.lower())


class Form:
    """A viewer's body as far as it has passed: its beginning, whether more came, and whether that could open a tag."""

    def __init__(self) -> None:
        self._tail = b""
        self.seen = bytearray()
        self.unseen = self.is_longer = False

    def add(self, chunk: bytes) -> None:
        left = FORM - len(self.seen)
        self.seen += chunk[:left] if left > 0 else b""
        self.is_longer |= len(chunk) > left
        if len(chunk) > left and not self.unseen:
            self.unseen = _MAYBE.search(self._tail + chunk) is not None or _MAYBE.search(self.seen) is not None
        self._tail = chunk[-64:]
