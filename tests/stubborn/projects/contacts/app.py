"""Flask answers with HTML; htmx, as a package ships it, asks for it. Nothing here knows of a prefix or of a proxy."""

import json
import os
from importlib.util import find_spec
from pathlib import Path

from flask import Flask, abort, make_response, redirect, render_template, request, send_from_directory, url_for

app = Flask(__name__)
HTMX = Path(find_spec("django_htmx").origin).parent / "static" / "django_htmx"
SCRIPT = os.environ["CONTACTS_HTMX"]
NAMES = [
    "Ada Lovelace",
    "Alan Turing",
    "Barbara Liskov",
    "Donald Knuth",
    "Edsger Dijkstra",
    "Grace Hopper",
    "John McCarthy",
]
NAMES += ["Ken Thompson", "Margaret Hamilton", "Radia Perlman", "Robin Milner", "Tony Hoare"]
people = dict(enumerate(NAMES, 1))
PAGE = 4


def part():
    """Whether htmx asks, and wants a piece of a page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def found(words, start=0):
    matching = [(number, name) for number, name in people.items() if words.lower() in name.lower()]
    return matching[start : start + PAGE], start + PAGE if len(matching) > start + PAGE else None


@app.context_processor
def everywhere():
    return {"script": url_for("htmx", name=SCRIPT)}


@app.get("/htmx/<path:name>")
def htmx(name):
    return send_from_directory(HTMX, name)


@app.get("/")
def home():
    rows, more = found(request.args.get("q", ""), int(request.args.get("start", 0)))
    page = "rows.html" if part() else "home.html"
    return render_template(page, rows=rows, more=more, q=request.args.get("q", ""))


@app.get("/people/<int:number>")
def person(number):
    if number not in people:
        abort(404)
    return render_template("person.html", number=number, name=people[number])


@app.get("/people/<int:number>/edit")
def edit(number):
    return render_template("edit.html", number=number, name=people[number])


@app.put("/people/<int:number>")
def rename(number):
    people[number] = request.form["name"]
    answer = make_response(render_template("name.html", number=number, name=people[number]))
    answer.headers["HX-Trigger"] = json.dumps({"renamed": people[number]})
    return answer


@app.delete("/people/<int:number>")
def forget(number):
    people.pop(number)
    return "", {"HX-Redirect": url_for("home")}


@app.post("/people/")
def meet():
    """The new one's page is put in place by htmx, with its address."""
    number = max(people) + 1
    people[number] = request.form["name"]
    return "", {"HX-Location": json.dumps({"path": url_for("person", number=number), "target": "body"})}


@app.post("/people/first")
def first():
    """htmx follows it inside of its request, and pushes where it led."""
    return redirect(url_for("person", number=min(people)), code=303)


@app.get("/pushed")
def pushed():
    return "<p>This was pushed.</p>", {"HX-Push-Url": url_for("person", number=2)}


@app.get("/counted")
def counted():
    return f"{len(people)} people"
