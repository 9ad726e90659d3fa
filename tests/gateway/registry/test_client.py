"""The client asks what the API offers, and turns every refusal into an error that says what to do."""

import json
from collections.abc import Callable

import httpx
import pytest

import gateway.errors as errors
import gateway.registry.client as client
from gateway.registry.check import Problem

Answer = Callable[[httpx.Request], httpx.Response]
PROBLEM = Problem("mounts./x", "No.", "Yes.", 3, 5, "upstream")


def asking(answer: Answer, token: str = "secret-token") -> client.Client:
    return client.Client("127.0.0.1:8081", token, httpx.MockTransport(answer))


def saying(status: int, said: object = None, seen: list[httpx.Request] | None = None) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return httpx.Response(status, json=said) if said is not None else httpx.Response(status)

    return answer


TAKEN = {"team": "a", "revision": 3, "table": 9, "warnings": [PROBLEM.as_json()]}


def test_register_puts_the_text_as_it_is_with_the_token() -> None:
    seen: list[httpx.Request] = []
    with asking(saying(201, TAKEN, seen)) as gateway:
        taken = gateway.register("a", "team: a\n")
    assert taken == client.Taken("a", 3, True, (PROBLEM,))
    (request,) = seen
    assert (request.method, str(request.url)) == ("PUT", "http://127.0.0.1:8081/api/teams/a/manifest")
    assert (request.headers["Authorization"], request.content) == ("Bearer secret-token", b"team: a\n")


def test_a_known_team_is_not_created_again() -> None:
    assert asking(saying(200, TAKEN)).register("a", "").created is False


@pytest.mark.parametrize(
    ("ask", "said", "expected"),
    [
        pytest.param(lambda at: at.withdraw("a"), None, ("DELETE", "/api/teams/a/manifest", b""), id="withdraw"),
        pytest.param(lambda at: at.check("x"), {"problems": []}, ("POST", "/api/check", b"x"), id="check"),
        pytest.param(lambda at: at.table(), {"number": 1}, ("GET", "/api/table", b""), id="table"),
        pytest.param(
            lambda at: at.purge("tag", "t"),
            {"number": 4},
            ("POST", "/api/purge", {"kind": "tag", "value": "t"}),
            id="purge",
        ),
        pytest.param(lambda at: at.leaks(), {"leaks": []}, ("GET", "/api/leaks", b""), id="all leaks"),
        pytest.param(lambda at: at.leaks("a"), {"leaks": []}, ("GET", "/api/leaks?team=a", b""), id="a team's leaks"),
        pytest.param(lambda at: at.forget_leaks(), None, ("DELETE", "/api/leaks", b""), id="forget leaks"),
        pytest.param(lambda at: at.issue_token("a"), {"token": "t"}, ("POST", "/api/teams/a/token", b""), id="token"),
        pytest.param(
            lambda at: at.withdraw("../b"),
            None,
            ("DELETE", "/api/teams/..%2Fb/manifest", b""),
            id="a name is one segment",
        ),
    ],
)
def test_what_is_asked(
    ask: Callable[[client.Client], object], said: object, expected: tuple[str, str, bytes | dict[str, str]]
) -> None:
    seen: list[httpx.Request] = []
    with asking(saying(200 if said else 204, said, seen)) as gateway:
        ask(gateway)
    (request,) = seen
    content = json.loads(request.content) if isinstance(expected[2], dict) else request.content
    assert (request.method, request.url.raw_path.decode(), content) == expected


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.RegistryError),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.Unknown),
        (409, errors.Conflict),
        (412, errors.Conflict),
        (421, errors.Misdirected),
        (503, client.Unanswered),
    ],
)
def test_a_refusal_keeps_the_words_of_the_api(status: int, kind: type[Exception]) -> None:
    said = {"error": "x", "message": "What happened.", "hint": "What to do.", "problems": []}
    with pytest.raises(kind, match=r"^What happened\. What to do\.$"), asking(saying(status, said)) as gateway:
        gateway.withdraw("a")


def test_problems_come_back_as_problems() -> None:
    newer = PROBLEM.as_json() | {"something": "a newer gateway says"}
    with pytest.raises(client.Faulty) as caught, asking(saying(422, {"problems": [newer]})) as gateway:
        gateway.register("a", "")
    assert caught.value.problems == (PROBLEM,)
    assert asking(saying(200, {"ok": False, "problems": [newer]})).check("") == (PROBLEM,)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda request: httpx.Response(200, text="<h1>It works!</h1>"), id="a page"),
        pytest.param(lambda request: httpx.Response(200, json=[1]), id="other JSON"),
    ],
)
def test_a_stranger_is_told_from_a_gateway(answer: Answer) -> None:
    with pytest.raises(client.Unanswered, match="does not answer as a gateway's registry does"):
        asking(answer).table()


def test_a_stranger_who_refuses_is_named() -> None:
    with pytest.raises(errors.Unknown, match=r"answers 404 .*Is it a gateway.s admin address"):
        asking(lambda request: httpx.Response(404, text="no")).table()


def test_nobody_there(free_port: int) -> None:
    gateway = client.Client(f"127.0.0.1:{free_port}")
    with (
        pytest.raises(client.Unanswered, match=rf"No gateway answers at http://127.0.0.1:{free_port} .*--admin"),
        gateway,
    ):
        gateway.table()


def test_one_who_is_too_slow() -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    with pytest.raises(client.Unanswered, match="did not answer in time"):
        asking(slow).table()


@pytest.mark.parametrize(
    ("admin", "expected"),
    [
        pytest.param("http://gateway:8081/", "http://gateway:8081", id="an address"),
        pytest.param("127.0.0.1:8081", "http://127.0.0.1:8081", id="a listener"),
        pytest.param("0.0.0.0:8081", "http://127.0.0.1:8081", id="one on all addresses"),
        pytest.param("[::]:8081", "http://[::1]:8081", id="one on all addresses of IPv6"),
    ],
)
def test_where_to_ask(admin: str, expected: str) -> None:
    assert client.address(admin) == expected


def test_fetch_reads_a_published_manifest() -> None:
    answer = httpx.MockTransport(lambda request: httpx.Response(200, text="team: hotéls"))
    assert client.fetch("http://hotels/portico.yaml", answer) == "team: hotéls"


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        pytest.param(httpx.Response(404), errors.Unknown, id="not there"),
        pytest.param(httpx.Response(200, content=b"x" * (1 << 20) + b"x"), errors.TooLarge, id="too large"),
        pytest.param(httpx.Response(200, content=b"\xff\xfe"), errors.Rejected, id="not text"),
    ],
)
def test_what_cannot_be_a_manifest(response: httpx.Response, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"http://hotels/portico\.yaml"):
        client.fetch("http://hotels/portico.yaml", httpx.MockTransport(lambda request: response))


def test_a_team_that_is_away(free_port: int) -> None:
    with pytest.raises(errors.Unreachable, match="Is the team's server running"):
        client.fetch(f"http://127.0.0.1:{free_port}/portico.yaml")
