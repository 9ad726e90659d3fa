"""The bucket's rules, over the wire, on a folder made for them."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.demo_teams.origins import started

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def fill(folder: Path) -> None:
    (folder / "site" / "sub").mkdir(parents=True)
    (folder / "site" / "empty").mkdir()
    (folder / "secret.txt").write_text("secret")
    (folder / "site" / "index.html").write_text("<p>home")
    (folder / "site" / "sub" / "index.html").write_text("<p>sub")
    (folder / "site" / "abc.txt").write_text(ALPHABET)
    (folder / "site" / "with space.txt").write_text("space")
    (folder / "site" / "app.0123abcd.js").write_text("1")
    (folder / "site" / "data.json").write_text("{}")
    (folder / "site" / ".hidden").write_text("secret")
    (folder / "site" / "way-out").symlink_to(folder / "secret.txt")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bucket")
    fill(folder)
    return folder


@pytest.fixture(scope="module")
def bucket(folder: Path) -> Iterator[httpx.Client]:
    command = ["{python}", "-m", "demo_teams.bucket", str(folder / "site"), "--port", "{port}"]
    with started(command, "/") as address, httpx.Client(base_url=address) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        pytest.param("/", 200, "<p>home", id="the root is its index document"),
        pytest.param("/index.html", 200, "<p>home", id="which has a key of its own"),
        pytest.param("/sub/", 200, "<p>sub", id="so has a folder"),
        pytest.param("/abc.txt", 200, ALPHABET, id="a key is its file"),
        pytest.param("/abc.txt?x=/../", 200, ALPHABET, id="a query does not matter"),
        pytest.param("/with%20space.txt", 200, "space", id="keys are decoded"),
        pytest.param("/abc.txt/", 404, None, id="a file is no folder"),
        pytest.param("/empty/", 404, None, id="no listing"),
        pytest.param("/empty", 404, None, id="no redirect to nothing"),
        pytest.param("/no", 404, None, id="no such key"),
        pytest.param("/.hidden", 404, None, id="nothing hidden"),
        pytest.param("/way-out", 404, None, id="no link out of the folder"),
    ],
)
def test_what_a_key_answers(bucket: httpx.Client, path: str, status: int, body: str | None) -> None:
    answer = bucket.get(str(bucket.base_url).rstrip("/") + path)
    assert answer.status_code == status
    if body is None:
        assert answer.headers["content-type"] == "application/xml"
        assert "<Code>NoSuchKey</Code>" in answer.text
    else:
        assert answer.text == body


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/sub/..%2f..%2fsecret.txt",
        "/sub/..\\..\\secret.txt",
        "/%00",
        "/..%00/x",
    ],
)
def test_no_way_out_of_the_folder(bucket: httpx.Client, path: str) -> None:
    """By hand, since a client would tidy such paths away."""
    address = urlsplit(str(bucket.base_url))
    with socket.create_connection((address.hostname, address.port), timeout=5) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: bucket\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert not answer.endswith(b"secret")


@pytest.mark.parametrize(
    "path", [pytest.param("/sub", id="as it is"), pytest.param("//sub", id="never to another host")]
)
def test_a_folder_without_its_slash_is_redirected(bucket: httpx.Client, path: str) -> None:
    answer = bucket.get(str(bucket.base_url).rstrip("/") + path)
    assert (answer.status_code, answer.headers["location"]) == (302, "/sub/")


@pytest.mark.parametrize(
    ("path", "lifetime"),
    [
        pytest.param("/app.0123abcd.js", "public, max-age=31536000, immutable", id="hashed names never change"),
        pytest.param("/index.html", "no-cache", id="pages are asked for again"),
        pytest.param("/data.json", "public, max-age=0, must-revalidate", id="so is everything else"),
    ],
)
def test_how_long_an_answer_lives(bucket: httpx.Client, path: str, lifetime: str) -> None:
    assert bucket.get(path).headers["cache-control"] == lifetime


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({"If-None-Match": "{etag}"}, 304, id="the tag it has"),
        pytest.param({"If-None-Match": '"other", W/{etag}'}, 304, id="one of several, weakly"),
        pytest.param({"If-None-Match": "*"}, 304, id="any tag"),
        pytest.param({"If-None-Match": '"other"'}, 200, id="another tag"),
        pytest.param({"If-Modified-Since": "{date}"}, 304, id="not changed since"),
        pytest.param({"If-None-Match": '"other"', "If-Modified-Since": "{date}"}, 200, id="the tag decides alone"),
        pytest.param({"If-Modified-Since": "yesterday"}, 200, id="a date that is none"),
    ],
)
def test_conditional_reads(bucket: httpx.Client, fields: dict[str, str], status: int) -> None:
    known = bucket.get("/abc.txt").headers
    filled = {
        name: value.replace("{etag}", known["etag"]).replace("{date}", known["last-modified"])
        for name, value in fields.items()
    }
    answer = bucket.get("/abc.txt", headers=filled)
    assert answer.status_code == status
    assert answer.headers["etag"] == known["etag"]
    assert answer.text == ("" if status == 304 else ALPHABET)


@pytest.mark.parametrize(
    ("wanted", "status", "body", "span"),
    [
        pytest.param("bytes=0-3", 206, "abcd", "bytes 0-3/26", id="from and to"),
        pytest.param("bytes=23-", 206, "xyz", "bytes 23-25/26", id="from"),
        pytest.param("bytes=-2", 206, "yz", "bytes 24-25/26", id="the last"),
        pytest.param("bytes=-99", 206, ALPHABET, "bytes 0-25/26", id="more than there is, from behind"),
        pytest.param("bytes=24-99", 206, "yz", "bytes 24-25/26", id="more than there is"),
        pytest.param("bytes=26-", 416, "", "bytes */26", id="nothing of it is there"),
        pytest.param("bytes=-0", 416, "", "bytes */26", id="the last none"),
        pytest.param("bytes=3-1", 200, ALPHABET, None, id="backwards is not understood"),
        pytest.param("bytes=0-1,3-4", 200, ALPHABET, None, id="several are answered whole"),
        pytest.param("lines=0-3", 200, ALPHABET, None, id="another unit"),
    ],
)
def test_ranged_reads(bucket: httpx.Client, wanted: str, status: int, body: str, span: str | None) -> None:
    answer = bucket.get("/abc.txt", headers={"Range": wanted})
    assert (answer.status_code, answer.text, answer.headers.get("content-range")) == (status, body, span)


def test_a_range_of_another_version_is_answered_whole(bucket: httpx.Client) -> None:
    answer = bucket.get("/abc.txt", headers={"Range": "bytes=0-3", "If-Range": '"other"'})
    assert (answer.status_code, answer.text) == (200, ALPHABET)


def test_head_is_get_without_the_body(bucket: httpx.Client) -> None:
    answer = bucket.head("/abc.txt")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "26")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(bucket: httpx.Client, method: str) -> None:
    answer = bucket.request(method, "/__demo/slow?seconds=1", content=b"x")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_the_same_bytes_have_the_same_tag_and_others_another(bucket: httpx.Client, folder: Path) -> None:
    file = folder / "site" / "changing.txt"
    tags = []
    for written in ("one", "two", "one"):
        file.write_text(written)
        tags.append(bucket.get("/changing.txt").headers["etag"])
    assert tags[0] == tags[2] != tags[1]


def test_a_404_document_takes_the_place_of_the_xml(bucket: httpx.Client, folder: Path) -> None:
    document = folder / "site" / "404.html"
    document.write_text("<p>lost")
    answer = bucket.get("/no")
    document.unlink()
    assert (answer.status_code, answer.text) == (404, "<p>lost")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
