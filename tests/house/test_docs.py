"""What the code can do, a page names; what a page names, the code can do."""

import json
import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

import pytest
import typer.main
from typer.testing import CliRunner

import fragments.piece as piece
import fragments.plan as plans
import gateway.cli
import gateway.model as model
import gateway.registry.check as check
import gateway.settings
import gateway.telemetry.facts as facts
from fragments.urls import Place
from tests.house.tree import MODULES, PACKAGES, ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SETTINGS = [field.name for field in fields(gateway.settings.Settings)]
VERBS = sorted(typer.main.get_group(gateway.cli.app).commands)
DECLARED = (
    model.Upstream,
    model.Release,
    model.Mount,
    model.Fragment,
    model.CachePolicy,
    model.Query,
    model.Narrowing,
    model.Forward,
    model.Rewrite,
    model.Navigation,
)
KEYS = sorted({key for declared in DECLARED for key in declared.model_fields})
OF_FRAGMENTS = {"docs/spa.md"}  # whose HTML is what fragments answer; elsewhere it is what shells say
BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| \*\*(?P<word>[a-z ]+)\*\* \| (?P<meaning>[^|]+) \| (?P<avoid>[^|]*) \|$", re.MULTILINE)


class Block(NamedTuple):
    """What stands between two fences of a page."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> list[Block]:
    found = [(page, page.read_text()) for page in [*PAGES, ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("*/README.md"))]]
    return [
        Block(str(page.relative_to(ROOT)), text.count("\n", 0, block.start()) + 1, block["language"], block["text"])
        for page, text in found
        for block in BLOCK.finditer(text)
    ]


def commands() -> list[tuple[Block, list[str]]]:
    """Every line of a block that calls portico, in words, a comment left out."""
    lines = re.compile(r"^(?:\$ |docker compose exec \w+ )?(?:\./dev )?portico (.+)$", re.MULTILINE)
    return [(block, shlex.split(said, comments=True)) for block in blocks() for said in lines.findall(block.text)]


def text() -> str:
    return "\n".join(page.read_text() for page in PAGES)


def glossary() -> list[re.Match[str]]:
    return list(ROW.finditer((ROOT / "GLOSSARY.md").read_text()))


@pytest.mark.parametrize("setting", SETTINGS)
def test_setting_is_on_a_page(setting: str) -> None:
    assert re.search(rf"(?<![\w-])(`{setting}`|{setting}:)", text()), f"no page names the setting {setting}"


@pytest.mark.parametrize("verb", VERBS)
def test_verb_is_on_a_page(verb: str) -> None:
    assert re.search(rf"portico {verb}\b|`{verb}`", text()), f"no page names the verb {verb}"


def test_verbs_on_pages_exist() -> None:
    named = set(re.findall(r"^\s*(?:\$ )?(?:\./dev )?portico ([a-z]+)\b", text(), re.MULTILINE))
    assert named
    assert named <= set(VERBS)


@pytest.mark.parametrize(
    ("block", "words"), [pytest.param(*row, id=f"{row[0]} {' '.join(row[1])}") for row in commands()]
)
def test_command_in_a_block_is_one(block: Block, words: list[str]) -> None:
    command: object = typer.main.get_group(gateway.cli.app)
    while isinstance(known := getattr(command, "commands", None), dict) and words and not words[0].startswith("-"):
        assert words[0] in known, f"{block}: there is no `portico {words[0]}`"
        command = known[words.pop(0)]
    options = {option for parameter in getattr(command, "params", []) for option in parameter.opts}
    asked = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert asked - {"--help"} <= options, f"{block}: {asked - options} is no option there"


@pytest.mark.parametrize("block", [block for block in blocks() if block.language == "yaml"], ids=str)
def test_yaml_in_a_block_is_taken(block: Block, tmp_path: Path) -> None:
    """A manifest where it names its team, else settings."""
    if re.search(r"^team:", block.text, re.MULTILINE):
        manifest, problems = check.parse(block.text)
        assert manifest is not None, [str(problem) for problem in problems]
    else:
        (tmp_path / "portico.yaml").write_text(block.text)
        assert gateway.settings.read(tmp_path / "portico.yaml", {}).state == tmp_path / ".portico"


def in_html(*, of_fragments: bool) -> list[Block]:
    return [block for block in blocks() if block.language == "html" and (block.page in OF_FRAGMENTS) is of_fragments]


@pytest.mark.parametrize("block", in_html(of_fragments=False), ids=str)
def test_html_in_a_block_has_slots(block: Block) -> None:
    plan = plans.compile(f"<!doctype html><title>t</title><body>{block.text}".encode())
    assert plan.slots
    assert not plan.diagnostics


@pytest.mark.parametrize("block", in_html(of_fragments=True), ids=str)
def test_html_of_a_fragment_in_a_block_is_taken_as_it_is(block: Block) -> None:
    read = piece.read(block.text.encode(), "text/html", Place("/hotels", base="/hotels/"))
    assert read.html.strip() or read.head
    assert not read.diagnostics


@pytest.mark.parametrize("block", [block for block in blocks() if block.language == "json"], ids=str)
def test_json_in_a_block_is_a_line_of_the_log(block: Block) -> None:
    assert list(json.loads(block.text)) == ["fact", *facts.Served._fields]


def test_what_check_says_on_a_page_is_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = [block.text for block in blocks() if block.text.startswith("$ portico check hotels.yaml\n")]
    first, *told = [line for line in shown.splitlines() if not line.startswith("$")]
    rows = {int(number): line for number, line in re.findall(r"^ +(\d+) \| (.*)$", shown, re.MULTILINE)}
    written = {1: "team: hotels", 2: "upstreams:", 4: "mounts:"} | rows
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORTICO_ADMIN", "")
    Path("hotels.yaml").write_text("".join(f"{written[number]}\n" for number in sorted(written)))
    said = CliRunner().invoke(gateway.cli.app, ["check", "hotels.yaml"]).stdout
    assert first in said
    assert "\n".join(told) in said


@pytest.mark.parametrize("block", [block for block in blocks() if block.language == "python"], ids=str)
def test_python_in_a_block_runs(block: Block, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block.text, f"<{block}>", "exec"), {})
    assert "Rooms from" in capsys.readouterr().out


@pytest.mark.parametrize("module", [module for module in MODULES if MODULES[module].name != "__init__.py"])
def test_module_is_in_the_readme_of_its_package(module: str) -> None:
    """In the section of its room, where the package has rooms."""
    package, *rooms, name = module.split(".")
    assert package in PACKAGES
    page = (ROOT / package / "README.md").read_text()
    sections = {
        found[1]: found[2] for found in re.finditer(r"^#+ (?:`(\w+)`)?.*\n((?:[^#\n].*\n|\n)*)", page, re.MULTILINE)
    }
    assert f"`{name}`" in sections[rooms[0] if rooms else None], f"{package}/README.md does not tell of {module}"


@pytest.mark.parametrize("key", KEYS)
def test_key_of_a_manifest_is_on_the_page_about_them(key: str) -> None:
    page = (ROOT / "docs" / "registering.md").read_text() + (ROOT / "docs" / "caching.md").read_text()
    assert re.search(rf"`[^`]*\b{key}\b[^`]*`", page), f"no page explains the key {key}"


def test_verbs_of_dev_on_pages_exist() -> None:
    script = (ROOT / "dev").read_text()
    known = set(re.findall(r"^  ([a-z]+)\)", script, re.MULTILINE))
    pages = text() + (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"\./dev ([a-z]+)", pages))
    assert {"demo", "test", "check"} <= named <= known


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target, place in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text()):
        if not re.match(r"[a-z]+:", target):
            meant = page.parent / target if target else page
            assert meant.exists(), f"{page.name} links to {target}"
            assert not place or place in places(meant), f"{page.name} links to #{place} of {meant.name}"


def places(page: Path) -> set[str]:
    """The names under which a page's headings are found."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def test_glossary_says_each_word_once() -> None:
    words = [row["word"] for row in glossary()]
    assert len(words) > 20
    assert len(words) == len(set(words))


def test_no_word_of_the_glossary_is_one_to_avoid() -> None:
    words = {row["word"] for row in glossary()}
    avoided = {word.strip() for row in glossary() for word in row["avoid"].split(",")}
    assert not words & avoided


def test_changelog_tells_what_is_coming() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(r"^## Unreleased\n\n### (Added|Changed|Fixed)\n\n- \w", changelog, re.MULTILINE)
