"""Every verb runs in a folder without a gateway of its own, and asks gateways that answer as they are told."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.origin import Answer, Answers, Origin, Seen


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("ADMIN", "TOKEN", "ADMIN_TOKEN", "STATE", "CONFIG", "LISTEN", "MANIFESTS"):
        monkeypatch.delenv(f"PORTICO_{name}", raising=False)
    return tmp_path


@pytest.fixture
def registry(origin: Callable[[Answers], Origin]) -> Callable[..., Origin]:
    """`registry(status, said)`: a gateway that always answers so."""

    def listening(status: int, said: object) -> Origin:
        def answer(seen: Seen) -> Answer:
            return Answer(json.dumps(said).encode(), status, [("Content-Type", "application/json")])

        return origin(answer)

    return listening
