"""What the hotels team has to offer: a handful of stays, and how they are found. Nothing here knows about the web."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Stay:
    id: int
    name: str
    city: str
    country: str
    kind: str
    price: int
    was: int | None
    beds: int
    line: str
    story: str
    good_for: tuple[str, ...]
    scene: str
    hue: int

    @property
    def place(self) -> str:
        return f"{self.city}, {self.country}"


STAYS = (
    Stay(
        1,
        "Casa da Alfândega",
        "Lisbon",
        "Portugal",
        "Guesthouse",
        118,
        154,
        3,
        "Tiles, a lemon tree, and the ferry at the door.",
        "A customs house of 1891, now nine rooms around a courtyard. Breakfast is under the lemon tree until October, "
        "and the ferry to the other bank leaves from the end of the street.",
        ("Courtyard breakfast", "Ferry in two minutes", "Bicycles to borrow"),
        "row",
        22,
    ),
    Stay(
        2,
        "Bryggen Loft",
        "Bergen",
        "Norway",
        "Apartment",
        164,
        None,
        4,
        "Timber above the fish market, dry in any weather.",
        "Two floors of old timber above the market hall. There is a drying cupboard for seven kinds of rain, a stove, "
        "and a window seat from which the ships can be counted.",
        ("Wood stove", "Drying room", "Kitchen"),
        "row",
        2,
    ),
    Stay(
        3,
        "Lighthouse Sveti Nikola",
        "Kotor",
        "Montenegro",
        "Lighthouse",
        142,
        189,
        2,
        "One room, one lamp, one hundred and four steps.",
        "The keeper moved out, the lamp did not. One round room with a round bed, supper lifted up in a basket, and "
        "the whole bay to yourself after the last boat.",
        ("Alone on the mole", "Supper in a basket", "Swimming ladder"),
        "light",
        12,
    ),
    Stay(
        4,
        "Hôtel du Vieux Phare",
        "Marseille",
        "France",
        "Hotel",
        131,
        None,
        2,
        "Rooms the size of a cabin, terrace the size of a deck.",
        "Thirty-one small rooms and one very large terrace. The kitchen opens when the boats are back, and closes when "
        "the fish is gone.",
        ("Roof terrace", "Day’s catch", "Late check-out"),
        "tower",
        35,
    ),
    Stay(
        5,
        "Villa San Telmo",
        "Valletta",
        "Malta",
        "Villa",
        226,
        289,
        6,
        "Limestone, a pool cut into the rock, and shade.",
        "A villa for a family with opinions: three terraces, so that everyone can be right about the view. The pool is "
        "cut into the rock and fills with the sea.",
        ("Sea pool", "Three terraces", "Sleeps six"),
        "villa",
        42,
    ),
    Stay(
        6,
        "Speicher Nine",
        "Hamburg",
        "Germany",
        "Hotel",
        149,
        None,
        2,
        "A spice store with winches still on the gable.",
        "Pepper to the third floor, cinnamon above: the rooms keep the names of what was stored in them, and on damp "
        "days the smell.",
        ("Sauna in the attic", "Canal side", "Night train platform near"),
        "tower",
        8,
    ),
    Stay(
        7,
        "Quinta do Cais",
        "Lisbon",
        "Portugal",
        "Villa",
        198,
        None,
        5,
        "A vineyard that ends at the water.",
        "Twelve rows of vines, a jetty and a long table. Guests who help with the harvest eat free, guests who do not "
        "are forgiven.",
        ("Jetty", "Wine of the house", "Sleeps five"),
        "villa",
        18,
    ),
    Stay(
        8,
        "Fyr Tollboden",
        "Bergen",
        "Norway",
        "Lighthouse",
        176,
        None,
        2,
        "North light, thick walls, very good blankets.",
        "The smallest light on the fairway, with the thickest walls. In winter the sun comes by at noon; the blankets "
        "stay all day.",
        ("Northern lights call", "Hot tub", "Boat transfer"),
        "light",
        355,
    ),
)
# By wind: where the harbour master would sleep, and why.
WINDS = (
    ("west", 2, "Rain by noon, so somewhere dry with a window seat."),
    ("south", 7, "Warm until late: a long table outside is worth the trip."),
    ("east", 3, "Flat water in the bay. You will hear nothing but the lamp."),
    ("north", 6, "Cold and bright. Take the house with the sauna in the attic."),
)
VOICES = (
    ("The ferry woke us, gently, and then there was coffee.", "Ines and Rui", 1),
    ("We counted forty-one ships and finished one book.", "The Halvorsens", 2),
    ("Supper came up in a basket. Nobody believes us.", "Mirela", 3),
)
CITIES = tuple(sorted({stay.city for stay in STAYS}))


def of(id: int) -> Stay | None:
    return next((stay for stay in STAYS if stay.id == id), None)


def search(city: str, guests: int) -> list[Stay]:
    """An empty city means anywhere; part of a name is enough, as people type it."""
    wanted = city.strip().casefold()
    return [stay for stay in STAYS if wanted in stay.place.casefold() and stay.beds >= guests]


def deals(city: str, most: int = 3) -> list[Stay]:
    """The cheapest by what they save, those in `city` first."""
    wanted = city.strip().casefold()
    reduced = [stay for stay in STAYS if stay.was]
    return sorted(reduced, key=lambda stay: (stay.city.casefold() != wanted, stay.price - (stay.was or 0)))[:most]


def wind(today: date) -> str:
    return WINDS[today.toordinal() % len(WINDS)][0]


def advised(today: date) -> tuple[Stay, str]:
    """Where to sleep today, and why."""
    _, id, why = WINDS[today.toordinal() % len(WINDS)]
    return STAYS[id - 1], why
