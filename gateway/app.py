"""The wiring: settings in, a running gateway out. The only file that names every implementation.

One worker: data plane and control plane share a process and its loop. More: each worker is a process with a listening
socket they share, and the control plane runs in the parent, which starts a worker anew when it dies.
"""

import asyncio
import contextlib
import ctypes
import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event

import uvicorn
import uvloop

import gateway.registry.leaks as keeping
import gateway.settings as settings_of
from gateway import __version__
from gateway.errors import SettingsError
from gateway.proxy.asgi import Portal
from gateway.proxy.cache import Cache
from gateway.proxy.flow import Flow
from gateway.proxy.forward import Forward
from gateway.proxy.mounting import Mounting
from gateway.proxy.wire import Wire
from gateway.registry.access import Access
from gateway.registry.check import Surroundings
from gateway.registry.follow import Follow, News
from gateway.registry.service import Service
from gateway.settings import Settings
from gateway.store.base import Entries, Ledger, Purge, StoreError
from gateway.store.memory import Memory
from gateway.store.sqlite import SqliteLedger
from gateway.table import Current
from gateway.telemetry.facts import Noticed
from gateway.telemetry.leaks import Leaks
from gateway.telemetry.log import Log
from gateway.transport.folder import Folder
from gateway.transport.pool import Pool
from gateway.transport.resolve import Resolver

BACKLOG = 2048  # connections the kernel holds for us; uvicorn's and nginx's order of magnitude
DRAIN = 10  # seconds what is in flight may take to finish; container platforms kill after 10 to 30
TRIM_THRESHOLD = -1  # mallopt(3): M_TRIM_THRESHOLD
SPARE = 4 << 20  # bytes of its heap a worker keeps after a peak
RESTART = 1.0  # seconds between two starts of a worker that keeps dying


@dataclass(slots=True)
class House:
    """Everything of one process, put together."""

    settings: Settings
    log: Log
    current: Current
    ledger: Ledger
    cache: Cache
    follow: Follow
    portal: Portal

    def admin(self) -> Callable[..., object]:
        """The control plane as an ASGI application. Its libraries are much of what a worker takes, which needs none."""
        import gateway.registry.api as api
        import gateway.registry.pages as pages

        surroundings = _surroundings(self.settings)
        service = Service(self.ledger, self.follow, self.current, surroundings)
        access = Access(self.ledger, settings_of.admin_token(self.settings))
        made = api.make(service, access, version=__version__)
        made.include_router(pages.router(service, self.current, _address(self.settings.listen)))
        return made


@contextlib.asynccontextmanager
async def house(settings: Settings) -> AsyncIterator[House]:
    """Built, its table loaded; taken down again at the end."""
    log = Log(sys.stderr, people=sys.stderr.isatty())
    leaks = Leaks(log.tell)
    current = Current()
    ledger, shared = _stores(settings)
    pool = Pool(Resolver(settings.origin_networks, _listeners(settings)), settings.connections)
    cache = Cache(Memory(settings.cache_bytes), shared, settings.entry_bytes, log.tell)
    flow = Flow(
        current,
        cache,
        Forward({"http": pool, "https": pool, "file": Folder(settings.state)}),
        Mounting(settings.page_bytes, settings.entry_bytes),
        leaks.tell,
        hosts=settings.hosts,
        trusted=settings.trusted_proxies,
        deadline=settings.page_deadline,
        page_bytes=settings.page_bytes,
        early_hints=settings.early_hints,
        access_log=settings.access_log,
    )

    async def forget(purge: Purge) -> None:
        if not purge.number and shared is not None:  # what others share is held against numbers
            purge = await ledger.purge(purge.kind, purge.value, flow.now())
        cache.purge(purge, flow.now())

    def report(news: News) -> None:
        problems = "; ".join(f"{problem.path}: {problem.message}" for problem in news.problems)
        log.tell(Noticed(flow.now(), "registry", f"{news.source}: {news.message} {problems}".rstrip()))

    follow = Follow(
        ledger,
        current,
        forget,
        globs=settings.manifests,
        surroundings=_surroundings(settings),
        report=report,
        moved_for=settings.moved_for,
    )
    await follow.load()
    if shared is not None:
        with contextlib.suppress(StoreError):  # it is away: nothing is read from it before it was followed, either
            for purge in await ledger.purges(0):
                cache.remember(purge)
    loop = asyncio.get_running_loop()
    behind = [
        loop.create_task(follow.run(), name="follow"),
        loop.create_task(keeping.keep(leaks, ledger), name="keep leaks"),
    ]
    try:
        yield House(settings, log, current, ledger, cache, follow, Portal(flow, log.tell))
    finally:
        for task in behind:
            task.cancel()
        await asyncio.gather(*behind, return_exceptions=True)
        await keeping.keep_once(leaks, ledger)
        await cache.aclose()
        await pool.aclose()
        if shared is not None:
            await shared.close()
        await ledger.close()
        log.flush()


def _stores(settings: Settings) -> tuple[Ledger, Entries | None]:
    """redis-py takes a tenth of a second to import: only who uses it waits for it."""
    if not settings.redis:
        return SqliteLedger(settings.state / "registry.db"), None
    from gateway.store.redis.entries import RedisEntries
    from gateway.store.redis.ledger import RedisLedger

    return RedisLedger(settings.redis), RedisEntries(settings.redis)


def serve(settings: Settings) -> int:
    """Run until told to end by SIGINT or SIGTERM. Returns the exit code; raises SettingsError before anything runs."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    with contextlib.ExitStack() as stack:
        portal = stack.enter_context(contextlib.closing(_listening(settings.listen, "listen")))
        admin = stack.enter_context(contextlib.closing(_listening(settings.admin, "admin")))
        workers = (os.cpu_count() or 1) if settings.workers == "auto" else settings.workers
        if not settings.hosts:
            print("portico: `hosts` is empty: requests for any host are answered", file=sys.stderr, flush=True)
        main = _alone(settings, portal, admin) if workers == 1 else _parent(settings, portal, admin, workers)
        return uvloop.run(main)


async def _alone(settings: Settings, portal: socket.socket, admin: socket.socket) -> int:
    """Both planes in this process."""
    async with house(settings) as built:
        servers = [_data_plane(built), _control_plane(built)]
        _leave_on_signals(servers, built)
        running = [
            asyncio.create_task(server.serve(sockets=[listener]))
            for server, listener in zip(servers, (portal, admin), strict=True)
        ]
        await _started(servers)
        _freeze()
        _announce(portal, admin)
        await asyncio.gather(*running)
    return 0


async def _parent(settings: Settings, portal: socket.socket, admin: socket.socket, count: int) -> int:
    """The control plane here, the data plane in `count` processes."""
    spawn = multiprocessing.get_context("spawn")
    async with house(settings) as built:
        server = _control_plane(built)
        _leave_on_signals([server], built)
        running = asyncio.create_task(server.serve(sockets=[admin]))
        workers = [_Worker(spawn, settings, portal) for _ in range(count)]
        try:
            for worker in workers:
                await asyncio.to_thread(worker.ready.wait, 30)
            await _started([server])
            _announce(portal, admin)
            while not running.done():
                for worker in workers:
                    worker.keep_alive()
                await asyncio.wait((running,), timeout=RESTART)
        finally:
            await asyncio.to_thread(_end, workers)
        await running
    return 0


class _Worker:
    """A data plane process that is started anew when it dies."""

    def __init__(self, spawn: multiprocessing.context.SpawnContext, settings: Settings, portal: socket.socket) -> None:
        self._spawn = spawn
        self._arguments = (settings, portal)
        self.ready: Event = spawn.Event()
        self.process = self._start()

    def keep_alive(self) -> None:
        if not self.process.is_alive():
            print(f"portico: a worker ended with code {self.process.exitcode}; starting another", file=sys.stderr)
            self.process = self._start()

    def _start(self) -> BaseProcess:
        process = self._spawn.Process(target=_work, args=(*self._arguments, self.ready), daemon=True)
        process.start()
        return process


def _end(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.process.terminate()
    for worker in workers:
        worker.process.join(DRAIN + 2)
        if worker.process.is_alive():
            worker.process.kill()


def _work(settings: Settings, portal: socket.socket, ready: Event) -> None:
    """A worker process. A terminal's Ctrl-C is the parent's to hear."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    uvloop.run(_worker(settings, portal, ready))


async def _worker(settings: Settings, portal: socket.socket, ready: Event) -> None:
    parent = os.getppid()
    async with house(settings) as built:
        server = _data_plane(built)

        def leave() -> None:
            built.portal.flow.draining = True
            _leave(server)

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave)
        running = asyncio.create_task(server.serve(sockets=[portal]))
        await _started([server])
        _freeze()
        ready.set()
        while not running.done():
            await asyncio.wait((running,), timeout=1.0)
            if os.getppid() != parent:
                _leave(server)


class _Server(uvicorn.Server):
    """uvicorn's server, two of which share a process here: signals are told to both by us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _data_plane(built: House) -> _Server:
    return _Server(_config(built.portal, Wire))


def _control_plane(built: House) -> _Server:
    return _Server(_config(built.admin(), "httptools"))


def _config(app: object, http: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # an ASGI application, which uvicorn's types spell otherwise
        http=http,  # type: ignore[arg-type]  # any protocol class is taken
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=DRAIN,
    )


def _listening(listener: str, name: str) -> socket.socket:
    """A bound socket; SettingsError says who may be in the way."""
    host, port = settings_of.address(listener)
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        why = error.strerror or str(error)
        raise SettingsError(
            f"Setting {name}: cannot listen on {listener}: {why}. End what runs there, or choose another port."
        ) from error
    bound.listen(BACKLOG)
    bound.setblocking(False)
    return bound


def _announce(portal: socket.socket, admin: socket.socket) -> None:
    for listener, what in ((portal, ""), (admin, " (admin)")):
        host, port = listener.getsockname()[:2]
        print(f"portico: listening on {_address(f'{host}:{port}')}{what}", file=sys.stderr, flush=True)


def _address(listener: str) -> str:
    """Where a person on this machine finds a listener."""
    host, port = settings_of.address(listener)
    host = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104  shown, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _leave_on_signals(servers: list[_Server], built: House) -> None:
    def leave() -> None:
        built.portal.flow.draining = True
        for server in servers:
            _leave(server)

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, leave)


def _leave(server: _Server) -> None:
    """Twice means now."""
    server.force_exit = server.should_exit
    server.should_exit = True


async def _started(servers: list[_Server]) -> None:
    while not all(server.started for server in servers):  # noqa: ASYNC110  uvicorn tells by this flag only
        await asyncio.sleep(0.01)


def _freeze() -> None:
    """What lives as long as the process need not be looked at by every collection."""
    gc.collect()
    gc.freeze()
    _settle_memory()
    # an exchange leaves no cycles: looking for some 700 objects apart costs two percent
    gc.set_threshold(20_000, 20, 50)


def _surroundings(settings: Settings) -> Surroundings:
    return Surroundings(
        networks=settings.origin_networks, own_listeners=_listeners(settings), site_cookies=settings.site_cookies
    )


def _listeners(settings: Settings) -> list[tuple[str, int]]:
    return [settings_of.address(settings.listen), settings_of.address(settings.admin)]


def _settle_memory() -> None:
    """What only starting up needed goes back to the system; what a request needs and returns is not fetched anew.

    glibc would keep the first, and gives the top of its heap back at 128 KB: a parse takes more, and each such page
    faults when it is touched again, which costs a fifth of reading a fragment. Other libraries do as they do.
    """
    library = ctypes.CDLL(None)
    trim, option = getattr(library, "malloc_trim", None), getattr(library, "mallopt", None)
    if trim is not None and option is not None:
        trim(0)
        option(TRIM_THRESHOLD, SPARE)
