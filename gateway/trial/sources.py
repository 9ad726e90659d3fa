"""Where a shell comes from, a file or an address, and what is declared around it: manifests, or a gateway's table.

What cannot be read at all raises, and says why; what was read is a value, however odd.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError

import gateway.registry.check as check
import gateway.rules.surrogates as surrogates
import gateway.table as tables
import gateway.trial.crawl as crawl
import gateway.trial.shells as shells
from gateway.errors import Rejected, SettingsError, Unreachable
from gateway.model import Manifest
from gateway.table import Table
from gateway.trial.shells import Around, Source

PAGES = frozenset({".html", ".htm", ".xhtml", ".shtml", ".xht"})
MANIFESTS = frozenset({".yaml", ".yml", ".json"})
_LOOKED_AT = 4096  # bytes of a file without a telling name
_MARKS = b"\xef\xbb\xbf\xff\xfe\x00\t\n\f\r "


def is_page(name: str) -> bool:
    """Whether a file is to be read as a page: by its name, else because it begins as markup does."""
    path = Path(name)
    if path.suffix.lower() in PAGES | MANIFESTS:
        return path.suffix.lower() in PAGES
    try:
        with path.open("rb") as file:
            return file.read(_LOOKED_AT).lstrip(_MARKS).startswith(b"<")
    except OSError:
        return False


def file(name: str) -> Source:
    try:
        with Path(name).open("rb") as opened:
            return Source(name, opened.read(shells.LARGEST + 1))
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise SettingsError(f"{name} cannot be read: {reason}. Name a file with the HTML of a page.") from error


def page(url: str, languages: Sequence[str] = (), transport: httpx.BaseTransport | None = None) -> Source:
    """One page as its origin answers a composing gateway; redirects are followed."""
    asked = [(b"accept", b"text/html")]
    try:
        with (
            crawl.client(transport) as http,
            http.stream("GET", url, headers=surrogates.capable(asked, languages), follow_redirects=True) as answer,
        ):
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > shells.LARGEST:
                    break
            return Source(str(answer.url), bytes(body), answer.headers.get("content-type", ""), answer.status_code)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise Unreachable(f"{url} cannot be read: {reason}. Is the shell's origin running?") from error


def declared(texts: Mapping[str, str]) -> Around:
    """The portal as these manifests, by their files' names, would make it. Raises Rejected for one with a problem."""
    manifests = list[Manifest]()
    for name, text in texts.items():
        manifest, problems = check.parse(text)
        if manifest is None:
            raise Rejected(f"{name} is no manifest to go by: {problems[0]} See `portico check {name}`.")
        manifests.append(manifest)
    told = ", ".join(texts) if len(texts) <= 3 else f"{len(texts)} manifests"
    return Around(tables.compile(manifests), f"next to {told}", whole=True)


def served(rows: Mapping[str, Any], admin: str) -> Around:
    """The portal as a gateway tells it. Of upstreams it tells the origins, not what their pages may speak."""
    return Around(tables.compile(_manifests(rows)), f"asked {admin}")


def _manifests(rows: Mapping[str, Any]) -> Iterator[Manifest]:
    """A gateway's rows as its teams declared them; what a newer gateway tells otherwise is passed over."""
    for team in rows.get("teams", ()):
        with suppress(ValidationError, KeyError, TypeError):
            yield Manifest.model_validate(
                {
                    "team": team,
                    "upstreams": _of(rows, "upstreams", team, "name", ("origins",)),
                    "mounts": _of(rows, "mounts", team, "prefix", ("upstream", "composes", "hosts", "aware")),
                    "fragments": _of(rows, "fragments", team, "name", ("upstream", "path", "isolation", "timeout")),
                }
            )


def _of(rows: Mapping[str, Any], kind: str, team: str, name: str, keys: Sequence[str]) -> dict[str, Any]:
    own = (row for row in rows[kind] if row["team"] == team and not row[name].startswith("/-/"))
    return {row[name]: {key: row[key] for key in keys if key in row} for row in own}


def shown_at(url: str, table: Table) -> str:
    """Where the portal shows what an origin has at this address: below the first mount of its upstream."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    base = crawl.origin_of(url)
    mounts = (mount for row in table.mounts.values() for mount in row)
    own = (mount for mount in mounts if any(origin.url == base for origin in mount.upstream.origins))
    return next((mount.prefix.decode() for mount in own), "") + target
