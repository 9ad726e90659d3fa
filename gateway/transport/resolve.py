"""Names to addresses, asked again after a short while, and never to an address a manifest may not point to.

The check stands here, after resolution and on the very address that is connected to, so that a name that changes
its mind between check and use gains nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Sequence

import gateway.rules.addresses as addresses
from gateway.errors import Unreachable

KEPT = 5.0  # seconds; the resolver does not tell a TTL, and container platforms move names within seconds


class Resolver:
    """Addresses of origin hosts, at most KEPT seconds old. `own` are the gateway's listeners, never an origin."""

    def __init__(self, networks: Collection[str], own: Sequence[tuple[str, int]] = ()) -> None:
        self._networks = networks
        self._own = own
        self._known: dict[tuple[str, int], tuple[float, list[str]]] = {}

    async def addresses(self, host: str, port: int) -> list[str]:
        """Where to connect, in the system's order of preference; raises errors.Unreachable."""
        loop = asyncio.get_running_loop()
        known = self._known.get((host, port))
        if known is not None and known[0] > loop.time():
            return known[1]
        found = [host] if _literal(host) else await self._ask(host, port)
        allowed = [address for address in found if self._refusal(address, port) is None]
        if not allowed:
            reason = self._refusal(found[0], port) if found else "it has no address"
            raise Unreachable(
                f"Origin {host}:{port} may not be reached: {reason}.", proxy_error="destination_ip_prohibited"
            )
        self._known[(host, port)] = (loop.time() + KEPT, allowed)
        return allowed

    def _refusal(self, address: str, port: int) -> str | None:
        if any(addresses.is_here(address, port, listener) for listener in self._own):
            return "it is the gateway itself"
        return addresses.refusal(address, self._networks)

    async def _ask(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"Origin host {host} has no address: {error}.", proxy_error="dns_error") from error
        return list(dict.fromkeys(str(row[4][0]) for row in rows))


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
