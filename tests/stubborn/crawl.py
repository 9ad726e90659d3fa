"""How an application is used and watched in a browser, directly or below a prefix, and what differs between the two.

An application brings a script, `use(visit)`: it opens, clicks and types in `visit.page`, and calls `visit.step(name)`
whenever something is to be seen that must look the same everywhere. Nothing here knows an application.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urldefrag, urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Request,
    Response,
    WebError,
    WebSocket,
    expect,
)

MOST_PAGES = 60
PATIENCE = 15_000  # ms for one step: several of these programs start slowly on a small machine
QUIET_WITHIN = 5_000  # ms

expect.set_options(timeout=PATIENCE)


class Shown(NamedTuple):
    """What a visitor sees at one moment: the address below the application's base, and the text of the page."""

    path: str
    text: str


class Called(NamedTuple):
    """A request to the application: method, and path below its base."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(slots=True)
class Seen:
    """All that was noticed while an application was used at one base."""

    steps: dict[str, Shown] = field(default_factory=dict)
    pages: dict[str, Shown] = field(default_factory=dict)
    statuses: dict[Called, set[int]] = field(default_factory=dict)
    errors: set[str] = field(default_factory=set)
    escaped: set[str] = field(default_factory=set)
    leaving: set[str] = field(default_factory=set)
    rescued: set[str] = field(default_factory=set)
    abroad: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class App:
    """An application as its team ships it, and what a visitor does with it.

    `start(folder)` runs a fresh one with its state in that folder and yields its origin, such as `http://127.0.0.1:8000`.
    `mount` is what its team declares of its mount besides the upstream.
    `volatile` are patterns of text that differ from run to run: times, sizes, random names.
    `avoided` is a pattern of paths that the crawl does not open: logging out, deleting, what never ends.
    """

    name: str
    title: str
    start: Callable[[Path], AbstractContextManager[str]]
    use: Callable[["Visit"], None]
    mount: Mapping[str, object] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()
    avoided: str = r"(?!)"
    most_pages: int = MOST_PAGES


@dataclass  # without slots: Playwright writes a mark on whoever listens
class Visit:
    """One browser context at one base: `http://127.0.0.1:8000`, or `http://127.0.0.1:8080/apps/one`."""

    app: App
    context: BrowserContext
    page: Page
    base: str
    seen: Seen = field(default_factory=Seen)
    hosts: frozenset[str] = frozenset()  # other addresses of the application, which a mounted one must never show

    @property
    def site(self) -> str:
        """Scheme, host and port of the base."""
        parts = urlsplit(self.base)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def prefix(self) -> str:
        return urlsplit(self.base).path

    def open(self, path: str = "/") -> None:
        """Follows a link that a colleague sent, so to say: a path of the application, typed into the address bar."""
        self.page.goto(self.base + path)

    def step(self, name: str) -> None:
        """Notes what is to be seen now."""
        assert name not in self.seen.steps, f"two steps are named {name!r}"
        self._settle()
        self.seen.steps[name] = self._shown()

    def note(self, name: str, part: Locator) -> None:
        """Notes a part of the page, where the rest of it moves by itself."""
        assert name not in self.seen.steps, f"two steps are named {name!r}"
        self.seen.steps[name] = Shown(self.below(self.page.url), self._plain(part.inner_text()))

    def _settle(self) -> None:
        """Waits until nothing more is asked for and the address is the public one; what never rests is read as is."""
        with suppress(Error):
            self.page.wait_for_load_state("networkidle", timeout=QUIET_WITHIN)
            self.page.wait_for_url(self._inside, timeout=QUIET_WITHIN)

    def _shown(self) -> Shown:
        return Shown(self.below(self.page.url), self._plain(_visible(self.page)))

    def told(self) -> str:
        """Where the visit stands and what is to be seen there, in short."""
        shown = self._shown()
        return f"{shown.path}, which shows {shown.text[:80]!r}"

    def below(self, url: str) -> str:
        """A URL as the application knows it: a path below the base; whole when it is not below."""
        url = re.sub(r"^ws", "http", url)
        if url == self.base:
            return "/"
        return url.removeprefix(self.base) if self._inside(url) else url

    def _inside(self, url: str) -> bool:
        return url == self.base or url.startswith((f"{self.base}/", f"{self.base}?", f"{self.base}#"))

    def _plain(self, text: str) -> str:
        """Text without the base, without what differs from run to run, and with every space the same."""
        host = urlsplit(self.base).netloc
        text = text.replace(host + self.prefix, host).replace(host, "HOST")
        for pattern in self.app.volatile:
            text = re.sub(pattern, "…", text)
        return re.sub(r"\s+", " ", text).strip()

    def crawl(self) -> None:
        """Opens page after page, as links lead from the first one, and notes each."""
        waiting = [f"{self.base}/"]
        while waiting and len(self.seen.pages) < self.app.most_pages:
            url = waiting.pop(0)
            path = self.below(url)
            if path in self.seen.pages:
                continue
            self.seen.pages[path] = self._read(url)
            waiting += [link for link in self._links() if self.below(link) not in self.seen.pages]

    def _read(self, url: str) -> Shown:
        try:
            answer = self.page.goto(url, wait_until="load")
            self._settle()
        except Error as error:
            return Shown(self.below(url), f"no page: {_reason(error)}")
        status = answer.status if answer else 0
        shown = self._shown()
        return Shown(shown.path, f"{status} {shown.text}")

    def _links(self) -> Iterator[str]:
        """Where links of this page lead within the application; what would leave it is noted."""
        for url in _hrefs(self.page, self.base):
            if not url.startswith(self.site + "/"):
                if url.startswith(tuple(self.hosts)):
                    self.seen.leaving.add(f"a link on {self.below(self.page.url)} to {url}")
            elif not self._inside(url):
                self.seen.leaving.add(f"a link on {self.below(self.page.url)} to {url.removeprefix(self.site)}")
            elif not re.search(self.app.avoided, self.below(url)):
                yield url

    def watch(self) -> None:
        """Listens to everything that pages of this context ask for or complain about."""
        self.context.on("request", self._on_request)
        self.context.on("response", self._on_response)
        self.context.on("console", self._on_console)
        self.context.on("weberror", self._on_error)
        self.context.on("page", self._on_page)
        self._on_page(self.page)

    def _on_page(self, page: Page) -> None:
        page.on("websocket", self._on_websocket)
        page.set_default_timeout(PATIENCE)

    def _on_websocket(self, socket: WebSocket) -> None:
        self._place("WebSocket", socket.url)
        socket.on("socketerror", lambda said: self.seen.errors.add(self._plain(f"WebSocket {socket.url}: {said}")))

    def _on_request(self, request: Request) -> None:
        if not self._ours(request.url):
            self._place(request.method, request.url)

    def _ours(self, url: str) -> bool:
        """Whether what becomes of it is told by its answer: a path outside the prefix may be rescued."""
        return url.startswith(f"{self.site}/")

    def _place(self, method: str, url: str) -> None:
        """Notes a request that goes elsewhere: to the application's own address past the gateway, or abroad."""
        plain = re.sub(r"^ws", "http", url)
        if plain.startswith(tuple(self.hosts)) or (plain.startswith(f"{self.site}/") and not self._inside(plain)):
            self.seen.escaped.add(f"{method} {url}")
        elif plain.startswith("http") and not plain.startswith(f"{self.site}/"):
            self.seen.abroad.add(f"{method} {url}")

    def _on_response(self, answer: Response) -> None:
        url = answer.url
        if self._inside(url):
            called = Called(answer.request.method, self._plain(urldefrag(self.below(url))[0]))
            self.seen.statuses.setdefault(called, set()).add(200 if answer.status == 304 else answer.status)
        elif self._ours(url) and not url.startswith(f"{self.site}/-/"):
            self._outside(answer)

    def _outside(self, answer: Response) -> None:
        told = f"{answer.request.method} {answer.url.removeprefix(self.site)}"
        led = answer.headers.get("location", "").removeprefix(self.site)
        rescued = answer.status == 307 and (led == self.prefix or led.startswith(f"{self.prefix}/"))
        (self.seen.rescued if rescued else self.seen.escaped).add(
            f"{told} ({answer.request.resource_type}, {answer.status})"
        )

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            text = re.sub(r"(with a status of \d+) \(.*\)", r"\1", message.text)  # a reason phrase is anybody's
            self.seen.errors.add(self._plain(f"{text} ({self._asked_for(message.location['url'])})"))

    def _asked_for(self, url: str) -> str:
        """A site's icon is asked for at its root by the browser itself, whatever is mounted where."""
        return "/favicon.ico" if url == f"{self.site}/favicon.ico" else self.below(url)

    def _on_error(self, error: WebError) -> None:
        self.seen.errors.add(self._plain(str(error.error.message)))


@contextmanager
def visiting(app: App, context: BrowserContext, base: str, hosts: frozenset[str] = frozenset()) -> Iterator[Visit]:
    visit = Visit(app, context, context.new_page(), base, hosts=hosts)
    visit.watch()
    yield visit


def used(visit: Visit) -> Seen:
    """The whole journey: the application's script, then every page that links lead to."""
    visit.app.use(visit)
    visit.crawl()
    return visit.seen


def differences(direct: Seen, mounted: Seen) -> list[str]:
    """What a visitor could notice of the mount, each as one line; nothing when the mount is perfect."""
    return [
        *(f"escaped: {one}" for one in sorted(mounted.escaped)),
        *(f"would leave: {one}" for one in sorted(mounted.leaving)),
        *(f"asked abroad: {one}" for one in sorted(mounted.abroad - direct.abroad)),
        *(f"error: {one}" for one in sorted(mounted.errors - direct.errors)),
        *_apart("step", direct.steps, mounted.steps),
        *_apart("page", direct.pages, mounted.pages),
        *_statuses(direct.statuses, mounted.statuses),
    ]


def _apart(kind: str, direct: dict[str, Shown], mounted: dict[str, Shown]) -> Iterator[str]:
    for name in [*direct, *(name for name in mounted if name not in direct)]:
        there, here = direct.get(name), mounted.get(name)
        if there is None or here is None:
            yield f"{kind} {name}: only {'below the prefix' if there is None else 'directly'}"
        elif there != here:
            yield f"{kind} {name}: {_first_difference(there, here)}"


def _first_difference(there: Shown, here: Shown) -> str:
    if there.path != here.path:
        return f"at {here.path} instead of {there.path}"
    at = next((at for at, (a, b) in enumerate(zip(there.text, here.text, strict=False)) if a != b), -1)
    if at < 0:
        at = min(len(there.text), len(here.text))
    start = max(at - 30, 0)
    return f"shows {here.text[start : at + 60]!r} instead of {there.text[start : at + 60]!r}"


def _statuses(direct: dict[Called, set[int]], mounted: dict[Called, set[int]]) -> Iterator[str]:
    """Polls and prefetches come as they like, so a request that only one side made matters only where it failed."""
    for called, here in mounted.items():
        there = direct.get(called)
        if there is None and any(status >= 400 for status in here):
            yield f"status: {called} is {_told(here)}, and is not asked for directly"
        elif there is not None and there != here and any(status >= 400 for status in here ^ there):
            yield f"status: {called} is {_told(here)} instead of {_told(there)}"


def _told(statuses: set[int]) -> str:
    return " and ".join(map(str, sorted(statuses)))


def _visible(page: Page) -> str:
    """The text a reader would see, in every frame that shows something."""
    texts = []
    for frame in page.frames:
        with suppress(Error):  # a frame may go while it is read
            texts.append(frame.locator("body").inner_text(timeout=2000))
    return "\n".join(texts)


def _hrefs(page: Page, base: str) -> list[str]:
    """Links as a click would follow them, without fragments, in the order of the page.

    A link that a script wrote is read as its menu would copy it: what sets it right does so when it is touched.
    """
    found: list[str] = page.evaluate(
        """base => [...document.querySelectorAll('a[href], area[href]')].map(link => {
            if (link.protocol?.startsWith('http') && !link.href.startsWith(base + '/'))
                link.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, composed: true, cancelable: true }))
            return link.href
        }).filter(url => typeof url === 'string')""",
        base,
    )
    return list(dict.fromkeys(urldefrag(url)[0] for url in found))


def _reason(error: Error) -> str:
    """The first line of what the browser says, without the address."""
    return re.sub(r" at http\S+", "", error.message.splitlines()[0])
