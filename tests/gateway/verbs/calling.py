"""Calls a verb as a terminal does; and the manifests it is given."""

from typing import Any

from typer.testing import CliRunner

import gateway.cli as cli

GOOD = """team: hotels
upstreams:
  hotels: { origins: ["http://hotels.internal:8000"] }
mounts:
  /hotels: { upstream: hotels }
"""
BAD = GOOD.replace("upstream: hotels", "upstream: hotel").replace("origins:", "origin:")
TABLE = {
    "number": 3,
    "teams": ["a"],
    "upstreams": [{"name": "up", "team": "a", "origins": ["http://a:1", "http://b:1"]}],
    "mounts": [{"prefix": "/a", "hosts": ["x.example"], "team": "a", "upstream": "up", "composes": True}],
    "fragments": [
        {
            "name": "a.b",
            "team": "a",
            "upstream": "up",
            "path": "/f",
            "isolation": "none",
            "timeout": 0.5,
            "cache": {"ttl": 30.0, "stale_while_revalidate": 300.0, "stale_if_error": 0.0, "tags": []},
        },
        {
            "name": "c",
            "team": "a",
            "upstream": "up",
            "path": "/c",
            "isolation": "none",
            "timeout": 2.0,
            "cache": None,
        },
    ],
}


def portico(*words: str, **env: str) -> Any:
    return CliRunner().invoke(cli.app, words, env=env, prog_name="portico")


def flat(text: str) -> str:
    return " ".join(text.split())
