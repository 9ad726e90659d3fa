"""An application read as a visitor without an account would: by GET, on its own origin, no further than asked.

Whatever it answers is a value; redirects are answers like others. What scripts would load is found by their imports.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urljoin, urlsplit

import httpx

import gateway.trial.scripts as scripts
import gateway.walk as walk
from gateway.errors import Unreachable
from gateway.trial.compare import PAGES, SCRIPTS, Read

PAGES_READ = 30  # as many as a team's application has kinds of pages, several times over
FILES_PER_PAGE = 8  # style sheets, scripts and pictures; more of a page are left out
LARGEST = 8 << 20  # bytes of one answer
ALL = 128 << 20  # bytes of all answers, which are held until both renderings are compared
PATIENCE = httpx.Timeout(10.0, connect=3.0)
HELLO = {"User-Agent": "portico-check", "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

Tell = Callable[[str], None]


def client(transport: httpx.BaseTransport | None = None) -> httpx.Client:
    return httpx.Client(timeout=PATIENCE, headers=HELLO, follow_redirects=False, trust_env=False, transport=transport)


def origin_of(url: str) -> str:
    """Scheme, host and port, as origins are written."""
    parts = httpx.URL(url)
    return str(parts.copy_with(raw_path=b"/", fragment=None, query=None)).rstrip("/").lower()


def read(http: httpx.Client, start: str, pages: int = PAGES_READ, tell: Tell = lambda line: None) -> list[Read]:
    """Breadth first; at most `pages` pages, and their files. Raises Unreachable if `start` is not there."""
    origin = origin_of(start)
    waiting = deque([start])
    known, found = {start}, list[Read]()
    left = {True: pages, False: pages * FILES_PER_PAGE}
    while waiting and sum(len(answer.body) for answer in found) < ALL:
        url = waiting.popleft()
        if not left[_may_be_a_page(url)]:
            continue
        answer = _get(http, url, origin, first=not found)
        if answer is None:
            continue
        found.append(answer)
        left[answer.kind in PAGES] -= left[answer.kind in PAGES] > 0
        tell(f"read {len(found)}: {answer.status} {answer.target}")
        for link in _leads(answer):
            if link not in known and origin_of(link) == origin:
                known.add(link)
                (waiting.append if _may_be_a_page(link) else waiting.appendleft)(link)
    return found


def _get(http: httpx.Client, url: str, origin: str, *, first: bool) -> Read | None:
    """One answer; None for one that does not come, or is too long to be looked at."""
    try:
        with http.stream("GET", url) as answer:
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > LARGEST:
                    return None
            named = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() != b"content-encoding"]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        if first:
            reason = str(error) or type(error).__name__
            raise Unreachable(f"{url} cannot be read: {reason}. Is the application running?") from error
        return None
    target = httpx.URL(url).raw_path.decode("ascii")
    return Read(url, origin, target, answer.status_code, named, bytes(body))


def _leads(answer: Read) -> Iterator[str]:
    """Where an answer leads: its links and redirects, and what its scripts import."""
    text = answer.body.decode("utf-8", "replace")
    location = next((value for name, value in answer.fields if name == b"location"), None)
    found = [] if location is None else [urljoin(answer.url, location.decode("latin-1")).partition("#")[0]]
    if answer.kind in PAGES or answer.kind == "text/css":
        with suppress(ValueError):  # one that is no URL at all
            found += sorted(walk.links(text, answer.url, "text/css" if answer.kind == "text/css" else "text/html"))
    if answer.kind in SCRIPTS:
        relative = (name for name in scripts.imports(text) if name.startswith(("/", "./", "../")))
        found += [urljoin(answer.url, name) for name in relative]
    return (link for link in found if _is_web(link))


def _is_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https") and bool(httpx.URL(url).host)
    except (ValueError, httpx.InvalidURL):
        return False


def _may_be_a_page(url: str) -> bool:
    name = urlsplit(url).path.rpartition("/")[2]
    return "." not in name or name.endswith((".html", ".htm", ".php", ".aspx", ".jsp"))
