"""A team without any server: a folder beside its manifest, mounted as a bucket's website would be."""

import asyncio
import shutil
import socket
from collections.abc import Iterator

import httpx
import pytest

import gateway.walk as walk
from tests.live.portal import ROOT, Crew, Portal, gateway_for, registered, soon

SECRET = "nobody may read this"
MANIFEST = """\
team: cars
upstreams:
  cars: { origins: ["file:./dist"] }
mounts:
  /cars: { upstream: cars, composes: true }
fragments:
  cars.featured: { upstream: cars, path: /fragments/featured.html, cache: { ttl: 1m } }
"""


@pytest.fixture(scope="module")
def portal(crew: Crew, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    folder = tmp_path_factory.mktemp("folders")
    shutil.copytree(ROOT / "demo_teams" / "cars" / "dist", folder / "teams" / "dist")
    (folder / "teams" / "secret.txt").write_text(SECRET)
    (folder / "teams" / "dist" / "out.txt").symlink_to(folder / "teams" / "secret.txt")
    (folder / "teams" / "dist" / ".env").write_text(SECRET)
    with gateway_for(folder, registered(crew) | {"cars": MANIFEST}) as portal:
        yield portal


def test_every_address_below_it_answers_200(portal: Portal) -> None:
    async def walked() -> list[walk.Step]:
        async with httpx.AsyncClient(timeout=10) as client:
            return await walk.walk(client, f"{portal.url}/cars/", limit=200)

    steps = asyncio.run(walked())
    assert [f"{step.status} {step.url} from {step.via}" for step in steps if not step.good] == []
    assert sum("/cars/car/" in step.url for step in steps) == 8


def test_its_pages_and_its_fragment_are_stitched(portal: Portal) -> None:
    page, home = portal.get("/cars/car/gull/").text, portal.home()
    assert 'class="shell-header"' in page and 'href="/cars/assets/' in page
    assert "Out of the garage" in home and 'href="/cars/car/pilot/"' in home


def test_a_folder_leads_to_its_index(portal: Portal) -> None:
    answer = portal.get("/cars/car/gull?x=1")
    assert answer.status_code in (301, 302, 307, 308)
    assert answer.headers["location"].removeprefix(portal.url) == "/cars/car/gull/?x=1"


def test_what_is_not_there_is_the_folders_404(portal: Portal) -> None:
    answer = portal.get("/cars/nothing/here")
    assert answer.status_code == 404
    assert 'href="/cars/"' in answer.text and 'class="shell-header"' in answer.text


def test_a_file_known_already_is_not_sent_again(portal: Portal) -> None:
    first = portal.get("/cars/art/gull.svg")
    assert first.headers["content-type"].startswith("image/svg+xml")
    again = portal.get("/cars/art/gull.svg", **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert portal.get("/cars/art/gull.svg", **{"If-None-Match": '"another"'}).content == first.content


def test_a_part_is_sent(portal: Portal) -> None:
    whole = portal.get("/cars/app/sift.js").content
    part = portal.get("/cars/app/sift.js", Range="bytes=10-19")
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"


def test_what_is_edited_on_its_way_comes_whole(portal: Portal) -> None:
    drawing = portal.get("/cars/art/gull.svg", Range="bytes=10-19")
    assert (drawing.status_code, drawing.text.startswith("<svg")) == (200, True)


def test_a_file_that_changes_is_served_as_it_is_now(portal: Portal) -> None:
    file = portal.folder / "teams" / "dist" / "data" / "cars.json"
    assert portal.get("/cars/data/cars.json").status_code == 200
    file.write_text('[{"id": "new"}]')
    soon(lambda: portal.get("/cars/data/cars.json").text == '[{"id": "new"}]')


@pytest.mark.parametrize(
    "target",
    [
        *("/cars/../secret.txt", "/cars/%2e%2e/secret.txt", "/cars/..%2fsecret.txt", "/cars/%2e%2e%2fsecret.txt"),
        *("/cars/art/../../secret.txt", "/cars/art/..%5c..%5csecret.txt", "/cars//../secret.txt", "/cars/.env"),
        *("/cars/out.txt", "/cars/%00/../secret.txt", "/cars/....//secret.txt", "/cars/%252e%252e/secret.txt"),
    ],
)
def test_nothing_outside_the_folder_is_told(portal: Portal, target: str) -> None:
    with socket.create_connection(("127.0.0.1", int(portal.url.rpartition(":")[2])), timeout=5) as wire:
        wire.sendall(f"GET {target} HTTP/1.1\r\nHost: portal\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    assert SECRET.encode() not in answer
    assert answer.split()[1] in (b"400", b"403", b"404")
