"""What demo.yaml and the manifests promise of the demo teams, and what each origin must be by itself."""

import json
import re
from collections import deque
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import httpx
import pytest

from tests.demo_teams.origins import ROOT, TEAMS

PAGES = [
    ("shell", "/"),
    ("shell", "/about/"),
    ("shell", "/favourites/"),
    ("hotels", "/"),
    ("hotels", "/search?city=lisbon&guests=2"),
    ("hotels", "/stay/3"),
    ("hotels", "/bookings"),
    ("hotels", "/price?stay=3&nights=7&guests=2"),
    ("pets", "/"),
    ("pets", "/?kind=dog"),
    ("pets", "/?kind=hen&age=old&word=garden"),
    ("pets", "/pet/3"),
    ("cars", "/"),
    ("cars", "/car/pilot/"),
    ("deals", "/"),
    ("deals", "/offer/1"),
]
FRAGMENTS = [
    ("shell", "/fragments/header.html"),
    ("shell", "/fragments/footer.html"),
    ("hotels", "/fragments/deals"),
    ("hotels", "/fragments/price"),
    ("hotels", "/fragments/advice"),
    ("hotels", "/fragments/voices"),
    ("pets", "/fragments/adoptable"),
    ("pets", "/fragments/finder"),
    ("pets", "/fragments/letters"),
    ("cars", "/fragments/featured.html"),
    ("cars", "/fragments/estimate.html"),
    ("cars", "/fragments/trips.html"),
    ("deals", "/fragments/tonight"),
]
# What the React and the Vue team brought along, built once and kept: where it lies, and what it was made of.
VENDORED = [
    ("hotels", "static/react.js", "react", "static/react.LICENSE.txt"),
    ("pets", "public/vue.mjs", "vue", "public/vue.LICENSE.txt"),
    ("pets", "vue-server.mjs", "vue", "public/vue.LICENSE.txt"),
]
LARGEST = 200_000  # bytes of what is brought along: a demo is no warehouse
# The portal's own navigation is the shell's to know; nobody else may name any public prefix.
PREFIXES = re.compile(r"""["'(=\s`](/(?:hotels|pets|cars|deals|shell|stays))(?:/|["')\s`?#])""")
LINK = re.compile(r"""(?:href|src|srcset)="([^"#][^"]*)"|url\("?([^")]+)"?\)|(?:from|import) "(\.[^"]+)\"""")


@pytest.mark.parametrize("team", TEAMS)
def test_demo_yaml_names_files_that_exist(team: str) -> None:
    named = [word for word in TEAMS[team].command if word.startswith("demo_teams/")]
    assert (ROOT / TEAMS[team].manifest).is_file()
    assert named and all((ROOT / word).exists() for word in named)


@pytest.mark.parametrize("team", TEAMS)
def test_a_manifest_has_the_origin_that_demo_yaml_replaces(team: str) -> None:
    told = TEAMS[team].declared
    assert told["team"] == team
    assert told["upstreams"][team]["origins"] == [TEAMS[team].origin]
    assert told["upstreams"][team]["health"] == TEAMS[team].health


def test_every_slot_of_home_is_served_by_some_team() -> None:
    slots = set(re.findall(r'<mf-slot name="([^"]+)"', (ROOT / "demo_teams/shell/site/index.html").read_text("utf-8")))
    offered = {name for team in TEAMS for name in TEAMS[team].declared["fragments"]}
    late = set(TEAMS["deals"].declared["fragments"])
    assert slots == offered
    assert late < slots and not TEAMS["deals"].registered


@pytest.mark.parametrize(("team", "path"), PAGES)
def test_a_page_is_whole_html_with_the_portals_header_in_place(viewer: httpx.Client, path: str) -> None:
    answer = viewer.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!doctype html>")
    assert answer.text.index('<mf-slot name="shell.header"') < answer.text.index("<main")
    assert '<link rel="icon" href="/' in answer.text


@pytest.mark.parametrize(("team", "path"), FRAGMENTS)
def test_a_fragment_is_a_shared_piece_with_its_own_sheet(viewer: httpx.Client, path: str) -> None:
    answer = viewer.get(path)
    assert answer.status_code == 200
    assert "s-maxage=" in answer.headers["cache-control"]
    assert "stale-if-error=" in answer.headers["cache-control"]
    assert answer.text.startswith(('<link rel="stylesheet" href="/', "<style>"))
    assert answer.text.count("<h2") == (1 if "/header" not in path and "/footer" not in path else 0)
    assert "set-cookie" not in answer.headers


def test_a_fragment_that_is_slow_on_purpose_is_not_kept_for_long(addresses: dict[str, str]) -> None:
    """So that a page with it in a late slot can be seen at work again after a while."""
    answer = httpx.get(f"{addresses['hotels']}/fragments/advice", timeout=5)
    assert 1 <= answer.elapsed.total_seconds() < 4
    assert "s-maxage=20" in answer.headers["cache-control"]
    assert "stale-while-revalidate" not in answer.headers["cache-control"]


@pytest.mark.parametrize(("team", "file", "package", "licence"), VENDORED)
def test_what_is_brought_along_says_what_it_is(team: str, file: str, package: str, licence: str) -> None:
    folder = ROOT / "demo_teams" / team
    pinned = json.loads((folder / "vendor" / "package.json").read_text())["devDependencies"]
    head = (folder / file).read_text("utf-8").partition("\n")[0]
    assert re.fullmatch(rf"// \w+ {re.escape(pinned[package])}, MIT: see \S+\. Made by vendor/build\.mjs\.", head)
    assert (folder / file).stat().st_size <= LARGEST
    assert (folder / licence).read_text("utf-8").lstrip().startswith("The MIT License") or "MIT License" in (
        folder / licence
    ).read_text("utf-8")
    lock = (folder / "vendor" / "package-lock.json").read_text()
    assert '"integrity"' in lock and '"resolved"' not in lock


@pytest.mark.parametrize(
    ("team", "path"), [("hotels", "/fragments/price"), ("pets", "/fragments/finder")], ids=["React", "Vue"]
)
def test_an_applications_fragment_is_of_use_without_it(viewer: httpx.Client, path: str) -> None:
    """A form that the team's own pages answer, a result, and what the application goes on from."""
    text = viewer.get(path).text
    form = re.search(
        r'<form class="[\w-]+" action="(/\w*)" method="get">.*?<button [^>]*type="submit">.*?</form>', text
    )
    assert form is not None and viewer.get(form[1]).status_code == 200
    assert re.search(r'<script type="module" mf-mount src="/\w+/\w+\.m?js"></script>', text)
    told = re.search(r'<script type="application/json" data-[\w-]+-told>(.*?)</script>', text)
    assert told is not None and json.loads(told[1])["wish"]


@pytest.mark.parametrize("team", ["hotels", "pets", "cars", "deals"])
def test_everything_a_team_links_to_is_there(viewer: httpx.Client) -> None:
    waiting, known = deque(["/"]), {"/"}
    while waiting:
        path = waiting.popleft()
        answer = viewer.get(path)
        assert answer.status_code == 200, path
        for link in links(answer, path) - known:
            known.add(link)
            waiting.append(link)
    assert len(known) > 5


@pytest.mark.parametrize("path", ["/", "/about/", "/favourites/", "/fragments/header.html", "/fragments/footer.html"])
def test_what_the_shell_links_to_is_there_or_belongs_to_a_mount(addresses: dict[str, str], path: str) -> None:
    mounts = ("/hotels/", "/pets/", "/cars/")
    with httpx.Client(base_url=addresses["shell"]) as shell:
        found = links(shell.get(path), path)
        assert found
        for link in sorted(found):
            assert link.startswith(mounts) or shell.get(link).status_code == 200, link


def links(answer: httpx.Response, path: str) -> set[str]:
    if not answer.headers["content-type"].startswith(("text/html", "text/css", "text/javascript")):
        return set()
    found = [next(group for group in match.groups() if group) for match in LINK.finditer(answer.text)]
    return {urldefrag(urljoin(path, link.strip())).url for link in found if "${" not in link and "var(" not in link}


@pytest.mark.parametrize("team", ["hotels", "pets", "cars", "deals"])
def test_no_team_knows_a_public_prefix(team: str) -> None:
    for file in sources(team):
        assert not PREFIXES.search(file.read_text("utf-8")), file


@pytest.mark.parametrize("team", ["hotels", "pets", "cars", "deals"])
def test_no_answer_names_a_public_prefix(viewer: httpx.Client, team: str) -> None:
    for owner, path in PAGES + FRAGMENTS:
        if owner == team:
            assert not PREFIXES.search(viewer.get(path).text), path


@pytest.mark.parametrize("team", TEAMS)
def test_no_team_imports_the_gateway_or_loads_from_elsewhere(team: str) -> None:
    for file in sources(team):
        text = file.read_text("utf-8")
        assert not re.search(r"^\s*(?:from|import) (?:gateway|fragments)\b", text, re.M), file
        assert not re.search(r"""(?:href|src|url\(|from|import)\W{1,3}(?:https?:)?//""", text), file


def sources(team: str) -> list[Path]:
    """What a team wrote: its manifest is a word to the gateway and may name its prefix."""
    folder = ROOT / "demo_teams" / team
    kinds = {".py", ".mjs", ".js", ".html", ".css", ".svg", ".json"}
    return [file for file in sorted(folder.rglob("*")) if file.suffix in kinds]


@pytest.mark.parametrize("team", TEAMS)
def test_a_team_can_be_slowed_and_hurried_again(viewer: httpx.Client, team: str) -> None:
    health = TEAMS[team].health
    assert viewer.post("/__demo/slow?seconds=0.2").text == "0.2\n"
    slow = viewer.get(health).elapsed.total_seconds()
    viewer.post("/__demo/slow?seconds=0")
    assert slow >= 0.2
    assert viewer.get(health).status_code == 200


@pytest.mark.parametrize("team", ["shell", "hotels", "pets", "cars"])
def test_what_is_not_there_is_a_designed_404(viewer: httpx.Client) -> None:
    answer = viewer.get("/no/such/page")
    assert answer.status_code == 404
    assert '<main class="' in answer.text and 'href="/"' in answer.text
