"""Where shells come from: files by name and by look, pages of origins; and the portal around them."""

from pathlib import Path

import httpx
import pytest

import gateway.trial.shells as shells
import gateway.trial.sources as sources
from gateway.errors import Rejected, SettingsError, Unreachable

GOOD = """team: hotels
upstreams:
  hotels: { origins: ["http://hotels:8000"], dialects: [esi] }
mounts:
  /hotels: { upstream: hotels, composes: true }
fragments:
  hotels.deals: { upstream: hotels, path: /deals }
"""
ROWS = {
    "number": 3,
    "teams": ["hotels", "odd"],
    "upstreams": [{"name": "hotels", "team": "hotels", "origins": ["http://hotels:8000"]}],
    "mounts": [
        {
            "prefix": "/hotels",
            "hosts": [],
            "team": "hotels",
            "upstream": "hotels",
            "composes": True,
            "aware": "unaware",
        },
        {
            "prefix": "/-/u/x",
            "hosts": [],
            "team": "hotels",
            "upstream": "hotels",
            "composes": False,
            "aware": "unaware",
        },
        {"prefix": "/odd", "team": "odd", "upstream": "odd", "composes": True, "aware": "by tomorrow's ways"},
    ],
    "fragments": [
        {
            "name": "hotels.deals",
            "team": "hotels",
            "upstream": "hotels",
            "path": "/deals",
            "isolation": "shadow",
            "timeout": 0.5,
            "cache": None,
            "of_tomorrow": 1,
        }
    ],
}


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        pytest.param("home.html", b"team: x", True, id="by its name"),
        pytest.param("HOME.HTM", b"", True, id="in capitals"),
        pytest.param("shop.shtml", b"", True, id="server-parsed"),
        pytest.param("hotels.yaml", b"<html>", False, id="a manifest, by its name"),
        pytest.param("hotels.json", b"<", False, id="JSON, by its name"),
        pytest.param("home", b"\xef\xbb\xbf\n <!doctype html>", True, id="by looking"),
        pytest.param("home.php", b"<?php ?>", True, id="a template"),
        pytest.param("hotels", b"team: hotels", False, id="no markup"),
        pytest.param("empty", b"", False, id="nothing"),
    ],
)
def test_what_is_a_page(tmp_path: Path, name: str, body: bytes, expected: bool) -> None:
    (tmp_path / name).write_bytes(body)
    assert sources.is_page(str(tmp_path / name)) is expected


def test_what_is_not_there_is_a_page_by_its_name_only(tmp_path: Path) -> None:
    assert sources.is_page(str(tmp_path / "gone.html"))
    assert not sources.is_page(str(tmp_path / "gone"))


def test_a_file_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(b"\xff\0")
    found = sources.file(str(tmp_path / "a.html"))
    assert (found.body, found.content_type, found.status) == (b"\xff\0", "", 200)


def test_no_more_of_a_file_is_read_than_tells_that_it_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(b"a" * (shells.LARGEST + 100))
    assert len(sources.file(str(tmp_path / "a.html")).body) == shells.LARGEST + 1


@pytest.mark.parametrize("name", ["gone.html", ".", "a\0b.html"])
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"cannot be read: \w.*\. Name a file"):
        sources.file(name)


def answering(request: httpx.Request) -> httpx.Response:
    match request.url.path:
        case "/moved":
            return httpx.Response(302, headers={"Location": "/home"})
        case "/huge":
            return httpx.Response(200, content=b"a" * (shells.LARGEST + 10))
        case "/away":
            raise httpx.ConnectError("refused")
    told = request.headers.get("surrogate-capability", "")
    return httpx.Response(200, text=f"<p>{told}", headers={"Content-Type": "text/html; charset=utf-8"})


@pytest.mark.parametrize(
    ("languages", "told"),
    [
        ((), b'<p>portico="MF/1.0"'),
        (("ssi",), b'<p>portico="MF/1.0"'),
        (("esi",), b'<p>portico="MF/1.0 ESI/1.0"'),
    ],
    ids=["that slots are filled", "nothing of SSI", "what can be done for ESI"],
)
def test_an_origin_is_told_what_composing_tells_it(languages: tuple[str, ...], told: bytes) -> None:
    found = sources.page("http://shop.test/home", languages, httpx.MockTransport(answering))
    assert (found.body, found.content_type) == (told, "text/html; charset=utf-8")


def test_redirects_are_followed_and_named() -> None:
    assert sources.page("http://shop.test/moved", (), httpx.MockTransport(answering)).name == "http://shop.test/home"


def test_a_page_without_an_end_is_read_no_further() -> None:
    assert len(sources.page("http://shop.test/huge", (), httpx.MockTransport(answering)).body) > shells.LARGEST


@pytest.mark.parametrize("url", ["http://shop.test/away", "http://[::1", "http://"])
def test_an_origin_that_is_away_is_told(url: str) -> None:
    with pytest.raises(Unreachable, match=r"cannot be read: .+ Is the shell's origin running\?"):
        sources.page(url, (), httpx.MockTransport(answering))


def test_manifests_make_the_portal() -> None:
    around = sources.declared({"hotels.yaml": GOOD})
    assert (around.told, around.whole) == ("next to hotels.yaml", True)
    assert list(around.table.fragments) == ["hotels.deals"]
    assert around.table.upstreams["hotels"].dialects == ("esi",)


def test_many_manifests_are_counted_not_named() -> None:
    texts = {f"{name}.yaml": GOOD.replace("hotels", name) for name in "abcd"}
    assert sources.declared(texts).told == "next to 4 manifests"


def test_a_broken_manifest_is_nothing_to_go_by() -> None:
    with pytest.raises(Rejected, match=r"hotels\.yaml is no manifest to go by: .*portico check hotels\.yaml"):
        sources.declared({"hotels.yaml": "team: hotels\nmount: x\n"})


def test_a_gateways_table_makes_the_portal_as_far_as_it_tells() -> None:
    around = sources.served(ROWS, "http://gateway:8081")
    assert (around.told, around.whole) == ("asked http://gateway:8081", False)
    fragment = around.table.fragments["hotels.deals"]
    assert (fragment.isolation, fragment.timeout, fragment.path) == ("shadow", 0.5, b"/deals")
    assert around.table.mounts[b"/hotels"][0].composes


def test_a_team_told_otherwise_is_passed_over() -> None:
    assert sources.served(ROWS, "x").table.teams == ("hotels",)


@pytest.mark.parametrize(
    ("url", "at"),
    [
        ("http://hotels:8000/deals?a=1", "/hotels/deals?a=1"),
        ("http://other:1/deals", "/deals"),
        ("http://hotels:8000", "/hotels/"),
    ],
    ids=["below its mount", "nobody's origin: at the root", "its first page"],
)
def test_where_the_portal_shows_a_page_of_an_origin(url: str, at: str) -> None:
    assert sources.shown_at(url, sources.declared({"hotels.yaml": GOOD}).table) == at
