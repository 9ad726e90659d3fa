"""Sheets that hold in the slots of one fragment: asked for by a parameter of ours, of which no origin hears."""

import pytest

from gateway.proxy.scoped import picked
from gateway.telemetry.facts import Noticed
from tests.gateway.proxy.playbook import Answers, Reply, html, manifest, playing

pytestmark = pytest.mark.anyio

SHEET = ".card{color:red}:root{--x:1}@font-face{font-family:f;src:url(/f.woff2)}"


def pets(**mount: object) -> dict[str, object]:
    box = {"upstream": "pets", "path": "/box"}
    return manifest("pets", mounts={"/pets": {"upstream": "pets", **mount}}, fragments={"pets.box": box})


def sheet(text: str = SHEET, *headers: tuple[str, str]) -> Answers:
    return lambda _: Reply(text.encode(), 200, [("content-type", "text/css"), *headers])


@pytest.mark.parametrize(
    ("target", "left", "name"),
    [
        ("/a.css?mf-scope=pets.box", "/a.css", "pets.box"),
        ("/a.css?v=1&mf-scope=pets.box", "/a.css?v=1", "pets.box"),
        ("/a.css?mf-scope=pets.box&v=1", "/a.css?v=1", "pets.box"),
        ("/a.css?a&mf-scope=pets.box&v=1", "/a.css?a&v=1", "pets.box"),
        ("/a.css?mf-scope=:host", "/a.css", ":host"),
        ("/a.css?mf-scope=%3Ahost", "/a.css", ":host"),
        ("/a.css", "/a.css", ""),
        ("/a.css?mf-scope=", "/a.css?mf-scope=", ""),
        ("/a.css?mf-scope=a}b{", "/a.css?mf-scope=a}b{", ""),
        ("/a.css?mf-scope=nobodys.box", "/a.css?mf-scope=nobodys.box", ""),
        ("/a.css?xmf-scope=pets.box", "/a.css?xmf-scope=pets.box", ""),
        ("/mf-scope=pets.box", "/mf-scope=pets.box", ""),
    ],
)
async def test_picked(target: str, left: str, name: str) -> None:
    assert picked(target.encode(), {"pets.box"}) == (left.encode(), name)


async def test_a_sheet_holds_in_its_slots_and_is_stored_once_for_all() -> None:
    async with playing([pets()], {"pets": sheet(SHEET, ("cache-control", "max-age=60"), ("etag", '"1"'))}) as play:
        plain = await play.get("/pets/a.css?v=1")
        got = await play.get("/pets/a.css?v=1&mf-scope=pets.box")
        assert play.seen == ["pets GET /a.css?v=1"]
        assert "@scope" not in plain.text
        assert "@scope" in got.text
        assert "@font-face" in got.text.partition("}}")[2]
        assert "url(/pets/f.woff2)" in got.text
        assert got.get("content-type") == "text/css; charset=utf-8"
        assert got.get("etag") != plain.get("etag")
        again = await play.get("/pets/a.css?v=1&mf-scope=pets.box", ("if-none-match", got.get("etag") or ""))
        assert (again.status, again.body) == (304, b"")


async def test_its_origin_hears_neither_of_conditions_nor_of_codings() -> None:
    async with playing([pets()], {"pets": sheet()}) as play:
        asked = (("if-none-match", '"x"'), ("range", "bytes=0-3"), ("accept-encoding", "gzip"))
        got = await play.get("/pets/a.css?mf-scope=pets.box", *asked)
        assert got.status == 200
        assert "@scope" in got.text
        assert not {b"if-none-match", b"range"} & play.last.head.index.keys()


async def test_below_the_address_of_an_upstream_without_a_mount() -> None:
    async with playing([{**pets(), "mounts": {}}], {"pets": sheet()}) as play:
        assert "@scope" in (await play.get("/-/u/pets/a.css?mf-scope=pets.box")).text
        assert play.seen == ["pets GET /a.css"]


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        pytest.param(lambda _: html(".card{}"), "", id="what is no sheet is taken for one in quirks mode"),
        pytest.param(lambda _: Reply(b".card{}"), "", id="nor is what says nothing"),
        pytest.param(sheet(".card{}", ("content-encoding", "x-own")), "", id="what nobody can read"),
        pytest.param(sheet(" " * (1 << 20) + ".card{}"), "", id="what is too long"),
        pytest.param(lambda _: Reply(b"gone", 404, [("content-type", "text/css")]), "gone", id="what is not there"),
    ],
)
async def test_what_cannot_be_made_to_hold_is_empty(answer: Answers, body: str) -> None:
    async with playing([pets(rewrite={"html": False, "css": False})], {"pets": answer}) as play:
        assert (await play.get("/pets/a.css?mf-scope=pets.box")).text == body
        told = [fact.what for fact in play.facts if isinstance(fact, Noticed)]
        assert any("sheet-not-scoped" in what for what in told) is not bool(body)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        pytest.param(".é{}".encode("utf-16-le"), "text/css; charset=utf-16le", id="by its header"),
        pytest.param(b"\xff\xfe" + ".é{}".encode("utf-16-le"), "text/css", id="by its mark"),
        pytest.param(".é{}".encode("latin-1"), "text/css; charset=iso-8859-1", id="one byte each"),
        pytest.param('@charset "iso-8859-1";.é{}'.encode("latin-1"), "text/css", id="by its own word"),
        pytest.param(".é{}".encode(), "text/css", id="as most are"),
        pytest.param(".é{}".encode(), "text/css; charset=nobodys", id="by a word nobody knows"),
    ],
)
async def test_a_sheet_is_read_as_browsers_do_and_sent_in_one_way(raw: bytes, kind: str) -> None:
    answer = lambda _: Reply(raw, 200, [("content-type", kind)])  # noqa: E731
    async with playing([pets(rewrite={"css": False})], {"pets": answer}) as play:
        got = await play.get("/pets/a.css?mf-scope=pets.box")
        assert got.get("content-type") == "text/css; charset=utf-8"
        assert "{.é{}" in got.text
