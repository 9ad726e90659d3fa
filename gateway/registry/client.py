"""The registry of a running gateway, as the verbs reach it: a method per thing to do, values and named errors back.

The only file that asks the API; what its HTTP client raises, and what the API refuses, leaves here as a GatewayError.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

import gateway.errors as errors
import gateway.rules.documents as documents
from gateway.registry.check import Problem

# A registration compiles every manifest anew: thousands of mounts take about a second. Nobody there is told at once.
PATIENCE = httpx.Timeout(15.0, connect=2.0)

ACCEPT = "application/yaml, application/json;q=0.9, */*;q=0.1"

REFUSALS: Mapping[int, type[errors.GatewayError]] = {
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.Unknown,
    409: errors.Conflict,
    412: errors.Conflict,
    421: errors.Misdirected,
}


class Unanswered(errors.Unreachable):
    """Nobody, or nobody who is a Portico, answers at that address."""


class Faulty(errors.Rejected):
    """The manifest was not taken, for these reasons."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Taken:
    """A manifest that is registered now: which revision of its team's it is, and what may still be said about it."""

    team: str
    revision: int
    created: bool
    warnings: tuple[Problem, ...] = ()


class Client:
    """A connection to one gateway's admin listener. Proxies of the environment are not asked: that listener is near."""

    def __init__(self, admin: str, token: str = "", transport: httpx.BaseTransport | None = None) -> None:
        self.admin = address(admin)
        self._http = httpx.Client(
            base_url=self.admin,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=PATIENCE,
            trust_env=False,
            transport=transport,
        )

    def __repr__(self) -> str:
        return f"<Client of {self.admin}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def register(self, team: str, text: str) -> Taken:
        answer = self._ask("PUT", f"/api/teams/{quote(team, safe='')}/manifest", content=text)
        said = _object(answer)
        return Taken(team, int(said["revision"]), answer.status_code == 201, _problems(said.get("warnings")))

    def withdraw(self, team: str) -> None:
        self._ask("DELETE", f"/api/teams/{quote(team, safe='')}/manifest")

    def check(self, text: str) -> tuple[Problem, ...]:
        """What the gateway would say to this manifest, next to all it has."""
        try:
            answer = self._ask("POST", "/api/check", content=text)
        except Faulty as faulty:
            return faulty.problems
        return _problems(_object(answer).get("problems"))

    def table(self) -> dict[str, Any]:
        """What the gateway serves from, as the API tells it."""
        return _object(self._ask("GET", "/api/table"))

    def purge(self, kind: str, value: str) -> int:
        """The number of the purge among all changes."""
        answer = self._ask("POST", "/api/purge", json={"kind": kind, "value": value})
        return int(_object(answer)["number"])

    def leaks(self, team: str | None = None) -> list[dict[str, Any]]:
        """Requests that left their mount, as the API tells them."""
        said = _object(self._ask("GET", "/api/leaks", params={"team": team} if team else {})).get("leaks")
        return [row for row in said if isinstance(row, dict)] if isinstance(said, list) else []

    def forget_leaks(self, team: str | None = None) -> None:
        self._ask("DELETE", "/api/leaks", params={"team": team} if team else {})

    def issue_token(self, team: str) -> str:
        """A new token for a team; the one before is worth nothing from now on."""
        return str(_object(self._ask("POST", f"/api/teams/{quote(team, safe='')}/token"))["token"])

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **content)
        except httpx.InvalidURL as error:
            raise Unanswered(f"'{self.admin}' is no address of a gateway: {error}. Give one with --admin.") from error
        except httpx.TimeoutException as error:
            raise Unanswered(f"{self.admin} did not answer in time. Ask it again, or look into its log.") from error
        except httpx.HTTPError as error:
            raise Unanswered(
                f"No gateway answers at {self.admin} ({_reason(error)}). Start one with `portico serve`, "
                "or say with --admin (or PORTICO_ADMIN) where one listens."
            ) from error
        if answer.is_success:
            return answer
        raise _refusal(answer, self.admin)


def address(admin: str) -> str:
    """Where to ask, of what may also be a setting to listen on: `0.0.0.0:8081` is asked at `http://127.0.0.1:8081`."""
    url = admin if "://" in admin else f"http://{admin}"
    return url.rstrip("/").replace("://0.0.0.0", "://127.0.0.1").replace("://[::]", "://[::1]")


def fetch(url: str, transport: httpx.BaseTransport | None = None) -> str:
    """A manifest's text from where a team publishes it."""
    try:
        with (
            httpx.Client(timeout=PATIENCE, follow_redirects=True, transport=transport) as http,
            http.stream("GET", url, headers={"Accept": ACCEPT}) as answer,
        ):
            if answer.status_code != 200:
                raise errors.Unknown(f"{url} answers {answer.status_code}, not a manifest. Is it published there?")
            return _whole(answer, url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise errors.Unreachable(f"{url} cannot be read: {_reason(error)}. Is the team's server running?") from error


def _whole(answer: httpx.Response, url: str) -> str:
    content = bytearray()
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > documents.BYTES:
            raise errors.TooLarge(f"{url} holds more than {documents.BYTES} bytes, which no manifest does.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise errors.Rejected(f"{url} is not UTF-8 text, which a manifest is.") from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _refusal(answer: httpx.Response, admin: str) -> errors.GatewayError:
    said = _object(answer, expected=False)
    if answer.status_code == 422 and said.get("problems"):
        return Faulty(_problems(said["problems"]))
    message = " ".join(said[key] for key in ("message", "hint") if isinstance(said.get(key), str)).strip()
    kind = REFUSALS.get(answer.status_code, errors.RegistryError if answer.status_code < 500 else Unanswered)
    return kind(
        message or f"{admin} answers {answer.status_code} {answer.reason_phrase}. Is it a gateway's admin address?"
    )


def _object(answer: httpx.Response, *, expected: bool = True) -> dict[str, Any]:
    try:
        said = answer.json() if answer.content else {}
    except ValueError:
        said = None
    if isinstance(said, dict):
        return said
    if expected:
        raise Unanswered(f"{answer.url.copy_with(path='/')} does not answer as a gateway's registry does.")
    return {}


def _problems(said: object) -> tuple[Problem, ...]:
    """Problems as the API tells them; what a newer gateway adds to them is passed over."""
    rows = [row for row in said if isinstance(row, dict)] if isinstance(said, list) else []
    known = Problem.__dataclass_fields__
    return tuple(Problem(**{key: value for key, value in row.items() if key in known}) for row in rows)
