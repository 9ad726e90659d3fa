"""The house has floors. Imports go down the stairs, never up, pure rooms stay pure, and each library has one door."""

import ast
import re

import pytest

from tests.house.tree import MODULES, ROOT, imported, parsed, within

# The package itself holds the map of the house and the version, and stands below all: it imports nothing.
FLOORS = [
    {"gateway"},
    {"fragments"},
    {"gateway.errors", "gateway.recent"},
    {"gateway.message", "gateway.model", "gateway.browser"},
    {"gateway.rules"},
    {"gateway.table"},
    {"gateway.exchange", "gateway.settings"},
    {"gateway.telemetry", "gateway.transport", "gateway.store"},
    {"gateway.plugins"},
    {"gateway.proxy", "gateway.registry"},
    {"gateway.app"},
    {"gateway.walk"},
    {"gateway.trial"},
    {"gateway.demo"},
    {"gateway.look"},
    {"gateway.verbs"},
    {"gateway.cli"},
    {"gateway.__main__"},
]
PURE = {
    "fragments",
    "gateway.errors",
    "gateway.model",
    "gateway.rules",
    "gateway.table",
    "gateway.registry.check",
    "gateway.registry.moving",
    "gateway.trial.compare",
    "gateway.trial.columns",
    "gateway.trial.listing",
    "gateway.trial.outline",
    "gateway.trial.remarks",
    "gateway.trial.scripts",
    "gateway.trial.shells",
    "gateway.trial.spoken",
    "gateway.trial.spot",
    "gateway.browser",
    "gateway.store.codec",
}
OUTSIDE = {"asyncio", "socket", "time", "random", "os", "logging", "subprocess"}
DOORS = {
    "selectolax": {"fragments.parse"},
    "redis": {"gateway.store.redis"},
    "hiredis": {"gateway.store.redis"},
    "sqlite3": {"gateway.store.sqlite"},
    "fastapi": {"gateway.registry"},
    "starlette": {"gateway.registry"},
    "jinja2": {"gateway.registry"},
    "httptools": {"gateway.proxy.wire", "gateway.transport.connection"},
    "uvicorn": {"gateway.app", "gateway.proxy.wire"},
    "httpx": {
        "gateway.registry.client",
        "gateway.cli",
        "gateway.demo",
        "gateway.trial",
        "gateway.walk",
        "gateway.transport",
    },
    "typer": {"gateway.cli", "gateway.verbs", "gateway.demo"},
    "rich": {"gateway.look", "gateway.demo"},
}
NO_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "handler", "handlers", "data", "info", "misc"}


def room(module: str) -> str:
    if module in ("gateway", "gateway.__version__"):
        return "gateway"
    rooms = [room for floor in FLOORS for room in floor if room != "gateway" and within(module, {room})]
    assert rooms, f"{module} is in no room: name its floor in {__file__}"
    return max(rooms, key=len)


def floor(module: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room(module) in rooms)


@pytest.mark.parametrize("here", MODULES)
def test_imports_go_down(here: str) -> None:
    for there in imported(here):
        if there.split(".")[0] in ("fragments", "gateway") and room(there) != room(here):
            assert floor(there) < floor(here), f"{here} may not import {there}"


@pytest.mark.parametrize("here", [module for module in MODULES if within(module, PURE)])
def test_pure_rooms_stay_pure(here: str) -> None:
    assert not {module.split(".")[0] for module in imported(here)} & OUTSIDE
    forbidden = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Global)
    assert not [f"line {node.lineno}" for node in ast.walk(parsed(here)) if isinstance(node, forbidden)]


@pytest.mark.parametrize("here", MODULES)
def test_library_has_one_door(here: str) -> None:
    for there in imported(here):
        doors = DOORS.get(there.split(".")[0])
        assert doors is None or within(here, doors), f"{here} may not import {there}: its door is {sorted(doors)}"


@pytest.mark.parametrize("here", MODULES)
def test_names_are_not_taken_through_a_package_root(here: str) -> None:
    """A package may be asked for its modules and its version; everything else is imported from the file that has it."""
    for node in ast.walk(parsed(here)):
        if isinstance(node, ast.ImportFrom) and node.module in MODULES and is_package(node.module):
            taken = {f"{node.module}.{alias.name}" for alias in node.names} - set(MODULES) - {"gateway.__version__"}
            assert not taken, f"{here}, line {node.lineno}: import {sorted(taken)} from the file that has it"


def is_package(module: str) -> bool:
    return MODULES[module].name == "__init__.py"


@pytest.mark.parametrize("here", [module for module in MODULES if module != "gateway.settings"])
def test_environment_is_read_in_settings_only(here: str) -> None:
    for node in ast.walk(parsed(here)):
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"):
            assert ast.unparse(node.value) != "os", f"{here}, line {node.lineno}: what it needs is a setting"
    assert not {"os.environ", "os.getenv"} & set(imported(here))


@pytest.mark.parametrize("here", MODULES)
def test_module_says_the_law_of_its_room(here: str) -> None:
    written = parsed(here)
    assert not written.body or ast.get_docstring(written), f"{here} opens without saying what lives in it"


@pytest.mark.parametrize("here", MODULES)
def test_module_is_named_for_what_its_functions_are_about(here: str) -> None:
    assert here.split(".")[-1] not in NO_NAMES


def test_every_floor_is_there() -> None:
    assert {"gateway.cli", "gateway.app", "gateway.proxy.flow", "gateway.settings", "fragments.scan"} <= set(MODULES)


def functions(module: str) -> bool:
    return any(isinstance(node, ast.FunctionDef) for node in ast.walk(parsed(module)))


@pytest.mark.parametrize("here", [module for module in MODULES if within(module, PURE) and functions(module)])
def test_pure_module_has_a_test_of_its_own(here: str) -> None:
    *rooms, name = here.split(".")
    assert ROOT.joinpath("tests", *rooms, f"test_{name}.py").exists()


@pytest.mark.parametrize("here", sorted(set(MODULES) - {"fragments.patterns"}))
def test_possessive_groups_are_spelled_for_every_python(here: str) -> None:
    """See `fragments.patterns`: as they stand, Debian 12's Python matches them wrongly."""
    texts = (node.value for node in ast.walk(parsed(here)) if isinstance(node, ast.Constant))
    spelled = [text for text in map(_text, texts) if _GROUP.search(_ONE_CHARACTER.sub("x", text))]
    assert not spelled or "fragments.patterns" in imported(here), spelled


_GROUP = re.compile(r"\)[*+?]\+")
_ONE_CHARACTER = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")  # an escape or a class, whatever is in it


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value if isinstance(value, str) else ""
