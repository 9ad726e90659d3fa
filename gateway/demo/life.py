"""The life of a demo, from what was asked for to the last process gone."""

import asyncio
import contextlib
import shutil
import signal
import tempfile
import webbrowser
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

import gateway.demo.control as control
import gateway.demo.ports as ports
from gateway.demo.crew import DemoError, find_node, folder, teams
from gateway.demo.leash import Say
from gateway.demo.smoke import smoke
from gateway.demo.stage import Demo

PORTAL_PORT = 8080
ADMIN_PORT = 8081


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for. Ports of None: the usual one, or the next that is free."""

    port: int | None = None
    admin_port: int | None = None
    redis: str = ""
    state: Path | None = None
    smoke: bool = False
    opens: bool = False
    program: str = "portico"


async def prepare(order: Order, say: Say) -> Demo:
    """A demo with its ports and its folder, nothing started yet."""
    home = folder()
    crew = teams((home / "demo.yaml").read_text(encoding="utf-8"))
    port = ports.choose(order.port, PORTAL_PORT, "--port", [order.admin_port or ADMIN_PORT])
    admin_port = ports.choose(order.admin_port, ADMIN_PORT, "--admin-port", [port])
    if order.port is None and port != PORTAL_PORT:
        say("demo", f"port {PORTAL_PORT} is taken, so the portal is on {port}")
    if order.admin_port is None and admin_port != ADMIN_PORT:
        say("demo", f"port {ADMIN_PORT} is taken, so the registry is on {admin_port}")
    own: dict[str, int] = {}
    for team in crew:
        own[team.name] = ports.free([port, admin_port, *own.values()])
    return Demo(
        redis=order.redis,
        program=order.program,
        keeps_state=order.state is not None,
        say=say,
        root=home.parent,
        crew=crew,
        port=port,
        admin_port=admin_port,
        state=state_folder(order.state, port),
        ports=own,
        node=await find_node() if any(team.needs_node for team in crew) else None,
    )


def state_folder(wanted: Path | None, port: int) -> Path:
    """A folder that is the demo's own and empty: the one asked for, `.portico/demo-PORT`, or a temporary one."""
    place = (wanted or Path(".portico") / f"demo-{port}").absolute()
    if place.exists() and any(place.iterdir()) and not _was_ours(place):
        raise DemoError(f"{place} holds other things. Give an empty folder with --state, or leave --state away.")
    shutil.rmtree(place, ignore_errors=True)
    try:
        place.mkdir(mode=0o700, parents=True)
    except OSError as error:
        if wanted is not None:
            raise DemoError(f"{place} cannot be made: {error.strerror}. Give another folder with --state.") from error
        return Path(tempfile.mkdtemp(prefix="portico-demo-"))
    return place


def _was_ours(place: Path) -> bool:
    return (place / control.RUNNING).exists() or (place / "teams").is_dir()


async def run(order: Order, say: Say, ready: Callable[[Demo], None]) -> int:
    """The whole life of a demo; its exit code."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)
    demo = await prepare(order, say)
    try:
        return await _until(over, _live(demo, order, ready))
    finally:
        try:
            say("demo", "ends")
        finally:
            await demo.end()


async def _until(over: asyncio.Event, life: Coroutine[None, None, int]) -> int:
    """The life's own end, or 0 when it was asked to end before."""
    tasks = [asyncio.create_task(over.wait()), asyncio.create_task(life)]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    _, result = await asyncio.gather(*tasks, return_exceptions=True)
    if isinstance(result, Exception):
        raise result
    return result if isinstance(result, int) else 0


async def _live(demo: Demo, order: Order, ready: Callable[[Demo], None]) -> int:
    await demo.start()
    if order.smoke:
        return 0 if (await smoke(demo)).good else 1
    ready(demo)
    if order.opens:
        _open(demo.portal)
    raise DemoError(f"The gateway ended. {await demo.watch()}")


def _open(url: str) -> None:
    """In a browser with windows; a browser inside this terminal would fight with the log."""
    with contextlib.suppress(webbrowser.Error):
        browser = webbrowser.get()
        if type(browser) is not webbrowser.GenericBrowser:
            browser.open(url)
