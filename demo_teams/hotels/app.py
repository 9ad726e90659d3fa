"""The hotels team: server-rendered pages, a search, a booking form with a session. It lives at "/" and knows no more.

Run it with `python app.py`; HOST and PORT say where it listens.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import art
import prices
import stays
import uvicorn
from bookings import Booking, Ledger, judge
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException

HERE = Path(__file__).parent
SESSION = "hotels_session"
SHARED = "public, max-age=0, s-maxage=30, stale-while-revalidate=300, stale-if-error=86400"
FRESH = "no-cache"
PRIVATE = "private, no-store"
BRIEF = "public, max-age=0, s-maxage=20, stale-if-error=86400"
PONDERED = 1.2  # seconds: the harbour master is never asked in vain, and never in a hurry

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
templates = Jinja2Templates(directory=HERE / "templates")
ledger = Ledger()
delay = {"seconds": 0.0}

page = partial(app.api_route, methods=["GET", "HEAD"], response_model=None)


def today() -> date:
    return datetime.now(UTC).date()


def render(request: Request, name: str, cached: str = FRESH, status: int = 200, **words: object) -> Response:
    words |= {"cities": stays.CITIES, "booked": bool(ledger.of(request.cookies.get(SESSION)))}
    return templates.TemplateResponse(request, name, words, status_code=status, headers={"Cache-Control": cached})


@app.middleware("http")
async def dawdle(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    await asyncio.sleep(delay["seconds"])
    return await call_next(request)


@page("/")
async def home(request: Request) -> Response:
    return render(request, "list.html", found=stays.STAYS, city="", guests=0)


@page("/search")
async def search(request: Request, city: str = "", guests: str = "") -> Response:
    heads = int(guests) if guests.isascii() and guests.isdigit() and len(guests) < 4 else 0
    return render(request, "list.html", found=stays.search(city, heads), city=city[:60], guests=heads, searched=True)


@page("/stay/{id:int}")
async def stay(request: Request, id: int) -> Response:
    found = stays.of(id)
    if found is None:
        raise HTTPException(404)
    return detail(request, found)


def detail(request: Request, found: stays.Stay, form: dict[str, str] | None = None, **words: object) -> Response:
    first = today() + timedelta(days=14)
    filled = {"arrival": first.isoformat(), "nights": "2", "guests": str(min(2, found.beds)), "name": ""} | (form or {})
    return render(request, "stay.html", stay=found, form=filled, today=today().isoformat(), **({"wrong": {}} | words))  # type: ignore[arg-type]


@app.post("/book", response_model=None)
async def book(request: Request) -> Response:
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    number = form.get("stay", "")
    found = stays.of(int(number)) if number.isascii() and number.isdigit() and len(number) < 6 else None
    if found is None:
        raise HTTPException(404)
    judged = judge(found, form, today())
    if not isinstance(judged, Booking):
        return detail(request, found, form, wrong=judged, status=422)
    session = request.cookies.get(SESSION, "")
    if session not in ledger.sessions:
        session = ledger.open()
    ledger.add(session, judged)
    answer = RedirectResponse(f"/bookings/{judged.id}", 303)
    answer.set_cookie(SESSION, session, path="/", httponly=True, samesite="lax")
    return answer


@page("/bookings")
async def bookings(request: Request) -> Response:
    return render(request, "bookings.html", PRIVATE, mine=list(ledger.of(request.cookies.get(SESSION)).values()))


@page("/bookings/{id}")
async def booking(request: Request, id: str) -> Response:
    """Only who made it sees it; for everyone else it is not there."""
    found = ledger.of(request.cookies.get(SESSION)).get(id)
    if found is None:
        raise HTTPException(404)
    return render(request, "booking.html", PRIVATE, booking=found)


@page("/fragments/deals")
async def deals(request: Request, city: str = "") -> Response:
    return render(request, "fragment_deals.html", SHARED, deals=stays.deals(city))


@page("/price")
async def price(request: Request, stay: str = "", nights: str = "", guests: str = "") -> Response:
    return render(request, "price.html", price=prices.wished(stay, nights, guests), stays=stays.STAYS)


@page("/fragments/price")
async def calculator(request: Request, stay: str = "", nights: str = "", guests: str = "") -> Response:
    wish = prices.wished(stay, nights, guests)
    return render(request, "fragment_price.html", SHARED, price=wish, stays=stays.STAYS, told=prices.told(wish))


@page("/fragments/advice")
async def advice(request: Request) -> Response:
    """Slow on purpose: what a page looks like while one of its parts is still thought about."""
    await asyncio.sleep(PONDERED)
    return render(request, "fragment_advice.html", BRIEF, advised=stays.advised(today()), wind=stays.wind(today()))


@page("/fragments/voices")
async def voices(request: Request) -> Response:
    return render(request, "fragment_voices.html", SHARED, words=stays.VOICES)


@page("/art/{id:int}.svg")
async def picture_by_day(id: int) -> Response:
    return picture(id, night=False)


@page("/art/{id:int}-night.svg")
async def picture_by_night(id: int) -> Response:
    return picture(id, night=True)


def picture(id: int, night: bool) -> Response:
    found = stays.of(id)
    if found is None:
        raise HTTPException(404)
    long = {"Cache-Control": "public, max-age=86400"}
    return Response(art.draw(found, night), media_type="image/svg+xml", headers=long)


@page("/healthz")
async def healthz() -> Response:
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})


@app.exception_handler(404)
async def lost(request: Request, error: Exception) -> Response:
    return render(request, "lost.html", status=404)


if os.environ.get("DEMO_CONTROL") == "1":

    @app.post("/__demo/slow")
    async def slow(seconds: float = 0.0) -> Response:
        delay["seconds"] = min(30.0, max(0.0, seconds))
        return PlainTextResponse(f"{delay['seconds']:g}\n")


if __name__ == "__main__":
    uvicorn.run(
        app,
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT", "8000")),
        server_header=False,
        proxy_headers=False,
        log_level="info",
    )
