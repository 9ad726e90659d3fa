"""What a stay costs, all told. static/price.js does the same sum as a visitor types; a test holds the two together."""

from dataclasses import dataclass
from typing import Any

from bookings import MOST_NIGHTS, count
from stays import STAYS, Stay, of

FEE = 2  # euros, for each guest and night: the harbour's
LONG = 7  # nights, from which on a tenth of the room is off


@dataclass(frozen=True)
class Price:
    stay: Stay
    nights: int
    guests: int

    @property
    def room(self) -> int:
        return self.stay.price * self.nights

    @property
    def off(self) -> int:
        return self.room // 10 if self.nights >= LONG else 0

    @property
    def fee(self) -> int:
        return FEE * self.guests * self.nights

    @property
    def total(self) -> int:
        return self.room - self.off + self.fee

    @property
    def span(self) -> str:
        return f"{some(self.nights, 'night')}, {some(self.guests, 'guest')}"


def some(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count > 1 else ''}"


def wished(stay: str, nights: str, guests: str) -> Price:
    """What a form asked for, as near as there is: an odd wish gets the usual."""
    found = of(int(stay)) if stay.isascii() and stay.isdigit() and len(stay) < 6 else None
    chosen = found or STAYS[0]
    return Price(chosen, count(nights, MOST_NIGHTS) or 2, count(guests, chosen.beds) or min(2, chosen.beds))


def told(price: Price) -> dict[str, Any]:
    """What the application in the browser goes on from."""
    stays = [{name: getattr(each, name) for name in ("id", "name", "city", "price", "beds")} for each in STAYS]
    wish = {"stay": price.stay.id, "nights": price.nights, "guests": price.guests}
    return {"stays": stays, "wish": wish, "rules": {"fee": FEE, "long": LONG, "most": MOST_NIGHTS}}
