"""A directory that behaves like a website in a bucket, and shows nothing outside itself."""

import os
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import OriginError
from gateway.message import Request, Response, Stream, first
from gateway.table import Origin
from gateway.transport.folder import CHUNK, Folder

pytestmark = pytest.mark.anyio

BIG = bytes(range(256)) * 1500  # more than one chunk


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "dist"
    (root / "docs").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / ".git").mkdir()
    (root / "index.html").write_text("<h1>home</h1>")
    (root / "docs" / "index.html").write_text("<h1>docs</h1>")
    (root / "docs" / "a b.txt").write_text("spaced")
    (root / "app.3f9a2c71.js").write_text("run()")
    (root / "app.js").write_text("run()")
    (root / "pic.svg").write_text("<svg/>")
    (root / "big.bin").write_bytes(BIG)
    (root / "none.txt").write_text("")
    (root / ".env").write_text("SECRET=1")
    (root / ".git" / "config").write_text("SECRET=1")
    (tmp_path / "secret.txt").write_text("SECRET=1")
    (root / "out.txt").symlink_to(tmp_path / "secret.txt")
    (root / "outside").symlink_to(tmp_path)
    (root / "in.txt").symlink_to(root / "none.txt")
    return tmp_path


async def get(site: Path, target: bytes, *headers: tuple[bytes, bytes], method: bytes = b"GET") -> Response:
    folder = Folder(site)
    return await folder.handle_async_request(
        Request(method, target, list(headers)), Origin("file:./dist", "file", folder="./dist"), 1.0
    )


async def read(response: Response) -> bytes:
    if isinstance(response.body, bytes):
        return response.body
    chunks = []
    while chunk := await response.body.read():
        chunks.append(chunk)
    return b"".join(chunks)


@pytest.mark.parametrize(
    ("target", "status", "body"),
    [
        pytest.param(b"/", 200, b"<h1>home</h1>", id="the index document"),
        pytest.param(b"/docs/", 200, b"<h1>docs</h1>", id="a folder's index document"),
        pytest.param(b"/docs", 302, b"", id="a folder without its slash"),
        pytest.param(b"/app.js", 200, b"run()", id="a file"),
        pytest.param(b"/app.js?v=1", 200, b"run()", id="a query names no file"),
        pytest.param(b"/docs/a%20b.txt", 200, b"spaced", id="an escaped name"),
        pytest.param(b"/none.txt", 200, b"", id="an empty file"),
        pytest.param(b"/in.txt", 200, b"", id="a link that stays inside"),
        pytest.param(b"/big.bin", 200, BIG, id="a large file"),
        pytest.param(b"/nothing", 404, b"No such file.\n", id="no such file"),
        pytest.param(b"/empty/", 404, b"No such file.\n", id="a folder without an index document is not listed"),
        pytest.param(b"/empty", 404, b"No such file.\n", id="nor without its slash"),
        pytest.param(b"/app.js/", 404, b"No such file.\n", id="a file is no folder"),
        pytest.param(b"/.env", 404, b"No such file.\n", id="a hidden file"),
        pytest.param(b"/.git/config", 404, b"No such file.\n", id="a hidden folder"),
        pytest.param(b"/out.txt", 404, b"No such file.\n", id="a link that leads out"),
        pytest.param(b"/outside/secret.txt", 404, b"No such file.\n", id="a folder link that leads out"),
        pytest.param(b"/../secret.txt", 404, b"No such file.\n", id="two dots"),
        pytest.param(b"/%2e%2e/secret.txt", 404, b"No such file.\n", id="escaped dots"),
        pytest.param(b"/..%2fsecret.txt", 404, b"No such file.\n", id="an escaped slash"),
        pytest.param(b"//etc/passwd", 404, b"No such file.\n", id="an absolute path"),
        pytest.param(b"/%2Fetc%2Fpasswd", 404, b"No such file.\n", id="an escaped absolute path"),
        pytest.param(b"/%00", 404, b"No such file.\n", id="a zero byte"),
        pytest.param(b"/%ff%fe", 404, b"No such file.\n", id="a name that is no text"),
        pytest.param(b"/" + b"a" * 5000, 404, b"No such file.\n", id="a name no file system has"),
    ],
)  # fmt: skip
async def test_get(site: Path, target: bytes, status: int, body: bytes) -> None:
    response = await get(site, target)
    assert (response.status, await read(response)) == (status, body)


async def test_a_folder_is_redirected_with_its_query(site: Path) -> None:
    assert first((await get(site, b"/docs?a=1")).headers, b"location") == b"/docs/?a=1"


async def test_a_404_document_is_shown(site: Path) -> None:
    (site / "dist" / "404.html").write_text("<h1>lost</h1>")
    response = await get(site, b"/nothing", (b"range", b"bytes=0-1"))
    assert (response.status, await read(response)) == (404, b"<h1>lost</h1>")


@pytest.mark.parametrize(
    ("target", "kind", "kept"),
    [
        pytest.param(b"/", b"text/html; charset=utf-8", b"no-cache", id="a page"),
        pytest.param(b"/app.js", b"text/javascript; charset=utf-8", b"no-cache", id="a script"),
        pytest.param(
            b"/app.3f9a2c71.js",
            b"text/javascript; charset=utf-8",
            b"public, max-age=31536000, immutable",
            id="a name with a hash is kept for good",
        ),
        pytest.param(b"/pic.svg", b"image/svg+xml", b"no-cache", id="a picture"),
        pytest.param(b"/big.bin", b"application/octet-stream", b"no-cache", id="anything else"),
    ],
)
async def test_fields(site: Path, target: bytes, kind: bytes, kept: bytes) -> None:
    response = await get(site, target)
    await read(response)
    assert first(response.headers, b"content-type") == kind
    assert first(response.headers, b"cache-control") == kept
    assert first(response.headers, b"accept-ranges") == b"bytes"
    parsedate_to_datetime((first(response.headers, b"last-modified") or b"").decode())


@pytest.mark.parametrize(
    ("asked", "status", "body", "span"),
    [
        pytest.param(b"bytes=0-3", 206, BIG[:4], b"bytes 0-3/384000", id="the first bytes"),
        pytest.param(b"bytes=-4", 206, BIG[-4:], b"bytes 383996-383999/384000", id="the last bytes"),
        pytest.param(b"bytes=1-", 206, BIG[1:], b"bytes 1-383999/384000", id="from a position on"),
        pytest.param(b"bytes=0-1,4-5", 200, BIG, None, id="several: the whole"),
        pytest.param(b"bytes=384000-", 416, b"", b"bytes */384000", id="behind the end"),
    ],
)
async def test_range(site: Path, asked: bytes, status: int, body: bytes, span: bytes | None) -> None:
    response = await get(site, b"/big.bin", (b"range", asked))
    assert (response.status, await read(response)) == (status, body)
    assert first(response.headers, b"content-range") == span


async def test_if_range_of_other_bytes_gets_the_whole(site: Path) -> None:
    etag = first((await get(site, b"/app.js")).headers, b"etag") or b""
    held = await get(site, b"/app.js", (b"range", b"bytes=0-1"), (b"if-range", etag))
    changed = await get(site, b"/app.js", (b"range", b"bytes=0-1"), (b"if-range", b'"other"'))
    weak = await get(site, b"/app.js", (b"range", b"bytes=0-1"), (b"if-range", b"W/" + etag))
    assert [held.status, changed.status, weak.status] == [206, 200, 200]


@pytest.mark.parametrize("held", ["same", "weak", "listed", "star"])
async def test_who_holds_the_bytes_gets_none(site: Path, held: str) -> None:
    etag = first((await get(site, b"/app.js")).headers, b"etag") or b""
    asked = {"same": etag, "weak": b"W/" + etag, "listed": b'"x", ' + etag, "star": b"*"}[held]
    response = await get(site, b"/app.js", (b"if-none-match", asked))
    assert (response.status, response.body, first(response.headers, b"etag")) == (304, b"", etag)


async def test_changed_bytes_have_another_validator(site: Path) -> None:
    before = first((await get(site, b"/app.js")).headers, b"etag")
    (site / "dist" / "app.js").write_text("run(2)")
    assert first((await get(site, b"/app.js")).headers, b"etag") != before


async def test_head_tells_all_but_the_body(site: Path) -> None:
    got, head = await get(site, b"/big.bin"), await get(site, b"/big.bin", method=b"HEAD")
    await read(got)
    assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")
    assert first(head.headers, b"content-length") == b"384000"


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"OPTIONS"])
async def test_other_methods_are_refused(site: Path, method: bytes) -> None:
    response = await get(site, b"/", method=method)
    assert (response.status, response.headers) == (405, [(b"allow", b"GET, HEAD")])


async def test_a_large_file_streams_and_can_be_let_go(site: Path) -> None:
    response = await get(site, b"/big.bin")
    assert isinstance(response.body, Stream)
    assert response.body.length == len(BIG)
    assert await response.body.read() == BIG[:CHUNK]
    response.body.close()


async def test_a_file_that_shrinks_is_no_clean_end(site: Path) -> None:
    response = await get(site, b"/big.bin")
    os.truncate(site / "dist" / "big.bin", CHUNK)
    with pytest.raises(OriginError) as told:
        await read(response)
    assert told.value.proxy_error == "http_response_incomplete"


async def test_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(OriginError, match="is not there"):
        await get(tmp_path, b"/")


async def test_a_file_that_may_not_be_read_is_told(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OriginError):
        await get(site, b"/app.js")


PARTS = st.sampled_from(
    [b"..", b".", b"/", b"%2e", b"%2f", b"%5c", b"\\", b"outside", b"secret.txt", b"docs", b"~", b"%00"]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=st.lists(PARTS, max_size=8).map(b"".join))
async def test_nothing_outside_is_ever_read(site: Path, target: bytes) -> None:
    response = await get(site, b"/" + target)
    assert b"SECRET" not in await read(response)
