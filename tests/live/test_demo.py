"""The demo as a newcomer runs it: what it prints works when copied, and nothing of it is left at the end."""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.kit import ports
from tests.kit.process import Child, running

ROOT = Path(__file__).parents[2]
PORTICO = (sys.executable, "-m", "gateway")
READY = r"Ctrl-C ends everything"


@dataclass(frozen=True, slots=True)
class Demo:
    child: Child
    portal: str
    admin: str
    state: Path

    def home(self) -> str:
        answer = httpx.get(f"{self.portal}/", trust_env=False, timeout=10)
        assert answer.status_code == 200
        return answer.text

    def tries(self) -> list[str]:
        """The three commands it says to copy, with this interpreter in place of what calls it."""
        found = re.findall(r"^    (\S+.* (?:demo (?:kill|slow)|register) .*?)   ", self.child.output, re.M)
        return [re.sub(r"^.*?(?=demo (kill|slow)|register )", shlex.join(PORTICO) + " ", line) for line in found]


def copied(command: str) -> str:
    done = subprocess.run(shlex.split(command), cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def within(seconds: float, holds: "contextlib.AbstractContextManager[None] | object", what: str) -> None:
    raise NotImplementedError


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    state = tmp_path_factory.mktemp("demo") / "state"
    port, admin_port = ports.free_port(), ports.free_port()
    command = (*PORTICO, "demo", "--port", str(port), "--admin-port", str(admin_port), "--state", str(state))
    with running(*command, line=READY, cwd=ROOT, timeout=40) as child:
        yield Demo(child, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin_port}", state)
