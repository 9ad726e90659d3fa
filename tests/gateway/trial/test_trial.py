"""A whole trial: an application that leaks in three ways, and what is said of it."""

import httpx
import pytest

import gateway.table as tables
import gateway.trial.trial as trial
from gateway.model import Manifest
from gateway.trial.shells import Around

PAGES = {
    "/": "<!doctype html><a href=/list>list</a><script src=/app.js></script>",
    "/list": "<!doctype html>\n<div x-src=http://app.test/x.png></div>",
    "/app.js": "fetch('/api');\nlocalStorage.a",
    "/good": "<!doctype html><a href=/good>again</a>",
}


def site(request: httpx.Request) -> httpx.Response:
    kind = "text/javascript" if request.url.path.endswith(".js") else "text/html"
    return httpx.Response(200, text=PAGES[request.url.path], headers={"Content-Type": kind})


def test_each_leak_is_told_with_place_and_fix() -> None:
    told: list[str] = []
    outcome = trial.run("http://app.test/", tell=told.append, transport=httpx.MockTransport(site))
    assert (outcome.pages, outcome.files, outcome.code) == (2, 1, 2)
    assert [(spot.channel, spot.where) for spot in outcome.spots] == [
        ("H18", "http://app.test/list:2:6"),
        ("J3", "http://app.test/app.js:1:7"),
        ("J19", "http://app.test/app.js:2:1"),
    ]
    assert told == ["read 1: 200 /", "read 2: 200 /app.js", "read 3: 200 /list"]
    said = "\n".join(trial.lines(outcome))
    assert "below /a and below /some/other/place: 2 pages, 1 file." in said
    assert said.index("Nothing closes these") < said.index("The runtime in the browser closes these")
    assert said.endswith("Some of it nothing closes.")
    row = outcome.as_json()["leaks"][1]
    assert (row["channel"], row["line"], row["closed"], row["what"]) == ("J3", 1, "runtime", "fetch from the root")


def test_an_application_that_leaks_nothing() -> None:
    outcome = trial.run("http://app.test/good", transport=httpx.MockTransport(site))
    assert (outcome.spots, outcome.code) == ((), 0)
    assert list(trial.lines(outcome))[-1] == "Nothing leaks."


@pytest.mark.parametrize(("links_to", "code"), [((), 1), (("/pets",), 0)])
def test_links_to_other_mounts_are_no_leaks(links_to: tuple[str, ...], code: int) -> None:
    def linking(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, html="<div x-href=/pets/1></div>")

    outcome = trial.run("http://app.test/", links_to=links_to, transport=httpx.MockTransport(linking))
    assert outcome.code == code


def test_where_every_page_keeps_our_script_out_the_runtime_closes_nothing() -> None:
    def walled(request: httpx.Request) -> httpx.Response:
        answer = site(request)
        if "html" in answer.headers["Content-Type"]:
            answer.headers["Content-Security-Policy"] = "script-src 'none'"
        return answer

    outcome = trial.run("http://app.test/", transport=httpx.MockTransport(walled))
    assert [(spot.channel, spot.closed) for spot in outcome.spots if spot.channel == "J3"] == [("J3", "rescue")]


COMPOSED = """<!doctype html>
<mf-slot name="a.b"></mf-slot><mf-slot></mf-slot><a href=/list>list</a>"""


def test_pages_with_slots_are_shells_and_their_errors_count() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        text = COMPOSED if request.url.path == "/" else "<!doctype html><p>plain"
        return httpx.Response(200, text=text, headers={"Content-Type": "text/html"})

    outcome = trial.run("http://app.test/", transport=httpx.MockTransport(answer))
    (shell,) = outcome.shells
    assert (shell.source.name, [slot.name for slot in shell.slots]) == ("http://app.test/", ["a.b"])
    assert (outcome.leaks, outcome.code) == (0, 1)
    assert "\n".join(trial.lines(outcome)).endswith("Nothing leaks.")
    assert [row["problems"][0]["code"] for row in outcome.as_json()["shells"]] == ["slot-without-name"]


def test_an_application_without_slots_has_no_shells_to_tell_of() -> None:
    outcome = trial.run("http://app.test/good", transport=httpx.MockTransport(site))
    assert (outcome.shells, "shells" in outcome.as_json()) == ((), False)


def test_pages_are_shown_below_the_mount_they_are_of() -> None:
    manifest = Manifest.model_validate(
        {
            "team": "app",
            "upstreams": {"app": {"origins": ["http://app.test"], "dialects": ["esi"]}},
            "mounts": {"/app": {"upstream": "app", "composes": True}},
        }
    )
    around = Around(tables.compile([manifest]), "next to app.yaml", True, "/app/")
    page = "<!doctype html><esi:include src=box />"

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=page, headers={"Content-Type": "text/html"})

    outcome = trial.run(
        "http://app.test/deep/x", around=around, languages=("esi",), transport=httpx.MockTransport(answer)
    )
    assert outcome.shells[0].around.at == "/app/deep/x"
    assert outcome.shells[0].inclusions[0].leads == "http://app.test/deep/box, upstream 'app' of team 'app'"
