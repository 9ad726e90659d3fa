"""What scripts ask for from the root, found by tokens; what only looks like it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.trial.scripts as scripts

OWN = "http://127.0.0.1:8000"


def met(script: str) -> list[str]:
    return [each.channel for each in scripts.read(script, OWN)]


@pytest.mark.parametrize(
    ("script", "channel"),
    [
        pytest.param('import "/a.js"', "J1", id="an import for its effects"),
        pytest.param("import x from '/a.js'", "J1", id="an import"),
        pytest.param('export * from "/a.js"', "J1", id="an export from"),
        pytest.param('await import("/a.js")', "J1", id="an import at run time"),
        pytest.param("fetch('/api')", "J3", id="fetch"),
        pytest.param("fetch(`/api/${id}`)", "J3", id="fetch with a template"),
        pytest.param('fetch("/api/" + id)', "J3", id="fetch with a sum"),
        pytest.param('window.fetch("\\/api")', "J3", id="with an escape"),
        pytest.param('new Request("/api")', "J3", id="a request"),
        pytest.param('e.open("GET","/api",!0)', "J4", id="XMLHttpRequest"),
        pytest.param('axios.get("/api")', "J4", id="axios"),
        pytest.param('$.ajax("/api")', "J4", id="jQuery"),
        pytest.param('new WebSocket("/live")', "J5", id="a WebSocket"),
        pytest.param('new EventSource("/events")', "J6", id="an EventSource"),
        pytest.param('navigator.sendBeacon("/log", x)', "J6", id="a beacon"),
        pytest.param('new Worker("/w.js")', "J7", id="a worker"),
        pytest.param('importScripts("/w.js")', "J7", id="scripts of a worker"),
        pytest.param('navigator.serviceWorker.register("/sw.js")', "J8", id="a service worker"),
        pytest.param('location.href="/login"', "J9", id="another page by href"),
        pytest.param('window.location = "/login"', "J9", id="another page by location"),
        pytest.param('location.assign("/login")', "J9", id="assign"),
        pytest.param('window.location.replace("/login")', "J9", id="replace"),
        pytest.param('navigation.navigate("/x")', "J9", id="the Navigation API"),
        pytest.param("const p = location.pathname", "J10", id="reading the path"),
        pytest.param("const {pathname: p, hash} = window.location", "J10", id="taking it apart"),
        pytest.param('history.pushState({a:"b"}, "", "/list")', "J11", id="an address by history"),
        pytest.param('window.open("/print")', "J13", id="a window"),
        pytest.param("el.innerHTML = '<a href=\"/x\">x</a>'", "J14", id="markup by a property"),
        pytest.param("document.write('<script src=\"/x.js\"><\\/script>')", "J14", id="markup by a call"),
        pytest.param('img.src = "/x.png"', "J15", id="an element's property"),
        pytest.param('el.setAttribute("href", "/x")', "J15", id="an attribute"),
        pytest.param('jsx("img",{src:"/vite.svg",className:"logo"})', "J15", id="an element of a framework"),
        pytest.param('new Image("/x.png")', "J15", id="an image"),
        pytest.param('n.p="/assets/"', "J16", id="webpack's public path"),
        pytest.param('const f=function(e){return"/"+e}', "J16", id="Vite's preloads"),
        pytest.param('const logo="/assets/logo-3f2a91bc.svg"', "J16", id="an asset's address"),
        pytest.param(f'x = "{OWN}/api"', "own", id="the origin's own address"),
        pytest.param('fetch(new URL("/api", location))', "J17", id="a URL built from the root"),
        pytest.param('fetch(location.origin + "/api")', "J3", id="with the page's own origin before it"),
        pytest.param("f.srcdoc = '<img src=/x>'", "J25", id="the page of a frame"),
        pytest.param("s.textContent = 'a{background:url(/x.png)}'", "C9", id="a style sheet"),
        pytest.param("s.replaceSync(`@import '/x.css'`)", "C9", id="an import of one"),
        pytest.param("m.content = '0; url=/x'", "J9", id="a refresh"),
        pytest.param("cookieStore.get('a')", "J18", id="the cookie store"),
        pytest.param("document.cookie = 'a=b'", "J18", id="cookies"),
        pytest.param("localStorage.setItem('a','b')", "J19", id="storage"),
        pytest.param('io("/chat")', "J21", id="socket.io"),
        pytest.param('a=b/2;fetch("/api")//x/', "J3", id="after a division"),
        pytest.param('x.test(/["/]/);fetch("/api")', "J3", id="after a regular expression with a quote"),
        pytest.param('`${a?`"${b}"`:"}"}`;fetch("/api")', "J3", id="after templates in templates"),
        pytest.param("it's\nfetch('/api')", "J3", id="after a string without an end"),
    ],
)
def test_what_asks_from_the_root(script: str, channel: str) -> None:
    assert met(script) == [channel]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param('// fetch("/api")', id="a comment"),
        pytest.param('/* fetch("/api") */', id="a long comment"),
        pytest.param("\"fetch('/api')\"", id="text in a string"),
        pytest.param("`fetch('/api')`", id="text in a template"),
        pytest.param("x = /fetch('a')/.test(y)", id="a regular expression"),
        pytest.param('fetch("api")', id="a relative URL"),
        pytest.param('fetch("//cdn.example/x")', id="another host"),
        pytest.param('fetch("https://cdn.example/x")', id="another site"),
        pytest.param('fetch(base + "/api")', id="what follows something else"),
        pytest.param('routes = [{path: "/login"}]', id="a router's path"),
        pytest.param('path.replace("/x", "")', id="a string's replace"),
        pytest.param(
            'location.pathname.replace; x.replace("/a","/b")'.replace("location.pathname.replace; ", ""), id="no"
        ),
        pytest.param('location.hash = "/list"', id="what follows #"),
        pytest.param('location.pathname = "x"', id="writing the path is not reading it"),
        pytest.param('data.register("/x")', id="another register"),
        pytest.param('file.open("/x")', id="another open"),
        pytest.param("localStorage", id="naming a storage"),
        pytest.param("app.localStorage.setItem('a')", id="another's storage"),
        pytest.param('x = "/"', id="a slash"),
        pytest.param('text = "<a href=/x>"', id="markup that is not written"),
    ],
)
def test_what_only_looks_like_it(script: str) -> None:
    assert met(script) == []


def test_where_it_is() -> None:
    script = "let a = 1;\n\n  fetch('/api');\nlocation.pathname; location.pathname"
    found = list(scripts.spots(script, "/app.js", OWN))
    assert [(each.channel, each.line, each.column) for each in found] == [("J3", 3, 9), ("J10", 4, 10)]
    assert found[0].text == "fetch('/api')"
    inline = list(scripts.spots("fetch('/a')", "/", OWN, line=7, column=12, inline="onclick"))
    assert [(each.line, each.column, each.text) for each in inline] == [(7, 18, "onclick: fetch('/a')")]


def test_what_a_module_imports() -> None:
    script = 'import a from "./a.js"; import("../b.js"); new Worker("/w.js"); import c from "react"; fetch("/x")'
    assert scripts.imports(script) == ["./a.js", "../b.js", "/w.js", "react"]


@given(st.text(alphabet="/'\"`${}()[]\\*\n =+a.<>!#", max_size=200))
def test_any_text_is_read_to_its_end(script: str) -> None:
    assert all(each.at < len(script) for each in scripts.read(script, OWN))


@pytest.mark.parametrize(
    "part",
    ["/*", '\\"', "'", "`${", "(/[", "/", '"/x"', "a.", "<a ", "(", "}", "\\", "/a", "return/"],
    ids=lambda part: repr(part),
)
def test_effort_grows_with_length_only(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters that patterns look at, counted by where matches are tried and end, not by a clock."""

    def looked_at(length: int) -> int:
        seen = 0

        class Counting:
            def __init__(self, pattern: object) -> None:
                self.pattern = pattern

            def match(self, text: str, at: int = 0) -> object:
                nonlocal seen
                found = self.pattern.match(text, at)  # type: ignore[attr-defined]
                seen += (found.end() - at if found else text.find("\n", at) % (len(text) + 1) - at) + 1
                return found

        with monkeypatch.context() as patched:
            for name in ("_TOKEN", "_REGEX", "_TEMPLATE"):
                patched.setattr(scripts, name, Counting(getattr(scripts, name)))
            list(scripts.read(part * length, OWN))
        return seen

    assert looked_at(800) < 9 * looked_at(200) / 2
