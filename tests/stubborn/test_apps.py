"""Nobody notices where an application stands: used directly and below two prefixes, it does and shows the same."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.live.portal import gateway_for
from tests.stubborn import apps, matrix
from tests.stubborn.crawl import App


@pytest.mark.long
@pytest.mark.parametrize("app", apps.APPS, ids=lambda app: app.name)
def test_application_does_not_notice(app: App, browser: Browser, tmp_path: Path) -> None:
    for outcome in matrix.tried(app, browser, tmp_path):
        assert not outcome.differences, f"below {outcome.prefix}"


@pytest.mark.long
def test_visitor_stays_logged_in_at_both_of_two_teams(browser: Browser, tmp_path: Path) -> None:
    """Their cookies have one name and one path, as each team sees them."""
    (app,) = [app for app in apps.APPS if app.name == "flask"]
    with ExitStack() as life:
        hosts = {name: life.enter_context(app.start(matrix.made(tmp_path / name))) for name in matrix.PREFIXES}
        portal = life.enter_context(gateway_for(tmp_path / "gateway", matrix.manifests(app, hosts)))
        context = life.enter_context(browser.new_context())
        page = context.new_page()
        for team, prefix in matrix.PREFIXES.items():
            page.goto(f"{portal.url}{prefix}/login")
            page.get_by_label("Name").fill(f"Visitor of {team}")
            page.get_by_role("button", name="Log in").click()
            expect(page.get_by_text(f"Hello, Visitor of {team}.")).to_be_visible()
        for team, prefix in matrix.PREFIXES.items():
            page.goto(f"{portal.url}{prefix}/orders/")
            expect(page.get_by_text(f"Visitor of {team}")).to_be_visible()
        kept = {(cookie["name"].rpartition(".")[2], cookie["path"]) for cookie in context.cookies()}
        assert kept == {("session", prefix) for prefix in matrix.PREFIXES.values()}
        assert len({cookie["name"] for cookie in context.cookies()}) == 2


def test_no_project_knows_of_a_prefix() -> None:
    words = ("FORCE_SCRIPT_NAME", "SCRIPT_NAME", "APPLICATION_ROOT", "base_url", "X-Forwarded", "ProxyFix", "/apps/one")
    files = [path for path in apps.PROJECTS.rglob("*") if path.suffix in {".py", ".html", ".js", ".css", ".rst"}]
    assert files
    assert not [f"{path}: {word}" for path in files for word in words if word in path.read_text()]
