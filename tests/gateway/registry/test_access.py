"""Who a token is, and what that one may change."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import Forbidden, Unauthorized
from gateway.registry.access import Access, Caller, bearer, hashed, new_token
from gateway.store.sqlite import SqliteLedger

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    yield ledger
    await ledger.close()


async def test_a_token_is_whose_it_was_issued_to(ledger: SqliteLedger) -> None:
    access = Access(ledger, "the operator's own token")
    token = new_token("hotels")
    await ledger.set_token("hotels", hashed(token))
    assert await access.caller("Bearer the operator's own token") == Caller()
    assert await access.caller(f"bearer  {token}") == Caller("hotels")


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param("hotels", id="the name alone"),
        pytest.param("hotels.guess", id="a guess"),
        pytest.param("pets.{secret}", id="another's name with the secret"),
        pytest.param("{hash}", id="the hash that is kept"),
        pytest.param("hotels.{secret}x", id="one character more"),
        pytest.param("\udc80\udc81", id="no text"),
    ],
)
async def test_nothing_else_is_a_token(ledger: SqliteLedger, wrong: str) -> None:
    token = new_token("hotels")
    await ledger.set_token("hotels", hashed(token))
    sent = wrong.format(secret=token.partition(".")[2], hash=hashed(token))
    with pytest.raises(Unauthorized, match="not known"):
        await Access(ledger, "the operator's own token").caller(f"Bearer {sent}")


@pytest.mark.parametrize("field", [None, "", "Bearer", "Bearer  ", "Basic b3A6b3A=", "token"])
def test_without_a_token_nobody_is_known(field: str | None) -> None:
    with pytest.raises(Unauthorized, match="Send `Authorization: Bearer TOKEN`"):
        bearer(field)


def test_the_operator_may_all_and_a_team_what_is_its_own() -> None:
    Caller().must_be("hotels")
    Caller().must_be_operator()
    Caller("hotels").must_be("hotels")
    with pytest.raises(Forbidden, match="'hotels' may not change team 'pets'"):
        Caller("hotels").must_be("pets")
    with pytest.raises(Forbidden, match="operator's token"):
        Caller("hotels").must_be_operator()
    assert [str(Caller()), str(Caller("hotels"))] == ["operator", "team hotels"]


def test_tokens_cannot_be_guessed() -> None:
    tokens = {new_token("hotels") for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token.partition(".")[2]) >= 43 for token in tokens)
