"""nginx as origin of everybody, and as the peer, tuned as well as we know how. Text only: nothing is started here.

The peer sends a stitched page in one piece: with `tcp_nopush` on each would wait 40 ms for an acknowledgement, and with
sendfile and small buffers it would leave as many small writes and cost five times as much.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.pages import SLOTS

OPEN = 256  # connections kept open to each origin; the load has 64, and a page asks five at once
OPENED = "open_file_cache max=1000;"  # what is cached need not be opened anew for every part of a page
PEER = f"""
  sendfile off;
  tcp_nopush off;
  postpone_output 60000;
  output_buffers 4 64k;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_buffer_size 16k;
  proxy_buffers 16 32k;
  proxy_busy_buffers_size 64k;
  proxy_max_temp_file_size 0;
  proxy_cache_path kept keys_zone=kept:10m inactive=1h;
  proxy_cache_valid 200 1h;
  ssi_silent_errors off;
  gzip_comp_level 1;
  gzip_proxied any;
  keepalive_requests {10**9};
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the origins listen: the shell's and the applications', one for each of three teams, and the odd one."""

    pages: int
    teams: tuple[int, int, int]
    odd: int

    def team(self, number: int) -> int:
        """The port of the team that serves fragment `number`; five fragments come from three origins."""
        return self.teams[number % len(self.teams)]


def origins(ports: Ports) -> str:
    """Files below `files`, once as what may be kept and once as what may not."""
    listens = "\n".join(f"    listen 127.0.0.1:{port};" for port in (ports.pages, *ports.teams))
    return _whole(f"""
  sendfile on;
  tcp_nopush on;
  open_file_cache max=1000;
  etag off;
  keepalive_requests {10**9};
  server {{
{listens}
    location /kept/ {{ alias files/; add_header Cache-Control max-age=3600; }}
    location /fresh/ {{ alias files/; add_header Cache-Control no-store; }}
  }}
""")


def peer(port: int, ports: Ports, more: str = "") -> str:
    """The same addresses as the gateway, with the means nginx has: proxy_pass, SSI, proxy_cache, sub_filter."""
    upstreams = {"pages": ports.pages, "odd": ports.odd}
    upstreams |= {f"team{number}": team for number, team in enumerate(ports.teams)}
    pools = "\n".join(_upstream(name, origin) for name, origin in upstreams.items())
    fragments = "\n".join(_fragment(number, ports) for number in range(1, SLOTS + 1))
    return _whole(f"""{PEER}  {more}
{pools}
  server {{
    listen 127.0.0.1:{port};
    location /kept/ {{ ssi on; gzip on; proxy_cache kept; proxy_pass http://pages/kept/ssi-; }}
    location /fresh/ {{ ssi on; proxy_pass http://pages/fresh/ssi-; }}
{fragments}
    location /plain/ {{ proxy_pass http://pages/; }}
    location /shop/ {{ {_below("/shop")} proxy_pass http://pages/; }}
    location /odd/ {{ {_below("/odd")} proxy_pass http://odd/; }}
  }}
""")


def include(kind: str, number: int) -> str:
    """How a shell asks nginx for a fragment."""
    return f'<!--# include virtual="/fragments/{kind}/{number}" -->'


def _fragment(number: int, ports: Ports) -> str:
    team = f"http://team{ports.teams.index(ports.team(number))}"
    return (
        f"    location = /fragments/kept/{number} "
        f"{{ proxy_cache kept; proxy_pass {team}/kept/fragment-{number}.html; }}\n"
        f"    location = /fragments/fresh/{number} {{ proxy_pass {team}/fresh/fragment-{number}.html; }}\n"
        f"    location = /fragments/slow/{number} {{ proxy_pass http://odd/slow/fragment-{number}.html; }}"
    )


def _upstream(name: str, port: int) -> str:
    limits = f"keepalive {OPEN}; keepalive_requests {10**9};"
    return f"  upstream {name} {{ server 127.0.0.1:{port}; {limits} }}"


def _below(prefix: str) -> str:
    """URLs put below a prefix, as nginx can: wherever the letters stand."""
    attributes = ("href", "src", "action")
    filters = " ".join(f"sub_filter '{name}=\"/' '{name}=\"{prefix}/';" for name in attributes)
    return f"sub_filter_once off; {filters}"


def _whole(http: str) -> str:
    """One worker in the foreground, all it writes in the folder it is started for, and no access log."""
    scratch = "\n".join(f"  {name}_temp_path {name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  server_tokens off;
  types {{ text/html html; text/plain txt; }}
{scratch}
{http}}}
"""


def command(folder: str, *, root: bool) -> Sequence[str]:
    """Started by root, the worker stays root: the folder is nobody else's to read."""
    return ("nginx", "-e", "stderr", "-p", folder, "-c", "nginx.conf", *(("-g", "user root;") if root else ()))
