"""What `check` and `validate` say of manifests, applications and shells, and how each ends."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import gateway.verbs.options as options
from tests.gateway.verbs.calling import BAD, GOOD, flat, portico
from tests.house.tree import ROOT
from tests.kit.origin import Answer, Answers, Origin, Seen


def test_check_shows_the_line_with_a_caret_and_a_hint(elsewhere: Path) -> None:
    (elsewhere / "hotels.yaml").write_text(BAD)
    done = portico("check", "hotels.yaml")
    assert done.exit_code == options.PROBLEMS
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("hotels.yaml:3:"))
    column = int(lines[at].split(":")[2].split()[0])
    assert lines[at + 1].endswith("| " + BAD.splitlines()[2])
    assert lines[at + 2].index("^") == lines[at + 1].index("|") + 1 + column
    assert lines[at + 3].startswith("    hint: ")
    assert "    hint: Did you mean 'origins'?" in lines
    assert any(line.startswith("hotels.yaml:5:") for line in lines)
    assert re.fullmatch(r"hotels.yaml: \d problems\.", lines[-1])


def test_check_as_json(elsewhere: Path) -> None:
    (elsewhere / "hotels.yaml").write_text(BAD)
    done = portico("check", "hotels.yaml", "--json")
    assert done.exit_code == options.PROBLEMS
    problems = json.loads(done.stdout)["problems"]
    assert {problem["line"] for problem in problems} == {3, 5}


def test_check_of_a_good_one_says_who_was_asked(elsewhere: Path) -> None:
    (elsewhere / "hotels.yaml").write_text(GOOD)
    done = portico("check", "hotels.yaml")
    assert done.exit_code == 0
    assert done.stdout.startswith("hotels.yaml is fine (by itself;")


def test_a_file_that_is_not_there_is_told() -> None:
    done = portico("check", "gone.yaml")
    assert (done.exit_code, done.stderr) == (
        options.PROBLEMS,
        "portico: gone.yaml cannot be read: No such file or directory.\n",
    )


def test_colours_are_for_terminals_only(elsewhere: Path) -> None:
    (elsewhere / "hotels.yaml").write_text(BAD)
    assert "\x1b" not in portico("check", "hotels.yaml").stdout


def test_validate_tells_all_problems_of_all_files(elsewhere: Path) -> None:
    (elsewhere / "teams").mkdir()
    (elsewhere / "teams" / "a.yaml").write_text(GOOD)
    (elsewhere / "teams" / "b.yaml").write_text(GOOD.replace("team: hotels", "team: pets"))
    (elsewhere / "teams" / "c.yaml").write_text(GOOD)
    (elsewhere / "portico.yaml").write_text("manifests: [teams/*.yaml]\n")
    done = portico("validate", "--config", "portico.yaml")
    assert done.exit_code == options.PROBLEMS
    assert "teams/b.yaml:5:3 mounts./hotels Mount '/hotels' belongs to team 'hotels'." in flat(done.stdout)
    assert "teams/c.yaml team Team 'hotels' is declared by teams/a.yaml already." in flat(done.stdout)


def test_validate_of_good_ones(elsewhere: Path) -> None:
    (elsewhere / "a.yaml").write_text(GOOD)
    assert portico("validate", "a.yaml").stdout == "The settings and 1 manifest are fine.\n"
    assert json.loads(portico("validate", "a.yaml", "--json").stdout) == {"problems": []}


def test_validate_tells_a_wrong_setting_with_its_line(elsewhere: Path) -> None:
    (elsewhere / "portico.yaml").write_text("listen: 127.0.0.1:8080\nworker: 2\n")
    done = portico("validate", "--config", "portico.yaml")
    assert done.exit_code == options.PROBLEMS
    assert "portico.yaml:2:1: setting worker is not known. Did you mean 'workers'?" in done.stderr


def test_a_named_gateway_must_answer_a_check(elsewhere: Path, free_port: int) -> None:
    (elsewhere / "hotels.yaml").write_text(GOOD)
    done = portico("check", "hotels.yaml", "--admin", f"127.0.0.1:{free_port}")
    assert done.exit_code == options.UNREACHABLE


@pytest.mark.parametrize(
    ("page", "code", "last"),
    [
        pytest.param(b"<!doctype html><a href=/x.html>x</a>", 0, "Nothing leaks.", id="nothing leaks"),
        pytest.param(b"<script>fetch('/api')</script>", 1, "What leaks is closed in the browser.", id="closed later"),
        pytest.param(b"<a x-to=%(own)s/x>", 2, "Some of it nothing closes.", id="nothing closes it"),
    ],
)
def test_an_application_is_tried(origin: Callable[[Answers], Origin], page: bytes, code: int, last: str) -> None:
    def answer(seen: Seen) -> Answer:
        own = f"http://{seen.get('Host')}".encode()
        return Answer(page.replace(b"%(own)s", own), 200, [("Content-Type", "text/html")])

    url = origin(answer).url
    done = portico("check", url)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (code, last)
    told = portico("check", url, "--json", "--pages", "1")
    assert (told.exit_code, json.loads(told.stdout)["exit"]) == (code, code)


def test_nobody_at_an_applications_address() -> None:
    done = portico("check", "http://127.0.0.1:1/")
    assert done.exit_code == options.UNREACHABLE
    assert "Is the application running?" in done.output


# Check a shell.

HOME = """<!doctype html>
<title>Home</title>
<body>
<mf-slot name="hotels.deals" timeout="400ms">Soon.</mf-slot>
<table><!--mf:slot name="hotels.rows"--></table>
"""
FRAGMENTS = GOOD + "fragments:\n  hotels.deals: { upstream: hotels, path: /deals }\n"
ROWS = {
    "number": 1,
    "teams": ["hotels"],
    "upstreams": [{"name": "hotels", "team": "hotels", "origins": ["http://hotels:1"]}],
    "mounts": [],
    "fragments": [{"name": "hotels.deals", "team": "hotels", "upstream": "hotels", "path": "/deals"}],
}


def test_check_of_a_shell_shows_each_slot_and_who_was_asked(elsewhere: Path) -> None:
    (elsewhere / "home.html").write_text(HOME)
    done = portico("check", "home.html")
    assert done.exit_code == 0
    assert done.stdout.startswith("home.html: 2 slots.\n\nLINE  SLOT")
    assert re.search(r"^4 +hotels\.deals +element +flow +its content +400 ms", done.stdout, re.M)
    assert done.stdout.endswith(
        "home.html is fine (by itself; --manifest or --admin tell which fragments there are).\n"
    )


def test_check_of_a_broken_shell_says_line_cause_and_fix(elsewhere: Path) -> None:
    (elsewhere / "home.html").write_text(HOME + "<mf-slot>x</mf-slot>\n<p><mf-slot name=a timeout=soon>")
    done = portico("check", "home.html")
    assert done.exit_code == options.PROBLEMS
    told = done.stdout.splitlines()
    at = told.index("home.html:6:1  slot-without-name  A slot without a name is left as it is. Name it.")
    assert told[at + 1 : at + 3] == ["       6 | <mf-slot>x</mf-slot>", "         | ^"]
    assert told[at + 3].startswith("    hint: Write `name=")
    assert told[-1] == "home.html: 3 problems."


def test_check_of_a_shell_as_json(elsewhere: Path) -> None:
    (elsewhere / "home.html").write_text(HOME + "<mf-slot>x</mf-slot>")
    done = portico("check", "home.html", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["exit"], told["kind"]) == (1, 1, "shell")
    assert [slot["name"] for slot in told["slots"]] == ["hotels.deals", "hotels.rows"]
    assert [(problem["code"], problem["line"], problem["level"]) for problem in told["problems"]] == [
        ("slot-without-name", 6, "error")
    ]
    assert told["problems"][0]["cause"] and told["problems"][0]["fix"]


def test_warnings_alone_end_well(elsewhere: Path) -> None:
    (elsewhere / "home.html").write_text(HOME + "<textarea><mf-slot name=x></textarea>")
    done = portico("check", "home.html")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "home.html: 1 warning.")


def test_slots_are_held_against_manifests(elsewhere: Path) -> None:
    (elsewhere / "home.html").write_text(HOME)
    (elsewhere / "hotels.yaml").write_text(FRAGMENTS)
    done = portico("check", "home.html", "--manifest", "*.yaml")
    assert "No manifest declares the fragment 'hotels.rows' (next to hotels.yaml)." in done.stdout
    assert "the fragment 'hotels.deals'" not in done.stdout
    declared = json.loads(portico("check", "home.html", "--manifest", "*.yaml", "--json").stdout)["slots"]
    assert [slot["declared"] for slot in declared] == [True, False]


def test_slots_are_held_against_a_gateway(elsewhere: Path, registry: Callable[..., Origin]) -> None:
    (elsewhere / "home.html").write_text(HOME)
    gateway = registry(200, ROWS)
    done = portico("check", "home.html", "--admin", gateway.url)
    assert f"No manifest declares the fragment 'hotels.rows' (asked {gateway.url})." in done.stdout
    assert [seen.target for seen in gateway.requests] == ["/api/table"]


def test_a_gateway_that_is_named_must_answer_about_shells(elsewhere: Path, free_port: int) -> None:
    (elsewhere / "home.html").write_text(HOME)
    assert portico("check", "home.html", "--admin", f"127.0.0.1:{free_port}").exit_code == options.UNREACHABLE


def test_a_broken_manifest_is_no_ground_to_stand_on(elsewhere: Path) -> None:
    (elsewhere / "home.html").write_text(HOME)
    (elsewhere / "hotels.yaml").write_text(BAD)
    done = portico("check", "home.html", "--manifest", "hotels.yaml")
    assert done.exit_code == options.PROBLEMS
    assert "See `portico check hotels.yaml`." in done.stderr


def test_other_languages_are_read_when_asked_for(elsewhere: Path) -> None:
    (elsewhere / "shop.html").write_text('<!doctype html>\n<esi:include src="/cart?of=$(HTTP_COOKIE{user})"/>')
    assert "--dialects esi reads that, too." in portico("check", "shop.html").stdout
    done = portico("check", "shop.html", "--dialects", "esi,ssi")
    assert "line 2, esi: /cart?of=$(HTTP_COOKIE{user})" in done.stdout
    assert "    depends on   $(HTTP_COOKIE{user}); so the page is for one viewer" in done.stdout


def test_a_manifest_tells_which_languages_are_spoken_where(elsewhere: Path) -> None:
    (elsewhere / "shop.html").write_text('<!doctype html><esi:include src="/cart"/>')
    mount = "  /hotels: { upstream: hotels, composes: true }"
    (elsewhere / "hotels.yaml").write_text(
        GOOD.replace('"] }', '"], dialects: [esi] }').replace("  /hotels: { upstream: hotels }", mount)
    )
    done = portico("check", "shop.html", "--manifest", "hotels.yaml", "--at", "/hotels/home")
    assert "line 1, esi: /cart" in done.stdout
    assert "http://hotels.internal:8000/cart, upstream 'hotels' of team 'hotels'" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(
            ["--dialects", "jsp"], "'jsp' is none of tailor, esi, ssi, include.", id="a language nobody speaks"
        ),
        pytest.param(["--at", "home"], "'home' is no path of the portal", id="no path"),
    ],
)
def test_what_cannot_be_meant_is_refused(elsewhere: Path, words: list[str], said: str) -> None:
    (elsewhere / "home.html").write_text(HOME)
    done = portico("check", "home.html", *words)
    assert done.exit_code == options.USAGE
    assert said in flat(re.sub("[│╭╮╰╯─]", " ", done.output))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"", "shell-empty", id="empty"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0", "shell-binary", id="a picture"),
        pytest.param(b"<div>" * 1000, "shell-over-budget", id="too deep"),
        pytest.param(b"a" * (8 << 20) + b"b", "shell-too-large", id="too large"),
        pytest.param(b"<!doctype html><mf-slot name=x>\xff</mf-slot>", "shell-not-utf-8", id="no text in UTF-8"),
    ],
)
@pytest.mark.parametrize("verb", ["check", "plan"])
def test_odd_files_are_told_and_no_trace_is_shown(elsewhere: Path, verb: str, body: bytes, code: str) -> None:
    (elsewhere / "odd.html").write_bytes(body)
    done = portico(verb, "odd.html")
    assert (done.exit_code, done.exception.__class__) == (1, SystemExit)
    assert f"  {code}  " in done.stdout
    assert "    hint: " in done.stdout
    assert json.loads(portico(verb, "odd.html", "--json").stdout)["problems"][0]["code"] == code


@pytest.mark.parametrize("verb", ["check", "plan"])
@pytest.mark.parametrize("name", ["gone.html", "folder.html"])
def test_a_shell_that_cannot_be_read_is_told(elsewhere: Path, verb: str, name: str) -> None:
    (elsewhere / "folder.html").mkdir()
    done = portico(verb, name)
    assert done.exit_code == options.PROBLEMS
    assert re.fullmatch(rf"portico: {name} cannot be read: .+\. Name a file with the HTML of a page\.\n", done.stderr)


def test_the_shells_of_an_application_are_checked_besides(origin: Callable[[Answers], Origin]) -> None:
    def answer(seen: Seen) -> Answer:
        page = HOME + "<mf-slot></mf-slot><a href=/two>" if seen.target == "/" else "<!doctype html><p>two"
        return Answer(page.encode(), 200, [("Content-Type", "text/html")])

    url = origin(answer).url
    done = portico("check", f"{url}/")
    assert done.exit_code == options.PROBLEMS
    assert done.stdout.index("Nothing leaks.") < done.stdout.index(f"{url}/: 2 slots.")
    assert f"{url}/:6:1  slot-without-name" in done.stdout
    told = json.loads(portico("check", f"{url}/", "--json").stdout)
    assert ([shell["source"] for shell in told["shells"]], told["exit"]) == ([f"{url}/"], 1)


def test_what_a_page_shows_of_a_shell_is_what_is_said(elsewhere: Path) -> None:
    page = (ROOT / "docs" / "registering.md").read_text()
    shown = re.search(r"^```\n\$ portico check home\.html\n(.*?)^```$", page, re.M | re.S)
    assert shown is not None
    rows = {int(number): line for number, line in re.findall(r"^ +(\d+) \| (.*)$", shown[1], re.M)}
    first = '  <mf-slot name="hotels.deals" timeout="400ms" city="paris">Deals are on their way.</mf-slot>'
    lines = {1: "<!doctype html>", 2: "<title>Home</title>", 3: "<body>", 4: "<main>", 5: first, **rows, 8: "</main>"}
    (elsewhere / "home.html").write_text("".join(f"{lines[number]}\n" for number in sorted(lines)))
    assert portico("check", "home.html").stdout == shown[1]
