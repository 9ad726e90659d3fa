"""What `plan` shows of files and of pages at their origin, and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path

import gateway.verbs.options as options
from tests.gateway.verbs.calling import portico
from tests.kit.origin import Answer, Answers, Origin, Seen

HOME = """<!doctype html>
<title>Home</title>
<body><mf-slot name="hotels.deals">Soon.</mf-slot>
</body>"""


def page(text: str = HOME, status: int = 200, kind: str = "text/html") -> Callable[[Seen], Answer]:
    return lambda seen: Answer(text.encode(), status, [("Content-Type", kind)])


def test_a_plan_is_a_tree(elsewhere: Path) -> None:
    (elsewhere / "home.html").write_text(HOME)
    done = portico("plan", "home.html")
    assert done.exit_code == 0
    assert done.stdout.startswith("home.html: 94 bytes in 2 literals and 1 slot, digest ")
    assert "├─ slot 0, hotels.deals\n│  ├─ element in line 3, flow in html > body\n" in done.stdout
    assert done.stdout.endswith("   └─ at 1: end of the body; late pieces\n")


def test_what_is_wrong_stands_below_it(elsewhere: Path) -> None:
    (elsewhere / "home.html").write_text(HOME + "<mf-slot>")
    done = portico("plan", "home.html")
    assert done.exit_code == options.PROBLEMS
    assert done.stdout.index("end of the body") < done.stdout.index("slot-without-name")


def test_a_plan_as_json(elsewhere: Path) -> None:
    (elsewhere / "home.html").write_text(HOME)
    told = json.loads(portico("plan", "home.html", "--json").stdout)
    assert (told["kind"], told["literals"], told["exit"]) == ("plan", [42, 8], 0)
    assert told["slots"][0]["name"] == "hotels.deals"


def test_a_page_is_asked_for_at_its_origin(origin: Callable[[Answers], Origin]) -> None:
    shell = origin(page())
    done = portico("plan", f"{shell.url}/home")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{shell.url}/home: 94 bytes")
    assert shell.targets == ["/home"]


def test_an_origin_is_told_that_its_esi_is_understood(origin: Callable[[Answers], Origin]) -> None:
    shell = origin(page('<!doctype html><esi:include src="/x"/>'))
    told = json.loads(portico("plan", f"{shell.url}/", "--dialects", "esi", "--json").stdout)
    assert shell.requests[0].get("Surrogate-Capability") == 'portico="MF/1.0 ESI/1.0"'
    assert [slot["include"]["source"] for slot in told["slots"]] == ["/x"]


def test_a_page_of_the_portal_is_composed_already(origin: Callable[[Answers], Origin]) -> None:
    portal = origin(page('<!doctype html><mf-slot name="a" data-mf-slot="0-ab">x</mf-slot>'))
    done = portico("plan", f"{portal.url}/")
    assert done.exit_code == options.PROBLEMS
    assert "Ask the shell's origin instead of the portal" in done.stdout


def test_what_is_no_page_is_told(origin: Callable[[Answers], Origin]) -> None:
    assert "shell-not-ok" in portico("plan", origin(page(status=500)).url).stdout
    assert "shell-is-no-page" in portico("plan", origin(page("{}", kind="application/json")).url).stdout


def test_nobody_at_its_address(free_port: int) -> None:
    done = portico("plan", f"http://127.0.0.1:{free_port}/")
    assert done.exit_code == options.UNREACHABLE
    assert "Is the shell's origin running?" in done.stderr
