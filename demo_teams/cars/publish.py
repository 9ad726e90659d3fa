"""Writes the cars team's website into its folder: a page per car, the list, fragments, pictures, hashed sheets.

The modules in dist/app are written by hand and stay as they are. Run it after a change to a .json or a sheet; what it
writes is kept in the repository, because a bucket holds results. It lives at "/" and knows no other place.
"""

import hashlib
import json
import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
FEATURED = ("pilot", "regatta", "cutter", "ferry")
FUEL = {"electric": 5, "hybrid": 8, "diesel": 11, "petrol": 14}  # euros for 100 km
DAYS, KM = 2, 200  # the example in the estimate; dist/app/estimate.js reckons with what is wished for
OWN_SHEETS = ("featured.css", "cars.css")
HEART = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 20.3 4.4 12.8a4.9 4.9 0 0 1 0-7 4.9 4.9 0 0 1 7 0l.6.7.6'
    '-.7a4.9 4.9 0 0 1 7 0 4.9 4.9 0 0 1 0 7z"/></svg>'
)


@dataclass(frozen=True)
class Car:
    id: str
    name: str
    shape: str
    paint: str
    drive: str
    seats: int
    range: int
    price: int
    line: str
    story: str
    good_for: list[str]


@dataclass(frozen=True)
class Trip:
    name: str
    km: int
    car: str
    line: str
    road: str

    @property
    def key(self) -> str:
        return self.name.lower().replace(" ", "-")


@dataclass(frozen=True)
class Shape:
    """A car from the right: its body, its windows, where it ends, where its wheels are and how large."""

    body: str
    windows: str
    ends: tuple[int, int]
    wheels: tuple[int, int]
    radius: int = 38


SHAPES = {
    "hatch": Shape(
        "M112 266v-48c0-14 10-22 26-26l52-8 52-60c8-9 18-14 32-14h112c18 0 30 6 42 20l46 56 44 10c16 4 24 14 24 30v40z",
        "M226 184l38-44c5-6 10-8 18-8h34v52zM332 132h48c10 0 16 3 22 10l34 42H332z",
        (112, 542),
        (190, 462),
    ),
    "bubble": Shape(
        "M180 266v-54c0-62 48-110 138-110s142 48 142 110v54z",
        "M222 204c4-46 36-74 86-76v76zM324 128c50 2 90 30 94 76h-94z",
        (180, 460),
        (242, 398),
        34,
    ),
    "roadster": Shape(
        "M100 266v-36c0-16 10-24 26-28l84-12 82-8 52-44c6-5 14-2 12 4l-14 38 112 4 66 14c20 4 32 14 32 32v36z",
        "M300 182l42-36-12 37z",
        (100, 552),
        (192, 462),
    ),
    "wagon": Shape(
        "M88 266v-52c0-10 4-16 10-24l30-56c8-14 18-20 34-20h204c18 0 30 6 42 18l52 54 58 10c16 3 24 14 24 30v40z",
        "M134 184l26-44c4-6 8-8 14-8h48v52zM238 132h70v52h-70zM324 132h38c10 0 16 3 22 10l42 42H324z",
        (88, 542),
        (182, 462),
    ),
    "van": Shape(
        "M92 266v-144c0-16 10-26 26-26h262c14 0 22 4 30 16l48 70 66 14c16 4 26 14 26 30v40z",
        "M356 128h24c6 0 10 2 13 7l32 49h-69zM286 128h54v56h-54z",
        (92, 550),
        (182, 466),
    ),
    "suv": Shape(
        "M100 258v-78c0-12 4-18 10-26l26-46c8-14 18-20 34-20h196c18 0 30 6 40 20l42 62 64 12c16 3 26 14 26 30v46z",
        "M142 164l24-40c4-6 8-8 14-8h44v48zM240 116h68v48h-68zM324 116h38c10 0 15 3 20 10l26 38h-84z",
        (100, 538),
        (184, 462),
        44,
    ),
    "pickup": Shape(
        "M88 266v-72h176l44-64c6-8 14-12 24-12h88c16 0 26 6 34 18l40 56 46 8c14 3 22 12 22 26v40z",
        "M304 188l34-50c3-4 7-6 12-6h22v56zM388 132h24c8 0 12 3 16 9l31 47h-71z",
        (88, 562),
        (176, 466),
        40,
    ),
    "bus": Shape(
        "M72 266v-154c0-16 10-26 26-26h380c20 0 32 8 40 26l36 78c4 8 6 16 6 24v52z",
        "M98 114h62v60H98zM176 114h62v60h-62zM254 114h62v60h-62zM332 114h62v60h-62zM410 114h62c8 0 14 4 18 12l22 48"
        "H410z",
        (72, 560),
        (172, 470),
    ),
}


def draw(car: Car) -> str:
    shape = SHAPES[car.shape]
    wheels = "".join(wheel(x, shape.radius) for x in shape.wheels)
    rear, front = shape.ends
    low = 300 - shape.radius
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 380" preserveAspectRatio="xMidYMid slice">
<style>.a{{fill:#e3e6f3}}.b{{fill:#cdd3ea}}.r{{fill:#b7bdd6}}.m{{stroke:#fff}}.w{{fill:#2a3350}}
@media (prefers-color-scheme:dark){{.a{{fill:#1b2140}}.b{{fill:#252d55}}
.r{{fill:#11152b}}.m{{stroke:#4d578c}}.w{{fill:#ffe2a0}}}}</style>
<rect class="a" width="640" height="380"/>
<path class="b" d="M0 214c70-70 150-90 230-40s140-60 240-30 120 40 170 20v140H0z"/>
<path class="r" d="M0 292h640v88H0z"/><path class="m" d="M20 346h600" stroke-width="5" stroke-dasharray="56 40"/>
<ellipse cx="320" cy="302" rx="262" ry="11" opacity=".22"/>
<path d="{shape.body}" fill="{car.paint}"/><path class="w" d="{shape.windows}"/>
<path d="M{rear} {low - 24}H{front}" stroke="#fff" stroke-width="5" opacity=".35"/>
<path d="M{front - 22} 226h20a8 8 0 0 1 0 18h-20z" fill="#ffe2a0"/><path d="M{rear - 2} 222h14v22h-14z" fill="#c9352c"/>
{wheels}
</svg>
"""


def wheel(x: int, radius: int) -> str:
    y = 302 - radius
    return (
        f'<circle cx="{x}" cy="{y}" r="{radius}" fill="#20242f"/><circle cx="{x}" cy="{y}" r="{radius * 11 // 20}" '
        f'fill="#d9dde8"/><circle cx="{x}" cy="{y}" r="{radius // 6}" fill="#20242f"/>'
    )


def facts(car: Car) -> str:
    return f"{car.seats} seats · {car.drive} · {car.range} km"


def save(car: Car) -> str:
    note = escape(f"{facts(car)}, €{car.price} a day")
    return (
        f'<button class="cars-save" type="button" hidden data-cars-save="favourite" data-id="{car.id}" '
        f'data-title="{car.name}" data-note="{note}" aria-pressed="false">{HEART}'
        f'<span class="cars-word">Keep {car.name}</span></button>'
    )


def card(car: Car, level: str = "h2") -> str:
    return f"""
<article class="cars-card" data-cars-item data-drive="{car.drive}" data-seats="{car.seats}">
  <img src="/art/{car.id}.svg" width="640" height="380" alt="" loading="lazy">
  <div class="cars-card-text">
    <{level} class="cars-name"><a href="/car/{car.id}/">{car.name}</a></{level}>
    <p class="cars-line">{escape(car.line)}</p>
    <p class="cars-facts">{facts(car)}</p>
    <p class="cars-price"><b>€{car.price}</b> <small>a day</small></p>
  </div>
  {save(car)}
</article>"""


def listing(cars: list[Car]) -> str:
    return f"""
<section class="cars-top">
  <h1 class="cars-title" tabindex="-1">Cars for the coast road</h1>
  <p class="cars-lead">Pick up at the quay, leave anywhere with a barrier and a bell.</p>
  <form class="cars-sift" hidden data-cars-sift aria-label="Sift"></form>
</section>
<div class="cars-grid">{"".join(map(card, cars))}</div>
<p class="cars-none" hidden data-cars-none role="status">No car is all of that. Take a wish back.</p>"""


def detail(car: Car) -> str:
    return f"""
<nav class="cars-crumbs" aria-label="Breadcrumb"><a href="/">All cars</a></nav>
<article class="cars-car" data-cars-item>
  <div class="cars-picture"><img src="/art/{car.id}.svg" width="640" height="380" alt="">{save(car)}</div>
  <div>
    <h1 class="cars-title" tabindex="-1"><a href="/car/{car.id}/">{car.name}</a></h1>
    <p class="cars-lead">{escape(car.line)}</p>
    <p>{escape(car.story)}</p>
    <dl class="cars-sheet">
      <div><dt>Seats</dt><dd>{car.seats}</dd></div>
      <div><dt>Drive</dt><dd>{car.drive}</dd></div>
      <div><dt>Range</dt><dd>{car.range} km</dd></div>
      <div><dt>A day</dt><dd>€{car.price}</dd></div>
    </dl>
    <ul class="cars-good">{"".join(f"<li>{escape(each)}</li>" for each in car.good_for)}</ul>
    <div class="cars-hire" data-cars-hire>
      <p>Come to the kiosk at the quay, any day from eight. Keys are on the hook.</p>
    </div>
  </div>
</article>"""


def lost() -> str:
    return """
<div class="cars-lost">
  <svg viewBox="0 0 160 90" aria-hidden="true">
    <path d="M8 78h144" stroke="var(--pt-edge)" stroke-width="4" stroke-dasharray="14 10"/>
    <path d="M66 70 80 14l14 56zM54 70h52v7H54z" fill="var(--cars-accent)"/>
    <path d="M71.5 48h17l3 11h-23z" fill="var(--pt-surface)"/>
  </svg>
  <h1 class="cars-title">Road closed</h1>
  <p>This road ends here. The one to the garage is open.</p>
  <a class="cars-button" href="/">To the garage</a>
</div>"""


def page(title: str, main: str, sheets: list[str]) -> str:
    links = "".join(f'\n  <link rel="stylesheet" href="/{sheet}">' for sheet in sheets)
    return f"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{title} · Drive</title>
  <meta name="color-scheme" content="light dark">
  <link rel="icon" href="/art/icon.svg" type="image/svg+xml">{links}
  <script type="module" src="/app/app.js"></script>
</head>
<body class="cars-body">
  <a class="cars-skip" href="#main">Skip to the content</a>
  <mf-slot name="shell.header">
    <nav class="cars-plain" aria-label="Site"><a href="/">Cars for the coast road</a></nav>
  </mf-slot>
  <main class="cars-page" id="main">{main}
  </main>
  <mf-slot name="shell.footer"></mf-slot>
</body>
</html>
"""


def fragment(cars: list[Car], sheet: str) -> str:
    chosen = "".join(card(car, "h3") for car in cars if car.id in FEATURED)
    return f"""<link rel="stylesheet" href="/{sheet}">
<section class="cars-featured" aria-labelledby="cars-featured-title">
  <div class="cars-featured-head">
    <h2 class="cars-featured-title" id="cars-featured-title">Out of the garage</h2>
    <a class="cars-more" href="/">All cars</a>
  </div>
  <div class="cars-grid">{chosen}</div>
</section>
<script type="module" src="/app/save.js"></script>
"""


def estimate(cars: list[Car], sheets: list[str]) -> str:
    rows = "".join(map(row, (car for car in cars if car.id in FEATURED)))
    return f"""{linked(sheets)}
<section class="cars-estimate" aria-labelledby="cars-estimate-title">
  <h2 class="cars-estimate-title" id="cars-estimate-title">And a car for it?</h2>
  <cars-estimate>
    <table>
      <caption>{DAYS} days, {KM} km of coast road, fuel and all</caption>
      <thead><tr><th scope="col">Car</th><th scope="col">A day</th><th scope="col">Together</th></tr></thead>
      <tbody>{rows}
      </tbody>
    </table>
  </cars-estimate>
</section>
<script type="module" src="/app/estimate.js"></script>
"""


def row(car: Car) -> str:
    fuel = FUEL[car.drive]
    welcomes = ' data-welcomes="dog"' if "Dogs" in car.good_for else ""
    name = f'<th scope="row"><a href="/car/{car.id}/">{car.name}</a></th>'
    sums = f"<td>€{car.price}</td><td>€{car.price * DAYS + fuel * KM // 100}</td>"
    return f"""
        <tr data-price="{car.price}" data-fuel="{fuel}"{welcomes}>{name}{sums}</tr>"""


def trips(cars: list[Car], roads: list[Trip], sheets: list[str]) -> str:
    names = {car.id: car.name for car in cars}
    told = "".join(
        f"""
    <li>
      <img src="/art/{trip.key}.svg" width="480" height="200" alt="" loading="lazy">
      <div>
        <h3>{escape(trip.name)}</h3>
        <p>{trip.km} km. {escape(trip.line)}</p>
        <p><a href="/car/{trip.car}/">Take the {names[trip.car]}</a></p>
      </div>
    </li>"""
        for trip in roads
    )
    return f"""{linked(sheets)}
<section class="cars-trips" aria-labelledby="cars-trips-title">
  <h2 class="cars-trips-title" id="cars-trips-title">Roads for a weekend</h2>
  <ul class="cars-trips-list">{told}
  </ul>
</section>
"""


def road(trip: Trip) -> str:
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 200" preserveAspectRatio="xMidYMid slice">
<style>.a{{fill:#e3e6f3}}.b{{fill:#cfe0ea}}.r{{stroke:#47439f}}.m{{stroke:#fff}}@media (prefers-color-scheme:dark){{\
.a{{fill:#1b2140}}.b{{fill:#17323f}}.r{{stroke:#b9b6ff}}.m{{stroke:#1b2140}}}}</style>
<path class="a" d="M0 0h480v200H0z"/><path class="b" d="M0 0h480v40q-120 40-240 20T0 70z"/>
<g fill="none" stroke-linecap="round"><path class="r" d="{trip.road}" stroke-width="12"/>\
<path class="m" d="{trip.road}" stroke-width="2" stroke-dasharray="10 12"/></g>
</svg>
"""


def linked(sheets: list[str]) -> str:
    return "\n".join(f'<link rel="stylesheet" href="/{sheet}">' for sheet in sheets)


def hashed(name: str, content: str) -> str:
    stem, suffix = name.split(".")
    return f"assets/{stem}.{hashlib.sha256(content.encode()).hexdigest()[:8]}.{suffix}"


def website(source: Path) -> dict[str, str]:
    """Every published file by its key."""
    told = (source / "cars.json").read_text("utf-8")
    cars = [Car(**each) for each in json.loads(told)]
    roads = [Trip(**each) for each in json.loads((source / "trips.json").read_text("utf-8"))]
    written = {sheet.name: sheet.read_text("utf-8") for sheet in sorted(source.glob("*.css"))}
    keys = {name: hashed(name, content) for name, content in written.items()}
    sheets = [keys[name] for name in OWN_SHEETS]
    cards = keys["featured.css"]
    return (
        {keys[name]: content for name, content in written.items()}
        | {f"art/{car.id}.svg": draw(car) for car in cars}
        | {f"art/{trip.key}.svg": road(trip) for trip in roads}
        | {f"car/{car.id}/index.html": page(car.name, detail(car), sheets) for car in cars}
        | {
            "index.html": page("Cars for the coast road", listing(cars), sheets),
            "404.html": page("Not found", lost(), sheets),
            "fragments/featured.html": fragment(cars, cards),
            "fragments/estimate.html": estimate(cars, [cards, keys["estimate.css"]]),
            "fragments/trips.html": trips(cars, roads, [cards, keys["trips.css"]]),
            "data/cars.json": told,
        }
    )


def publish(source: Path, folder: Path) -> None:
    """Sheets of earlier hashes go; everything else is written over."""
    for old in folder.glob("assets/*.css"):
        old.unlink()
    for key, content in website(source).items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_text(content, "utf-8")


if __name__ == "__main__":
    publish(HERE, Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "dist")
