"""Who booked what, kept in memory for as long as the demo runs, and what a booking form must hold."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import date

from stays import Stay

MOST_SESSIONS = 1000  # the oldest go first; a demo that runs for weeks must not grow
MOST_NIGHTS = 28


@dataclass(frozen=True)
class Booking:
    id: str
    stay: Stay
    name: str
    arrival: date
    nights: int
    guests: int

    @property
    def total(self) -> int:
        return self.stay.price * self.nights


@dataclass
class Ledger:
    sessions: OrderedDict[str, dict[str, Booking]] = field(default_factory=OrderedDict)

    def open(self) -> str:
        session = secrets.token_urlsafe(18)
        self.sessions[session] = {}
        while len(self.sessions) > MOST_SESSIONS:
            self.sessions.popitem(last=False)
        return session

    def of(self, session: str | None) -> dict[str, Booking]:
        return self.sessions.get(session or "", {})

    def add(self, session: str, booking: Booking) -> None:
        self.sessions[session][booking.id] = booking


def judge(stay: Stay, form: dict[str, str], today: date) -> Booking | dict[str, str]:
    """A booking, or what is wrong, by the field's name."""
    wrong: dict[str, str] = {}
    name = form.get("name", "").strip()
    if not 1 <= len(name) <= 80:
        wrong["name"] = "Please tell us your name."
    arrival = day(form.get("arrival", ""))
    if arrival is None or arrival < today:
        wrong["arrival"] = "Please choose a day from today on."
    nights = count(form.get("nights", ""), MOST_NIGHTS)
    if not nights:
        wrong["nights"] = f"Between 1 and {MOST_NIGHTS} nights, please."
    guests = count(form.get("guests", ""), stay.beds)
    if not guests:
        wrong["guests"] = f"{stay.name} sleeps {stay.beds}."
    if wrong or arrival is None:
        return wrong
    return Booking(secrets.token_hex(4), stay, name, arrival, nights, guests)


def day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def count(text: str, most: int) -> int:
    """The number if it is between 1 and `most`, else 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= most else 0
