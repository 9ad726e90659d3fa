"""The verbs: what they say to people and to programs, and the exit code each end has."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import gateway.cli as cli
from tests.kit.origin import Answer, Answers, Origin, Seen

GOOD = """team: hotels
upstreams:
  hotels: { origins: ["http://hotels.internal:8000"] }
mounts:
  /hotels: { upstream: hotels }
"""
BAD = GOOD.replace("upstream: hotels", "upstream: hotel").replace("origins:", "origin:")
VERBS = [command.callback.__name__ for command in cli.app.registered_commands if command.callback]
VERBS += ["demo", "demo kill", "demo start", "demo slow"]
HEAVY = ("fastapi", "redis", "uvicorn", "pydantic", "httpx", "starlette", "jinja2", "selectolax", "asyncio")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every verb runs in a folder without a gateway of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("ADMIN", "TOKEN", "ADMIN_TOKEN", "STATE", "CONFIG", "LISTEN", "MANIFESTS"):
        monkeypatch.delenv(f"PORTICO_{name}", raising=False)
    return tmp_path


def portico(*words: str, **env: str) -> Any:
    return CliRunner().invoke(cli.app, words, env=env, prog_name="portico")


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def registry(origin: Callable[[Answers], Origin]) -> Callable[..., Origin]:
    """`registry(status, said)`: a gateway that always answers so."""

    def listening(status: int, said: object) -> Origin:
        def answer(seen: Seen) -> Answer:
            return Answer(json.dumps(said).encode(), status, [("Content-Type", "application/json")])

        return origin(answer)

    return listening


# Help.


def test_help_is_there_at_once() -> None:
    script = "import sys, gateway.cli\ntry: gateway.cli.main()\nexcept SystemExit: print(*sys.modules)"
    command = [sys.executable, "-c", script, "--help"]
    done = subprocess.run(command, cwd=Path(cli.__file__).parents[1], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "typer" in loaded
    assert not loaded & set(HEAVY)


def test_help_tells_every_exit_code() -> None:
    told = portico("--help").stdout
    assert re.findall(r"^    (\d)  ", told, re.M) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_ends_in_two_examples_that_are_understood(verb: str) -> None:
    told = portico(*verb.split(), "--help").stdout
    examples = [line.strip() for line in told.rstrip().partition("Examples:\n")[2].splitlines()]
    assert len(examples) >= 2
    for example in examples:
        assert example.startswith(f"portico {verb}" if verb != "demo" else "portico demo")
        words = [word.strip("'") for word in example.partition(" > ")[0].split()[1:]]
        assert "--help" in told and portico(*words, "--help").exit_code == 0


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_speaks_json(verb: str) -> None:
    assert "--json" in portico(*verb.split(), "--help").stdout


def test_a_mistyped_verb_is_guessed() -> None:
    done = portico("registr")
    assert done.exit_code == cli.USAGE
    assert "Did you mean 'register'?" in done.output


def test_version() -> None:
    assert portico("--version").stdout.startswith("portico 0.")


# Check and validate, by themselves.


def test_check_shows_the_line_with_a_caret_and_a_hint(elsewhere: Path) -> None:
    (elsewhere / "hotels.yaml").write_text(BAD)
    done = portico("check", "hotels.yaml")
    assert done.exit_code == cli.PROBLEMS
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
    assert done.exit_code == cli.PROBLEMS
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
        cli.PROBLEMS,
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
    assert done.exit_code == cli.PROBLEMS
    assert "teams/b.yaml:5:3 mounts./hotels Mount '/hotels' belongs to team 'hotels'." in flat(done.stdout)
    assert "teams/c.yaml team Team 'hotels' is declared by teams/a.yaml already." in flat(done.stdout)


def test_validate_of_good_ones(elsewhere: Path) -> None:
    (elsewhere / "a.yaml").write_text(GOOD)
    assert portico("validate", "a.yaml").stdout == "The settings and 1 manifest are fine.\n"
    assert json.loads(portico("validate", "a.yaml", "--json").stdout) == {"problems": []}


def test_validate_tells_a_wrong_setting_with_its_line(elsewhere: Path) -> None:
    (elsewhere / "portico.yaml").write_text("listen: 127.0.0.1:8080\nworker: 2\n")
    done = portico("validate", "--config", "portico.yaml")
    assert done.exit_code == cli.PROBLEMS
    assert "portico.yaml:2:1: setting worker is not known. Did you mean 'workers'?" in done.stderr


# Asking a gateway.


def test_nobody_listens(free_port: int) -> None:
    done = portico("routes", "--admin", f"http://127.0.0.1:{free_port}")
    assert done.exit_code == cli.UNREACHABLE
    assert done.stderr.startswith(f"portico: No gateway answers at http://127.0.0.1:{free_port}")
    assert "portico serve" in done.stderr
    assert "Traceback" not in done.output


def test_an_error_as_json(free_port: int) -> None:
    done = portico("routes", "--json", PORTICO_ADMIN=f"127.0.0.1:{free_port}")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["exit"]) == (cli.UNREACHABLE, cli.UNREACHABLE)
    assert "No gateway answers" in said["error"]


def test_a_named_gateway_must_answer_a_check(elsewhere: Path, free_port: int) -> None:
    (elsewhere / "hotels.yaml").write_text(GOOD)
    done = portico("check", "hotels.yaml", "--admin", f"127.0.0.1:{free_port}")
    assert done.exit_code == cli.UNREACHABLE


@pytest.mark.parametrize(
    ("status", "code"),
    [
        pytest.param(401, cli.REFUSED, id="no token"),
        pytest.param(403, cli.REFUSED, id="another's token"),
        pytest.param(409, cli.REFUSED, id="a file's team"),
        pytest.param(404, cli.PROBLEMS, id="nobody of that name"),
        pytest.param(503, cli.UNREACHABLE, id="a store that is away"),
    ],
)
def test_a_refusal_has_its_exit_code(registry: Callable[..., Origin], status: int, code: int) -> None:
    gateway = registry(status, {"message": "What happened.", "hint": "What to do."})
    done = portico("withdraw", "hotels", "--admin", gateway.url)
    assert (done.exit_code, done.stderr) == (code, "portico: What happened. What to do.\n")


def test_register_sends_the_file_as_it_is(elsewhere: Path, registry: Callable[..., Origin]) -> None:
    gateway = registry(201, {"team": "hotels", "revision": 1, "table": 2, "warnings": []})
    (elsewhere / "hotels.yaml").write_text("# ours\n" + GOOD)
    done = portico("register", "hotels.yaml", "--admin", gateway.url, "--token", "a-token-of-hotels")
    assert done.stdout == f"hotels is registered at {gateway.url}, revision 1.\n"
    (seen,) = gateway.requests
    assert (seen.method, seen.target) == ("PUT", "/api/teams/hotels/manifest")
    assert (seen.body.decode(), seen.get("Authorization")) == ("# ours\n" + GOOD, "Bearer a-token-of-hotels")


def test_register_reads_a_published_manifest(
    origin: Callable[[Answers], Origin], registry: Callable[..., Origin]
) -> None:
    gateway = registry(200, {"team": "hotels", "revision": 2, "table": 3, "warnings": []})
    team = origin(lambda seen: Answer(GOOD.encode()))
    done = portico("register", f"{team.url}/portico.yaml", "--admin", gateway.url, "--json")
    assert json.loads(done.stdout) == {"team": "hotels", "revision": 2, "problems": []}


def test_register_of_a_broken_file_is_only_checked(elsewhere: Path, registry: Callable[..., Origin]) -> None:
    """The gateway knows what else is wrong with it: what other teams own."""
    problem = {"path": "mounts./hotels", "message": "Mount '/hotels' belongs to team 'inn'.", "hint": ""}
    gateway = registry(200, {"ok": False, "problems": [problem | {"line": 5, "column": 3, "level": "error"}]})
    (elsewhere / "hotels.yaml").write_text(BAD)
    done = portico("register", "hotels.yaml", "--admin", gateway.url)
    assert done.exit_code == cli.PROBLEMS
    assert "belongs to team 'inn'" in done.stdout
    assert [(seen.method, seen.target) for seen in gateway.requests] == [("POST", "/api/check")]


def test_register_of_a_broken_file_needs_no_gateway_to_be_refused(elsewhere: Path) -> None:
    (elsewhere / "hotels.yaml").write_text(BAD)
    done = portico("register", "hotels.yaml", "--json", "--token", "x" * 20, PORTICO_ADMIN="")
    assert done.exit_code == cli.PROBLEMS
    assert {problem["hint"] for problem in json.loads(done.stdout)["problems"]} >= {"Did you mean 'origins'?"}


def test_register_shows_what_the_gateway_found(elsewhere: Path, registry: Callable[..., Origin]) -> None:
    problem = {"path": "mounts./hotels", "message": "Mount '/hotels' belongs to team 'inn'.", "hint": "Choose another."}
    gateway = registry(422, {"problems": [problem | {"line": 5, "column": 3, "code": "owned", "level": "error"}]})
    (elsewhere / "hotels.yaml").write_text(GOOD)
    done = portico("register", "hotels.yaml", "--admin", gateway.url)
    assert done.exit_code == cli.PROBLEMS
    assert done.stdout.splitlines() == [
        "hotels.yaml:5:3  mounts./hotels  Mount '/hotels' belongs to team 'inn'.",
        "       5 |   /hotels: { upstream: hotels }",
        "         |   ^",
        "    hint: Choose another.",
        "hotels.yaml: 1 problem.",
    ]


TABLE = {
    "number": 3,
    "teams": ["a"],
    "upstreams": [{"name": "up", "team": "a", "origins": ["http://a:1", "http://b:1"]}],
    "mounts": [{"prefix": "/a", "hosts": ["x.example"], "team": "a", "upstream": "up", "composes": True}],
    "fragments": [
        {
            "name": "a.b",
            "team": "a",
            "upstream": "up",
            "path": "/f",
            "isolation": "none",
            "timeout": 0.5,
            "cache": {"ttl": 30.0, "stale_while_revalidate": 300.0, "stale_if_error": 0.0, "tags": []},
        },
        {
            "name": "c",
            "team": "a",
            "upstream": "up",
            "path": "/c",
            "isolation": "none",
            "timeout": 2.0,
            "cache": None,
        },
    ],
}


def test_routes_in_columns(registry: Callable[..., Origin]) -> None:
    done = portico("routes", "--admin", registry(200, TABLE).url)
    assert done.stdout.splitlines() == [
        "MOUNT            TEAM  UPSTREAM  ORIGINS",
        "/a on x.example  a     up        http://a:1, http://b:1",
        "",
        "FRAGMENT  TEAM  UPSTREAM  PATH  WAITS AT MOST  KEPT",
        "a.b       a     up        /f    500 ms         30 s, 5 min more while refreshed",
        "c         a     up        /c    2 s            as its origin says",
        "",
        "Table 3: 1 mount, 2 fragments.",
    ]


def test_routes_tell_what_moved(registry: Callable[..., Origin]) -> None:
    moved = [{"prefix": "/old", "leads_to": "/a", "team": "a", "until": 0.0}]
    told = portico("routes", "--admin", registry(200, TABLE | {"moved": moved}).url).stdout
    assert re.search(r"^MOVED +LEADS TO +TEAM +UNTIL\n/old +/a +a +(1970|1969)-", told, re.M)


LEAK = {
    "team": "hotels",
    "mount": "/hotels",
    "target": "/api/\x1b[2Jrooms",
    "page": "/hotels/list",
    "kind": "empty",
    "how": "rescue",
    "times": 3,
    "last": 1.0,
    "fix": "Ask for 'api'.",
}


def test_leaks_in_columns_with_what_mends_each(registry: Callable[..., Origin]) -> None:
    gateway = registry(200, {"leaks": [LEAK]})
    assert portico("leaks", "--team", "hotels", "--admin", gateway.url).stdout.splitlines() == [
        "MOUNT    URL             FROM          KIND   TIMES  TEAM",
        "/hotels  /api/�[2Jrooms  /hotels/list  empty  3      hotels",
        "",
        "/hotels /api/�[2Jrooms: Ask for 'api'.",
    ]
    assert gateway.requests[0].target == "/api/leaks?team=hotels"
    assert json.loads(portico("leaks", "--json", "--admin", gateway.url).stdout)["leaks"] == [LEAK]


def test_no_leaks_are_said(registry: Callable[..., Origin]) -> None:
    gateway = registry(200, {"leaks": []})
    assert portico("leaks", "--admin", gateway.url).stdout == "No leaks were seen.\n"
    assert portico("leaks", "--clear", "--admin", gateway.url).stdout == "Leaks are forgotten.\n"
    assert [(seen.method, seen.target) for seen in gateway.requests] == [
        ("GET", "/api/leaks"),
        ("DELETE", "/api/leaks"),
    ]


# Check an application.


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
    assert done.exit_code == cli.UNREACHABLE
    assert "Is the application running?" in done.output


def test_routes_as_json_is_the_table(registry: Callable[..., Origin]) -> None:
    assert json.loads(portico("routes", "--json", "--admin", registry(200, TABLE).url).stdout) == TABLE


def test_purge_names_one_thing(registry: Callable[..., Origin]) -> None:
    gateway = registry(200, {"kind": "tag", "value": "rooms", "number": 9})
    assert portico("purge", "--tag", "rooms", "--admin", gateway.url).stdout == "Answers of tag rooms are forgotten.\n"
    assert json.loads(gateway.requests[0].body) == {"kind": "tag", "value": "rooms"}
    assert portico("purge", "--tag", "a", "--team", "b", "--admin", gateway.url).exit_code == cli.USAGE
    assert portico("purge", "--admin", gateway.url).exit_code == cli.USAGE


def test_a_token_can_be_piped(registry: Callable[..., Origin]) -> None:
    gateway = registry(200, {"team": "hotels", "token": "hotels.abc"})
    assert portico("token", "hotels", "--admin", gateway.url).stdout == "hotels.abc\n"


@pytest.mark.parametrize(
    ("words", "env", "expected"),
    [
        pytest.param(["--token", "given-on-the-line"], {}, "given-on-the-line", id="the option"),
        pytest.param([], {"PORTICO_TOKEN": "of-the-environment"}, "of-the-environment", id="else the environment"),
        pytest.param([], {}, "kept-here-by-a-gateway", id="else what a gateway keeps here"),
        pytest.param(["--state", "other"], {}, "kept-elsewhere", id="or in the folder said"),
    ],
)
def test_where_the_token_comes_from(
    elsewhere: Path, registry: Callable[..., Origin], words: list[str], env: dict[str, str], expected: str
) -> None:
    for folder, kept in ((".portico", "kept-here-by-a-gateway"), ("other", "kept-elsewhere")):
        (elsewhere / folder).mkdir()
        (elsewhere / folder / "admin.token").write_text(kept + "\n")
    gateway = registry(200, TABLE)
    portico("routes", "--admin", gateway.url, *words, **env)
    assert gateway.requests[0].get("Authorization") == f"Bearer {expected}"


# The rest.


def test_schema_of_a_manifest() -> None:
    schema = json.loads(portico("schema").stdout)
    assert {"team", "upstreams", "mounts", "fragments"} == set(schema["properties"])
    assert schema["additionalProperties"] is False
    assert schema["$schema"].startswith("https://json-schema.org/")


def test_schema_of_the_settings() -> None:
    properties = json.loads(portico("schema", "--settings", "--json").stdout)["properties"]
    assert {"listen", "admin", "redis", "manifests", "workers"} <= set(properties)
    assert properties["page_deadline"]["type"] == ["number", "string"]
    assert properties["hosts"]["type"] == ["array", "string"]


@pytest.mark.parametrize(
    ("status", "code", "said"), [(200, 0, "is ready."), (503, cli.PROBLEMS, "is not ready (503).")]
)
def test_healthcheck(registry: Callable[..., Origin], status: int, code: int, said: str) -> None:
    portal = registry(status, {})
    listen = f"0.0.0.0:{portal.port}"
    done = portico("healthcheck", PORTICO_LISTEN=listen)
    assert (done.exit_code, done.stdout) == (code, f"{portal.url} {said}\n")
    assert portal.targets == ["/-/health/ready"]
    assert json.loads(portico("healthcheck", "--url", portal.url, "--json").stdout)["ready"] is (status == 200)


def test_healthcheck_of_nobody(free_port: int) -> None:
    assert portico("healthcheck", "--url", f"127.0.0.1:{free_port}").exit_code == cli.UNREACHABLE


def test_serve_refuses_wrong_settings_before_it_starts() -> None:
    done = portico("serve", "--workers", "many")
    assert done.exit_code == cli.PROBLEMS
    assert "option workers: a number of workers, or auto is wanted here" in done.stderr


def test_the_demo_refuses_a_duration_it_cannot_read() -> None:
    done = portico("demo", "slow", "hotels", "soon")
    assert done.exit_code == cli.USAGE
    assert "such as 400ms, 2s" in flat(done.output)
