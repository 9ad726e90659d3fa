"""Applications that a JavaScript toolchain builds, below `/` and with no word of a base path; and how they are used."""

import json
import mimetypes
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import parse_qs, unquote

from playwright.sync_api import expect

from tests.kit.origin import Answer, Seen, serving
from tests.kit.ports import free_port
from tests.kit.process import running
from tests.stubborn import js_build
from tests.stubborn.crawl import App, Visit

PETS = ({"id": 1, "name": "Tom the cat"}, {"id": 2, "name": "Rex the dog"}, {"id": 3, "name": "Ada the carp"})
TICKS = ("one", "two", "three")
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><rect width="{}" height="16"/></svg>'


class Api:
    """What the applications ask their server for, at root paths, with a cookie that tells visitors apart."""

    def __init__(self) -> None:
        self.notes: dict[str, list[str]] = {}
        self._names = map(str, count(1))

    def __call__(self, seen: Seen) -> Answer:
        match seen.path.removeprefix("/api/").split("/"):
            case ["pets"]:
                return _json([_pet(pet) for pet in PETS if _asked(seen, "q").lower() in str(pet["name"]).lower()])
            case ["pets", number] if number in {"1", "2", "3"}:
                return _json(_pet(PETS[int(number) - 1]))
            case ["photos", name]:
                return Answer(DRAWING.format(name[0]).encode(), headers=[("Content-Type", "image/svg+xml")])
            case ["ticks"]:
                return Answer(_ticks(), headers=[("Content-Type", "text/event-stream")])
            case ["notes"]:
                return self._noted(seen)
        return _json({"error": "not found"}, status=404)

    def _noted(self, seen: Seen) -> Answer:
        name = _cookies(seen).get("visit") or next(self._names)
        notes = self.notes.setdefault(name, [])
        if seen.method == "POST":
            notes.append(parse_qs(seen.body.decode())["text"][0])
        return _json(notes, ("Set-Cookie", f"visit={name}; Path=/; HttpOnly; SameSite=Lax"))


def _pet(pet: dict[str, object]) -> dict[str, object]:
    return {**pet, "photo": f"/api/photos/{pet['id']}.svg"}


def _ticks() -> Iterator[bytes | float]:
    for tick in TICKS:
        yield f"data: {tick}\n\n".encode()
        yield 0.05
    yield 5.0  # whoever has all three closes; whoever comes again too soon would be counted twice


def _asked(seen: Seen, name: str) -> str:
    return parse_qs(seen.query).get(name, [""])[0]


def _cookies(seen: Seen) -> dict[str, str]:
    pairs = (pair.strip().partition("=") for pair in (seen.get("Cookie") or "").split(";"))
    return {name: value for name, _, value in pairs}


def _json(value: object, *headers: tuple[str, str], status: int = 200) -> Answer:
    return Answer(json.dumps(value).encode(), status, [("Content-Type", "application/json"), *headers])


class Site:
    """A folder as static hosts serve single-page applications: files, pages without `.html`, and the fallback."""

    def __init__(self, folder: Path, fallback: str) -> None:
        self.folder, self.fallback = folder, folder / fallback
        self.api = Api()

    def __call__(self, seen: Seen) -> Answer:
        if seen.path.startswith("/api/"):
            return self.api(seen)
        file = self._file(unquote(seen.path).strip("/"))
        if file is None:
            return Answer(b"not found", 404, [("Content-Type", "text/plain")])
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return Answer(file.read_bytes(), headers=[("Content-Type", kind)])

    def _file(self, path: str) -> Path | None:
        for file in (self.folder / (path or "index.html"), self.folder / f"{path}.html"):
            if file.is_file() and file.resolve().is_relative_to(self.folder.resolve()):
                return file
        return None if "." in path.rpartition("/")[2] else self.fallback


def _site(app: str, fallback: str = "index.html") -> Callable[[Path], AbstractContextManager[str]]:
    @contextmanager
    def start(_: Path) -> Iterator[str]:
        with serving(Site(js_build.site(app), fallback)) as origin:
            yield origin.url

    return start


class DevServer:
    """Vite's own server on copies of an application's sources, which a developer edits while pages are open."""

    def __init__(self, app: str) -> None:
        self.app = app
        self.copies: set[Path] = set()

    @contextmanager
    def start(self, _: Path) -> Iterator[str]:
        with self._copy() as copy, serving(Api()) as api, _vite(copy, api.url) as url:
            yield url

    @contextmanager
    def _copy(self) -> Iterator[Path]:
        """It lies beside the built ones, where Node finds what npm brought, and is a package of its own."""
        copy = Path(mkdtemp(prefix="live-", dir=js_build.built()))
        self.copies.add(copy)
        try:
            shutil.copytree(js_build.SOURCES / self.app, copy, dirs_exist_ok=True)
            (copy / "package.json").write_text('{"private": true, "type": "module"}')
            yield copy
        finally:
            self.copies.remove(copy)
            shutil.rmtree(copy)

    def edit(self, path: str, old: str, new: str) -> None:
        """Slowly, since a watcher joins what comes at once; whole, since it may read at any moment."""
        time.sleep(0.3)
        for copy in self.copies:
            file, part = copy / path, copy.with_suffix(".part")
            text = file.read_text()
            assert old in text, f"{path} has no {old!r}"
            part.write_text(text.replace(old, new))
            part.replace(file)


@contextmanager
def _vite(folder: Path, api: str) -> Iterator[str]:
    port = free_port()
    words = ("--host", "127.0.0.1", "--port", str(port), "--strictPort", "--clearScreen", "false")
    command = (str(js_build.node()), str(js_build.vite()), *words)
    with running(*command, cwd=folder, env={"API": api}, port=port, timeout=30):
        yield f"http://127.0.0.1:{port}"


def _arrive(visit: Visit, name: str, heading: str, path: str, *texts: str) -> None:
    """Waits until a page shows what it shall and has come to rest, then notes it."""
    expect(visit.page.locator("h1")).to_have_text(heading)
    for text in texts:
        expect(visit.page.locator("body")).to_contain_text(text)
    _rest(visit, path)
    visit.step(name)


def _rest(visit: Visit, path: str) -> None:
    """The address is the page's, and its text the same three times in a row; what never rests, the comparison tells."""
    texts: list[str] = []
    for _ in range(50):
        texts.append(visit.page.locator("body").inner_text())
        if visit.below(visit.page.url) == path and texts[-3:] == [texts[-1]] * 3:
            return
        visit.page.wait_for_timeout(100)


def _link(visit: Visit, text: str) -> None:
    visit.page.get_by_role("link", name=text, exact=True).click()


def _search(visit: Visit, text: str) -> None:
    visit.page.get_by_placeholder("Name").fill(text)
    visit.page.get_by_role("button", name="Search").click()


def _pictures(visit: Visit, at_least: int) -> None:
    """Every picture of the page has come, those that scripts made among them."""
    visit.page.wait_for_function(
        "least => document.images.length >= least && [...document.images].every(i => i.complete && i.naturalWidth)",
        arg=at_least,
    )


def _walk(visit: Visit, about: str = "") -> None:
    """What the list-and-details applications have in common."""
    _link(visit, "List")
    _arrive(visit, "the list, by a link", "List", "/list", "3 found")
    _pictures(visit, 4)
    _link(visit, "Tom the cat")
    _arrive(visit, "details, by a link", "Tom the cat", "/list/1", "Number 1")
    _pictures(visit, 2)
    visit.page.go_back()
    _arrive(visit, "back", "List", "/list", "3 found")
    visit.page.go_forward()
    _arrive(visit, "forward", "Tom the cat", "/list/1", "Number 1")
    visit.page.reload()
    _arrive(visit, "reloaded", "Tom the cat", "/list/1", "Number 1")
    _link(visit, "About")
    _arrive(visit, "a lazy chunk", "About", "/about", about)
    assert visit.page.locator("h1").evaluate("h => getComputedStyle(h).letterSpacing") == "3px", "a lazy style sheet"
    _link(visit, "The dog")
    _arrive(visit, "an ordinary link", "Rex the dog", "/list/2", "Number 2")
    visit.open("/list/3")
    _arrive(visit, "a deep link", "Ada the carp", "/list/3", "Number 3")


def _new_tab(visit: Visit, text: str, heading: str, path: str) -> None:
    """The middle button: no script of the application sees such a click."""
    with visit.context.expect_page() as opened:
        visit.page.get_by_role("link", name=text, exact=True).click(button="middle")
    tab = opened.value
    expect(tab.locator("h1")).to_have_text(heading)
    tab.wait_for_url(visit.base + path)
    tab.close()


def _roam(visit: Visit, about: str = "") -> None:
    """From where `_walk` ends: other tabs, other sites, and addresses that scripts set."""
    _new_tab(visit, "About", "About", "/about")
    visit.page.goto("about:blank")
    visit.page.go_back()
    _arrive(visit, "back from another site", "Ada the carp", "/list/3", "Number 3")
    visit.page.evaluate("location.hash = '#end'")
    _arrive(visit, "a place within the page", "Ada the carp", "/list/3#end", "Number 3")
    _link(visit, "List")
    _arrive(visit, "a link from there", "List", "/list", "3 found")
    visit.page.go_back()
    _arrive(visit, "back to the place", "Ada the carp", "/list/3#end", "Number 3")
    visit.page.evaluate("location.assign('/about')")
    _arrive(visit, "an address set by a script", "About", "/about", about)
    visit.open("/list/3")
    _arrive(visit, "a deep link again", "Ada the carp", "/list/3", "Number 3")


def use_react(visit: Visit) -> None:
    visit.open("/")
    _arrive(visit, "home", "Home", "/", "Ticks: one two three")
    _walk(visit, "A worker counted 6.")
    _roam(visit, "A worker counted 6.")
    _link(visit, "All pets")
    _arrive(visit, "a link from a string of HTML", "List", "/list", "3 found")
    _search(visit, "dog")
    _arrive(visit, "a search", "List", "/list?q=dog", "1 found")
    visit.page.reload()
    _arrive(visit, "the search, reloaded", "List", "/list?q=dog", "1 found")
    visit.open("/about")
    _arrive(visit, "a lazy page, deep", "About", "/about", "A worker counted 6.")
    visit.open("/no/such/page")
    _arrive(visit, "no such page", "No such page", "/no/such/page")


def use_data(visit: Visit) -> None:
    visit.open("/")
    _arrive(visit, "home", "Home", "/")
    _link(visit, "Notes")
    _arrive(visit, "a loader, by a link", "Notes", "/notes", "0 kept")
    for number, text in enumerate(("milk", "bread"), 1):
        visit.page.get_by_placeholder("Text").fill(text)
        visit.page.get_by_role("button", name="Add").click()
        _arrive(visit, f"an action with {text}", "Notes", "/notes", f"{number} kept")
    visit.page.reload()
    _arrive(visit, "a loader, reloaded", "Notes", "/notes", "2 kept")
    _link(visit, "The cat")
    _arrive(visit, "a loader with a parameter", "Tom the cat", "/pets/1")
    _pictures(visit, 2)
    visit.page.go_back()
    _arrive(visit, "back", "Notes", "/notes", "2 kept")
    visit.page.go_forward()
    _arrive(visit, "forward", "Tom the cat", "/pets/1")
    _link(visit, "About")
    _arrive(visit, "a lazy route", "About", "/about")
    _link(visit, "Nobody")
    _arrive(visit, "a loader that throws", "Nobody of that number", "/pets/99")
    visit.open("/old")
    _arrive(visit, "a loader that redirects", "Notes", "/notes", "2 kept")
    visit.open("/about")
    _arrive(visit, "a lazy route, deep", "About", "/about")
    visit.open("/pets/2")
    _arrive(visit, "a loader, deep", "Rex the dog", "/pets/2")


def use_vue(visit: Visit) -> None:
    visit.open("/")
    _arrive(visit, "home", "Home", "/")
    _pictures(visit, 2)
    _walk(visit)
    _roam(visit)
    _link(visit, "All pets")
    _arrive(visit, "a link from a string of HTML", "List", "/list", "3 found")
    _search(visit, "carp")
    _arrive(visit, "a search", "List", "/list?q=carp", "1 found")
    visit.open("/old")
    _arrive(visit, "a route that redirects", "List", "/list", "3 found")
    visit.open("/no/such/page")
    _arrive(visit, "no such page", "No such page", "/no/such/page")


SILENCED = """document.addEventListener("DOMContentLoaded", () => {
  const sheet = document.head.appendChild(document.createElement("style"))
  sheet.textContent = "#svelte-announcer { display: none }"
})"""


def use_svelte(visit: Visit) -> None:
    """What SvelteKit says to screen readers only, and only after a move without a load, is no visible text."""
    visit.page.add_init_script(SILENCED)
    visit.open("/")
    _arrive(visit, "home", "Home", "/", "Written before anybody asked.")
    _pictures(visit, 2)
    _walk(visit)
    visit.open("/list")
    _arrive(visit, "a page written before, deep", "List", "/list", "3 found")
    _link(visit, "Ada the carp")
    _arrive(visit, "details from there", "Ada the carp", "/list/3", "Number 3")
    visit.page.reload()
    _arrive(visit, "those, reloaded", "Ada the carp", "/list/3", "Number 3")


DEV = DevServer("react")


def use_dev(visit: Visit) -> None:
    use_react(visit)
    visit.open("/list")
    _arrive(visit, "before an edit", "List", "/list", "3 found")
    visit.page.get_by_placeholder("Name").fill("kept while edited")
    visit.page.evaluate("window.untouched = true")
    DEV.edit("src/pages/List.jsx", "<h1>List</h1>", "<h1>All of them</h1>")
    _arrive(visit, "after an edit", "All of them", "/list", "3 found")
    assert visit.page.evaluate("window.untouched"), "the page was loaded anew instead of changed"
    assert visit.page.get_by_placeholder("Name").input_value() == "kept while edited"
    DEV.edit("src/pages/List.jsx", "<h1>All of them</h1>", "<h1>List</h1>")
    _arrive(visit, "after the edit was taken back", "List", "/list", "3 found")
    DEV.edit("src/main.css", "margin-right: 1em", "margin-right: 2em")
    visit.page.wait_for_function("getComputedStyle(document.querySelector('nav a')).marginRight === '32px'")
    DEV.edit("src/main.css", "margin-right: 2em", "margin-right: 1em")
    visit.page.wait_for_function("getComputedStyle(document.querySelector('nav a')).marginRight === '16px'")
    assert visit.page.evaluate("window.untouched"), "the page was loaded anew for a style sheet"


APPS: tuple[App, ...] = (
    App("react", "Vite build, React Router's `BrowserRouter`", _site("react"), use_react),
    App("react-data", "Vite build, React Router's data router", _site("data"), use_data),
    App("vue", "Vite build, Vue Router with `createWebHistory()`", _site("vue"), use_vue),
    App("vite-dev", "Vite dev server with hot module replacement", DEV.start, use_dev, mount={"router": "flip"}),
    App("sveltekit", "SvelteKit static export", _site("svelte", "200.html"), use_svelte, mount={"router": "flip"}),
)
