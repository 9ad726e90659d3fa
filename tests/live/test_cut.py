"""However an origin's answer is cut, the page is the same: at every byte in one process, at a sample over real sockets.

What is cut: shells in every spelling of slots and every include language, below a prefix and at the root; fragments of
every kind; bodies that come as gzip; and, on the wire, heads and the sizes of chunks as well.
"""

import functools
import gzip
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import pytest

from fragments.rewrite import rewriter
from fragments.urls import Place
from tests.gateway.proxy.playbook import Answers, Play, Reply, manifest, playing
from tests.kit.origin import Answer, Origin, Raw, Seen, serving
from tests.live.portal import Portal, gateway_for

SAMPLE = 60  # positions of each answer over real sockets
PAUSE = 0.001  # seconds between two parts, so that they are read one by one
HTML = ("Content-Type", "text/html; charset=utf-8")

# Slots are required where their pieces bring what goes to the head: else it stands there or here, as time goes.
SHELLS = {
    "slots": (
        '<!doctype html><html lang=en><head><title>é &amp; — “x”</title><!--mf:slot name="a" required-->'
        "<link rel=stylesheet href=/s.css></head><body class='x'><!-- <mf-slot name=no></mf-slot> -->"
        "<script>var s = '<mf-slot name=\"no\">' < 1</script>"
        '<mf-slot name="a" q="1&amp;2" required><i>F &lt; é</i></mf-slot>'
        '<table><template mf-slot="r" required><tr><td>x</template></table>'
        '<p title="<mf-slot>">1<mf-slot name="b" required/>2</p><textarea>\n<mf-slot></textarea>'
        '<a href="/list?a=1&b=2">l</a></body></html>'
    ),
    "esi": (
        'a<esi:include src="/cart/a?x=1&amp;y=é"/><esi:remove>no <esi:include src="/no"/></esi:remove>'
        "b<!--esi <b>u</b>--><esi:try><esi:attempt><esi:include src='/cart/broken'/>A</esi:attempt>"
        "<esi:except>É</esi:except></esi:try><esi:choose><esi:when test=\"$(QUERY_STRING{q})=='1'\">Q</esi:when>"
        "<esi:otherwise>O</esi:otherwise></esi:choose><esi:vars>$(HTTP_HOST)</esi:vars><esi:comment text='x'/>"
        "<![CDATA[<esi:x>]]><a href='/list'>l</a>"
    ),
    "ssi": (
        '<!--#set var="v" value="é$arg_q" --><!--#echo var="v" --><!--#block name="s" --><i>stub</i><!--#endblock -->'
        '<!--#include virtual="/cart/a?v=$v" --><!--#include virtual="/cart/broken" stub="s" --><!-- #no -->'
        '<!--#if expr="$arg_q = 1" -->1<!--#elif expr="$no" -->2<!--#else -->3<!--#endif --><a href="/list">l</a>'
    ),
    "tailor": (
        '<h1>T</h1><fragment src="/cart/a" timeout="900" id="x"><i>F</i></fragment><p>é</p>'
        '<fragment src="/cart/broken" fallback-src="/cart/r"></fragment><a href="/list">l</a>'
    ),
    "include": (
        "<h-include src='/cart/a'>w</h-include><turbo-frame id=\"f\" src='/cart/frame'>é</turbo-frame>"
        "<h-include src=/cart/broken>k</h-include><img srcset='/a.png 1x, /b.png 2x'>"
    ),
}
PIECES = {
    "/a": (
        "<p class='x'>é<img src=/i.png srcset='/a 1x, /b 2x'>&amp;<b>b</p><!-- c -->"
        "<script>var a = '</' + 'b>'</script>"
    ),
    "/b": (
        "<!doctype html><html lang=de><head><meta charset=utf-8><title>t</title><style>a{background:url(/x)}</style>"
        "<body class=c><div>ü — <a href='?p=2'>q</a></div>"
    ),
    "/r": "<tr><td>1 &lt; 2<td>é",
    "/frame": "<h1>no</h1><turbo-frame id=f><b>ß</b></turbo-frame>",
}


def cut_at(body: bytes, at: int) -> list[bytes]:
    return [part for part in (body[:at], body[at:]) if part]


def singly(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def ways(body: bytes, step: int = 1) -> Iterator[list[bytes]]:
    yield [body]
    yield singly(body)
    for at in range(1, len(body), step):
        yield cut_at(body, at)


# In one process: at every byte


def shell(name: str, prefix: str) -> dict[str, Any]:
    declared = manifest("shell", mounts={prefix: {"upstream": "shell", "composes": True}})
    declared["upstreams"]["shell"]["dialects"] = [] if name == "slots" else [name]
    return declared


CART = manifest(
    "cart",
    mounts={"/cart": {"upstream": "cart"}},
    fragments={name: {"upstream": "cart", "path": f"/{name}"} for name in ("a", "b", "r")},
)


def page(parts: list[bytes], *more: tuple[str, str]) -> Reply:
    fields = [(name.lower(), value) for name, value in (HTML, *more)]
    return Reply(parts, headers=[*fields, ("cache-control", "no-store")])


def cart(request: Any) -> Reply:
    path = request.target.decode().partition("?")[0]
    return page([PIECES[path].encode()]) if path in PIECES else Reply(b"no", 500)


async def texts(name: str, prefix: str, answers: Iterable[Answers], cart: Answers = cart) -> set[bytes]:
    """What the viewer gets of a shell, by each of these answers of its origin."""
    turns = iter(answers)
    current: list[Answers] = []

    def now(request: Any) -> Any:
        return current[0](request)

    async with playing([shell(name, prefix), CART], {"shell": now, "cart": cart}) as play:
        found = set()
        for answer in turns:
            current[:] = [answer]
            found.add(await text(play, prefix))
    return found


async def text(play: Play, prefix: str) -> bytes:
    got = await play.get(f"{prefix.rstrip('/')}/?q=1")
    assert got.status == 200
    return got.body


def sends(parts: list[bytes], *more: tuple[str, str]) -> Answers:
    return lambda _: page(parts, *more)


@pytest.mark.anyio
@pytest.mark.parametrize("prefix", ["/", "/shop"])
@pytest.mark.parametrize("name", SHELLS)
async def test_a_shell_cut_at_every_byte(name: str, prefix: str) -> None:
    body = SHELLS[name].encode()
    found = await texts(name, prefix, (sends(parts) for parts in ways(body)))
    assert len(found) == 1
    (whole,) = found
    assert (
        "é".encode() in whole and b"<esi:" not in whole.replace(b"<![CDATA[<esi:x>]]>", b"") and b"<!--#" not in whole
    )
    if prefix != "/" and name != "include":
        assert b"/shop/list" in whole


@pytest.mark.anyio
@pytest.mark.parametrize("path", PIECES)
async def test_a_fragment_cut_at_every_byte(path: str) -> None:
    body = PIECES[path].encode()
    found = set()
    for parts in ways(body):

        def cut(request: Any, parts: list[bytes] = parts) -> Reply:
            return page(parts) if request.target.decode().partition("?")[0] == path else cart(request)

        name = "include" if path == "/frame" else "slots"
        found |= await texts(name, "/", [sends([SHELLS[name].encode()])], cut)
    assert len(found) == 1
    assert b"data-mf-slot" in found.pop()


@pytest.mark.anyio
@pytest.mark.parametrize("name", SHELLS)
async def test_a_shell_that_comes_as_gzip_cut_at_every_byte(name: str) -> None:
    body = gzip.compress(SHELLS[name].encode(), mtime=0)
    coded = ("Content-Encoding", "gzip")
    found = await texts(name, "/", (sends(parts, coded) for parts in ways(body)))
    assert found == await texts(name, "/", [sends([SHELLS[name].encode()])])


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.long)], ids=["some pairs", "every pair"])
@pytest.mark.parametrize("name", SHELLS)
def test_what_is_rewritten_as_it_streams_cut_at_every_two_bytes(name: str, step: int) -> None:
    """The streaming room by itself: three parts, the first cut at every position, the second all over."""
    body = SHELLS[name].encode()[:240]
    place = Place("/shop", frozenset({"http://origin.test"}))

    def fed(parts: Iterable[bytes]) -> bytes:
        editor = rewriter("text/html", place)
        assert editor is not None
        return b"".join([*(editor.feed(part) for part in parts), editor.close()])

    whole = fed([body])
    assert fed(singly(body)) == whole
    for first in range(len(body)):
        for second in range(first + first % step, len(body), step):
            assert fed([body[:first], body[first:second], body[second:]]) == whole


# Over real sockets: at a sample


class Cutting:
    """An origin that sends every answer in the parts it is told to."""

    def __init__(self) -> None:
        self.cut: Callable[[bytes], list[bytes]] = lambda body: [body]
        self.what = ""
        self.on_the_wire = False

    def __call__(self, seen: Seen) -> Answer | Raw:
        body = self.body(seen.path)
        if body is None:
            return Answer(b"no", 500)
        cut = self.cut if seen.path == self.what else lambda body: [body]
        if not self.on_the_wire or seen.path != self.what:
            return Answer(spaced(cut(body)), headers=[HTML, ("Cache-Control", "no-store")])
        lines = ("HTTP/1.1 200 OK", ": ".join(HTML), "Transfer-Encoding: chunked", "Connection: close", "", "")
        head = "\r\n".join(lines).encode()
        return Raw(spaced(cut(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))))

    def body(self, path: str) -> bytes | None:
        text = PIECES.get(path) or SHELLS.get(path.removeprefix("/shell-"))
        return None if text is None else text.encode()


def spaced(parts: list[bytes]) -> list[bytes | float]:
    return [each for part in parts for each in (part, PAUSE)][:-1]


@pytest.fixture(scope="module")
def cutting() -> Cutting:
    return Cutting()


@pytest.fixture(scope="module")
def origin(cutting: Cutting) -> Iterator[Origin]:
    with serving(cutting) as origin:
        yield origin


@pytest.fixture(scope="module")
def portal(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    told = {
        name: f"""\
team: {name}
upstreams:
  {name}: {{ origins: ["{origin.url}"], dialects: [{"" if name == "slots" else name}] }}
mounts:
  /: {{ upstream: {name}, composes: true, hosts: [{name}.test] }}
"""
        for name in SHELLS
    }
    fragments = "".join(f"  {name}: {{ upstream: cart, path: /{name}, timeout: 3s }}\n" for name in "abr")
    told["cart"] = (
        f'team: cart\nupstreams:\n  cart: {{ origins: ["{origin.url}"] }}\n'
        f"mounts:\n  /cart: {{ upstream: cart }}\nfragments:\n{fragments}"
    )
    with gateway_for(tmp_path_factory.mktemp("cut"), told) as portal:
        yield portal


@pytest.fixture(scope="module")
def viewer(portal: Portal) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=portal.url, timeout=20) as viewer:
        yield viewer


def seen_of(viewer: httpx.Client, name: str) -> bytes:
    answer = viewer.get(f"/shell-{name}?q=1", headers={"Host": f"{name}.test"})
    assert answer.status_code == 200
    return answer.content


@pytest.mark.parametrize("on_the_wire", [False, True], ids=["between-chunks", "anywhere-on-the-wire"])
@pytest.mark.parametrize("name", SHELLS)
def test_a_shell_cut_over_sockets(cutting: Cutting, viewer: httpx.Client, name: str, on_the_wire: bool) -> None:
    cutting.what = ""
    whole = seen_of(viewer, name)
    cutting.what, cutting.on_the_wire = f"/shell-{name}", on_the_wire
    length = len(SHELLS[name].encode()) + (100 if on_the_wire else 0)
    for at in range(1, length, max(1, length // (SAMPLE // 2))):
        cutting.cut = functools.partial(cut_at, at=at)
        assert seen_of(viewer, name) == whole, f"cut at {at}"


@pytest.mark.parametrize("path", PIECES)
def test_a_fragment_cut_over_sockets(cutting: Cutting, viewer: httpx.Client, path: str) -> None:
    name = "include" if path == "/frame" else "slots"
    cutting.what = ""
    whole = seen_of(viewer, name)
    cutting.what, cutting.on_the_wire = path, False
    length = len(PIECES[path].encode())
    for at in range(1, length, max(1, length // SAMPLE)):
        cutting.cut = functools.partial(cut_at, at=at)
        assert seen_of(viewer, name) == whole, f"cut at {at}"


@pytest.mark.parametrize("what", ["/shell-slots", "/shell-esi", "/a", "/b"])
@pytest.mark.parametrize("on_the_wire", [False, True], ids=["chunks-of-one-byte", "packets-of-one-byte"])
def test_one_byte_at_a_time(cutting: Cutting, viewer: httpx.Client, what: str, on_the_wire: bool) -> None:
    name = "esi" if what == "/shell-esi" else "slots"
    cutting.what = ""
    whole = seen_of(viewer, name)
    cutting.what, cutting.on_the_wire, cutting.cut = what, on_the_wire, singly
    assert seen_of(viewer, name) == whole
