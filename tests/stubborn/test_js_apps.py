"""The JavaScript applications: that they are what their teams would write, and that nobody notices where they stand."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.kit.origin import Seen
from tests.stubborn import js_build, matrix
from tests.stubborn.crawl import App
from tests.stubborn.js_apps import APPS, Api, Site

PREFIX_WORDS = re.compile(r"\bbasename\b|BASE_URL|\bbase\s*:|paths\s*:|<base\b|apps/one|createWebHistory\([^)]")


def _sources() -> list[Path]:
    return [
        path
        for path in sorted(js_build.SOURCES.rglob("*"))
        if path.suffix in {".js", ".jsx", ".vue", ".svelte", ".html"}
    ]


def _asks(target: str, method: str = "GET", body: bytes = b"", **fields: str) -> Seen:
    return Seen(b"", method, target, tuple(fields.items()), body)


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(js_build.SOURCES)))
def test_no_source_knows_of_a_prefix(path: Path) -> None:
    assert not PREFIX_WORDS.search(path.read_text())


def test_the_lock_pins_every_package_and_names_no_host() -> None:
    text = (js_build.SOURCES / "package-lock.json").read_text()
    assert "http" not in text
    wanted = json.loads((js_build.SOURCES / "package.json").read_text())["dependencies"]
    packages = {name: package for name, package in json.loads(text)["packages"].items() if name}
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_every_application_is_built() -> None:
    assert {path.parent.name for path in js_build.SOURCES.glob("*/vite.config.js")} == set(js_build.APPS)


@pytest.mark.parametrize(
    ("script", "patience", "said"),
    [
        pytest.param(
            "console.log('no such package'); process.exit(3)", 60, "ended with 3.*no such package", id="fails"
        ),
        pytest.param(
            "console.log('waiting'); setTimeout(() => {}, 60000)", 0.5, "did not end.*waiting", id="never ends"
        ),
    ],
)
def test_a_step_that_fails_is_named_with_what_it_said(
    script: str, patience: float, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(js_build, "PATIENCE", patience)
    (tmp_path / "step.js").write_text(script)
    with pytest.raises(js_build.NotBuilt, match=f"(?s)'npm ci' {said}"):
        js_build._step("npm ci", tmp_path, "step.js")


@pytest.mark.parametrize(
    ("target", "status", "said"),
    [
        pytest.param("/", 200, b"start", id="the root is the index"),
        pytest.param("/assets/a.js", 200, b"script", id="a file is itself"),
        pytest.param("/about", 200, b"about", id="a page goes without .html"),
        pytest.param("/list/7", 200, b"start", id="a route of the application is the fallback"),
        pytest.param("/assets/gone.js", 404, b"not found", id="a missing file is missing"),
        pytest.param("/../secret.txt", 404, b"not found", id="nothing outside the folder"),
    ],
)
def test_a_site_answers_as_static_hosts_do(tmp_path: Path, target: str, status: int, said: bytes) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    for name, text in {"index.html": "start", "about.html": "about", "assets/a.js": "script"}.items():
        (dist / name).write_text(text)
    answer = Site(dist, "index.html")(_asks(target))
    assert (answer.status, answer.body) == (status, said)


def test_notes_are_kept_for_each_visitor() -> None:
    api = Api()
    first = api(_asks("/api/notes", "POST", b"text=milk"))
    cookie = dict(first.headers)["Set-Cookie"].partition(";")[0]
    assert api(_asks("/api/notes", Cookie=f"other=1; {cookie}")).body == b'["milk"]'
    assert api(_asks("/api/notes")).body == b"[]"


@pytest.mark.long
@pytest.mark.parametrize("app", APPS, ids=lambda app: app.name)
def test_nobody_notices_the_prefix(app: App, browser: Browser, tmp_path: Path) -> None:
    for outcome in matrix.tried(app, browser, tmp_path):
        assert not outcome.differences, f"below {outcome.prefix}"
        assert outcome.steps >= 12
