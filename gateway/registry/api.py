"""The registry over HTTP, on the admin listener only: statuses, fields and JSON here, deeds in `registry.service`.

It answers to names this machine may have and to no other (a page of a stranger whose name was pointed here gets
nothing), sets no cookie, and lets no other origin read. A failure is always the same JSON.
"""

import ipaddress
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from pydantic import BaseModel, Field
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import gateway.errors as errors
import gateway.rules.documents as documents
from gateway.registry.access import Access, Caller
from gateway.registry.check import Problem
from gateway.registry.service import LeakRow, Refused, Service, Shown, TableRows
from gateway.store.base import StoreError

# Nothing here may be kept, framed, sniffed or told to others.
SAFETY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
HINTS = {
    401: "The operator's token is in the state folder's admin.token; it issues team tokens.",
    403: "Use a token of that team, or the operator's.",
    412: "GET the manifest, repeat the change on it, and send its ETag as If-Match.",
    413: f"A manifest has at most {documents.BYTES} bytes.",
    421: "Ask by the address the admin listener was given, by an IP address, or by localhost.",
    422: "Mend every problem listed, then send it again; POST /api/check only checks.",
    503: "Try again in a second. What is served stays as it is.",
}
TeamName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
MANIFEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A team's manifest.",
        "content": {
            "application/yaml": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}


class ProblemSaid(BaseModel):
    path: str
    message: str
    hint: str
    line: int | None
    column: int | None
    code: str
    level: Literal["error", "warning"]


class Failure(BaseModel):
    """Every answer that is not a success."""

    error: str
    message: str
    hint: str
    problems: list[ProblemSaid]


class TakenSaid(BaseModel):
    team: str
    revision: int
    table: int
    warnings: list[ProblemSaid]


class TeamSaid(BaseModel):
    team: str
    file: str
    revision: int
    at: float | None
    by: str
    upstreams: list[str]
    mounts: list[str]
    fragments: list[str]


class TeamsSaid(BaseModel):
    teams: list[TeamSaid]
    troubles: dict[str, list[ProblemSaid]]


class CheckSaid(BaseModel):
    ok: bool
    problems: list[ProblemSaid]


class TokenSaid(BaseModel):
    team: str
    token: str


class PurgeAsked(BaseModel):
    kind: Literal["url", "tag", "team"]
    value: str = Field(min_length=1, max_length=8192)


class PurgeSaid(BaseModel):
    kind: str
    value: str
    number: int


class LeaksSaid(BaseModel):
    leaks: list[LeakRow]


class HealthSaid(BaseModel):
    status: Literal["ok", "degraded"]
    table: int


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


_bearer = HTTPBearer(auto_error=False, description="The operator's token, or a team's.")


async def _caller(
    request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None
) -> Caller:
    access: Access = request.app.state.access
    return await access.caller(request.headers.get("Authorization"))


async def _text(request: Request) -> str:
    """The body as text, never more of it than a manifest may have."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > documents.BYTES:
            raise errors.TooLarge(f"The body is larger than {documents.BYTES} bytes.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = Problem("", "The text is not UTF-8.", "Save it as UTF-8.", code="encoding")
        raise Refused((problem,)) from error


Registry = Annotated[Service, Depends(_service)]
Who = Annotated[Caller, Depends(_caller)]
Text = Annotated[str, Depends(_text)]

FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failure} for status in (400, 401, 403, 404, 409, 412, 413, 421, 422, 503)
}
router = APIRouter(prefix="/api", responses=FAILURES)


@router.put(
    "/teams/{team}/manifest", response_model=TakenSaid, responses={201: {"model": TakenSaid}}, openapi_extra=MANIFEST
)
async def register(
    team: TeamName, request: Request, response: Response, caller: Who, text: Text, registry: Registry
) -> dict[str, Any]:
    """Register a team's manifest, or change it. It is served when this answers."""
    caller.must_be(team)
    taken = await registry.register(team, text, str(caller), _expected(request))
    response.status_code = 201 if taken.created else 200
    response.headers["ETag"] = f'"{taken.registered.revision}"'
    return {
        "team": team,
        "revision": taken.registered.revision,
        "table": registry.table().number,
        "warnings": _said(taken.warnings),
    }


@router.get("/teams/{team}/manifest", responses={200: {"content": {"application/json": {}}}})
async def show(team: TeamName, caller: Who, registry: Registry) -> Response:
    """A team's manifest as it is served."""
    shown = registry.show(team)
    content = shown.manifest.model_dump_json(exclude_unset=True)
    return Response(content, media_type="application/json", headers={"ETag": f'"{shown.revision}"'})


@router.delete("/teams/{team}/manifest", status_code=204)
async def withdraw(team: TeamName, request: Request, caller: Who, registry: Registry) -> None:
    """Withdraw a team with all its mounts and fragments."""
    caller.must_be(team)
    await registry.withdraw(team, str(caller), _expected(request))


@router.post("/check", response_model=CheckSaid, openapi_extra=MANIFEST)
async def check_text(caller: Who, text: Text, registry: Registry, team: TeamName | None = None) -> dict[str, Any]:
    """All problems a registration of this manifest would meet. Nothing changes."""
    finding = await registry.check(text, team)
    return {"ok": not finding.errors, "problems": _said(finding.problems)}


@router.get("/table", response_model=TableRows)
async def table(caller: Who, registry: Registry) -> TableRows:
    """What this process serves from."""
    return registry.table()


@router.get("/teams", response_model=TeamsSaid)
async def teams(caller: Who, registry: Registry) -> dict[str, Any]:
    """Every team, and what is not served as it is declared."""
    troubles = {source: _said(problems) for source, problems in registry.troubles().items()}
    return {"teams": [_team(shown) for shown in registry.teams()], "troubles": troubles}


@router.post("/teams/{team}/token", response_model=TokenSaid)
async def issue_token(team: TeamName, caller: Who, registry: Registry) -> dict[str, str]:
    """A new token for a team, which ends the one before. For the operator only; it is shown this once."""
    caller.must_be_operator()
    return {"team": team, "token": await registry.issue_token(team)}


@router.post("/purge", response_model=PurgeSaid)
async def purge(asked: PurgeAsked, caller: Who, registry: Registry) -> dict[str, Any]:
    """Forget stored answers: of a public path, with a tag, or of a team. Every gateway follows."""
    if caller.team is not None and not registry.owns(caller.team, asked.kind, asked.value):
        raise errors.Forbidden(f"The {asked.kind} '{asked.value}' is not team '{caller.team}'s own. Ask the operator.")
    done = await registry.purge(asked.kind, asked.value)
    return {"kind": done.kind, "value": done.value, "number": done.number}


@router.get("/leaks", response_model=LeaksSaid)
async def leaks(caller: Who, registry: Registry, team: TeamName | None = None) -> dict[str, Any]:
    """Requests that left their mount and were led back. A team sees its own, the operator all or a team's."""
    return {"leaks": await registry.leaks(_leaking(caller, team))}


@router.delete("/leaks", status_code=204)
async def forget_leaks(caller: Who, registry: Registry, team: TeamName | None = None) -> None:
    """Forget them: a team its own, the operator all or a team's."""
    await registry.forget_leaks(_leaking(caller, team))


@router.get("/health", response_model=HealthSaid)
async def health(registry: Registry) -> dict[str, Any]:
    """Whether the control plane answers; needs no token."""
    return {"status": "degraded" if registry.troubles() else "ok", "table": registry.table().number}


def make(service: Service, access: Access, *, hosts: Sequence[str] = (), version: str = "0") -> FastAPI:
    """The control plane as an ASGI application. `hosts` are names it answers to besides the local ones."""
    app = FastAPI(
        title="Portico registry",
        version=version,
        summary="Teams register their upstreams, mounts and fragments here.",
        redoc_url=None,
    )
    app.state.service = service
    app.state.access = access
    app.include_router(router)
    app.add_exception_handler(errors.GatewayError, _refused)
    app.add_exception_handler(StoreError, _store_failed)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http_failed)
    app.add_middleware(Guard, hosts=hosts)
    return app


class Guard:
    """Around everything: the Host that was asked for, and the fields no answer goes without."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFETY.items():
                    headers.setdefault(name, value)
            await send(message)

        asked = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(asked) == 1 and answers_to(asked[0], self._hosts):
            await self._app(scope, receive, safely)
            return
        misdirected = errors.Misdirected(f"The admin listener does not answer to '{', '.join(asked)}'.")
        await _failure(misdirected)(scope, receive, safely)


def answers_to(host: str, own: frozenset[str] = frozenset()) -> bool:
    """Whether a Host field names this listener: an IP literal, a local name, a name without dots, or one of its own.

    Against DNS rebinding: an attacker needs a name of his own in the public DNS, and every such name has a dot.
    """
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{0,5})?", host)
    if match is None:
        return False
    name = match[1].lower().rstrip(".")
    return name in own or "." not in name.removesuffix(".localhost") or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _expected(request: Request) -> int | None:
    """The revision a change was made on: If-Match with an ETag of ours, or `If-None-Match: *` for a new team."""
    if request.headers.get("If-None-Match", "").strip() == "*":
        return 0
    condition = request.headers.get("If-Match", "").strip()
    if condition in ("", "*"):
        return None
    match = re.fullmatch(r'"(\d{1,15})"', condition)
    return int(match[1]) if match else -1  # no revision of ours: never the latest


def _leaking(caller: Caller, team: str | None) -> str | None:
    """Whose leaks are meant: a team that names nobody means itself."""
    if team is not None:
        caller.must_be(team)
    return team or caller.team


def _team(shown: Shown) -> dict[str, Any]:
    return {
        "team": shown.team,
        "file": shown.file,
        "revision": shown.revision,
        "at": shown.at,
        "by": shown.by,
        "upstreams": list(shown.manifest.upstreams),
        "mounts": list(shown.manifest.mounts),
        "fragments": list(shown.manifest.fragments),
    }


def _said(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return [problem.as_json() for problem in problems]


def _failure(error: errors.GatewayError, **headers: str) -> JSONResponse:
    problems = error.problems if isinstance(error, Refused) else ()
    return _answer(error.status, type(error).__name__, str(error), problems, headers)


def _answer(
    status: int, error: str, message: str, problems: Sequence[Problem] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    said = {"error": error.lower(), "message": message, "hint": HINTS.get(status, ""), "problems": _said(problems)}
    return JSONResponse(said, status, headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.GatewayError)
    if error.status == 401:
        return _failure(error, **{"WWW-Authenticate": 'Bearer realm="portico"'})
    return _failure(error)


async def _store_failed(request: Request, error: Exception) -> Response:
    message = "The registry's store does not answer. Nothing was changed."
    return _answer(503, "unavailable", message, headers={"Retry-After": "1"})


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = [
        Problem(".".join(str(step) for step in detail["loc"]), str(detail["msg"]), code=str(detail["type"]))
        for detail in error.errors()
    ]
    return _answer(422, "malformed", "The request is not as the API wants it.", problems)


async def _http_failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{error.detail}: {request.method} {request.url.path}. See /docs for what there is."
    return _answer(error.status_code, str(error.detail).replace(" ", ""), message, headers=dict(error.headers or {}))
