"""What `register`, `withdraw` and `token` send, and what they say when the gateway refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import gateway.verbs.options as options
from tests.gateway.verbs.calling import BAD, GOOD, portico
from tests.kit.origin import Answer, Answers, Origin


@pytest.mark.parametrize(
    ("status", "code"),
    [
        pytest.param(401, options.REFUSED, id="no token"),
        pytest.param(403, options.REFUSED, id="another's token"),
        pytest.param(409, options.REFUSED, id="a file's team"),
        pytest.param(404, options.PROBLEMS, id="nobody of that name"),
        pytest.param(503, options.UNREACHABLE, id="a store that is away"),
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
    assert done.exit_code == options.PROBLEMS
    assert "belongs to team 'inn'" in done.stdout
    assert [(seen.method, seen.target) for seen in gateway.requests] == [("POST", "/api/check")]


def test_register_of_a_broken_file_needs_no_gateway_to_be_refused(elsewhere: Path) -> None:
    (elsewhere / "hotels.yaml").write_text(BAD)
    done = portico("register", "hotels.yaml", "--json", "--token", "x" * 20, PORTICO_ADMIN="")
    assert done.exit_code == options.PROBLEMS
    assert {problem["hint"] for problem in json.loads(done.stdout)["problems"]} >= {"Did you mean 'origins'?"}


def test_register_shows_what_the_gateway_found(elsewhere: Path, registry: Callable[..., Origin]) -> None:
    problem = {"path": "mounts./hotels", "message": "Mount '/hotels' belongs to team 'inn'.", "hint": "Choose another."}
    gateway = registry(422, {"problems": [problem | {"line": 5, "column": 3, "code": "owned", "level": "error"}]})
    (elsewhere / "hotels.yaml").write_text(GOOD)
    done = portico("register", "hotels.yaml", "--admin", gateway.url)
    assert done.exit_code == options.PROBLEMS
    assert done.stdout.splitlines() == [
        "hotels.yaml:5:3  mounts./hotels  Mount '/hotels' belongs to team 'inn'.",
        "       5 |   /hotels: { upstream: hotels }",
        "         |   ^",
        "    hint: Choose another.",
        "hotels.yaml: 1 problem.",
    ]


def test_a_token_can_be_piped(registry: Callable[..., Origin]) -> None:
    gateway = registry(200, {"team": "hotels", "token": "hotels.abc"})
    assert portico("token", "hotels", "--admin", gateway.url).stdout == "hotels.abc\n"
