"""How many of the worst-case origin's leaks each contender closes below a prefix, and what it damages on the way.

Nobody's means are known to the judge: the same requests, the same browser, the same tables for all.
"""

import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser

import tests.bench.nginx as nginx
import tests.kit.browser as chromium
import tests.leaks.browsing as browsing
import tests.leaks.judge as judge
import tests.leaks.stage as stage
from tests.bench.contenders import GATEWAY
from tests.bench.table import Figure, Table
from tests.bench.wrk import Unfit
from tests.kit.ports import free_port
from tests.kit.process import running
from tests.leaks.escapes import ESCAPES
from tests.leaks.markers import CLASSES, CONTROLS
from tests.leaks.origin import Site, worst_case
from tests.leaks.stage import Stage
from tests.leaks.viewer import Viewer

PREFIX = "/hotels"
OTHERS = ("/a/b/c", "")
KINDS = [kind for kind in CLASSES if kind != "J"]
BYTES = ("mount", "contender", *(CLASSES[kind] for kind in KINDS), "closed", "controls damaged")
SCRIPTS = ("mount", "contender", "never left", "rescued", "closed")
LACKING = "not installed"

# What an operator writes by hand, step by step: redirects and cookies, then text replaced wherever it stands.
REDIRECTS = (
    "proxy_redirect / {prefix}/; proxy_redirect {origin}/ {prefix}/; "
    "proxy_cookie_path / {prefix}/; proxy_cookie_domain origin.internal $host;"
)
_REPLACED = ('href="/', 'src="/', 'action="/', "href='/", "src='/", "url(/", 'url("/', "url('/")
_TYPES = "text/css application/javascript text/javascript application/json application/manifest+json"


def substituted() -> str:
    filters = " ".join(f"sub_filter {_quoted(text)} {_quoted(text[:-1] + '{prefix}/')};" for text in _REPLACED)
    return f'{REDIRECTS} proxy_set_header Accept-Encoding ""; sub_filter_once off; sub_filter_types {_TYPES}; {filters}'


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text or "'" not in text else f'"{text}"'


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who shows a site below a prefix. `command` is what has to be installed."""

    name: str
    stage: Callable[[Path, str], AbstractContextManager[Stage]]
    command: str | None = None

    @property
    def installed(self) -> bool:
        return self.command is None or shutil.which(self.command) is not None


@contextmanager
def _nginx(more: str, folder: Path, prefix: str) -> Iterator[Stage]:
    with worst_case(prefix) as site, worst_case(silent=True) as root:
        port = free_port()
        rules = more.replace("{prefix}", prefix).replace("{origin}", site.origin.url)
        conf = nginx._whole(f"""
  proxy_http_version 1.1;
  server {{
    listen 127.0.0.1:{port};
    location {prefix}/ {{ {rules} proxy_pass {site.origin.url}/; }}
    location / {{ proxy_pass {root.origin.url}; }}
  }}
""")
        (folder / "nginx.conf").write_text(conf)
        with running(*nginx.command(str(folder), root=os.geteuid() == 0), port=port):
            yield _public(port, site, root)


@contextmanager
def _caddy(folder: Path, prefix: str) -> Iterator[Stage]:
    with worst_case(prefix) as site, worst_case(silent=True) as root:
        port = free_port()
        own = re.escape(site.origin.url)
        (folder / "Caddyfile").write_text(f"""{{
  admin off
  auto_https off
  persist_config off
}}
http://127.0.0.1:{port} {{
  handle_path {prefix}/* {{
    reverse_proxy {site.origin.url} {{
      header_down Location ^/([^/]) {prefix}/$1
      header_down Location ^{own}/ {prefix}/
      header_down Set-Cookie Path=/ Path={prefix}/
    }}
  }}
  handle {{
    reverse_proxy {root.origin.url}
  }}
}}
""")
        command = ("caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile")
        with running(*command, port=port, env={"HOME": str(folder)}):
            yield _public(port, site, root)


def _public(port: int, site: Site, root: Site) -> Stage:
    site.public = root.public = f"http://127.0.0.1:{port}"
    return Stage(site, root)


PORTICO = Contender(GATEWAY, stage.guarded)
RESCUE = Contender(f"{GATEWAY}, runtime off", partial(stage.guarded, runtime="off"))
STRIPPED = Contender("nginx, prefix stripped", partial(_nginx, ""), "nginx")
REDIRECTED = Contender("nginx, redirects and cookies", partial(_nginx, REDIRECTS), "nginx")
REPLACED = Contender("nginx, eight sub_filter more", partial(_nginx, substituted()), "nginx")
CADDY = Contender("caddy, header edits", _caddy, "caddy")

JUDGED = (PORTICO, STRIPPED, REDIRECTED, REPLACED, CADDY)
BROWSED = (PORTICO, RESCUE, REPLACED, CADDY)


def tables(folder: Path) -> list[Table]:
    """What bytes show, and what a browser does."""
    figures = [_figure(folder, contender, PREFIX) for contender in JUDGED]
    figures += [_figure(folder, PORTICO, prefix) for prefix in OTHERS]
    note = f"{len(CONTROLS)} controls look like leaks and are none; every byte of them has to stay."
    judged = Table("leaks", "Leaks closed by what a proxy does to bytes", BYTES, figures, note=note)
    return [judged, _browsed(folder)]


def _figure(folder: Path, contender: Contender, prefix: str) -> Figure:
    mount = f"below {prefix}" if prefix else "at /"
    if not contender.installed:
        return Figure(mount, contender.name, (LACKING, *[""] * (len(BYTES) - 3)), 0)
    _say(f"{contender.name}, {mount}")
    with _standing(folder, contender, prefix) as viewer:
        return figure(mount, contender.name, viewer)


def figure(mount: str, name: str, viewer: Viewer) -> Figure:
    """One line of counts; the gateway's floor is all of them, and no damage."""
    judged = [(marker.kind, verdict == judge.CLOSED) for marker, verdict in judge.verdicts(viewer)]
    there, closed = Counter(kind for kind, _ in judged), Counter(kind for kind, holds in judged if holds)
    damaged = len(judge.damage(viewer))
    cells = tuple(f"{closed[kind]}/{there[kind]}" for kind in KINDS)
    floor = float(there.total()) if name == GATEWAY else None
    return Figure(
        mount, name, (*cells, f"{closed.total()}/{there.total()}", str(damaged)), closed.total() - damaged, floor
    )


@contextmanager
def _standing(folder: Path, contender: Contender, prefix: str) -> Iterator[Viewer]:
    """The contender in a folder of its own. At `/` there is no root beside it."""
    home = folder / re.sub(r"\W+", "-", f"{contender.name}{prefix}")
    home.mkdir()
    if prefix:
        with _started(contender, home, prefix) as mounted:
            yield Viewer(mounted.site)
    else:
        with stage.mounted(home, [""]) as viewers:
            yield viewers[""]


@contextmanager
def _started(contender: Contender, home: Path, prefix: str) -> Iterator[Stage]:
    with ExitStack() as life:
        try:
            mounted = life.enter_context(contender.stage(home, prefix))
        except AssertionError as error:
            raise Unfit(f"{contender.name} did not start.") from error
        yield mounted


def _browsed(folder: Path) -> Table:
    title = "Scripts that try to leave, in Chromium"
    try:
        found = chromium.find()
    except chromium.NoBrowser as none:
        return Table("leaks", title, SCRIPTS, [Figure("in a browser", LACKING, ("", "", ""), 0)], note=str(none))
    with chromium.launched(found) as browser:
        figures = [_tried(folder, browser, contender) for contender in BROWSED]
    note = "Never left: the page asked for the right path. Rescued: it asked at the root and was led back."
    return Table("leaks", title, SCRIPTS, figures, note=note)


def _tried(folder: Path, browser: Browser, contender: Contender) -> Figure:
    mount = f"below {PREFIX}"
    if not contender.installed:
        return Figure(mount, contender.name, (LACKING, "", ""), 0)
    _say(f"{contender.name}, in Chromium")
    home = folder / re.sub(r"\W+", "-", f"{contender.name} browsed")
    home.mkdir()
    with _started(contender, home, PREFIX) as mounted:
        outcomes, _ = browsing.tried(browser, mounted)
    return counted(mount, contender.name, Counter(outcome.ending for outcome in outcomes))


def counted(mount: str, name: str, endings: Counter[browsing.Ending]) -> Figure:
    closed = endings["runtime"] + endings["rescued"]
    cells = (str(endings["runtime"]), str(endings["rescued"]), f"{closed}/{endings.total()}")
    return Figure(mount, name, cells, closed, float(len(ESCAPES)) if name == GATEWAY else None)


def _say(what: str) -> None:
    print(f"bench: leaks, {what}", file=sys.stderr, flush=True)
