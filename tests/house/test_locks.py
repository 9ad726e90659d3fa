"""Locks say exactly what pyproject.toml asks for, hashed, agreed among themselves, and without any address in them."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from requirements.fingerprint import fingerprint
from tests.house.tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
CORE: list[str] = PROJECT["project"]["dependencies"]
WANTED = {
    "core": CORE,
    "demo": CORE + GROUPS["demo"] + GROUPS["build"],
    "test": CORE + GROUPS["demo"] + GROUPS["build"] + GROUPS["test"] + GROUPS["lint"],
    "build": GROUPS["build"],
    "tool": GROUPS["tool"],
    "apps": GROUPS["apps"],
}
LOCKS = {path.stem: path for path in sorted((ROOT / "requirements").glob("*.lock"))}
PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^ ;\\]+)(?P<rest>.*(?:\n    --hash=.*)*)", re.MULTILINE
)


def pins(path: Path) -> dict[str, re.Match[str]]:
    return {canonicalize_name(found["name"]): found for found in PIN.finditer(path.read_text())}


def test_there_is_a_lock_for_each_set() -> None:
    assert set(LOCKS) == set(WANTED)


@pytest.mark.parametrize("lock", WANTED)
def test_lock_was_made_from_this_pyproject(lock: str) -> None:
    first = LOCKS[lock].read_text().splitlines()[0]
    assert first.endswith(f" {fingerprint()}"), "pyproject.toml has changed since: run ./dev lock"


@pytest.mark.parametrize("lock", WANTED)
def test_lock_pins_what_is_asked_for(lock: str) -> None:
    pinned = pins(LOCKS[lock])
    for wanted in map(Requirement, WANTED[lock]):
        pin = pinned.get(canonicalize_name(wanted.name))
        assert pin, f"{wanted.name} is not in {lock}.lock: run ./dev lock"
        assert wanted.specifier.contains(Version(pin["version"])), f"{lock}.lock has {pin['version']} for '{wanted}'"


@pytest.mark.parametrize("lock", WANTED)
def test_every_pin_is_hashed(lock: str) -> None:
    text = LOCKS[lock].read_text()
    found = list(PIN.finditer(text))  # of a name there may be several, for different Pythons
    assert found
    assert not [pin["name"] for pin in found if "--hash=sha256:" not in pin["rest"]]
    lines = [line for line in text.splitlines() if not line.startswith((" ", "#"))]
    assert len(lines) == len(found), "a line is no pin"


@pytest.mark.parametrize("lock", ["core", "demo", "build"])
def test_narrower_locks_are_cut_out_of_the_tests_one(lock: str) -> None:
    widest = {name: pin[0] for name, pin in pins(LOCKS["test"]).items()}
    assert {name: pin[0] for name, pin in pins(LOCKS[lock]).items()}.items() <= widest.items()


@pytest.mark.parametrize("lock", WANTED)
def test_lock_holds_no_address(lock: str) -> None:
    for sign in (
        "http:",
        "https:",
        "file:",
        "index-url",
        "find-links",
        "trusted-host",
        " @ ",
        "/opt",
        "/work",
        "/root",
    ):
        assert sign not in LOCKS[lock].read_text()
