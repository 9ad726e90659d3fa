"""What the verbs that ask show: routes, leaks, purges, schemas, health; and with which token they ask."""

import json
import re
from collections.abc import Callable

import pytest

import gateway.verbs.options as options
from tests.gateway.verbs.calling import TABLE, portico
from tests.kit.origin import Origin


def test_nobody_listens(free_port: int) -> None:
    done = portico("routes", "--admin", f"http://127.0.0.1:{free_port}")
    assert done.exit_code == options.UNREACHABLE
    assert done.stderr.startswith(f"portico: No gateway answers at http://127.0.0.1:{free_port}")
    assert "portico serve" in done.stderr
    assert "Traceback" not in done.output


def test_an_error_as_json(free_port: int) -> None:
    done = portico("routes", "--json", PORTICO_ADMIN=f"127.0.0.1:{free_port}")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["exit"]) == (options.UNREACHABLE, options.UNREACHABLE)
    assert "No gateway answers" in said["error"]


def test_routes_in_columns(registry: Callable[..., Origin]) -> None:
    done = portico("routes", "--admin", registry(200, TABLE).url)
    assert done.stdout.splitlines() == [
        "MOUNT            TEAM  UPSTREAM  ORIGINS",
        "/a on x.example  a     up        http://a:1, http://b:1",
        "",
        "FRAGMENT  TEAM  UPSTREAM  PATH  WAITS AT MOST  KEPT",
        "a.b       a     up        /f    500 ms         30 s, 5 min more while refreshed",
        "c         a     up        /c    2 s            as its origin says",
        "",
        "Table 3: 1 mount, 2 fragments.",
    ]


def test_routes_tell_what_moved(registry: Callable[..., Origin]) -> None:
    moved = [{"prefix": "/old", "leads_to": "/a", "team": "a", "until": 0.0}]
    told = portico("routes", "--admin", registry(200, TABLE | {"moved": moved}).url).stdout
    assert re.search(r"^MOVED +LEADS TO +TEAM +UNTIL\n/old +/a +a +(1970|1969)-", told, re.M)


LEAK = {
    "team": "hotels",
    "mount": "/hotels",
    "target": "/api/\x1b[2Jrooms",
    "page": "/hotels/list",
    "kind": "empty",
    "how": "rescue",
    "times": 3,
    "last": 1.0,
    "fix": "Ask for 'api'.",
}


def test_leaks_in_columns_with_what_mends_each(registry: Callable[..., Origin]) -> None:
    gateway = registry(200, {"leaks": [LEAK]})
    assert portico("leaks", "--team", "hotels", "--admin", gateway.url).stdout.splitlines() == [
        "MOUNT    URL             FROM          KIND   TIMES  TEAM",
        "/hotels  /api/�[2Jrooms  /hotels/list  empty  3      hotels",
        "",
        "/hotels /api/�[2Jrooms: Ask for 'api'.",
    ]
    assert gateway.requests[0].target == "/api/leaks?team=hotels"
    assert json.loads(portico("leaks", "--json", "--admin", gateway.url).stdout)["leaks"] == [LEAK]


def test_no_leaks_are_said(registry: Callable[..., Origin]) -> None:
    gateway = registry(200, {"leaks": []})
    assert portico("leaks", "--admin", gateway.url).stdout == "No leaks were seen.\n"
    assert portico("leaks", "--clear", "--admin", gateway.url).stdout == "Leaks are forgotten.\n"
    assert [(seen.method, seen.target) for seen in gateway.requests] == [
        ("GET", "/api/leaks"),
        ("DELETE", "/api/leaks"),
    ]


def test_routes_as_json_is_the_table(registry: Callable[..., Origin]) -> None:
    assert json.loads(portico("routes", "--json", "--admin", registry(200, TABLE).url).stdout) == TABLE


def test_purge_names_one_thing(registry: Callable[..., Origin]) -> None:
    gateway = registry(200, {"kind": "tag", "value": "rooms", "number": 9})
    assert portico("purge", "--tag", "rooms", "--admin", gateway.url).stdout == "Answers of tag rooms are forgotten.\n"
    assert json.loads(gateway.requests[0].body) == {"kind": "tag", "value": "rooms"}
    assert portico("purge", "--tag", "a", "--team", "b", "--admin", gateway.url).exit_code == options.USAGE
    assert portico("purge", "--admin", gateway.url).exit_code == options.USAGE


def test_schema_of_a_manifest() -> None:
    schema = json.loads(portico("schema").stdout)
    assert {"team", "upstreams", "mounts", "fragments"} == set(schema["properties"])
    assert schema["additionalProperties"] is False
    assert schema["$schema"].startswith("https://json-schema.org/")


def test_schema_of_the_settings() -> None:
    properties = json.loads(portico("schema", "--settings", "--json").stdout)["properties"]
    assert {"listen", "admin", "redis", "manifests", "workers"} <= set(properties)
    assert properties["page_deadline"]["type"] == ["number", "string"]
    assert properties["hosts"]["type"] == ["array", "string"]


@pytest.mark.parametrize(
    ("status", "code", "said"), [(200, 0, "is ready."), (503, options.PROBLEMS, "is not ready (503).")]
)
def test_healthcheck(registry: Callable[..., Origin], status: int, code: int, said: str) -> None:
    portal = registry(status, {})
    listen = f"0.0.0.0:{portal.port}"
    done = portico("healthcheck", PORTICO_LISTEN=listen)
    assert (done.exit_code, done.stdout) == (code, f"{portal.url} {said}\n")
    assert portal.targets == ["/-/health/ready"]
    assert json.loads(portico("healthcheck", "--url", portal.url, "--json").stdout)["ready"] is (status == 200)


def test_healthcheck_of_nobody(free_port: int) -> None:
    assert portico("healthcheck", "--url", f"127.0.0.1:{free_port}").exit_code == options.UNREACHABLE
