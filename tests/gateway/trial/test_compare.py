"""An answer below two prefixes: what is mapped leaks nowhere, what is not is told with its channel and line."""

import pytest

import gateway.trial.compare as compare
from gateway.trial.compare import Read

OWN = "http://127.0.0.1:8000"


def read(body: str, kind: str = "text/html", *fields: tuple[str, str], target: str = "/") -> Read:
    sent = [("content-type", kind), *fields]
    named = [(name.encode(), value.encode()) for name, value in sent]
    return Read(OWN + target, OWN, target, 200, named, body.encode())


def told(answer: Read, links_to: tuple[str, ...] = ()) -> list[str]:
    return [spot.channel for spot in compare.spots(answer, "/a", links_to)]


PAGE = """<!doctype html><html><head><link rel=stylesheet href=/app.css><base href="/">
<style>body { background: url(/bg.png) }</style><script type=importmap>{"imports": {"x": "/x.js"}}</script>
</head><body style="background: url('/b.png')" data-theme="dark/light">
<a href="/list?next=/home">list</a> <img srcset="/1.png 1x, /2.png 2x"> <form action=/login><input value="/x"></form>
<p>Call /api on http://127.0.0.1:8000/ by hand</p><!-- /x --><iframe srcdoc="<a href='/in'>in</a>"></iframe>
<a href="//cdn.example/x">cdn</a><a href="#top">top</a><script src="/app.js"></script></body></html>"""


def test_what_rewriting_closes_is_not_told() -> None:
    fields = [("location", f"{OWN}/x"), ("link", "</a.css>; rel=preload"), ("set-cookie", "s=1; Path=/; Domain=x.test")]
    assert told(read(PAGE, "text/html; charset=utf-8", *fields)) == []


@pytest.mark.parametrize(
    ("answer", "channels"),
    [
        pytest.param(read("", "text/plain", ("x-next", f"{OWN}/x")), ["R2"], id="a field with the origin's address"),
        pytest.param(read("", "text/plain", ("x-next", "/x")), ["R18"], id="a field with a path"),
        pytest.param(read("", "text/plain", ("x-next", "yes/no")), [], id="a field with a slash"),
        pytest.param(
            read("<a href=/x>", "text/html", ("cache-control", "public, no-transform")), ["R22"], id="no-transform"
        ),
        pytest.param(
            read("x", "text/html", ("cache-control", "no-transform")), [], id="no-transform that costs nothing"
        ),
        pytest.param(
            read("x", "text/html", ("content-security-policy", "script-src 'none'")), ["J24"], id="no script of ours"
        ),
        pytest.param(
            read("", "text/plain", ("strict-transport-security", "max-age=1")), ["R20"], id="a field of the domain's"
        ),
        pytest.param(
            read("", "text/plain", ("set-cookie", "__Host-=x"), ("set-cookie", "=")), ["R11"], id="no cookie at all"
        ),
        pytest.param(read("<p onclick=\"fetch('/x')\">"), ["J3"], id="a handler"),
        pytest.param(read("<a href=\"javascript:location='/x'\">"), ["J9"], id="a script in a link"),
        pytest.param(read("<div x-api=/rooms>"), ["H18"], id="an attribute of a script's own"),
        pytest.param(read(f"<div x-api={OWN}/rooms>"), ["H18"], id="with the origin's address"),
        pytest.param(read("<meta name=api content=/rooms>"), ["H7"], id="a meta element"),
        pytest.param(read("<script>fetch('/x')</script>"), ["J3"], id="a script in the page"),
        pytest.param(read("<script type=module>import '/x.js'</script>"), ["J1"], id="a module in the page"),
        pytest.param(read('<script type="application/json">{"a":["/x/y"]}</script>'), ["H13"], id="a JSON block"),
        pytest.param(read("<script type=text/x-template>fetch('/x')</script>"), [], id="a template"),
        pytest.param(read("<textarea><a x-x=/x></textarea>"), [], id="text"),
        pytest.param(read("fetch('/x')", "text/javascript"), ["J3"], id="a script"),
        pytest.param(read('{"next": "/rooms?page=2"}', "application/json"), ["D5"], id="JSON"),
        pytest.param(read('{"next": "n/a", "date": "1/2"}', "application/json"), [], id="JSON without paths"),
        pytest.param(read("{", "application/json"), [], id="no JSON"),
        pytest.param(read(f"hello\nsee {OWN}/x", "text/plain"), ["D2"], id="a text with the origin's address"),
    ],
)
def test_what_leaks_is_told_with_its_channel(answer: Read, channels: list[str]) -> None:
    assert told(answer) == channels


def test_where_no_script_of_ours_is_let_in_only_the_rescue_is_left() -> None:
    page = "<script>fetch('/x'); new WebSocket('/live')</script>"
    walled = read(page, "text/html", ("content-security-policy", "script-src 'none'"))
    closed = {each.channel: each.closed for each in compare.spots(walled, "/a")}
    assert closed == {"J24": "notice", "J3": "rescue", "J5": "nothing"}


def test_what_another_mount_owns_does_not_leak() -> None:
    assert told(read("<div x-href=/pets/1>"), ("/pets",)) == []
    assert told(read("<div x-href=/petsandmore>"), ("/pets",)) == ["H18"]


def test_where_it_is() -> None:
    page = "<!doctype html>\n<p>\n <p x-x=/y>\n<script>\n\n  fetch('/x')\n</script><p x-z=/z>"
    found = list(compare.spots(read(page), "/a"))
    assert [(each.channel, each.line, each.column) for each in found] == [("H18", 3, 5), ("J3", 6, 9), ("H18", 7, 13)]
    (pointer,) = compare.spots(read('{"a/b": [{"href": "/x"}]}', "application/json"), "/a")
    assert pointer.text == "/a~1b/*/href: /x"


def test_a_link_that_seems_to_have_the_prefix_is_a_difference() -> None:
    answer = read("<p>\n<a href=/a/x>")
    (found,) = compare.spots(answer, "/a")
    assert (found.channel, found.line) == ("X", 2)
    assert compare.free([answer]) == "/a1"
    assert list(compare.spots(answer, compare.free([answer]))) == []
