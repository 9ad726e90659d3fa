"""The pets team by itself: what the server paints first is what its application is told, and forms need no script."""

import re
from collections.abc import Iterator

import httpx
import pytest


@pytest.fixture
def pets(addresses: dict[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=addresses["pets"]) as client:
        yield client


@pytest.mark.parametrize(("kind", "count"), [("", 9), ("dog", 3), ("hen", 1), ("unicorn", 9)])
def test_the_list_is_the_same_for_page_and_application(pets: httpx.Client, kind: str, count: int) -> None:
    told = pets.get("/api/pets", params={"kind": kind}).json()["pets"]
    page = pets.get("/", params={"kind": kind}).text
    assert len(told) == count == page.count('<article class="pets-card"')
    assert all(f'href="/pet/{pet["id"]}"' in page for pet in told)


def test_a_detail_is_the_same_for_page_and_application(pets: httpx.Client) -> None:
    pet = pets.get("/api/pets/3").json()["pet"]
    page = pets.get("/pet/3").text
    assert pet["name"] in page and pet["line"] in page and all(need in page for need in pet["needs"])


@pytest.mark.parametrize(
    "path", ["/pet/99", "/pet/x", "/api/pets/99", "/portrait/99.svg", "/public/../server.mjs", "/public/no.mjs"]
)
def test_what_is_not_there_is_404(pets: httpx.Client, path: str) -> None:
    assert pets.get(path).status_code == 404


def test_hello_is_remembered_by_a_cookie_and_shown(pets: httpx.Client) -> None:
    assert 'action="/pet/3/hello"' in pets.get("/pet/3").text
    answer = pets.post("/pet/3/hello", data={"name": "Ada"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/pet/3")
    assert answer.headers["set-cookie"].startswith("pets_greeted=3; Path=/;")
    assert "got your hello" in pets.get("/pet/3").text
    assert pets.get("/api/pets/3").json()["pet"]["greeted"] is True


def test_hello_without_a_name_is_asked_for_again(pets: httpx.Client) -> None:
    answer = pets.post("/pet/3/hello", data={"name": ""})
    assert (answer.status_code, answer.headers["location"]) == (303, "/pet/3")
    assert "set-cookie" not in answer.headers


def test_a_letter_that_never_ends_is_refused(pets: httpx.Client) -> None:
    assert pets.post("/pet/3/hello", data={"name": "x" * 20_000}).status_code == 413


def test_what_is_known_is_not_sent_again(pets: httpx.Client) -> None:
    tag = pets.get("/public/app.mjs").headers["etag"]
    answer = pets.get("/public/app.mjs", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_head_is_get_without_the_body(pets: httpx.Client) -> None:
    head, whole = pets.head("/pet/3"), pets.get("/pet/3")
    assert head.content == b""
    assert head.headers["content-length"] == whole.headers["content-length"]


@pytest.mark.parametrize(
    ("wish", "names"),
    [
        pytest.param({"kind": "rabbit"}, ["Pim", "Tofu"], id="a kind"),
        pytest.param({"age": "young"}, ["Pim", "Barnacle"], id="an age, months among them"),
        pytest.param({"age": "old"}, ["Thunder", "Doktor"], id="of some years"),
        pytest.param({"word": "STOVE"}, ["Smudge"], id="a word, in any case"),
        pytest.param({"kind": "dog", "age": "grown"}, ["Captain"], id="all of it"),
        pytest.param({"kind": "hen", "word": "stove"}, [], id="nobody"),
        pytest.param({"age": "<b>"}, None, id="an age that is none is no wish"),
    ],
)
def test_who_would_fit_is_the_same_in_the_finder_and_on_the_page(
    pets: httpx.Client, wish: dict[str, str], names: list[str] | None
) -> None:
    finder, page = pets.get("/fragments/finder", params=wish).text, pets.get("/", params=wish).text
    found = re.findall(r'pets-find-name"><a href="/pet/\d+">(\w+)<', finder)
    listed = re.findall(r'pets-name"><a href="/pet/\d+">(\w+)<', page)
    assert found == listed[:6]
    assert len(listed) == 9 if names is None else listed == names
    assert ("Nobody is all of that" in page) == (names == [])


def test_what_is_looked_for_is_escaped(pets: httpx.Client) -> None:
    """In the field it was typed into, and in what the application goes on from."""
    text = pets.get("/fragments/finder", params={"word": '"></script><mf-slot name=x>'}).text
    assert "<mf-slot" not in text and text.count("</script>") == 2
