"""The walk follows what a browser would follow, stays on its site, and tells who named what."""

import asyncio

import httpx
import pytest

import gateway.walk as walk

SITE = {
    "/": (
        "text/html; charset=utf-8",
        '<link rel=stylesheet href="/a.css"><a href="/deep/#top">x</a><a href="/gone">y</a>',
    ),
    "/a.css": ("text/css", '@import "b.css"; p { background: url(/pictures/a.png) }'),
    "/b.css": ("text/css", ""),
    "/pictures/a.png": ("image/png", "<a href='/not-read'>"),
    "/deep/": (
        "text/html",
        '<a href="../">home</a><a href="https://other.example/">out</a><a href="mailto:a@b">m</a>',
    ),
}


def answer(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/moved":
        return httpx.Response(308, headers={"Location": "/deep/"})
    if request.url.path == "/cut":
        raise httpx.ReadError("cut short")
    if request.url.path not in SITE:
        return httpx.Response(404, headers={"Content-Type": "text/html"}, text='<a href="/from-an-error">x</a>')
    kind, text = SITE[request.url.path]
    return httpx.Response(200, headers={"Content-Type": kind}, text=text)


def walked(start: str, limit: int = 200) -> list[walk.Step]:
    async def go() -> list[walk.Step]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await walk.walk(client, start, limit)

    return asyncio.run(go())


def test_it_visits_each_address_of_the_site_once_breadth_first() -> None:
    paths = [httpx.URL(step.url).path for step in walked("http://portal/")]
    assert paths == ["/", "/a.css", "/deep/", "/gone", "/b.css", "/pictures/a.png"]


def test_a_step_tells_who_named_it_and_how_it_answered() -> None:
    steps = {httpx.URL(step.url).path: step for step in walked("http://portal/")}
    assert steps["/gone"] == walk.Step("http://portal/gone", "http://portal/", 404, "text/html")
    assert [path for path, step in steps.items() if not step.good] == ["/gone"]


def test_it_ends_at_the_limit() -> None:
    assert len(walked("http://portal/", limit=2)) == 2


def test_a_redirect_counts_as_what_it_leads_to() -> None:
    first, *rest = walked("http://portal/moved")
    assert first.good
    assert "http://portal/" in [step.url for step in rest]


def test_no_answer_is_a_step_with_a_fault() -> None:
    (step,) = walked("http://portal/cut")
    assert (step.status, step.good, step.fault) == (0, False, "ReadError: cut short")


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        pytest.param('<a href="b">', {"http://s/p/b"}, id="a relative link counts from its page"),
        pytest.param('<base href="/q/"><a href="b">', {"http://s/q/b"}, id="unless the page says otherwise"),
        pytest.param('<img src="/a" srcset="/b 1x, /c 2x">', {"http://s/a", "http://s/b", "http://s/c"}, id="srcset"),
        pytest.param('<script type="module" src="/m.js"></script>', {"http://s/m.js"}, id="scripts"),
        pytest.param('<link rel="preconnect" href="/x">', set(), id="a preconnect is not fetched"),
        pytest.param('<link rel="modulepreload" href="/x">', {"http://s/x"}, id="a preload is"),
        pytest.param("<p style=\"background: url('/x')\">", {"http://s/x"}, id="style attributes"),
        pytest.param("<style>p{background:url(/x)}</style>", {"http://s/x"}, id="style elements"),
        pytest.param("<style>/* url(/x) */</style>", set(), id="not comments in them"),
        pytest.param("<svg><use href='/i.svg#a'/></svg>", {"http://s/i.svg"}, id="parts of pictures"),
        pytest.param('<form action="/x">', set(), id="a form is not a link"),
        pytest.param('<a href="data:text/plain,x">', set(), id="nor is data"),
        pytest.param('<a href="#here">', {"http://s/p/"}, id="a place on the page is the page"),
    ],
)
def test_links_of_a_page(markup: str, expected: set[str]) -> None:
    assert walk.links(markup, "http://s/p/", "text/html") == expected


def test_text_of_other_kinds_names_nothing() -> None:
    assert walk.links('<a href="/x">', "http://s/", "application/json") == set()


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        pytest.param("<p>Ask</p> <b>for more</b>", "Ask for more", id="words, one blank between"),
        pytest.param("<style>p{}</style><script>x</script>A", "A", id="no code"),
        pytest.param("<template>hidden</template>A", "A", id="no templates"),
        pytest.param('<div><template shadowrootmode="open">A</template></div>', "A", id="but shadow roots"),
    ],
)
def test_words(markup: str, expected: str) -> None:
    assert walk.words(markup) == expected


@pytest.mark.parametrize(
    ("piece", "expected"),
    [
        pytest.param("<p>x</p><h2>Deals <b>today</b></h2><h3>no</h3>", "Deals today", id="its first heading"),
        pytest.param("<p>three words here</p>", "three words here", id="else its first words"),
    ],
)
def test_headline(piece: str, expected: str) -> None:
    assert walk.headline(piece) == expected


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        pytest.param('<mf-slot name="a.b"></mf-slot><mf-slot required name="c">', ["a.b", "c"], id="elements"),
        pytest.param('<!--mf:slot name="a"-->', ["a"], id="comments"),
        pytest.param('<template mf-slot="a"></template>', ["a"], id="templates"),
        pytest.param('<input name="a">', [], id="nothing else"),
    ],
)
def test_slots(shell: str, expected: list[str]) -> None:
    assert walk.slots(shell) == expected
