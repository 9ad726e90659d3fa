"""What strangers, teams and chance try on composed pages: other viewers' words, bombs, leaks, and pages cut short."""

import asyncio
import gc
import gzip
import random
import warnings
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from gateway.message import Request
from gateway.store.base import Purge
from gateway.table import Origin
from gateway.telemetry.facts import Served
from gateway.transport.pool import Pool
from gateway.transport.resolve import Resolver
from tests.gateway.proxy.playbook import Answers, Reply, html, kept, manifest, playing, until
from tests.gateway.proxy.test_compose import Slow, inside, says, shell, team
from tests.gateway.proxy.test_slots import AFTER, BEFORE, degraded, hinted, page, slot, soft
from tests.kit.origin import html as answered
from tests.kit.origin import serving

pytestmark = pytest.mark.anyio

NAVIGATES = ("sec-fetch-mode", "navigate")
ESI: dict[str, Any] = {
    "team": "shell",
    "upstreams": {"shell": {"origins": ["http://shell.test"], "dialects": ["esi"]}},
    "mounts": {"/": {"upstream": "shell", "composes": True}},
}


def told(name: str) -> Callable[[Request], str]:
    """What a request says in a field."""
    return lambda request: request.index.get(name.encode(), b"nobody").decode()


async def never(_: Request) -> Reply:
    await asyncio.sleep(60)
    return html("")


# One viewer's words are no other's


async def test_a_personal_piece_in_a_shared_one() -> None:
    who = told("cookie")
    origins: dict[str, Answers] = {
        "shell": lambda _: kept('<p><mf-slot name="a.box" required></mf-slot>'),
        "a": lambda _: kept("<i>" + slot("b.box")),
        "b": lambda request: kept("<b>" + who(request)),
    }
    teams = [team("a", composes=True), team("b", forward={"cookies": ["sid"]})]
    async with playing([shell(), *teams], origins) as play:
        for target in ("/", "/-/fragment/a.box"):
            for name in ("sid=alice", "sid=bob", "sid=alice"):
                got = await play.get(target, ("cookie", name))
                assert f"<b>{name}</b>" in got.text
                assert got.get("cache-control") == "private, no-cache"
            assert "<b>nobody</b>" in (await play.get(target)).text


@pytest.mark.parametrize(
    ("field", "more"),
    [
        pytest.param("x-currency", {"forward": {"headers": ["X-Currency"]}}, id="a field its manifest names"),
        pytest.param("accept-language", {}, id="a field its answer names"),
    ],
)
async def test_a_piece_by_a_field_in_a_shared_one(field: str, more: dict[str, Any]) -> None:
    says_it = told(field)
    origins: dict[str, Answers] = {
        "shell": lambda _: kept("<p>" + slot("a.box")),
        "a": lambda _: kept("<i>" + slot("b.box")),
        "b": lambda request: html("<b>" + says_it(request), ("cache-control", "max-age=60"), ("vary", field)),
    }
    async with playing([shell(), team("a", composes=True), team("b", **more)], origins) as play:
        for target in ("/", "/-/fragment/a.box"):
            for value in ("one", "two", "one"):
                got = await play.get(target, (field, value))
                assert f"<b>{value}</b>" in got.text
                nobody_keeps_it = got.get("cache-control") == "private, no-cache"
                assert nobody_keeps_it or field in (got.get("vary") or "").lower()


def avatar(of: Callable[[Request], str]) -> Answers:
    return lambda request: html(f"<link rel=preload as=image href=/{of(request)}.jpg><b>x")


async def test_hints_of_a_page_that_is_one_viewers() -> None:
    """Its shell says who it is for, so what its pieces load does, too."""

    def shells(request: Request) -> Reply:
        mine = slot("a.box", "who=alice") if "alice" in told("cookie")(request) else ""
        return html(BEFORE + mine + AFTER, ("cache-control", "private, max-age=10"))

    origins: dict[str, Answers] = {"shell": shells, "a": avatar(lambda request: request.target.decode()[-5:])}
    async with playing([shell(), team("a")], origins) as play:
        await play.get("/", ("cookie", "user=alice"))
        assert await hinted(play, NAVIGATES) == []


@pytest.mark.parametrize("more", [(), (("vary", "Cookie"),)], ids=["that says nothing", "that varies"])
async def test_hints_of_a_shell_by_cookies(more: tuple[tuple[str, str], ...]) -> None:
    """Applications that know their visitors by a cookie seldom say so; what the cache would not share is not told."""

    def shells(request: Request) -> Reply:
        mine = slot("a.box", "who=alice") if "alice" in told("cookie")(request) else ""
        return html(BEFORE + mine + AFTER, *more)

    origins: dict[str, Answers] = {"shell": shells, "a": avatar(lambda request: request.target.decode()[-5:])}
    async with playing([shell(), team("a")], origins) as play:
        await play.get("/", ("cookie", "user=alice"))
        assert await hinted(play, NAVIGATES) == []


async def test_hints_of_a_piece_by_a_field() -> None:
    origins: dict[str, Answers] = {"shell": page(slot("a.box")), "a": avatar(told("x-user"))}
    async with playing([shell(), team("a", forward={"headers": ["X-User"]})], origins) as play:
        await play.get("/", ("x-user", "alice"))
        assert await hinted(play, NAVIGATES) == []


async def test_a_redirect_is_no_more_cacheable_than_the_shell_that_asked_for_it() -> None:
    moved = Reply(b"", 301, [("location", "/users/alice"), ("cache-control", "public, max-age=3600"), ("etag", '"x"')])
    origins: dict[str, Answers] = {
        "shell": lambda _: html(slot("a.box", "primary who=alice"), ("cache-control", "private, max-age=10")),
        "a": lambda _: moved,
    }
    async with playing([shell(), team("a")], origins) as play:
        got = await play.get("/")
        assert (got.status, got.get("location")) == (301, "/a/users/alice")
        assert "public" not in (got.get("cache-control") or "public")
        assert got.get("etag") is None


async def test_a_kept_page_rests_on_the_answers_it_was_made_of() -> None:
    """One that was begun before a purge, and ends after it, is nobody else's."""
    first, second = asyncio.Event(), asyncio.Event()
    turns = iter((first, second))
    version = ["one"]

    async def a(_: Request) -> Reply:
        await next(turns).wait()
        return kept("<b>a")

    origins: dict[str, Answers] = {"shell": lambda _: kept(f"<p>{version[0]}" + slot("a.box", "required")), "a": a}
    async with playing([shell(), team("a", timeout="30s")], origins, deadline=30) as play:
        before = asyncio.create_task(play.get("/"))
        await until(lambda: len(play.seen) == 2)
        version[0] = "two"
        assert play.cache.purge(Purge("team", "shell")) == 1
        after = asyncio.create_task(play.get("/"))
        await until(lambda: len(play.seen) == 4)
        second.set()
        assert "<p>two" in (await after).text
        first.set()
        assert "<p>one" in (await before).text
        assert "<p>two" in (await play.get("/")).text


async def test_a_page_with_an_alternative_is_not_kept_in_place_of_the_first() -> None:
    text = '<!doctype html><esi:try><esi:attempt><esi:include src="/a/x" alt="/b/x"/></esi:attempt></esi:try>'
    origins: dict[str, Answers] = {
        "shell": lambda _: kept(text),
        "a": says("", status=500),
        "b": lambda _: kept("<b>instead"),
    }
    async with playing([ESI, team("a"), team("b")], origins) as play:
        assert "instead" in (await play.get("/")).text
        play.origins["a"] = says("<b>good")
        assert "good" in (await play.get("/")).text


# What is worked out once is worked out of everything it depends on


@pytest.mark.parametrize("what", ["shell", "a"])
async def test_a_charset_that_is_mended(what: str) -> None:
    kind = ["text/html; charset=utf-8"]

    def answer(_: Request) -> Reply:
        return Reply(f"<b>ж</b>{slot('a.box')}".encode("koi8-r"), 200, [("content-type", kind[0])])

    origins: dict[str, Answers] = {"shell": page(slot("a.box")), "a": says("<b>x"), what: answer}
    async with playing([shell(), team("a")], origins) as play:
        assert "ж" not in (await play.get("/")).text
        kind[0] = "text/html; charset=koi8-r"
        assert "<b>ж</b>" in (await play.get("/")).text


async def test_the_same_bytes_are_no_piece_as_json() -> None:
    kind = ["text/html"]
    origins: dict[str, Answers] = {
        "shell": page(slot("a.box")),
        "a": lambda _: Reply(b"<b>x", 200, [("content-type", kind[0])]),
    }
    async with playing([shell(), team("a")], origins) as play:
        assert "<b>x</b>" in (await play.get("/")).text
        kind[0] = "application/json"
        assert "fallback of a.box" in (await play.get("/")).text


async def test_the_same_shell_below_two_mounts_has_two_deadlines() -> None:
    mount = {"upstream": "shell", "composes": True, "runtime": "off"}
    mounts = {"/fast": {**mount, "deadline": "50ms"}, "/slow": mount}
    origins: dict[str, Answers] = {"shell": page(slot("a.box", "required")), "a": lambda _: html("<b>a", delay=0.15)}
    async with playing([manifest("shell", mounts=mounts), team("a")], origins) as play:
        assert (await play.get("/fast/x")).status >= 500
        assert (await play.get("/slow/x")).status == 200


# Budgets


async def test_pieces_that_are_kept_are_no_bomb() -> None:
    """Two levels of a hundred from the cache would be a page of ten thousand, four of them the end of the worker."""
    below = {"a": slot("b.box") * 30, "b": slot("c.box") * 30, "c": "<p>c"}
    origins: dict[str, Answers] = {"shell": page(slot("a.box"))}
    for name, markup in below.items():
        origins[name] = lambda _, markup=markup: kept(markup)  # type: ignore[misc]
    async with playing([shell(), *(team(name, composes=True) for name in "abc")], origins) as play:
        for name in "cba":
            await play.get(f"/-/fragment/{name}.box")
        play.facts.clear()
        got = await play.get("/")
        assert got.text.count("<p>c") <= 100
        assert len(degraded(play)) <= 100


async def test_kept_pieces_of_which_one_slot_is_not_here_are_no_bomb() -> None:
    """What was put together in vain is counted, too: each level holds a slot at its end that must be fetched."""
    below = {"a": "b", "b": "c", "c": "d"}
    origins: dict[str, Answers] = {"shell": page(slot("a.box")), "d": lambda _: kept("<p>d"), "x": says("<i>x")}
    for name, other in below.items():
        markup = slot(f"{other}.box") * 9 + slot("x.box")
        origins[name] = lambda _, markup=markup: kept(markup)  # type: ignore[misc]
    async with playing([shell(), team("x"), *(team(name, composes=True) for name in "abcd")], origins) as play:
        for name in "dcba":
            await play.get(f"/-/fragment/{name}.box")
        play.facts.clear()
        got = await play.get("/")
        assert got.status == 200
        assert len(degraded(play)) <= 200


async def test_alternatives_are_fetches_of_a_page_too() -> None:
    many = "".join(slot("a.box", f"n={number}") for number in range(100))
    origins: dict[str, Answers] = {"shell": page(many), "a": says("", status=500)}
    async with playing([shell(), team("a", alternative="/other")], origins) as play:
        await play.get("/")
        assert len(play.seen) <= 1 + 100


def attempts(deep: int, wide: int) -> str:
    """An attempt that fails, in whose place stands another."""
    tried = "".join(f'<esi:include src="/a/x?{deep}-{number}"/>' for number in range(wide))
    instead = attempts(deep - 1, wide) if deep else "end"
    return f"<esi:try><esi:attempt>{tried}</esi:attempt><esi:except>{instead}</esi:except></esi:try>"


async def test_attempts_are_fetches_of_a_page_too() -> None:
    origins: dict[str, Answers] = {"shell": says("<!doctype html>" + attempts(8, 90)), "a": says("", status=500)}
    async with playing([ESI, team("a")], origins) as play:
        assert (await play.get("/")).text == "<!doctype html>end"
        assert len(play.seen) <= 1 + 100


async def test_attempts_are_within_the_deadline_of_their_page() -> None:
    origins: dict[str, Answers] = {"shell": says("<!doctype html>" + attempts(5, 1)), "a": never}
    async with playing([ESI, team("a")], origins, deadline=0.1) as play:
        got = await play.get("/")
        assert got.text == "<!doctype html>end"
        assert got.seconds < 0.45  # one after another, each with a deadline of its own, they would take 0.6


async def test_alternatives_of_one_another_come_to_an_end() -> None:
    origins: dict[str, Answers] = {
        "shell": page(slot("a.box")),
        "a": says("", status=500),
        "b": says("<i>b" + slot("a.box") * 3 + slot("b.box") * 3),
    }
    teams = [team("a", alternative="b.box", composes=True), team("b", alternative="a.box", composes=True)]
    async with playing([shell(), *teams], origins) as play:
        got = await play.get("/")
        assert got.status == 200
        assert len(play.seen) <= 1 + 100


# Time


@pytest.mark.parametrize(
    ("attributes", "deadline"),
    [
        pytest.param("", 0.15, id="of the page"),
        pytest.param("timeout=150ms", 3.0, id="of its slot"),
    ],
)
async def test_what_hangs_inside_a_piece_does_not_take_it_along(attributes: str, deadline: float) -> None:
    """At the end of the time that both have, what is here is shown."""
    origins: dict[str, Answers] = {
        "shell": page(slot("a.box", attributes)),
        "a": says("<b>a</b>" + slot("b.box")),
        "b": says("<b>b</b>" + slot("c.box")),
        "c": never,
    }
    teams = [team("a", composes=True), team("b", composes=True), team("c", timeout="30s")]
    async with playing([shell(), *teams], origins, deadline=deadline) as play:
        for _ in range(3):
            got = await play.get("/")
            assert "<b>a</b>" in got.text
            assert "<b>b</b>" in got.text
            assert "fallback of c.box" in got.text


# Connections and streams


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        pytest.param("application/octet-stream", 10, id="what is no page"),
        pytest.param("text/html", 2 << 20, id="a page that is too long"),
    ],
)
async def test_who_asks_for_the_outline_of_anything_holds_no_connection(kind: str, size: int) -> None:
    origins: dict[str, Answers] = {"shell": lambda _: Reply([b"x" * size, b"y"], headers=[("content-type", kind)])}
    async with playing([soft(soft=True)], origins) as play:
        assert (await play.get("/-/slots/big")).status == 404
        assert [body.closed for body in play.bodies] == [True]


@pytest.mark.parametrize("attributes", ["", "late"])
async def test_each_piece_is_seen_at_once_through_gzip(attributes: str) -> None:
    first, second = Slow("<b>first</b>"), Slow("<b>second</b>")
    origins: dict[str, Answers] = {
        "shell": page(slot("a.box", attributes) + slot("b.box", attributes)),
        "a": first,
        "b": second,
    }
    teams = [team(name, timeout="30s") for name in "ab"]
    async with playing([shell(), *teams], origins, deadline=30) as play:
        got, response = await play.open("/", ("accept-encoding", "gzip"))
        assert got.get("etag") is None
        assert got.get("content-length") is None
        assert not isinstance(response.body, bytes)
        unzip = zlib.decompressobj(31)
        unzip.decompress(await response.body.read())
        first.go.set()
        assert b"<b>first</b>" in unzip.decompress(await response.body.read())
        second.go.set()
        assert b"<b>second</b>" in unzip.decompress(await response.body.read())
        while chunk := await response.body.read():
            unzip.decompress(chunk)
        assert unzip.eof


async def test_a_defect_of_one_slot_is_not_the_pages() -> None:
    def defect(_: Request) -> Reply:
        raise ValueError("a defect")

    slots = slot("a.box") + slot("b.box")
    origins: dict[str, Answers] = {"shell": page(slots), "a": defect, "b": lambda _: html("<b>b", delay=0.05)}
    async with playing([shell(), team("a"), team("b")], origins) as play:
        got = await play.get("/")
        assert got.status == 200
        assert inside(got.text, "a.box") == "<i>fallback of a.box</i>"
        assert got.text.endswith("</html>")


# Sheets that hold in slots


async def test_only_who_reads_asks_for_a_scoped_sheet() -> None:
    async def form(request: Request) -> Reply:
        body = request.body if isinstance(request.body, bytes) else await request.body.read()
        return html(f"{request.target.decode()} {body.decode()}")

    async with playing([team("a")], {"a": form}) as play:
        got = await play.get("/a/form?mf-scope=a.box", method="POST", body=b"x=1")
        assert got.text == "/form?mf-scope=a.box x=1"


def sheet(_: Request) -> Reply:
    return Reply(b".x{color:red}", headers=[("content-type", "text/css"), ("cache-control", "max-age=100")])


async def test_a_scoped_sheet_is_as_old_as_the_sheet() -> None:
    async with playing([team("a")], {"a": sheet}) as play:
        await play.get("/a/s.css?mf-scope=a.box")
        play.wait(50)
        assert (await play.get("/a/s.css?mf-scope=a.box")).get("age") == "50"


@pytest.mark.parametrize("target", ["/a/s.css?mf-scope=a.box", "/-/fragment/a.box", "/", "/-/slots/"])
async def test_head_says_what_get_says_or_less(target: str) -> None:
    def a(request: Request) -> Reply:
        return sheet(request) if request.target.startswith(b"/s.css") else kept("<b>a")

    origins: dict[str, Answers] = {"shell": lambda _: kept(BEFORE + slot("a.box") + AFTER), "a": a}
    async with playing([soft(soft=True), team("a")], origins) as play:
        for method in ("HEAD", "GET", "HEAD"):
            head, whole = await play.get(target, method="HEAD"), await play.get(target)
            assert head.status == whole.status, method
            assert head.get("etag") in (None, whole.get("etag"))


# What is said


async def test_a_kept_piece_with_a_slot_to_be_fetched_is_not_stale() -> None:
    origins: dict[str, Answers] = {
        "shell": page(slot("a.box", "required")),
        "a": lambda _: kept("<b>a" + slot("b.box")),
        "b": says("<b>b"),
    }
    async with playing([shell(), team("a", composes=True), team("b")], origins) as play:
        await play.get("/")
        got = await play.get("/")
        assert 'a.box;desc="hit"' in (got.get("server-timing") or "")
        assert "stale" not in (got.get("cache-status") or "")


async def test_what_is_asked_of_a_page_with_401_is_said() -> None:
    """A 401 without a challenge is none (RFC 9110 section 15.5.2)."""
    answer = html("", ("www-authenticate", 'Basic realm="a"'), status=401)
    async with playing([shell(), team("a")], {"shell": page(slot("a.box", "primary")), "a": lambda _: answer}) as play:
        got = await play.get("/")
        assert (got.status, got.get("www-authenticate")) == (401, 'Basic realm="a"')


async def test_a_fragment_by_itself_is_framed_by_its_portal_only() -> None:
    """It is what a page shows, without the page's own word on who may frame it."""
    async with playing([team("a")], {"a": says("<button>delete everything</button>")}) as play:
        got = await play.get("/-/fragment/a.box")
        framed = (got.get("x-frame-options") or "").upper() == "SAMEORIGIN"
        assert framed or "frame-ancestors 'self'" in (got.get("content-security-policy") or "")


@pytest.mark.parametrize("target", ["/", "/-/fragment/a.box"])
async def test_a_kept_nonce_is_not_used_twice(target: str) -> None:
    policy = ("content-security-policy", "script-src 'nonce-abcdefghijklmnop'")
    origins: dict[str, Answers] = {
        "shell": lambda _: html(BEFORE + slot("a.box") + AFTER, policy, ("cache-control", "max-age=60")),
        "a": lambda _: html("<script>1</script>", policy, ("cache-control", "max-age=60")),
    }
    async with playing([shell(), team("a")], origins) as play:
        await play.get(target)
        one, two = await play.get(target), await play.get(target)
        assert one.get("content-security-policy") != two.get("content-security-policy")
        nonce = (two.get("content-security-policy") or "").partition("'nonce-")[2].rstrip("'")
        assert f'<script nonce="{nonce}">' in two.text


async def test_the_log_names_what_was_asked() -> None:
    async with playing([shell(), team("a")], {"shell": page(slot("a.box")), "a": says("a")}) as play:
        await play.get("/-/slots/")
        assert [fact.target for fact in play.facts if isinstance(fact, Served)] == [b"/-/slots/"]


@pytest.mark.parametrize(
    "target",
    [
        "/-/slots",
        "/-/slots//evil.test/x",
        "/-/slots/-/fragment/a.box",
        "/-/slots/-/slots/",
        "/-/slots/../x",
        "/-/slots/%2e%2e/x",
        "/-/slots/a",
        "/-/slots/?mf-scope=a.box",
        "/-/slots/x\\y",
        "/-/fragment/a.box?%ff=%ff&a=%",
        "/-/fragment/a.box?&&==&;",
        "/-/fragment/a.box?" + "x=1&" * 3000,
        "/-/fragment/a.box?<script>",
        "/-/fragment/a.box?a=%00%0d%0aX:%20y",
        "/-/fragment/a.box#x",
        "/-/fragment/a.box?name=b.box&required&late",
        "/-/fragment/\xff",
    ],
    ids=range(17),
)
async def test_odd_targets_of_our_own(target: str) -> None:
    async with playing([soft(soft=True), team("a")], {"shell": page(slot("a.box")), "a": lambda _: kept("a")}) as play:
        got = await play.get(target.encode("latin-1"))
        assert got.status < 500
        assert got.get("location") is None or (got.get("location") or "").startswith("/")
        assert all("\r" not in each and "\n" not in each for each in play.seen)


@pytest.mark.parametrize("attributes", ["", "lazy"])
async def test_a_long_query_costs_no_more_for_many_slots(attributes: str) -> None:
    """What a stranger sends once is sent on once, or a page is as long as its query times its slots."""
    slots = "".join(slot("a.box", f"{attributes} n={number}") for number in range(50))
    async with playing([shell(), team("a", forward={"query": ["q"]})], {"shell": page(slots), "a": says("a")}) as play:
        got = await play.get("/?" + "q=1&" * 2000)
        assert len(got.body) < 200_000
        assert sum(map(len, play.seen[1:])) < 100_000


async def test_a_sheet_is_scoped_for_declared_fragments_only() -> None:
    """Each costs what its sheet is long; a stranger may make up names without end."""
    async with playing([team("a")], {"a": sheet}) as play:
        assert "@scope" in (await play.get("/a/s.css?mf-scope=a.box")).text
        assert (await play.get("/a/s.css?mf-scope=made.up")).text == ".x{color:red}"
        assert play.seen[-1] == "a GET /s.css?mf-scope=made.up"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_who_leaves_as_a_connection_opens_does_not_leave_it_open(
    when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    real = loop.create_connection

    async def connect(*args: Any, **more: Any) -> Any:
        made = await real(*args, **more)
        if when == "before":
            asking.cancel()
        else:
            loop.call_soon(asking.cancel)
        return made

    monkeypatch.setattr(loop, "create_connection", connect)
    async with serving(lambda _: answered("<b>x")) as origin:
        pool = Pool(Resolver(("loopback",)))
        request = Request(b"GET", b"/", [(b"host", b"a.test")])
        there = Origin(origin.url, "http", "127.0.0.1", origin.port)
        asking = asyncio.create_task(pool.handle_async_request(request, there, 1.0))
        await asyncio.wait({asking})
        assert asking.cancelled()
        assert "0 busy" in repr(pool)
        await pool.aclose()
    with warnings.catch_warnings():  # the origin's own side, which was gone before it was accepted
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


# Whatever the way, the same parts are the same page

PLACES = (
    "{}",
    "<p>{}</p>",
    "<table>{}</table>",
    "<table><tr>{}</table>",
    "<table><tr><td>{}</td></tr></table>",
    "<select>{}</select>",
    "<svg>{}</svg>",
    "<template>{}</template>",
    "<b><i>{}</b></i>",
    "<form>{}",
    "<ul><li>{}</ul>",
    "<script>{}</script>",
    "<!--{}-->",
    "<details>{}",
)
SPELLINGS = (
    '<mf-slot name="{}" {}>{}</mf-slot>',
    '<!--mf:slot name="{}" {}-->{}',
    '<template mf-slot="{}" {}>{}</template>',
)
SAID = (
    "",
    "required",
    "optional",
    "primary",
    "city=paris",
    'x="%0d&#0;&#xD800;\u2028"',
    "isolation=shadow",
    "id=q class=w",
)
BETWEEN = ("", "<i>fallback</i>", "<p>open", "</main>", "<!-- ", "<table><tr>")
MARKUP = (
    "<b>x</b>",
    "<p>",
    "<table><tr><td>",
    "</body></html>",
    "<form><form>",
    "<plaintext>",
    "<!--",
    "<a><a>",
    "é",
    "\0",
)
ENDS = ("</body></html>", "", "</html>", "<!-- ", "<script>", "</body></html><p>after")


def random_slot(rolls: random.Random) -> str:
    name = rolls.choice(("a.box", "b.box", "nobody.knows"))
    return rolls.choice(SPELLINGS).format(name, rolls.choice(SAID), rolls.choice(BETWEEN))


def random_shell(rolls: random.Random) -> str:
    slots = "".join(rolls.choice(PLACES).format(random_slot(rolls)) for _ in range(rolls.randint(1, 4)))
    return "<!doctype html><title>S</title>" + slots + rolls.choice(ENDS)


def random_piece(rolls: random.Random) -> str:
    return "".join(
        random_slot(rolls) if rolls.random() < 0.25 else rolls.choice(MARKUP) for _ in range(rolls.randint(0, 5))
    )


async def shown(teams: list[dict[str, Any]], markup: dict[str, str], *, keeps: bool, delay: float, coding: str) -> str:
    """The page as a viewer gets it: made anew, kept, or in parts."""

    def answers(name: str) -> Answers:
        said = "max-age=60" if keeps else "no-store"
        late = 0.0 if name == "shell" else delay
        return lambda _: html(markup[name], ("cache-control", said), delay=late)

    async with playing([shell(), *teams], {name: answers(name) for name in markup}, deadline=5) as play:
        for _ in range(3 if keeps else 1):
            got = await play.get("/", ("accept-encoding", coding))
        assert got.status in (200, 502), got.text
        assert [fact.error for fact in play.facts if isinstance(fact, Served) and "defect" in fact.error] == []
        body = gzip.decompress(got.body) if got.get("content-encoding") == "gzip" else got.body
        return body.decode() if got.status == 200 else "502"


@pytest.mark.parametrize("seed", range(24))
async def test_the_same_parts_are_the_same_page(seed: int) -> None:
    rolls = random.Random(seed)
    markup = {"shell": random_shell(rolls), "a": random_piece(rolls), "b": random_piece(rolls)}
    teams = [team(name, composes=rolls.random() < 0.6) for name in "ab"]
    pages = [
        await shown(teams, markup, keeps=keeps, delay=delay, coding=coding)
        for keeps, delay in ((False, 0.0), (True, 0.0), (False, 0.01))
        for coding in ("identity", "gzip")
    ]
    assert pages == pages[:1] * 6, markup
