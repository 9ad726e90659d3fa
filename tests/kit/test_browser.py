"""The browser is real and sees what an origin serves."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import tests.kit.browser
from tests.kit.origin import Answers, Origin, html


def test_chromium_runs_a_page(browser: Browser, origin: Callable[[Answers], Origin]) -> None:
    served = origin(lambda _: html("<title>Portal</title><script>document.title += ' ' + (6 * 7)</script>"))
    page = browser.new_page()
    page.goto(served.url)
    assert page.title() == "Portal 42"
    page.close()


def test_a_wrong_browser_path_is_said_aloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nothing"))
    with pytest.raises(tests.kit.browser.NoBrowser, match="no executable file"):
        tests.kit.browser.fetch()


def test_no_browser_anywhere_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tests.kit.browser, "FOLDER", tmp_path)
    with pytest.raises(tests.kit.browser.NoBrowser, match=r"Run \./dev test"):
        tests.kit.browser.find()
