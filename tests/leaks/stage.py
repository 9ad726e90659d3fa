"""The worst-case origin below Portico's mounts: a gateway as users start it, a site of its own below each prefix."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.leaks.markers import POINTERS
from tests.leaks.origin import Site, worst_case
from tests.leaks.viewer import Viewer
from tests.live.portal import gateway_for

OTHER = "/pets"  # a mount of another team, which all pages may link to
NOBODY = "http://127.0.0.1:9"  # its origin: never asked


def manifest(sites: Sequence[Site], **more: object) -> str:
    """Each site is an upstream of its own, mounted below its prefix; JSON is YAML too."""
    names = {site.prefix or "/": f"site-{number}" for number, site in enumerate(sites)}
    mounts = {
        prefix: {"upstream": name, "links_to": [OTHER], "rewrite": {"json_pointers": POINTERS}, **more}
        for prefix, name in names.items()
    }
    upstreams = {names[site.prefix or "/"]: {"origins": [site.origin.url]} for site in sites}
    return json.dumps({"team": "worst", "upstreams": upstreams, "mounts": mounts})


def alone(team: str, prefix: str, origin: str) -> str:
    """Another team with one mount."""
    upstreams = {team: {"origins": [origin]}}
    return json.dumps({"team": team, "upstreams": upstreams, "mounts": {prefix: {"upstream": team}}})


@contextmanager
def mounted(folder: Path, prefixes: Sequence[str]) -> Iterator[dict[str, Viewer]]:
    """A viewer in front of each prefix."""
    with ExitStack() as life:
        sites = [life.enter_context(worst_case(prefix)) for prefix in prefixes]
        manifests = {"worst": manifest(sites), "pets": alone("pets", OTHER, NOBODY)}
        portal = life.enter_context(gateway_for(folder, manifests))
        for site in sites:
            site.public = portal.url
        yield {site.prefix: Viewer(site) for site in sites}


@dataclass(frozen=True, slots=True)
class Stage:
    """What escapes from below a prefix arrives at the root, where a silent site keeps count."""

    site: Site
    root: Site


@contextmanager
def guarded(folder: Path, prefix: str, **more: object) -> Iterator[Stage]:
    """A site below a prefix, and at the root one that knows nothing. `more` are keys of the mount."""
    with ExitStack() as life:
        site = life.enter_context(worst_case(prefix))
        root = life.enter_context(worst_case(silent=True))
        manifests = {
            "worst": manifest([site], **more),
            "root": alone("root", "/", root.origin.url),
            "pets": alone("pets", OTHER, NOBODY),
        }
        portal = life.enter_context(gateway_for(folder, manifests))
        site.public = root.public = portal.url
        yield Stage(site, root)
