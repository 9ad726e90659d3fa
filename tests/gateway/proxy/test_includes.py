"""Shells in other include languages, composed: where includes lead, what failures show, what a viewer cannot inject."""

import asyncio
import html as entities
import json
import re
from typing import Any
from urllib.parse import parse_qs, quote, unquote

import pytest

from gateway.message import Request
from gateway.telemetry.facts import Degraded
from tests.gateway.proxy.playbook import Answers, Got, Pieces, Play, Reply, html, kept, manifest, playing

pytestmark = pytest.mark.anyio


def shell(*dialects: str, prefix: str = "/", **more: Any) -> dict[str, Any]:
    declared = manifest("shell", mounts={prefix: {"upstream": "shell", "composes": True, **more}})
    declared["upstreams"]["shell"]["dialects"] = list(dialects)
    return declared


CART = manifest("cart", mounts={"/cart": {"upstream": "cart"}})
HIDDEN = manifest("hidden")


def cart(request: Request) -> Reply:
    target = request.target.decode()
    if target.startswith("/broken"):
        return html("no", status=500)
    if target.startswith("/slow"):
        return html("slow", delay=5.0)
    return kept(f"<b>{target}</b><a href=/list>l</a>")


def says(markup: str, *headers: tuple[str, str]) -> Answers:
    return lambda _: html(markup, *headers)


def origins(page: str | Answers, **more: Answers) -> dict[str, Answers]:
    return {"shell": says(page) if isinstance(page, str) else page, "cart": cart, "hidden": cart, **more}


async def got(page: str, *dialects: str, target: str = "/", prefix: str = "/", **more: Any) -> tuple[Got, Play]:
    async with playing([shell(*dialects, prefix=prefix), CART, HIDDEN], origins(page)) as play:
        return await play.get(target, *more.pop("fields", ()), **more), play


def bare(text: str) -> str:
    """The page without the wrappers of its slots and the link each piece of the cart ends with."""
    return re.sub(r"</?mf-slot[^>]*>|<a href=\"/cart/list\">l</a>", "", text)


INCLUDE = '<esi:include src="/cart/f"/>'
TRY = '<esi:try><esi:attempt><esi:include src="/cart/{}"/>A</esi:attempt><esi:except>E</esi:except></esi:try>'


@pytest.mark.parametrize(
    ("dialect", "page", "expected"),
    [
        pytest.param("esi", INCLUDE + "<p>x", "<b>/f</b><p>x", id="esi-include"),
        pytest.param(
            "esi", '<esi:include src="/cart/broken" alt="/cart/f" onerror="continue"/>', "<b>/f</b>", id="esi-alt"
        ),
        pytest.param("esi", '<esi:include src="/cart/broken" alt="/cart/f"/>', "<b>/f</b>", id="esi-alt-alone"),
        pytest.param("esi", 'a<esi:include src="/cart/broken" onerror="continue"/>b', "ab", id="esi-onerror-continue"),
        pytest.param(
            "esi",
            'a<esi:include src="/cart/broken" alt="/cart/broken/2" onerror="continue"/>b',
            "ab",
            id="e00037-both-fail",
        ),
        pytest.param("esi", TRY.format("broken"), "E", id="esi-try"),
        pytest.param("esi", TRY.format("f"), "<b>/f</b>A", id="esi-try-that-works"),
        pytest.param("esi", TRY.format("broken") + TRY.format("f"), "E<b>/f</b>A", id="esi-try-each-by-itself"),
        pytest.param(
            "esi",
            "<esi:try><esi:attempt>O" + TRY.format("broken") + "</esi:attempt><esi:except>X</esi:except></esi:try>",
            "OE",
            id="esi-try-in-try",
        ),
        pytest.param("esi", f"a<esi:remove>b{INCLUDE}</esi:remove>c", "ac", id="esi-remove"),
        pytest.param("esi", f"a<!--esi {INCLUDE}-->b", "a <b>/f</b>b", id="esi-comment"),
        pytest.param("ssi", '<!--#include virtual="/cart/f" -->', "<b>/f</b>", id="ssi-include"),
        pytest.param("ssi", 'a<!--#include virtual="/cart/broken" -->b', "ab", id="ssi-include-that-fails"),
        pytest.param(
            "tailor",
            '<fragment src="http://cart.test/f" timeout="100" fallback-src="http://cart.test/g"></fragment>',
            "<b>/f</b>",
            id="tailor",
        ),
        pytest.param(
            "tailor",
            '<fragment src="http://cart.test/broken" fallback-src="http://cart.test/g"></fragment>',
            "<b>/g</b>",
            id="tailor-fallback-src",
        ),
        pytest.param("tailor", '<fragment src="/cart/broken"><i>x</i></fragment>', "<i>x</i>", id="tailor-content"),
        pytest.param("include", "<h-include src=/cart/f>x</h-include>", "<b>/f</b>", id="h-include"),
        pytest.param(
            "include",
            "<h-include src=/cart/broken>x</h-include>",
            "<h-include src=/cart/broken>x</h-include>",
            id="h-include-that-fails",
        ),
        pytest.param(
            "none",
            '<!--#include virtual="/cart/f" -->' + INCLUDE,
            '<!--#include virtual="/cart/f" -->' + INCLUDE,
            id="off",
        ),
    ],
)
async def test_each_language(dialect: str, page: str, expected: str) -> None:
    answer, _ = await got(page, *([] if dialect == "none" else [dialect]))
    assert (answer.status, bare(answer.text)) == (200, expected)


async def test_the_same_page_in_every_language_is_the_same() -> None:
    pages = {
        "esi": '<esi:include src="/cart/f"/>',
        "ssi": '<!--#include virtual="/cart/f" -->',
        "tailor": '<fragment src="/cart/f"></fragment>',
        "include": "<h-include src='/cart/f'></h-include>",
    }
    answers = {(await got(f"<ul><li>{page}</li></ul>", dialect))[0].text for dialect, page in pages.items()}
    assert {bare(text) for text in answers} == {"<ul><li><b>/f</b></li></ul>"}


async def test_a_frame_is_taken_out_of_its_answer() -> None:
    def framed(_: Request) -> Reply:
        return html("<title>T</title><h1>no</h1><turbo-frame id=a><b>yes</b></turbo-frame>")

    page = "<turbo-frame id=a src=/cart/f>wait</turbo-frame><turbo-frame id=b src=/cart/f>wait</turbo-frame>"
    async with playing([shell("include"), CART], origins(page, cart=framed)) as play:
        text = bare((await play.get("/")).text)
    assert text == '<turbo-frame id="a"><b>yes</b></turbo-frame><turbo-frame id=b src=/cart/f>wait</turbo-frame>'


# Where includes lead


@pytest.mark.parametrize(
    ("source", "prefix", "asked"),
    [
        pytest.param("/cart/f?a=1", "/", "cart GET /f?a=1", id="below-a-mount"),
        pytest.param("/f", "/", "shell GET /f", id="below-the-root"),
        pytest.param("/cart/f", "/shop", "cart GET /f", id="another-mount-from-below-a-prefix"),
        pytest.param("/f", "/shop", "shell GET /f", id="an-own-path-below-a-prefix"),
        pytest.param("/shop/f", "/shop", "shell GET /f", id="an-own-path-with-the-prefix"),
        pytest.param("f", "/shop", "shell GET /a/f", id="e00005-relative"),
        pytest.param("http://shop.test/cart/f", "/", "cart GET /f", id="e00006-the-public-origin"),
        pytest.param("http://shop.test:80/cart/f", "/", "cart GET /f", id="nodesi-with-its-port"),
        pytest.param("//shop.test/cart/f", "/", "cart GET /f", id="without-a-scheme"),
        pytest.param("http://cart.test/f", "/", "cart GET /f", id="an-origin-of-the-table"),
        pytest.param("HTTP://CART.test:80/f", "/", "cart GET /f", id="however-it-is-spelled"),
        pytest.param("http://hidden.test/f", "/", "hidden GET /f", id="an-upstream-without-a-mount"),
        pytest.param("/-/u/hidden/f", "/", "hidden GET /f", id="the-same-by-its-path"),
        pytest.param("http://evil.test/f", "/", None, id="ledge-another-host"),
        pytest.param("https://cart.test/f", "/", None, id="e00006-another-scheme"),
        pytest.param("http://cart.test:8080/f", "/", None, id="nodesi-another-port"),
        pytest.param("http://cart.test@evil.test/f", "/", None, id="ledge-a-user-that-looks-like-a-host"),
        pytest.param("http://cart.test.evil.test/f", "/", None, id="nodesi-another-host-with-the-same-beginning"),
        pytest.param("//evil.test/cart/f", "/", None, id="another-host-without-a-scheme"),
        pytest.param("\\\\evil.test/cart/f", "/", None, id="another-host-with-backslashes"),
        pytest.param("http://169.254.169.254/latest", "/", None, id="ledge-metadata"),
        pytest.param("file:///etc/passwd", "/", None, id="a-file"),
        pytest.param("javascript:alert(1)", "/", None, id="a-script"),
        pytest.param("/-/health/live", "/", None, id="the-gateway's-own"),
        pytest.param("/cart/../../f", "/", "shell GET /f", id="dots-are-gone-first"),
        pytest.param("/cart/%2e%2e/f", "/", None, id="ats-encoded-dots"),
        pytest.param("/cart/%2e%2e%2ff", "/", None, id="ats-encoded-slashes"),
        pytest.param("http://cart.test/%2e%2e/f", "/", None, id="ats-encoded-dots-of-an-origin"),
        pytest.param("/cart\\..\\f", "/", None, id="backslashes"),
    ],
)
async def test_where_an_include_leads(source: str, prefix: str, asked: str | None) -> None:
    page = f'<esi:include src="{source}" onerror="continue"/>'
    answer, play = await got(page, "esi", target=prefix.rstrip("/") + "/a/b", prefix=prefix)
    assert answer.status == 200
    assert play.seen[1:] == ([] if asked is None else [asked])


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        pytest.param("http://inside.test/f", [], id="by-its-origin"),
        pytest.param("/inside/f", ["shell GET /inside/f"], id="by-its-path"),
        pytest.param("http://inside.example/inside/f", [], id="by-its-public-address"),
    ],
)
async def test_no_include_shows_what_its_viewer_could_not_ask_for(source: str, asked: list[str]) -> None:
    inside = manifest("inside", mounts={"/inside": {"upstream": "inside", "hosts": ["inside.example"]}})
    page = f'<esi:include src="{source}" onerror="continue"/>'
    async with playing([shell("esi"), inside], origins(page, inside=cart)) as play:
        await play.get("/")
        assert play.seen[1:] == asked


async def test_links_of_an_included_piece_are_put_below_its_own_mount() -> None:
    answer, _ = await got(INCLUDE, "esi", target="/shop/", prefix="/shop")
    assert '<a href="/cart/list">' in answer.text


async def test_what_came_out_of_a_comment_is_put_below_the_mount() -> None:
    answer, _ = await got('<!--esi <a href="/x">x</a>-->', "esi", target="/shop/", prefix="/shop")
    assert '<a href="/shop/x">' in answer.text


# Failures


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("/cart/broken", id="e00035-it-answers-500"),
        pytest.param("http://evil.test/", id="it-leads-nowhere"),
        pytest.param("/cart/slow", id="nodesi-it-takes-too-long"),
    ],
)
async def test_w3c_an_include_that_fails_is_the_pages_failure(source: str) -> None:
    async with playing([shell("esi"), CART], origins(f'a<esi:include src="{source}"/>'), deadline=0.1) as play:
        assert (await play.get("/")).status == 502


async def test_an_attempt_that_takes_too_long_is_given_up() -> None:
    async with playing([shell("esi"), CART], origins(TRY.format("slow")), deadline=0.1) as play:
        answer = await play.get("/")
    assert bare(answer.text) == "E"
    assert answer.seconds < 1
    assert play.cancelled == ["cart GET /slow"]


async def test_an_attempts_answer_is_not_asked_for_again() -> None:
    def uncached(request: Request) -> Reply:
        return html("<b>x</b>", status=500 if request.target == b"/broken" else 200)

    page = TRY.format("f") + TRY.format("broken") + INCLUDE
    async with playing([shell("esi"), CART], origins(page, cart=uncached)) as play:
        await play.get("/")
    assert sorted(play.seen) == ["cart GET /broken", "cart GET /f", "shell GET /"]


async def test_e00029_an_include_in_a_piece_is_not_followed() -> None:
    """Recursion stops at once: a piece holds no includes of its own."""

    def nested(_: Request) -> Reply:
        return html(f"<b>x</b>{INCLUDE}")

    async with playing([shell("esi"), CART], origins(INCLUDE, cart=nested)) as play:
        await play.get("/")
    assert play.seen == ["shell GET /", "cart GET /f"]


async def test_more_includes_than_a_page_may_have() -> None:
    page = "".join(f'<esi:include src="/cart/{n}" onerror="continue"/>' for n in range(300))
    answer, play = await got(page, "esi")
    assert answer.status == 200
    assert len(play.seen) == 101


async def test_who_leaves_leaves_nothing_behind() -> None:
    async with playing([shell("esi"), CART], origins(TRY.format("slow"))) as play:
        asking = asyncio.ensure_future(play.get("/"))
        await asyncio.sleep(0.02)
        asking.cancel()
        await asyncio.wait({asking})
        await play.settle()
    assert play.cancelled == ["cart GET /slow"]


# As HTTP


async def test_e00011_a_posted_page_has_its_fragments_by_get_and_none_of_their_cookies() -> None:
    def setting(_: Request) -> Reply:
        return html("<b>x</b>", ("set-cookie", "a=1"))

    async with playing([shell("esi"), CART], origins(INCLUDE, cart=setting)) as play:
        answer = await play.get("/", method="POST", body=b"a=1")
    assert play.seen == ["shell POST /", "cart GET /f"]
    assert answer.get("set-cookie") is None
    assert play.requests[1].body == b""  # e00036


async def test_e00027_head() -> None:
    answer, play = await got(INCLUDE, "esi", method="HEAD")
    assert (answer.status, answer.body, play.seen) == (200, b"", ["shell HEAD /"])


async def test_e00009_a_body_that_is_no_page_is_left_alone() -> None:
    picture = b"\x89PNG" + INCLUDE.encode()

    def binary(_: Request) -> Reply:
        return Reply(picture, headers=[("content-type", "image/png")])

    async with playing([shell("esi"), CART], origins(binary)) as play:
        assert (await play.get("/")).body == picture


async def test_a_fragment_is_shown_nothing_of_the_viewer() -> None:
    fields = [("cookie", "session=1"), ("authorization", "Basic x"), ("if-none-match", '"x"'), ("x-own", "1")]
    _, play = await got(INCLUDE, "esi", fields=fields)
    assert not {b"cookie", b"authorization", b"if-none-match", b"x-own"} & play.requests[1].head.index.keys()


async def test_e00007_a_page_cut_at_every_byte_is_the_same() -> None:
    page = f"<ul><li>{INCLUDE}<li><!--esi {INCLUDE}--><esi:remove>x</esi:remove></ul>".encode()
    whole = (await got(page.decode(), "esi"))[0].text
    for at in range(1, len(page)):

        def cut(_: Request, at: int = at) -> Reply:
            return Reply([page[:at], page[at:]], headers=[("content-type", "text/html")])

        async with playing([shell("esi"), CART], origins(cut)) as play:
            assert (await play.get("/")).text == whole


async def test_a_fragment_cut_at_every_byte_is_the_same() -> None:
    piece = b"<p class='x'>\xc3\xa9<img src=/i.png>&amp;<b>b</p><!-- c -->"
    texts = set()
    for at in range(1, len(piece)):

        def cut(_: Request, at: int = at) -> Reply:
            return Reply([piece[:at], piece[at:]], headers=[("content-type", "text/html; charset=utf-8")])

        async with playing([shell("esi"), CART], origins(INCLUDE, cart=cut)) as play:
            texts.add((await play.get("/")).text)
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("page", "control"),
    [
        pytest.param(INCLUDE, "public, max-age", id="a-page-for-all"),
        pytest.param(f"<esi:vars>$(HTTP_HOST)</esi:vars>{INCLUDE}", "private, no-cache", id="what-was-asked-is-said"),
        pytest.param(
            f"<esi:choose><esi:when test='1==1'>{INCLUDE}</esi:when></esi:choose>", "private, no-cache", id="chosen"
        ),
        pytest.param(TRY.format("broken") + INCLUDE, "private, no-cache", id="an-attempt-that-failed"),
    ],
)
async def test_how_long_the_page_lasts(page: str, control: str) -> None:
    async with playing([shell("esi"), CART], origins(lambda _: kept(page))) as play:
        for _ in range(3):
            assert ((await play.get("/")).get("cache-control") or "").partition("=")[0] == control


async def test_two_viewers_are_told_each_their_own() -> None:
    page = "<esi:vars>$(HTTP_COOKIE{n}|nobody)</esi:vars>"
    async with playing([shell("esi"), CART], origins(lambda _: kept(page))) as play:
        texts = [(await play.get("/", *fields)).text for fields in ([("cookie", "n=a")], [("cookie", "n=b")], [])]
    assert texts == ["a", "b", "nobody"]


async def test_cookies_of_other_applications_are_not_spoken_of() -> None:
    page = "<esi:vars>$(HTTP_COOKIE{a}|-) $(HTTP_COOKIE)</esi:vars>"
    fields = [("cookie", "a=root; mf.00000000.a=another's")]
    answer, _ = await got(page, "esi", target="/shop/", prefix="/shop", fields=fields)
    assert answer.text.endswith("- ")


async def test_origins_are_told_that_esi_is_spoken() -> None:
    _, play = await got(INCLUDE, "esi")
    assert play.requests[0].head.index[b"surrogate-capability"] == b'portico="MF/1.0 ESI/1.0"'
    assert b"surrogate-capability" not in play.requests[1].head.index
    _, play = await got(INCLUDE, "ssi")
    assert play.requests[0].head.index[b"surrogate-capability"] == b'portico="MF/1.0"'


async def test_surrogate_control_is_not_for_viewers() -> None:
    page = says(INCLUDE, ("surrogate-control", 'content="ESI/1.0"'))
    async with playing([shell("esi"), CART], origins(page)) as play:
        answer = await play.get("/")
    assert answer.get("surrogate-control") is None and bare(answer.text) == "<b>/f</b>"


async def test_a_shell_that_costs_too_much_is_left_as_it_is() -> None:
    page = INCLUDE + "<div>" * 2000
    answer, play = await got(page, "esi")
    assert answer.text == page
    assert any(isinstance(fact, Degraded) and fact.outcome == "uncomposed" for fact in play.facts)


# What a viewer cannot inject

TAGS = [
    '<esi:include src="/cart/evil"/>',
    "<esi:include src='/cart/evil'></esi:include>",
    "<esi:include\tsrc=/cart/evil />",
    '<esi:include src="/nothing" alt="/cart/evil"/>',
    '<!--esi <esi:include src="/cart/evil"/>-->',
    '<esi:try><esi:attempt><esi:include src="/cart/evil"/></esi:attempt></esi:try>',
    "<esi:choose><esi:when test=\"1==1\"><esi:include src='/cart/evil'/></esi:when></esi:choose>",
    '<!--#include virtual="/cart/evil" -->',
    "<!--# include virtual='/cart/evil' -->",
    '<fragment src="http://cart.test/evil"></fragment>',
    "<fragment src=/cart/evil primary>x</fragment>",
    '<h-include src="/cart/evil"></h-include>',
    '<turbo-frame id="evil" src="/cart/evil"></turbo-frame>',
    '<mf-slot name="cart.evil"></mf-slot>',
    '<!--mf:slot name="cart.evil"-->',
    "<template mf-slot=cart.evil></template>",
]
WAYS = {
    "text": "<p>{}</p>",
    "attribute": '<p title="{}">',
    "attribute-without-quotes": "<p title={}>",
    "script": "<script>var q = '{}'</script>",
    "json": '<script type="application/json">{}</script>',
    "comment": "<!-- {} -->",
    "title": "<title>{}</title>",
    "head": "<head>{}</head>",
    "table": "<table><tr>{}</tr></table>",
    "twice": "<p>{0}</p>{0}",
}
PAYLOADS = [pytest.param(tag, way, id=f"{way}: {tag}") for tag in TAGS for way in WAYS]
assert len(PAYLOADS) >= 150

TEAM = {
    **CART,
    "fragments": {
        name: {"upstream": "cart", "path": f"/{name[5:]}", "timeout": "1s"} for name in ("cart.evil", "cart.own")
    },
}
OWN = '<esi:include src="/cart/own"/>'


def reflecting(way: str) -> Answers:
    """A careless application: it writes what it is told, as it is."""

    def answer(request: Request) -> Reply:
        target = request.target.decode()
        given = parse_qs(target.partition("?")[2], keep_blank_values=True).get("q", [""])[0]
        body = request.body if isinstance(request.body, bytes) else b""
        given = given or parse_qs(body.decode()).get("q", [""])[0]
        cookie = request.head.index.get(b"cookie", b"").decode().removeprefix("q=")
        own = request.head.index.get(b"x-q", b"").decode()
        text = entities.unescape(given or unquote(cookie) or own)
        return kept(WAYS[way].format(text) + OWN)

    return answer


async def evil(play: Play, target: str, *fields: tuple[str, str], **more: Any) -> list[str]:
    """What else than its own include the page had asked for."""
    play.seen.clear()
    answer = await play.get(target, *fields, **more)
    assert answer.status == 200
    return [told for told in play.seen if "evil" in told.partition(" /")[2] and told.startswith("cart")]


@pytest.mark.parametrize(("tag", "way"), PAYLOADS)
async def test_a_reflected_tag_is_text(tag: str, way: str) -> None:
    async with playing([shell("tailor", "esi", "ssi", "include"), TEAM], origins(reflecting(way))) as play:
        encoded = quote(tag, safe="")
        assert await evil(play, f"/?q={encoded}") == []
        assert await evil(play, f"/?q={quote(entities.escape(tag), safe='')}") == []
        assert await evil(play, "/a", ("cookie", f"q={encoded}")) == []
        assert await evil(play, "/b", ("x-q", tag)) == []
        assert await evil(play, "/c", method="POST", body=f"q={encoded}".encode()) == []
        # and nobody else is given the page that was made of it
        assert await evil(play, "/a") == await evil(play, "/b") == []


async def test_beside_a_reflected_tag_the_pages_own_work() -> None:
    async with playing([shell("esi"), TEAM], origins(reflecting("text"))) as play:
        answer = await play.get("/?q=" + quote(TAGS[0], safe=""))
    assert bare(answer.text) == f"<p>{TAGS[0]}</p><b>/own</b>"
    assert [told for told in play.seen if told.startswith("cart")] == ["cart GET /own"]


async def test_a_page_reads_no_payload_out_of_json() -> None:
    payload = json.dumps({"q": TAGS[0]}).encode()

    def reflects(request: Request) -> Reply:
        assert isinstance(request.body, bytes)
        return html("<p>" + json.loads(request.body)["q"] + OWN)

    async with playing([shell("esi"), TEAM], origins(reflects)) as play:
        assert await evil(play, "/", method="POST", body=payload) == []


async def test_a_payload_that_comes_in_two_chunks_is_text() -> None:
    encoded = ("q=" + quote(TAGS[0], safe="")).encode()

    async def reflects(request: Request) -> Reply:
        read = bytearray()
        while not isinstance(request.body, bytes) and (chunk := await request.body.read()):
            read += chunk
        text = parse_qs(read.decode())["q"][0]
        return Reply([f"<p>{text[:9]}".encode(), text[9:].encode()], headers=[("content-type", "text/html")])

    async with playing([shell("esi"), TEAM], origins(reflects)) as play:
        assert await evil(play, "/", method="POST", body=Pieces([encoded[:20], encoded[20:]])) == []
        assert play.seen == ["shell POST /"]


async def test_a_slots_tag_that_came_with_the_request_is_text_while_others_are_filled() -> None:
    page = '<mf-slot name="cart.evil">x</mf-slot><mf-slot name="cart.own">y</mf-slot>'
    async with playing([shell(), TEAM], origins(lambda _: kept(page))) as play:
        for target, filled in (("/", "<b>/evil</b>"), ("/?q=" + quote('<mf-slot name="cart.evil">'), "x"), ("/", None)):
            text = bare((await play.get(target)).text)
            assert text == f"{filled or '<b>/evil</b>'}<b>/own</b>"


async def test_how_each_include_came_out_is_told() -> None:
    answer, _ = await got(INCLUDE, "esi")
    assert (answer.get("server-timing") or "").startswith('_cart_f;desc="miss";dur=')


@pytest.mark.parametrize(
    ("control", "esi"),
    [('content="ESI/1.0"', True), ("max-age=5", True), ('content="MF/1.0"', False), ('content=""', False)],
)
@pytest.mark.parametrize("cached", [False, True])
async def test_a_page_says_what_is_to_be_done_with_it(control: str, esi: bool, cached: bool) -> None:
    keeps = [("cache-control", "max-age=60")] if cached else []
    page = says(INCLUDE, ("surrogate-control", control), *keeps)
    async with playing([shell("esi"), CART], origins(page)) as play:
        for _ in range(2):
            answer = await play.get("/")
            assert answer.get("surrogate-control") is None
            assert ("<esi:include" not in answer.text) is esi


@pytest.mark.parametrize(
    ("control", "composed"),
    [('content="MF/1.0"', True), ('content="ESI/1.0"', True), (None, False), ("max-age=1", False)],
)
async def test_a_mount_may_compose_what_asks_for_it_only(control: str | None, composed: bool) -> None:
    said = [("surrogate-control", control)] if control else []
    page = says('<mf-slot name="cart.box">F</mf-slot>' + INCLUDE, *said, ("cache-control", "max-age=60"))
    declared = shell("esi")
    declared["mounts"]["/"]["composes"] = "asked"
    async with playing([declared, CART], origins(page)) as play:
        for _ in range(2):
            answer = await play.get("/")
            assert answer.get("surrogate-control") is None
            assert ("data-mf-slot" in answer.text) is composed
