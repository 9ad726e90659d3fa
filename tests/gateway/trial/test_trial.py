"""A whole trial: an application that leaks in three ways, and what is said of it."""

import httpx
import pytest

import gateway.trial.trial as trial

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
