"""The house as text: its modules, and what each imports, read from the source without running it."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("fragments", "gateway")
FILES = [path for top in PACKAGES for path in sorted((ROOT / top).rglob("*.py"))]


def name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name(path): path for path in FILES}


@cache
def parsed(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text())


def imported(module: str) -> list[str]:
    """Every dotted name that a module imports, anywhere in it."""
    found = []
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}, line {node.lineno}: imports are written in full"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def within(module: str, rooms: tuple[str, ...] | set[str]) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)
