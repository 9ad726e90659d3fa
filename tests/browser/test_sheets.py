"""Sheets at random, in Chromium: no rule of a piece that is fenced in comes to hold in the page."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest
from playwright.sync_api import Browser, Page

from fragments.scope import in_shadow_root, scoped

UNITS = [
    *(
        "body{color:red}",
        "}body{color:red}",
        "a{",
        "a\\ {",
        "body\\ {",
        "html body",
        ".b",
        "#c",
        ":is(",
        ":root",
        "&",
        "*",
    ),
    *("{", "}", "(", ")", "[", "]", ";", '"', "'", "\\", "\n", "\r", "\f", "\0", " ", ",", "<!--", "-->", "/*", "*/"),
    *(
        "url(",
        "URL(",
        "u\\72l(",
        "\\55rl(",
        "u",
        "rl(",
        "url( ",
        "url('",
        "\0url(",
        "×url(",
        "3url(",
        "#url(",
        "-url(",
        "@url(",
        "5\\75 rl(",
    ),
    *(
        "@media x",
        "@supports (a:b)",
        "@container",
        "@layer a",
        "@layer a\\ ;",
        "@scope",
        "@x",
        "@\\6d edia x",
        "@import 'x'",
    ),
    *("@font-face", "@keyframes k", "0%", "@property --p", "@namespace", "@view-transition", "@page", "@charset 'x';"),
    *("color:red", "--x:", "animation:k", "!important", "\\}", "\\{", "\\22 ", "\\ ", '"{', "\\\n", "é"),
]
THE_PAGES = ("CSSFontFaceRule", "CSSPropertyRule", "CSSImportRule")
THE_SCOPES = (*THE_PAGES, "CSSScopeRule", "CSSKeyframesRule", "CSSLayerStatementRule", "CSSNamespaceRule")

# Which rules of each sheet are none of these, in groups as well; and whether one has two scopes.
_OTHERS = """
    ([sheets, known]) => {
        const style = document.head.appendChild(document.createElement("style"));
        const groups = ["Media", "Supports", "Container", "LayerBlock", "StartingStyle"].map(name => `CSS${name}Rule`);
        const others = rules => [...rules].flatMap(rule => {
            const name = rule.constructor.name;
            return groups.includes(name) ? others(rule.cssRules) : known.includes(name) ? [] : [rule.cssText];
        });
        return sheets.filter(sheet => {
            style.textContent = sheet;
            const scopes = [...style.sheet.cssRules].filter(rule => rule.constructor.name === "CSSScopeRule");
            return others(style.sheet.cssRules).length || scopes.length > 1;
        });
    }
"""


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_content("<!doctype html><head></head>")
    page.route("**/*", lambda route: route.abort())
    yield page
    page.close()


def drawn(number: int, seed: int) -> list[str]:
    choice = random.Random(seed)
    return ["".join(choice.choices(UNITS, k=choice.randint(1, 22))) for _ in range(number)]


def escaping(tab: Page, sheets: Sequence[str], known: Sequence[str]) -> list[str]:
    found: list[str] = tab.evaluate(_OTHERS, [list(sheets), list(known)])
    return found


def test_in_a_scope_no_rule_ends_it(tab: Page) -> None:
    assert escaping(tab, [scoped(sheet, "cart") for sheet in drawn(4000, 1)], THE_SCOPES) == []


def test_of_a_shadow_root_the_page_gets_nothing_but_fonts_and_properties(tab: Page) -> None:
    assert escaping(tab, [in_shadow_root(sheet).outside for sheet in drawn(4000, 2)], THE_PAGES) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3, 8))
def test_many_sheets(tab: Page, seed: int) -> None:
    assert escaping(tab, [scoped(sheet, "cart") for sheet in drawn(20_000, seed)], THE_SCOPES) == []


def test_this_sees_what_braces_alone_do_not_contain(tab: Page) -> None:
    assert len(escaping(tab, [f"@scope ([a]){{{sheet}}}" for sheet in drawn(2000, 1)], THE_SCOPES)) > 20
