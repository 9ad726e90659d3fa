"""The registry's API: who may do what, and that every answer tells what to do next."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from gateway.model import Manifest
from gateway.registry.access import Access
from gateway.registry.api import answers_to, make
from gateway.registry.check import Surroundings
from gateway.registry.follow import Follow
from gateway.registry.service import Service
from gateway.rules.leaks import Leak
from gateway.store.base import Purge, StoreError
from gateway.store.sqlite import SqliteLedger
from gateway.table import Current

pytestmark = pytest.mark.anyio

AT = time.time()
OPERATOR = {"Authorization": "Bearer operator-token-of-the-test"}
HOTELS = """
team: hotels
upstreams:
  hotels: { origins: ["http://hotels.internal:8000"] }
mounts:
  /hotels: { upstream: hotels }
fragments:
  hotels.deals: { upstream: hotels, path: /fragments/deals, cache: { ttl: 30s, tags: [rooms] } }
"""
PETS = HOTELS.replace("hotels", "pets").replace("rooms", "animals")


class Api:
    """The control plane in this process, and a client of it."""

    def __init__(self, client: httpx.AsyncClient, ledger: SqliteLedger, current: Current, forgotten: list[Purge]):
        self.client = client
        self.ledger = ledger
        self.current = current
        self.forgotten = forgotten

    async def put(self, team: str, text: str, headers: dict[str, str] | None = None, **more: str) -> httpx.Response:
        url = f"/api/teams/{team}/manifest"
        return await self.client.put(url, content=text, headers={**(headers or OPERATOR), **more})

    async def token(self, team: str) -> dict[str, str]:
        answer = await self.client.post(f"/api/teams/{team}/token", headers=OPERATOR)
        return {"Authorization": f"Bearer {answer.json()['token']}"}


def files_of(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@asynccontextmanager
async def serving(folder: Path, globs: tuple[str, ...] = ()) -> AsyncIterator[Api]:
    ledger, current, forgotten = SqliteLedger(folder / "ledger.sqlite"), Current(), list[Purge]()

    async def forget(purge: Purge) -> None:
        forgotten.append(purge)

    around = Surroundings(own_listeners=[("127.0.0.1", 8081)])
    follow = Follow(ledger, current, forget, globs=globs, surroundings=around)
    await follow.load()
    app = make(Service(ledger, follow, current, around), Access(ledger, "operator-token-of-the-test"))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8081") as client:
        yield Api(client, ledger, current, forgotten)
    await ledger.close()


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with serving(tmp_path) as api:
        yield api


async def test_a_registration_is_served_when_it_is_answered(api: Api) -> None:
    answer = await api.put("hotels", HOTELS)
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    assert answer.json() == {"team": "hotels", "revision": 1, "table": 1, "warnings": []}
    assert list(api.current.table.fragments) == ["hotels.deals"]
    assert api.current.table.find(b"", b"/hotels/1") is not None


async def test_a_change_is_a_new_revision_and_forgets_what_was_mounted_by_the_old(api: Api) -> None:
    await api.put("hotels", HOTELS)
    answer = await api.put("hotels", HOTELS.replace("/hotels:", "/stays:"))
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert api.current.table.find(b"", b"/hotels/1") is None
    assert (api.forgotten[-1].kind, api.forgotten[-1].value) == ("team", "hotels")


async def test_the_same_manifest_again_changes_nothing(api: Api) -> None:
    await api.put("hotels", HOTELS)
    number = await api.ledger.number()
    answer = await api.put("hotels", HOTELS)
    assert (answer.status_code, answer.json()["revision"]) == (200, 1)
    assert await api.ledger.number() == number


async def test_json_is_taken_as_well(api: Api) -> None:
    await api.put("hotels", HOTELS)
    shown = await api.client.get("/api/teams/hotels/manifest", headers=OPERATOR)
    assert shown.headers["ETag"] == '"1"'
    assert Manifest.model_validate(shown.json()).mounts["/hotels"].upstream == "hotels"
    text = shown.text.replace("/hotels", "/rooms")
    assert (await api.put("hotels", text)).status_code == 200
    assert api.current.table.find(b"", b"/rooms") is not None


async def test_every_problem_is_listed_at_once_and_nothing_changes(api: Api) -> None:
    await api.put("hotels", HOTELS)
    bad = HOTELS.replace("upstream: hotels }", "upstreem: hotels }").replace("30s", "soon").replace("path: /", "path: ")
    answer = await api.put("hotels", bad)
    assert answer.status_code == 422
    said = answer.json()
    assert said["error"] == "refused"
    assert said["message"] == "The manifest has 4 problems. Nothing was changed."
    assert [(problem["line"], problem["path"]) for problem in said["problems"]] == [
        (6, "mounts./hotels.upstream"),
        (6, "mounts./hotels.upstreem"),
        (8, "fragments.hotels.deals.path"),
        (8, "fragments.hotels.deals.cache.ttl"),
    ]
    assert all(problem["hint"] and problem["column"] for problem in said["problems"])
    assert api.current.table.number == 1


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({"If-Match": '"1"'}, 200, id="made on the latest"),
        pytest.param({"If-Match": '"7"'}, 412, id="made on another"),
        pytest.param({"If-Match": "nonsense"}, 412, id="no revision of ours"),
        pytest.param({"If-Match": "*"}, 200, id="whatever there is"),
        pytest.param({"If-None-Match": "*"}, 412, id="only if new"),
    ],
)
async def test_a_change_may_say_what_it_was_made_on(api: Api, fields: dict[str, str], status: int) -> None:
    await api.put("hotels", HOTELS)
    answer = await api.put("hotels", HOTELS.replace("30s", "31s"), {**OPERATOR, **fields})
    assert answer.status_code == status
    assert (await api.ledger.manifests())[0].revision == (2 if status == 200 else 1)


async def test_a_withdrawn_team_is_gone_and_can_come_back(api: Api) -> None:
    await api.put("hotels", HOTELS)
    url = "/api/teams/hotels/manifest"
    assert (await api.client.delete(url, headers={**OPERATOR, "If-Match": '"9"'})).status_code == 412
    assert (await api.client.delete(url, headers=OPERATOR)).status_code == 204
    assert api.current.table.fragments == {}
    assert (await api.client.get(url, headers=OPERATOR)).status_code == 404
    gone = await api.client.delete(url, headers=OPERATOR)
    assert (gone.status_code, gone.json()["error"]) == (404, "unknown")
    assert (await api.put("hotels", HOTELS)).status_code == 201


WITHOUT_OPERATOR = [
    pytest.param("PUT", "/api/teams/hotels/manifest", id="register"),
    pytest.param("GET", "/api/teams/hotels/manifest", id="show"),
    pytest.param("DELETE", "/api/teams/hotels/manifest", id="withdraw"),
    pytest.param("POST", "/api/check", id="check"),
    pytest.param("GET", "/api/table", id="table"),
    pytest.param("GET", "/api/teams", id="teams"),
    pytest.param("POST", "/api/teams/hotels/token", id="issue a token"),
    pytest.param("POST", "/api/purge", id="purge"),
]


@pytest.mark.parametrize(("method", "path"), WITHOUT_OPERATOR)
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="no token"),
        pytest.param({"Authorization": "Bearer nobody.knows"}, id="unknown token"),
        pytest.param({"Authorization": "Bearer hotels."}, id="a team's name without its secret"),
        pytest.param({"Authorization": "Basic b3BlcmF0b3I6eA=="}, id="another scheme"),
        pytest.param({"Cookie": "token=operator-token-of-the-test"}, id="a cookie"),
    ],
)
async def test_nothing_goes_without_a_token(api: Api, method: str, path: str, fields: dict[str, str]) -> None:
    answer = await api.client.request(method, path, headers=fields, json={"kind": "team", "value": "hotels"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert set(answer.json()) == {"error", "message", "hint", "problems"}
    assert api.current.table.number == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        pytest.param("PUT", "/api/teams/hotels/manifest", HOTELS, 201, id="its own manifest"),
        pytest.param("PUT", "/api/teams/pets/manifest", PETS, 403, id="another's manifest"),
        pytest.param("PUT", "/api/teams/hotels/manifest", PETS, 422, id="another's manifest under its own name"),
        pytest.param("DELETE", "/api/teams/pets/manifest", "", 403, id="withdraw another"),
        pytest.param("POST", "/api/teams/hotels/token", "", 403, id="a token"),
        pytest.param("POST", "/api/purge", '{"kind": "team", "value": "hotels"}', 200, id="purge itself"),
        pytest.param("POST", "/api/purge", '{"kind": "team", "value": "pets"}', 403, id="purge another"),
        pytest.param("POST", "/api/purge", '{"kind": "url", "value": "/pets/1?a=b"}', 403, id="purge another's URL"),
        pytest.param("POST", "/api/purge", '{"kind": "tag", "value": "animals"}', 403, id="purge another's tag"),
        pytest.param("GET", "/api/table", "", 200, id="look at the table"),
        pytest.param("POST", "/api/check", HOTELS, 200, id="check"),
    ],
)
async def test_a_team_reaches_only_what_is_its_own(api: Api, method: str, path: str, body: str, status: int) -> None:
    await api.put("pets", PETS)
    token = await api.token("hotels")
    headers = {**token, "Content-Type": "application/json"} if "purge" in path else token
    answer = await api.client.request(method, path, headers=headers, content=body)
    assert answer.status_code == status, answer.text
    assert "pets" in api.current.table.teams


async def test_a_team_purges_its_urls_and_tags(api: Api) -> None:
    await api.put("hotels", HOTELS)
    token = await api.token("hotels")
    wanted: list[tuple[Literal["url", "tag"], str]] = [("url", "/hotels/1"), ("tag", "rooms")]
    for kind, value in wanted:
        answer = await api.client.post("/api/purge", headers=token, json={"kind": kind, "value": value})
        assert answer.status_code == 200
        assert api.forgotten[-1] == Purge(kind, value, answer.json()["number"])


async def test_a_new_token_ends_the_one_before_and_only_hashes_are_kept(api: Api, tmp_path: Path) -> None:
    first, second = await api.token("hotels"), await api.token("hotels")
    assert (await api.client.get("/api/table", headers=first)).status_code == 401
    assert (await api.client.get("/api/table", headers=second)).status_code == 200
    secret = second["Authorization"].removeprefix("Bearer ").encode()
    kept = b"".join(path.read_bytes() for path in files_of(tmp_path))
    assert secret not in kept
    assert secret.partition(b".")[2] not in kept


async def test_a_team_of_a_file_is_changed_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "hotels.yaml").write_text(HOTELS)
    async with serving(tmp_path, (str(tmp_path / "*.yaml"),)) as api:
        for answer in (
            await api.put("hotels", HOTELS.replace("30s", "31s")),
            await api.client.delete("/api/teams/hotels/manifest", headers=OPERATOR),
        ):
            assert answer.status_code == 409
            assert "hotels.yaml" in answer.json()["message"]
        listed = (await api.client.get("/api/teams", headers=OPERATOR)).json()
        assert [(row["team"], row["file"]) for row in listed["teams"]] == [("hotels", str(tmp_path / "hotels.yaml"))]


@pytest.mark.parametrize(
    "origin",
    [
        pytest.param("file:/etc", id="a folder of the gateway"),
        pytest.param("http://169.254.169.254", id="cloud metadata"),
        pytest.param("http://[fe80::1]", id="link-local"),
        pytest.param("http://0:80", id="zero"),
        pytest.param("http://2130706433", id="a number"),
        pytest.param("http://0x7f.1:8081", id="hexadecimal"),
        pytest.param("http://127.0.0.1:8081", id="the admin listener"),
        pytest.param("http://localhost:8081", id="the admin listener by name"),
        pytest.param("http://[::ffff:127.0.0.1]:8081", id="the admin listener mapped"),
    ],
)
async def test_no_team_points_the_gateway_at_what_it_may_not(api: Api, origin: str) -> None:
    answer = await api.put("hotels", HOTELS.replace("http://hotels.internal:8000", origin))
    assert answer.status_code == 422
    assert [problem["path"] for problem in answer.json()["problems"]] == ["upstreams.hotels.origins.0"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"\xff\xfe", "encoding", id="not UTF-8"),
        pytest.param(b"team: [", "syntax", id="not YAML"),
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"- a", "invalid", id="a list"),
        pytest.param(b'{"team": "a", "\\ud800": 1}', "string-unicode", id="half a character as a key"),
    ],
)
async def test_a_body_that_is_no_manifest_is_a_problem(api: Api, body: bytes, code: str) -> None:
    answer = await api.client.post("/api/check", headers=OPERATOR, content=body)
    problems = answer.json()["problems"]
    assert [problem["code"] for problem in problems] == [code]
    assert problems[0]["hint"]


async def test_a_body_too_large_is_not_read_whole(api: Api) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"#" * 65536

    answer = await api.client.put("/api/teams/hotels/manifest", headers=OPERATOR, content=endless())
    assert (answer.status_code, answer.json()["error"]) == (413, "toolarge")


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        pytest.param("127.0.0.1:8081", True, id="an address"),
        pytest.param("[::1]:8081", True, id="an IPv6 address"),
        pytest.param("localhost", True, id="localhost"),
        pytest.param("portico.localhost:8081", True, id="below localhost"),
        pytest.param("gateway:8081", True, id="a name without dots"),
        pytest.param("admin.example", True, id="its own name"),
        pytest.param("rebound.attacker.example", False, id="a stranger's name"),
        pytest.param("localhost.attacker.example", False, id="a stranger's name that begins like ours"),
        pytest.param("127.0.0.1.attacker.example", False, id="a stranger's name that begins like an address"),
        pytest.param("127.0.0.1@attacker.example", False, id="no host at all"),
        pytest.param("", False, id="empty"),
    ],
)
def test_only_local_names_are_answered(host: str, answered: bool) -> None:
    assert answers_to(host, frozenset({"admin.example"})) is answered


async def test_a_rebound_name_gets_nothing_even_with_the_token(api: Api) -> None:
    answer = await api.client.get("/api/table", headers={**OPERATOR, "Host": "rebound.attacker.example"})
    assert (answer.status_code, answer.json()["error"]) == (421, "misdirected")


async def test_no_answer_may_be_kept_framed_or_read_by_others(api: Api) -> None:
    fields = {"Origin": "https://attacker.example", "Access-Control-Request-Method": "PUT"}
    for answer in (
        await api.client.options("/api/teams/hotels/manifest", headers=fields),
        await api.client.get("/api/health", headers=fields),
        await api.client.get("/docs", headers=fields),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control") or name == "set-cookie"]
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/api/nothing", 404, id="no such path"),
        pytest.param("PATCH", "/api/table", 405, id="no such method"),
        pytest.param("PUT", "/api/teams/Not%20A%20Team/manifest", 422, id="no team's name"),
        pytest.param("POST", "/api/purge", 422, id="half a character"),
    ],
)
async def test_every_failure_has_the_same_shape(api: Api, method: str, path: str, status: int) -> None:
    fields = {**OPERATOR, "Content-Type": "application/json"}
    answer = await api.client.request(method, path, headers=fields, content='{"kind": "tag", "value": "\\ud800"}')
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message", "hint", "problems"}


async def test_a_store_that_fails_is_said_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: Any) -> None:
        raise StoreError("the disk is full")

    await api.put("hotels", HOTELS)
    monkeypatch.setattr(api.ledger, "put", fails)
    answer = await api.put("hotels", HOTELS.replace("30s", "31s"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "the disk is full" not in answer.text
    assert api.current.table.number == 1


async def test_the_api_describes_itself(api: Api) -> None:
    described = (await api.client.get("/openapi.json")).json()
    put = described["paths"]["/api/teams/{team}/manifest"]["put"]
    assert set(put["requestBody"]["content"]) == {"application/yaml", "application/json"}
    assert {"200", "201", "401", "403", "409", "412", "422"} <= set(put["responses"])
    assert (await api.client.get("/api/health")).json() == {"status": "ok", "table": 0}


async def leaking(api: Api) -> None:
    for team in ("hotels", "pets"):
        await api.ledger.add_leaks([Leak(team, f"/{team}", "/api", "empty", "rescue", f"/{team}/", 2, AT)], AT)


async def test_a_team_sees_and_forgets_its_own_leaks_only(api: Api) -> None:
    await leaking(api)
    own = await api.token("hotels")
    (row,) = (await api.client.get("/api/leaks", headers=own)).json()["leaks"]
    assert (row["team"], row["mount"], row["target"], row["times"]) == ("hotels", "/hotels", "/api", 2)
    assert "fetch()" in row["fix"]
    assert (await api.client.get("/api/leaks?team=pets", headers=own)).status_code == 403
    assert (await api.client.delete("/api/leaks?team=pets", headers=own)).status_code == 403
    assert (await api.client.delete("/api/leaks", headers=own)).status_code == 204
    left = (await api.client.get("/api/leaks", headers=OPERATOR)).json()["leaks"]
    assert [row["team"] for row in left] == ["pets"]


async def test_the_operator_sees_and_forgets_all(api: Api) -> None:
    await leaking(api)
    answer = await api.client.get("/api/leaks?team=pets", headers=OPERATOR)
    assert [row["team"] for row in answer.json()["leaks"]] == ["pets"]
    assert (await api.client.delete("/api/leaks", headers=OPERATOR)).status_code == 204
    assert (await api.client.get("/api/leaks", headers=OPERATOR)).json() == {"leaks": []}
    assert (await api.client.get("/api/leaks")).status_code == 401
