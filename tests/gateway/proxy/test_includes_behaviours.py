"""What other ESI and SSI processors pin down, a row for each: what of it needs origins, viewers and time.

An id begins with its source: Varnish's e000NN.vtc, ledge, nodesi, the W3C's note, nginx. What is about the text alone
stands in `tests/fragments/test_esi_behaviours.py` and `test_ssi_behaviours.py`.
"""

import asyncio
import gzip
import re
import zlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import gateway.table as tables
from gateway.errors import BadAnswer
from gateway.message import Request
from gateway.model import Manifest
from gateway.telemetry.facts import Degraded, Served
from tests.gateway.proxy.playbook import Answers, Pieces, Reply, html, kept, listening, manifest, playing, until

pytestmark = pytest.mark.anyio

INCLUDE = '<esi:include src="/cart/f"/>'
SSI = '<!--#include virtual="/cart/f" -->'
MAY = '<esi:include src="/cart/{}" onerror="continue"/>'


def shell(*dialects: str, prefix: str = "/", **more: Any) -> dict[str, Any]:
    declared = manifest("shell", mounts={prefix: {"upstream": "shell", "composes": True, **more}})
    declared["upstreams"]["shell"]["dialects"] = list(dialects)
    return declared


CART = manifest("cart", mounts={"/cart": {"upstream": "cart"}})


def cart(request: Request) -> Reply:
    target = request.target.decode()
    if target.startswith("/broken"):
        return html("no", status=500)
    if target.startswith("/missing"):
        return html("<h1>Not found</h1>", status=404)
    if target.startswith("/slow"):
        return html("slow", delay=5.0)
    if target.startswith("/cut"):
        return Reply([b"<b>half", BadAnswer("gone")], headers=[("content-type", "text/html")])
    return kept(f"<b>{target}</b>")


def says(markup: str, *headers: tuple[str, str]) -> Answers:
    return lambda _: html(markup, *headers)


def play_of(page: str | Answers, *dialects: str, cart: Answers = cart, prefix: str = "/", **settings: Any) -> Any:
    origins = {"shell": says(page) if isinstance(page, str) else page, "cart": cart}
    return playing([shell(*dialects or ("esi",), prefix=prefix), CART], origins, **settings)


def always(reply: Reply) -> Answers:
    return lambda _: reply


def replies(parts: Sequence[bytes]) -> Answers:
    """A page that comes in these parts."""
    return lambda _: Reply(parts, headers=[("content-type", "text/html")])


def bare(text: str) -> str:
    return re.sub(r"</?mf-slot[^>]*>", "", text)


async def text_of(page: str, *dialects: str, target: str = "/", **more: Any) -> str:
    async with play_of(page, *dialects, **more) as play:
        answer = await play.get(target)
        assert answer.status == 200
        return bare(answer.text)


Row = Callable[[], Awaitable[object]]
ROWS: dict[str, Row] = {}


def row(id: str) -> Callable[[Row], Row]:
    def add(check: Row) -> Row:
        assert id not in ROWS
        ROWS[id] = check
        return check

    return add


@row("e00003 include: a miss and a hit are alike")
async def _() -> None:
    async with play_of(INCLUDE) as play:
        texts = [(await play.get("/")).text for _ in range(3)]
    assert len(set(texts)) == 1 and play.seen == ["shell GET /", "cart GET /f", "shell GET /", "shell GET /"]


@row("e00003 include in a kept page, in a hit of it, and after the fragment has changed")
async def _() -> None:
    version = ["1"]
    async with play_of(lambda _: kept(INCLUDE, 600), cart=lambda _: kept(f"<b>{version[0]}</b>", 10)) as play:
        first, second = await play.get("/"), await play.get("/")
        version[0] = "2"
        play.wait(11)
        third = await play.get("/")
    assert [bare(each.text) for each in (first, second, third)] == ["<b>1</b>", "<b>1</b>", "<b>2</b>"]


@row("e00005 a relative URL is read from where the page is, below its mount")
async def _() -> None:
    async with play_of('<esi:include src="body"/>', prefix="/foo") as play:
        await play.get("/foo/bar/page")
    assert play.seen == ["shell GET /bar/page", "shell GET /bar/body"]


@row("e00006 http:// and another host is no address of this portal: never asked, and the page's own host is")
async def _() -> None:
    page = '<esi:include src="http://bozz/body" onerror="continue"/><esi:include src="http://shop.test/cart/f"/>'
    async with play_of(page) as play:
        assert bare((await play.get("/")).text) == "<b>/f</b>"
    assert play.seen == ["shell GET /", "cart GET /f"]


@row("e00006 https:// of the host that is asked by http is another origin: never asked")
async def _() -> None:
    async with play_of('a<esi:include src="https://shop.test/cart/f" onerror="continue"/>b') as play:
        assert bare((await play.get("/")).text) == "ab"
    assert play.seen == ["shell GET /"]


@row("e00007 a tag that is split over chunks of the origin's answer")
async def _() -> None:
    page = f"<p>a</p>{INCLUDE}<p>b</p>".encode()
    for size in (1, 2, 3, 7):
        parts = [page[at : at + size] for at in range(0, len(page), size)]
        async with play_of(replies(parts)) as play:
            assert bare((await play.get("/")).text) == "<p>a</p><b>/f</b><p>b</p>"


@row("e00008 errors in a fragment's own ESI are its own: what it holds is not read")
async def _() -> None:
    page = f"{INCLUDE}<p>after</p>"
    async with play_of(page, cart=says("Included file\n<esi:remove>\n<Aaa\n")) as play:
        text = bare((await play.get("/")).text)
    assert text.startswith("Included file\n") and text.endswith("<p>after</p>")
    async with play_of(page, cart=says("Included file 2\n<!--esi\n<![CDATA[fooo\n")) as play:
        text = bare((await play.get("/")).text)
    assert text.startswith("Included file 2\n") and text.endswith("<p>after</p>")


@row("e00009 a binary body is left alone")
async def _() -> None:
    picture = b"\x89PNG\r\n" + INCLUDE.encode()
    async with play_of(lambda _: Reply(picture, headers=[("content-type", "image/png")])) as play:
        assert (await play.get("/")).body == picture
    async with play_of(
        INCLUDE + "<p>x", cart=lambda _: Reply(picture, headers=[("content-type", "image/png")])
    ) as play:
        assert (await play.get("/")).status == 502


@row("e00011 a posted page: its fragments are got, their Set-Cookie is dropped")
async def _() -> None:
    async with play_of(INCLUDE, cart=says("<b>x</b>", ("set-cookie", "a=1"))) as play:
        answer = await play.get("/", method="POST", body=b"a=1")
    assert play.seen == ["shell POST /", "cart GET /f"] and answer.get("set-cookie") is None


@row("e00012 an HTTP/1.0 viewer: no chunks, and the end of the connection is the end")
async def _() -> None:
    async with play_of(INCLUDE + '<esi:include src="/cart/late"/>', cart=_late) as play, listening(play.portal) as here:
        reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
        writer.write(b"GET / HTTP/1.0\r\nHost: shop.test\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
    assert b"transfer-encoding" not in head.lower()
    assert re.sub(rb"</?mf-slot[^>]*>", b"", body) == b"<b>/f</b><b>/late</b>"


async def _late(request: Request) -> Reply:
    if request.target == b"/late":
        await asyncio.sleep(0.05)
    return html(f"<b>{request.target.decode()}</b>")


@row("e00013 a page of white space only")
async def _() -> None:
    assert await text_of(" \n\t ") == " \n\t "


@row("e00014 a page without ESI is no composed page: it keeps its validator and its lifetime")
async def _() -> None:
    async with play_of(says("<p>plain</p>", ("etag", '"1"'), ("cache-control", "max-age=60"))) as play:
        answer = await play.get("/")
        again = await play.get("/", ("if-none-match", answer.get("etag") or ""))
    assert (again.status, answer.get("cache-control")) == (304, "max-age=60")


@row("e00015 ESI switched off: the same page is sent as it is")
async def _() -> None:
    async with play_of(lambda _: kept(INCLUDE)) as play:
        before = (await play.get("/")).text
        play.current.swap(tables.compile([Manifest.model_validate(each) for each in (shell(), CART)], 2))
        after = (await play.get("/")).text
        play.current.swap(tables.compile([Manifest.model_validate(each) for each in (shell("esi"), CART)], 3))
        again = (await play.get("/")).text
    assert (bare(before), after, again) == ("<b>/f</b>", INCLUDE, before)


@row("e00016 ESI switched off in the middle of a page: that one is finished as it was begun")
async def _() -> None:
    gate = asyncio.Event()

    async def waiting(request: Request) -> Reply:
        await gate.wait()
        return cart(request)

    async with play_of(INCLUDE, cart=waiting) as play:
        asking = asyncio.ensure_future(play.get("/"))
        await until(lambda: "cart GET /f" in play.seen)
        play.current.swap(tables.compile([Manifest.model_validate(each) for each in (shell(), CART)], 2))
        gate.set()
        assert bare((await asking).text) == "<b>/f</b>"


@row("e00017 twenty includes with long URLs")
async def _() -> None:
    page = "".join(f'<esi:include src="/cart/{number:0800d}"/>' for number in range(20))
    text = await text_of(page)
    assert text == "".join(f"<b>/{number:0800d}</b>" for number in range(20))


@row("e00018 entities in src are resolved before it is asked for")
async def _() -> None:
    async with play_of('<esi:include src="/cart/f?a=1&amp;b=%26&#x26;c"/>') as play:
        await play.get("/")
    assert play.seen[1:] == ["cart GET /f?a=1&b=%26&c"]


@row("e00019 corners at the edges of chunks of 256 and 65536 bytes")
async def _() -> None:
    filler = b"x" * 65536
    parts = [
        *(b"<1></esi:comment foo><1>", b"<2><esi:comment / ><esi:comment doo><2>", b"<H1><esi:remove>", filler[:256]),
        *(b"</esi:remove></H1><H2><esi:remove>", filler, b"</esi:remove></H2><esi:comm", b"ent/>", INCLUDE.encode()),
    ]
    async with play_of(lambda _: Reply(parts, headers=[("content-type", "text/html")])) as play:
        assert bare((await play.get("/")).text) == "<1><1><2><2><H1></H1><H2></H2><b>/f</b>"


def zipped(markup: str | bytes, **more: Any) -> Reply:
    body = gzip.compress(markup.encode() if isinstance(markup, str) else markup, mtime=0)
    return Reply(body, headers=[("content-type", "text/html"), ("content-encoding", "gzip")], **more)


@row("e00020 remove in a page that comes as gzip")
async def _() -> None:
    assert await text_of(lambda _: zipped(f"a<esi:remove>b{INCLUDE}</esi:remove>c")) == "ac"  # type: ignore[arg-type]


async def _through_gzip(page: str, pieces: Answers) -> None:
    """What comes as gzip is what comes without."""
    async with play_of(lambda _: kept(page), cart=pieces) as play:
        for _ in range(2):
            plain = (await play.get("/")).body
            answer = await play.get("/", ("accept-encoding", "gzip"))
            assert answer.get("content-encoding") == "gzip"
            assert gzip.decompress(answer.body) == plain


@row("e00021 parts that come as gzip are joined to one gzip stream")
async def _() -> None:
    await _through_gzip(f"<p>1</p>{INCLUDE}<p>2</p>{INCLUDE}", lambda _: zipped("<b>x</b>"))


@row("e00022 a page that comes as gzip, parts that do not")
async def _() -> None:
    async with play_of(lambda _: zipped(f"<p>1</p>{INCLUDE}"), cart=cart) as play:
        assert bare((await play.get("/")).text) == "<p>1</p><b>/f</b>"
        answer = await play.get("/", ("accept-encoding", "gzip"))
    assert bare(gzip.decompress(answer.body).decode()) == "<p>1</p><b>/f</b>"


@row("e00023 a page that does not come as gzip, parts that do")
async def _() -> None:
    async with play_of(f"<p>1</p>{INCLUDE}", cart=lambda _: zipped("<b>x</b>")) as play:
        assert bare((await play.get("/")).text) == "<p>1</p><b>x</b>"


@row("e00024 parts of every length, so that streams end at each of the eight bits of a byte")
async def _() -> None:
    page = "".join(f'<esi:include src="/cart/{number}"/>' for number in range(48))
    await _through_gzip(page, lambda request: kept("é" * int(request.target[1:])))


@row("e00025 a fragment that varies by Accept-Encoding is the same for all viewers")
async def _() -> None:
    def pieces(_: Request) -> Reply:
        return html("<b>x</b>", ("cache-control", "max-age=60"), ("vary", "Accept-Encoding"))

    async with play_of(lambda _: kept(INCLUDE), cart=pieces) as play:
        for _ in range(3):
            one = await play.get("/")
            other = await play.get("/", ("accept-encoding", "gzip"))
            assert gzip.decompress(other.body) == one.body
    assert play.seen.count("cart GET /f") <= 2  # once for each coding its origin may be asked for, at most


@row("e00026 the fields that a gzip head may have are read over; a stream that is cut off is no fragment")
async def _() -> None:
    inside = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = inside.compress(b"<b>x</b>") + inside.flush()
    head = b"\x1f\x8b\x08\x1c\0\0\0\0\0\xff" + b"\x04\0abcd" + b"name.html\0" + b"a comment\0"
    body = head + raw + zlib.crc32(b"<b>x</b>").to_bytes(4, "little") + (8).to_bytes(4, "little")
    coded = [("content-type", "text/html"), ("content-encoding", "gzip")]
    async with play_of(f"a{INCLUDE}", cart=lambda _: Reply(body, headers=coded)) as play:
        assert bare((await play.get("/")).text) == "a<b>x</b>"
    for at in range(1, len(body) - 8, 5):
        async with play_of("a" + MAY.format("f"), cart=always(Reply(body[:at], headers=coded))) as play:
            assert bare((await play.get("/")).text) == "a"


@row("e00027 HEAD: the page's fields, no body, no fragment asked for")
async def _() -> None:
    async with play_of(INCLUDE) as play:
        answer = await play.get("/", method="HEAD")
    assert (answer.status, answer.body, play.seen) == (200, b"", ["shell HEAD /"])


@row("e00028 a page that varies, with gzip and without: each its own, and the answer says on what it depends")
async def _() -> None:
    def pages(request: Request) -> Reply:
        language = request.head.index.get(b"accept-language", b"-").decode()
        return html(f"{language}{INCLUDE}", ("vary", "Accept-Language"), ("cache-control", "max-age=60"))

    async with play_of(pages) as play:
        for language in ("de", "fr", "de"):
            plain = await play.get("/", ("accept-language", language))
            coded = await play.get("/", ("accept-language", language), ("accept-encoding", "gzip"))
            assert bare(plain.text) == f"{language}<b>/f</b>" and gzip.decompress(coded.body) == plain.body
            vary = {name.strip().lower() for name in (coded.get("vary") or "").split(",")}
            assert vary >= {"accept-language", "accept-encoding"}


@row("e00029 recursion stops: an include in a fragment is not followed")
async def _() -> None:
    async with play_of(INCLUDE, cart=says(f"<b>x</b>{INCLUDE}")) as play:
        assert "<b>x</b>" in (await play.get("/")).text
    assert play.seen == ["shell GET /", "cart GET /f"]


@row("e00029 a page that includes itself")
async def _() -> None:
    async with play_of('<p>x</p><esi:include src="/"/>') as play:
        assert (await play.get("/")).status == 200
    assert play.seen == ["shell GET /", "shell GET /"]


@row("e00030 a fragment may be told of the top request what its page tells it, and is shown nothing by itself")
async def _() -> None:
    async with play_of('<esi:include src="/cart/f?top=$(QUERY_STRING{a})"/>') as play:
        await play.get("/top?a=x/y", ("cookie", "s=1"), ("x-own", "1"))
    assert play.seen == ["shell GET /top?a=x/y", "cart GET /f?top=x%2Fy"]
    assert not {b"cookie", b"x-own"} & play.last.head.index.keys()


@row("e00031 a viewer that takes no gzip gets none, though all parts came as gzip")
async def _() -> None:
    async with play_of(lambda _: zipped(f"<p>1</p>{INCLUDE}"), cart=lambda _: zipped("<b>x</b>")) as play:
        for fields in ([], [("accept-encoding", "gzip;q=0")], [("accept-encoding", "br")]):
            answer = await play.get("/", *fields)
            assert bare(answer.text) == "<p>1</p><b>x</b>" and answer.get("content-encoding") is None


@row("e00032 nothing of a page may be kept: it is put together all the same, every time")
async def _() -> None:
    never = ("cache-control", "no-store")
    async with play_of(says(INCLUDE, never), cart=says("<b>x</b>", never)) as play:
        for _ in range(2):
            answer = await play.get("/")
            assert bare(answer.text) == "<b>x</b>" and answer.get("cache-control") == "no-store"
    assert len(play.seen) == 4


@row("e00033 what came of each include is told: to the log, and to the viewer by time")
async def _() -> None:
    async with play_of(INCLUDE + MAY.format("broken")) as play:
        answer = await play.get("/")
    told = [(fact.fragment, fact.outcome) for fact in play.facts if isinstance(fact, Degraded)]
    assert told == [("/cart/broken", "error")]
    assert [fact.status for fact in play.facts if isinstance(fact, Served)] == [200]
    assert re.findall(r'(\w+);desc="(\w+)"', answer.get("server-timing") or "") == [
        ("_cart_f", "miss"),
        ("_cart_broken", "error"),
    ]


@row("e00034 other filters: a page below a prefix is put below it as well, before and within what is included")
async def _() -> None:
    page = f'<a href="/x">x</a>{INCLUDE}<!--esi <a href="/y">y</a>-->'
    async with play_of(page, cart=says('<a href="/list">l</a>'), prefix="/shop") as play:
        text = bare((await play.get("/shop/")).text)
    assert re.findall(r'href="([^"]*)"', text) == ["/shop/x", "/cart/list", "/shop/y"]


@row("e00035 an include that fails is the page's failure")
async def _() -> None:
    for target in ("broken", "missing", "cut", "slow"):
        async with play_of(f'a<esi:include src="/cart/{target}"/>b', deadline=0.05) as play:
            assert (await play.get("/")).status == 502


@row("e00035 with onerror=continue it is nothing, also when its body is cut off")
async def _() -> None:
    for target in ("broken", "missing", "cut", "slow"):
        assert await text_of(f"a{MAY.format(target)}b", deadline=0.05) == "ab"


@row("e00036 the body of the page's request is not sent to fragments")
async def _() -> None:
    async with play_of(INCLUDE) as play:
        await play.get("/", ("content-type", "text/plain"), method="POST", body=Pieces([b"secret", b"body"]))
    assert play.last.body == b"" and play.seen[1] == "cart GET /f"
    assert not {b"content-length", b"content-type", b"transfer-encoding"} & play.last.head.index.keys()


@row("e00037 both src and alt fail")
async def _() -> None:
    tag = '<esi:include src="/cart/broken" alt="/cart/broken/2"{}/>'
    assert await text_of(f"a{tag.format(' onerror=continue')}b") == "ab"
    async with play_of(f"a{tag.format('')}b") as play:
        assert (await play.get("/")).status == 502
    assert play.seen[1:] == ["cart GET /broken", "cart GET /broken/2"]


# ledge


@row("ledge a parent survives a fragment that fails")
async def _() -> None:
    assert await text_of(f"<p>1</p>{MAY.format('broken')}<p>2</p>{INCLUDE}") == "<p>1</p><p>2</p><b>/f</b>"


@row("ledge ESI on a hit, on a stale one, and on one that is asked for again")
async def _() -> None:
    def pages(request: Request) -> Reply:
        fields = [("content-type", "text/html"), ("etag", '"1"')]
        fields.append(("cache-control", "max-age=10, stale-while-revalidate=10"))
        if request.head.index.get(b"if-none-match") == b'"1"':
            return Reply(b"", 304, fields)
        return Reply(INCLUDE.encode(), 200, fields)

    async with play_of(pages) as play:
        for ahead in (0, 1, 14, 60):
            play.wait(ahead)
            answer = await play.get("/")
            assert (answer.status, bare(answer.text)) == (200, "<b>/f</b>")
            await play.settle()
    assert play.seen.count("shell GET /") == 3


@row("ledge fragments do not hear the viewer's validators")
async def _() -> None:
    async with play_of(INCLUDE) as play:
        fields = [
            ("if-none-match", '"x"'),
            ("if-modified-since", "Tue, 01 Jan 2030 00:00:00 GMT"),
            ("range", "bytes=0-1"),
        ]
        answer = await play.get("/", *fields)
    assert answer.status == 200
    assert len(play.requests) == 2
    for request in play.requests[1:]:
        assert not {b"if-none-match", b"if-modified-since", b"range"} & request.head.index.keys()


@row("ledge a page of which a part is private is nobody else's")
async def _() -> None:
    page = says(INCLUDE, ("cache-control", "max-age=600"))
    async with play_of(page, cart=says("<b>x</b>", ("cache-control", "private, max-age=5"))) as play:
        assert (await play.get("/")).get("cache-control") == "private, max-age=5"


@row("ledge Surrogate-Capability is appended to what others before us can do")
async def _() -> None:
    async with play_of(INCLUDE) as play:
        await play.get("/", ("surrogate-capability", 'cdn="ESI/1.0"'))
    assert play.requests[0].head.index[b"surrogate-capability"] == b'cdn="ESI/1.0", portico="MF/1.0 ESI/1.0"'
    assert b"surrogate-capability" not in play.requests[1].head.index


@row("ledge Surrogate-Control is for us and not passed on; ESI is not delegated to a viewer, who may be anybody")
async def _() -> None:
    for said in ('content="ESI/1.0"', 'content="ESI/9.9"', "no-store", 'max-age=5, content="ESI/1.0"'):
        async with play_of(says(INCLUDE, ("surrogate-control", said))) as play:
            answer = await play.get("/", ("surrogate-capability", 'cdn="ESI/1.0"'))
        assert bare(answer.text) == "<b>/f</b>" and answer.get("surrogate-control") is None


@row("ledge third parties are never included, whatever a page says")
async def _() -> None:
    for source in ("http://evil.test/", "//evil.test/", "http://cart.test@evil.test/", "http://169.254.169.254/latest"):
        async with play_of(f'a<esi:include src="{source}" onerror="continue"/>b') as play:
            assert bare((await play.get("/")).text) == "ab"
        assert play.seen == ["shell GET /"]


@row("ledge cookies and Authorization go to no fragment, of the same domain or not")
async def _() -> None:
    async with play_of(INCLUDE + '<esi:include src="/own" onerror="continue"/>') as play:
        await play.get("/", ("cookie", "session=1"), ("authorization", "Basic x"))
    assert len(play.seen) == 3
    for request in play.requests[1:]:
        assert not {b"cookie", b"authorization"} & request.head.index.keys()


@row("ledge a cookie that is not the page's own cannot be said")
async def _() -> None:
    page = "<esi:vars>[$(HTTP_COOKIE{session}|-)] [$(HTTP_COOKIE{a}|-)]</esi:vars>"
    async with play_of(page, prefix="/shop") as play:
        answer = await play.get("/shop/", ("cookie", "session=secret; mf.00000000.a=another's"))
    assert answer.text.endswith("[-] [-]")


@row("ledge what is said of one viewer is said to no other")
async def _() -> None:
    async with play_of(lambda _: kept("<esi:vars>$(QUERY_STRING{n})$(HTTP_COOKIE{n})</esi:vars>")) as play:
        texts = [(await play.get("/", ("cookie", f"n={name}"))).text for name in "abab"]
    assert texts == ["a", "b", "a", "b"]


# nodesi


@row("nodesi the same address several times in a page is one piece")
async def _() -> None:
    assert await text_of(INCLUDE * 3) == "<b>/f</b>" * 3


@row("nodesi nothing is shown when it takes too long")
async def _() -> None:
    assert await text_of(f"a{MAY.format('slow')}b", deadline=0.05) == "ab"


@row("nodesi an allowed host with its port, and no other port")
async def _() -> None:
    tag = '<esi:include src="http://cart.test{}/f" onerror="continue"/>'
    for port, shown in (("", "<b>/f</b>"), (":80", "<b>/f</b>"), (":81", ""), (":443", "")):
        assert await text_of(tag.format(port)) == shown


@row("nodesi a fragment that is asked for by two viewers at once is asked for")
async def _() -> None:
    async with play_of(INCLUDE) as play:
        answers = await asyncio.gather(play.get("/"), play.get("/"))
    assert {bare(each.text) for each in answers} == {"<b>/f</b>"}


# the W3C's note

TRY = "<esi:try><esi:attempt>{}A</esi:attempt><esi:except>E</esi:except></esi:try>"


@row("w3c 3.6 exactly one of attempt and except, decided before the first byte")
async def _() -> None:
    plain = '<esi:include src="/cart/{}"/>'
    assert await text_of(TRY.format(plain.format("f"))) == "<b>/f</b>A"
    for target in ("broken", "missing", "cut", "slow"):
        assert await text_of(f"1{TRY.format(INCLUDE + plain.format(target))}2", deadline=0.05) == "1E2"


@row("w3c 3.6 an include with onerror=continue fails no attempt; with alt it has two ways to work")
async def _() -> None:
    assert await text_of(TRY.format(MAY.format("broken"))) == "A"
    assert await text_of(TRY.format('<esi:include src="/cart/broken" alt="/cart/f"/>')) == "<b>/f</b>A"


@row("w3c 3.6 an except that fails is the page's failure, in an attempt that one's")
async def _() -> None:
    failing = TRY.format('<esi:include src="/cart/broken"/>').replace(">E<", '><esi:include src="/cart/broken/2"/><')
    async with play_of(failing) as play:
        assert (await play.get("/")).status == 502
    assert await text_of(TRY.format(failing)) == "E"


@row("w3c 3.5 what is not chosen is not asked for")
async def _() -> None:
    page = (
        "<esi:choose><esi:when test=\"$(HTTP_COOKIE{g})=='a'\"><esi:include src='/cart/a'/></esi:when>"
        "<esi:otherwise><esi:include src='/cart/o'/></esi:otherwise></esi:choose>"
    )
    async with play_of(page) as play:
        await play.get("/", ("cookie", "g=a"))
        await play.get("/")
    assert [told for told in play.seen if told.startswith("cart")] == ["cart GET /a", "cart GET /o"]


# nginx' SSI


@row("ssi.t a fragment of nothing is nothing")
async def _() -> None:
    for reply in (html(""), Reply(b"", 204)):
        assert await text_of(f"X{SSI}X", "ssi", cart=always(reply)) == "XX"


@row("ssi.t the same from the cache")
async def _() -> None:
    async with play_of(f"X{SSI}X", "ssi", cart=lambda _: kept("")) as play:
        assert [bare((await play.get("/")).text) for _ in range(2)] == ["XX", "XX"]


@row("ssi.t an include that fails is its stub")
async def _() -> None:
    page = '<!--#block name="one" --><i>stub</i><!--#endblock -->X<!--#include virtual="/cart/{}" stub="one" -->X'
    for target in ("broken", "missing", "cut", "slow"):
        assert await text_of(page.format(target), "ssi", deadline=0.05) == "X<i>stub</i>X"
    assert await text_of(page.format("f"), "ssi") == "X<b>/f</b>X"


@row("ssi.t a stub stands in for a fragment of nothing, too")
async def _() -> None:
    page = '<!--#block name="one" --><i>stub</i><!--#endblock -->X<!--#include virtual="/cart/f" stub="one" -->X'
    for reply in (html(""), html(" \n"), Reply(b"", 204), kept("")):
        assert await text_of(page, "ssi", cart=always(reply)) == "X<i>stub</i>X"


@row("ssi_waited.t and ssi_if.t an include in a fragment is not followed: a fragment is no page")
async def _() -> None:
    async with play_of(f"x{SSI}x", "ssi", cart=says(f"<b>1</b>{SSI}")) as play:
        assert bare((await play.get("/")).text) == "x<b>1</b>x"
    assert play.seen == ["shell GET /", "cart GET /f"]


@row("ssi_waited.t several includes stand in the order they are written, whichever comes first")
async def _() -> None:
    async def pieces(request: Request) -> Reply:
        await asyncio.sleep(0.03 if request.target == b"/first" else 0)
        return html(f"<b>{request.target.decode()}</b>")

    page = 'x<!--#include virtual="/cart/first" -->x<!--#include virtual="/cart/second" wait="yes" -->x'
    assert await text_of(page, "ssi", cart=pieces) == "x<b>/first</b>x<b>/second</b>x"


@row("ssi_delayed.t a fragment that comes half a second after its page's beginning")
async def _() -> None:
    piece = "y" * 1024 + "SEE-THIS"
    page = "x" * 100 + SSI
    assert await text_of(page, "ssi", cart=lambda _: html(piece, delay=0.1)) == "x" * 100 + piece


@row("ssi_include_big.t a large fragment, with gzip and without")
async def _() -> None:
    piece = "<p>" + "0123456789abcdef" * (15 << 10) + "</p>"
    async with play_of(f"x{SSI}x", "ssi", cart=lambda _: html(piece)) as play:
        plain = await play.get("/")
        coded = await play.get("/", ("accept-encoding", "gzip"))
    assert bare(plain.text) == f"x{piece}x" and gzip.decompress(coded.body) == plain.body


@row("nginx HEAD and POST of a page with SSI")
async def _() -> None:
    async with play_of(SSI, "ssi") as play:
        assert (await play.get("/", method="HEAD")).body == b""
        assert bare((await play.get("/", method="POST", body=b"a=1")).text) == "<b>/f</b>"
    assert play.seen == ["shell HEAD /", "shell POST /", "cart GET /f"]


@row("nginx SSI has no If-Modified-Since of its own: a page with it has no Last-Modified of the file alone")
async def _() -> None:
    dated = says(SSI, ("last-modified", "Tue, 01 Jan 2019 00:00:00 GMT"))
    async with play_of(dated, "ssi") as play:
        assert (await play.get("/")).get("last-modified") is None


@pytest.mark.parametrize("id", list(ROWS))
async def test_a_behaviour(id: str) -> None:
    await ROWS[id]()


def test_no_number_of_varnish_is_missing() -> None:
    """e00000.vtc to e00037.vtc, each in an id here or beside the text's own."""
    here = Path(__file__)
    beside = here.parents[2] / "fragments" / "test_esi_behaviours.py"
    told = re.findall(r"(?:id=\"|row\(\"|def test_)e(\d{5})", here.read_text() + beside.read_text())
    assert {int(number) for number in told} == set(range(38))
