"""What the verbs share: where the token comes from, which files a pattern means, how exit codes are told."""

from collections.abc import Callable
from pathlib import Path

import pytest

import gateway.verbs.options as options
from tests.gateway.verbs.calling import TABLE, portico
from tests.kit.origin import Origin


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


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        pytest.param(["teams/*.yaml"], ["teams/a.yaml", "teams/b.yaml"], id="a pattern, in order"),
        pytest.param(["teams/b.yaml", "teams/*.yaml"], ["teams/b.yaml", "teams/a.yaml"], id="each once"),
        pytest.param(["gone.yaml"], ["gone.yaml"], id="a name of nothing stays, to be complained about"),
    ],
)
def test_files_of_patterns(elsewhere: Path, patterns: list[str], expected: list[str]) -> None:
    (elsewhere / "teams").mkdir()
    for name in ("a.yaml", "b.yaml"):
        (elsewhere / "teams" / name).touch()
    assert options.files_of(patterns) == expected


def test_a_verbs_own_exit_codes_are_a_list() -> None:
    assert options.exits("Exit codes", {0: "fine", 1: "not"}) == "\b\nExit codes:\n  0  fine\n  1  not"
