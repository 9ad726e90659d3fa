"""Who may change what: the operator everything, a team only what is its own.

A token is 256 random bits behind the name of whose it is. The ledger keeps its hash, so that who reads the ledger
cannot register; guesses are compared in constant time.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from gateway.errors import Forbidden, Unauthorized
from gateway.store.base import Ledger

NOBODY = "0" * 64  # a hash no token has: for an unknown team the same work is done as for a known one


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, once the token is known: a team, or the operator (no team)."""

    team: str | None = None

    def __str__(self) -> str:
        return "operator" if self.team is None else f"team {self.team}"

    @property
    def is_operator(self) -> bool:
        return self.team is None

    def may_change(self, team: str) -> bool:
        return self.team is None or self.team == team

    def must_be(self, team: str) -> None:
        if not self.may_change(team):
            raise Forbidden(f"The token of team '{self.team}' may not change team '{team}'. Use that team's token.")

    def must_be_operator(self) -> None:
        if not self.is_operator:
            raise Forbidden(f"The token of team '{self.team}' may not do this. It takes the operator's token.")


def new_token(team: str) -> str:
    """A team's token: shown once, never kept."""
    return f"{team}.{secrets.token_urlsafe(32)}"


def hashed(token: str) -> str:
    """One round of SHA-256 is enough for 256 random bits: there is no dictionary to try."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def bearer(authorization: str | None) -> str:
    """The token of an Authorization field (RFC 6750 section 2.1)."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("There is no token. Send `Authorization: Bearer TOKEN`; the operator's is in admin.token.")
    return token.strip()


class Access:
    """Knows the operator's token, and asks the ledger for the teams'."""

    def __init__(self, ledger: Ledger, operator_token: str) -> None:
        self._ledger = ledger
        self._operator = hashed(operator_token)

    async def caller(self, authorization: str | None) -> Caller:
        token = bearer(authorization)
        if hmac.compare_digest(hashed(token), self._operator):
            return Caller()
        team = token.partition(".")[0]
        kept = (await self._ledger.token(team) if team.isascii() else None) or NOBODY
        if hmac.compare_digest(hashed(token), kept):
            return Caller(team)
        raise Unauthorized(
            "The token is not known. It may have been replaced by a newer one; ask the operator for one."
        )
