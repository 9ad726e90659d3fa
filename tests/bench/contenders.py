"""Who runs: the gateway, as its users start it, and its peers with the same work to do; each alone on its core.

Only what is started here is ended here. A peer that is not installed is either needed, and that is said, or left out.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import tests.bench.kernel as kernel
import tests.bench.nginx as nginx
import tests.bench.pages as pages
from tests.bench.nginx import OPEN, Ports
from tests.bench.wrk import Unfit
from tests.kit.ports import free_port
from tests.kit.process import Child, running

ROOT = Path(__file__).parents[2]
GATEWAY = "portico"
PEER = "nginx"
OPENED = "nginx, files kept open"
PAUSE = 0.3  # seconds the slow fragment takes
ODD_BYTES = 100_000
KINDS = ("kept", "fresh", "slow")
SIZES = {"4k": 4096, "100k": 102_400}
PAGE_BYTES = 20_000
MUTE = 'exec "$@" 2>/dev/null'  # nobody reads along: a reader would work on the cores that are measured
NEEDED = {"nginx": "nginx-light", "wrk": "wrk"}


@dataclass(frozen=True, slots=True)
class Contender:
    name: str
    url: str
    pid: int


def missing() -> list[str]:
    """What the bench cannot do without, as Debian calls it."""
    return [package for command, package in NEEDED.items() if shutil.which(command) is None]


def python() -> str:
    """The interpreter the gateway runs with: BENCH_PYTHON, or the bench's own."""
    return os.environ.get("BENCH_PYTHON", sys.executable)


@contextmanager
def origins(folder: Path, core: int) -> Iterator[Ports]:
    """nginx with files for everybody, and the odd one; on the load's core."""
    first, second, third = free_port(), free_port(), free_port()
    ports = Ports(free_port(), (first, second, third), free_port())
    site = folder / "origins"
    _write_files(site / "files")
    (site / "nginx.conf").write_text(nginx.origins(ports))
    odd = (sys.executable, "-m", "tests.bench.origin", str(ports.odd), str(ODD_BYTES), str(PAUSE), str(site / "files"))
    with ExitStack() as life:
        with kernel.on(core):
            life.enter_context(running(*nginx.command(str(site), root=os.geteuid() == 0), port=ports.pages))
            life.enter_context(running(*odd, port=ports.odd, cwd=ROOT))
        yield ports


def _write_files(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, size in SIZES.items():
        (folder / f"{name}.txt").write_bytes(pages.plain(size))
    (folder / "page.html").write_text(pages.page(PAGE_BYTES))
    for number in range(1, pages.SLOTS + 1):
        (folder / f"fragment-{number}.html").write_text(pages.fragment(number))
    for kind in KINDS:
        (folder / f"shell-{kind}.html").write_text(pages.shell(partial(slot, kind)))
        (folder / f"ssi-shell-{kind}.html").write_text(pages.shell(partial(include, kind)))


def slot(kind: str, number: int) -> str:
    return f'<mf-slot name="bench.{_served(kind, number)}-{number}"></mf-slot>'


def include(kind: str, number: int) -> str:
    return nginx.include(_served(kind, number), number)


def _served(kind: str, number: int) -> str:
    """On the slow page only the third of five takes its time."""
    return "fresh" if kind == "slow" and number != 3 else kind


def manifest(ports: Ports) -> str:
    """What the bench's team registers."""
    upstreams = {"pages": ports.pages, "odd": ports.odd}
    upstreams |= {f"team{number}": port for number, port in enumerate(ports.teams)}
    lines = ["team: bench", "upstreams:"]
    lines += [f"  {name}: {{ origins: ['http://127.0.0.1:{port}'] }}" for name, port in upstreams.items()]
    lines += ["mounts:", "  /: { upstream: pages, composes: true }"]
    lines += ["  /plain: { upstream: pages }", "  /shop: { upstream: pages }", "  /odd: { upstream: odd }"]
    lines += ["fragments:"]
    for number in range(1, pages.SLOTS + 1):
        team = f"team{ports.teams.index(ports.team(number))}"
        lines += [_fragment(f"{kind}-{number}", team, f"/{kind}/fragment-{number}.html") for kind in ("kept", "fresh")]
        lines += [_fragment(f"slow-{number}", "odd", f"/slow/fragment-{number}.html")]
    return "\n".join(lines) + "\n"


def _fragment(name: str, upstream: str, path: str) -> str:
    return f"  bench.{name}: {{ upstream: {upstream}, path: {path}, timeout: 2s }}"


@contextmanager
def gateway(folder: Path, ports: Ports, core: int, workers: int = 1, name: str = GATEWAY) -> Iterator[Contender]:
    """One worker, its line per request turned off as the peers' is; all else as it comes."""
    home, port, admin = folder / name.replace(" ", "-"), free_port(), free_port()
    home.mkdir()
    (home / "bench.yaml").write_text(manifest(ports))
    options = {
        "listen": f"127.0.0.1:{port}",
        "admin": f"127.0.0.1:{admin}",
        "workers": str(workers),
        "state": str(home / "state"),
    }
    options["manifests"] = str(home / "bench.yaml")
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    serve = (python(), "-m", "gateway", "serve", *words)
    with _alone(core, ("sh", "-c", MUTE, "sh", *serve), port, {"PORTICO_ACCESS_LOG": "off"}) as child:
        yield Contender(name, f"http://127.0.0.1:{port}", child.pid)


@contextmanager
def peer(folder: Path, ports: Ports, core: int, name: str = PEER, more: str = "") -> Iterator[Contender]:
    home, port = folder / name.replace(" ", "-"), free_port()
    home.mkdir()
    (home / "nginx.conf").write_text(nginx.peer(port, ports, more))
    with _alone(core, nginx.command(str(home), root=os.geteuid() == 0), port) as child:
        yield Contender(name, f"http://127.0.0.1:{port}", child.pid)


@contextmanager
def haproxy(folder: Path, ports: Ports, core: int) -> Iterator[Contender]:
    """Plain proxying only."""
    port, file = free_port(), folder / "haproxy.cfg"
    file.write_text(f"""global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout client 30s
  timeout connect 5s
  timeout server 30s
  http-reuse always
frontend viewers
  bind 127.0.0.1:{port}
  http-request replace-path /plain(/.*) \\1
  default_backend pages
backend pages
  server pages 127.0.0.1:{ports.pages} pool-max-conn {OPEN}
""")
    with _alone(core, ("haproxy", "-f", str(file)), port) as child:
        yield Contender("haproxy", f"http://127.0.0.1:{port}", child.pid)


@contextmanager
def caddy(folder: Path, ports: Ports, core: int) -> Iterator[Contender]:
    """Plain proxying only."""
    port, file = free_port(), folder / "Caddyfile"
    file.write_text(f"""{{
  admin off
  auto_https off
  persist_config off
}}
http://127.0.0.1:{port} {{
  handle_path /plain/* {{
    reverse_proxy 127.0.0.1:{ports.pages} {{
      transport http {{
        keepalive_idle_conns_per_host {OPEN}
      }}
    }}
  }}
}}
""")
    command = ("caddy", "run", "--config", str(file), "--adapter", "caddyfile")
    with _alone(core, command, port, {"GOMAXPROCS": "1", "HOME": str(folder)}) as child:
        yield Contender("caddy", f"http://127.0.0.1:{port}", child.pid)


Start = Callable[[Path, Ports, int], AbstractContextManager[Contender]]
PEERS: dict[str, Start] = {
    PEER: peer,
    OPENED: partial(peer, name=OPENED, more=nginx.OPENED),
    "haproxy": haproxy,
    "caddy": caddy,
}


def installed(names: Sequence[str]) -> list[Start]:
    """The gateway and those of the named peers that this machine has."""
    return [gateway, *(PEERS[name] for name in names if shutil.which(name.partition(",")[0]))]


@contextmanager
def _alone(core: int, command: Sequence[str], port: int, env: dict[str, str] | None = None) -> Iterator[Child]:
    with ExitStack() as life:
        try:
            with kernel.on(core):
                child = life.enter_context(running(*command, port=port, env=env, cwd=ROOT, timeout=20))
        except AssertionError as error:
            raise Unfit(f"A contender did not start. To see why, run: {shlex.join(command)}") from error
        yield child
