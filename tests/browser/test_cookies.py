"""Two teams and the shell set cookies of one name in one browser; nobody's session is another's.

Each application believes it owns its host: it logs a visitor in with `session`, tells a script's `token`, keeps a
`__Host-` cookie, and tries what it can to reach beyond itself.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.kit.origin import Answer, Origin, Seen, html, serving
from tests.live.portal import Portal, gateway_for

TEAMS = ("shell", "a", "b")


@dataclass(slots=True)
class Application:
    """Shows who is logged in, as its own cookie says, and all cookies it was sent."""

    team: str

    def __call__(self, asked: Seen) -> Answer:
        match asked.path:
            case "/login":
                return Answer(
                    b"",
                    303,
                    [
                        ("Location", "/"),
                        ("Set-Cookie", f"session={self.team}; Path=/; HttpOnly"),
                        ("Set-Cookie", f"token={self.team}; Path=/"),
                        ("Set-Cookie", f"plain={self.team}"),
                        ("Set-Cookie", f"__Host-id={self.team}; Path=/; Secure; HttpOnly"),
                    ],
                )
            case "/reach":
                return Answer(
                    b"",
                    303,
                    [
                        ("Location", "/"),
                        ("Set-Cookie", "session=taken; Path=/; Domain=127.0.0.1"),
                        ("Set-Cookie", "session=taken; Path=/a"),
                        ("Set-Cookie", "mf.00000000.session=taken; Path=/"),
                        ("Set-Cookie", "evil=1; Path=/; Domain=localhost"),
                    ],
                )
            case "/logout":
                return Answer(b"", 303, [("Location", "/"), ("Set-Cookie", "session=; Path=/; Max-Age=0")])
            case _:
                sent = asked.get("cookie") or ""
                return html(f"<!doctype html><head><title>{self.team}</title></head><p id=seen>{sent}</p>")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with ExitStack() as stack:
        manifests = {}
        for team in TEAMS:
            origin: Origin = stack.enter_context(serving(Application(team)))
            prefix = "/" if team == "shell" else f"/{team}"
            manifests[team] = (
                f"team: {team}\nupstreams:\n  {team}: {{ origins: ['{origin.url}'] }}\n"
                f"mounts:\n  {prefix}: {{ upstream: {team} }}\n"
            )
        yield stack.enter_context(gateway_for(tmp_path_factory.mktemp("cookies"), manifests))


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def seen(page: Page, portal: Portal, team: str) -> set[str]:
    """The cookies an application is sent with its page."""
    page.goto(f"{portal.url}{'/' if team == 'shell' else f'/{team}/'}")
    return set(filter(None, page.inner_text("#seen").split("; ")))


def visit(page: Page, portal: Portal, team: str, path: str) -> None:
    page.goto(f"{portal.url}{'' if team == 'shell' else f'/{team}'}{path}")


@pytest.fixture
def logged_in(page: Page, portal: Portal) -> Page:
    for team in TEAMS:
        visit(page, portal, team, "/login")
    return page


@pytest.mark.parametrize("team", TEAMS)
def test_each_stays_logged_in_as_itself_and_sees_nobody_else(logged_in: Page, portal: Portal, team: str) -> None:
    assert seen(logged_in, portal, team) == {f"{name}={team}" for name in ("session", "token", "plain", "__Host-id")}


@pytest.mark.parametrize("team", TEAMS)
def test_what_another_team_reaches_for_it_does_not_get(logged_in: Page, portal: Portal, team: str) -> None:
    visit(logged_in, portal, "b", "/reach")
    assert f"session={'taken' if team == 'b' else team}" in seen(logged_in, portal, team)
    assert "taken" not in " ".join(seen(logged_in, portal, team)) or team == "b"
    assert ("evil=1" in seen(logged_in, portal, team)) is (team == "b")


def test_who_logs_out_logs_nobody_else_out(logged_in: Page, portal: Portal) -> None:
    visit(logged_in, portal, "a", "/logout")
    assert "session=a" not in seen(logged_in, portal, "a")
    assert {"session=b"} <= seen(logged_in, portal, "b")
    assert {"session=shell"} <= seen(logged_in, portal, "shell")


@pytest.mark.parametrize("team", TEAMS)
def test_scripts_read_their_own_by_the_names_they_know(logged_in: Page, portal: Portal, team: str) -> None:
    visit(logged_in, portal, team, "/")
    said = set(logged_in.evaluate("document.cookie").split("; "))
    assert said == {f"token={team}", f"plain={team}"}


def test_what_a_script_writes_its_application_reads(logged_in: Page, portal: Portal) -> None:
    visit(logged_in, portal, "a", "/deep/page")
    logged_in.evaluate("document.cookie = 'session=script'; document.cookie = 'choice=1; path=/'")
    assert {"choice=1"} <= seen(logged_in, portal, "a")
    for other in ("b", "shell"):
        assert "choice=1" not in seen(logged_in, portal, other)
