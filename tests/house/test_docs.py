"""What the code can do, a page names; what a page names, the code can do."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import typer.main

import gateway.cli
import gateway.settings
from tests.house.tree import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SETTINGS = [field.name for field in fields(gateway.settings.Settings)]
VERBS = sorted(typer.main.get_group(gateway.cli.app).commands)
ROW = re.compile(r"^\| \*\*(?P<word>[a-z ]+)\*\* \| (?P<meaning>[^|]+) \| (?P<avoid>[^|]*) \|$", re.MULTILINE)


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


def test_verbs_of_dev_on_pages_exist() -> None:
    script = (ROOT / "dev").read_text()
    known = set(re.findall(r"^  ([a-z]+)\)", script, re.MULTILINE))
    pages = text() + (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"\./dev ([a-z]+)", pages))
    assert {"demo", "test", "check"} <= named <= known


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


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
