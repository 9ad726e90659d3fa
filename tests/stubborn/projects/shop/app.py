"""One file, as Flask's own tutorial begins. Nothing here knows of a prefix or of a proxy."""

import functools

from flask import Flask, abort, flash, jsonify, redirect, render_template, request, session, url_for

app = Flask(__name__)
app.secret_key = "written down, since nobody else can reach it"
GOODS = {"tea": 4, "bread": 3, "honey": 9, "salt": 1}


def members_only(view):
    @functools.wraps(view)
    def guarded(**words):
        if "name" not in session:
            return redirect(url_for("login", next=request.full_path.rstrip("?")))
        return view(**words)

    return guarded


@app.context_processor
def everywhere():
    return {"name": session.get("name"), "count": sum(session.get("basket", {}).values())}


@app.get("/")
def home():
    return render_template("home.html", goods=GOODS)


@app.get("/goods/<good>")
def good(good):
    if good not in GOODS:
        abort(404)
    return render_template("good.html", good=good, price=GOODS[good], link=url_for("good", good=good, _external=True))


@app.post("/basket/<good>")
def add(good):
    basket = session.get("basket", {})
    session["basket"] = {**basket, good: basket.get(good, 0) + 1}
    flash(f"One {good} more.")
    return redirect(request.referrer or url_for("home"))


@app.get("/basket/")
def basket():
    chosen = session.get("basket", {})
    return render_template("basket.html", chosen=chosen, price=sum(GOODS[good] * n for good, n in chosen.items()))


@app.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "POST":
        session["name"] = request.form["name"]
        flash(f"Hello, {session['name']}.")
        return redirect(request.form.get("next") or url_for("home"))
    return render_template("login.html", next=request.args.get("next", ""))


@app.post("/logout")
def logout():
    session.clear()
    return redirect(url_for("home", _external=True))


@app.get("/orders/")
@members_only
def orders():
    return render_template("orders.html", orders=session.get("orders", []))


@app.post("/orders/")
@members_only
def order():
    """303 with a scheme and host, then on by a relative one."""
    session["orders"] = [*session.get("orders", []), session.pop("basket", {})]
    return redirect(url_for("thanks", _external=True), code=303)


@app.get("/orders/thanks")
def thanks():
    return redirect("./")


@app.get("/old/<path:rest>")
def old(rest):
    return redirect(f"/{rest}", code=301)


@app.post("/pictures")
def picture():
    return render_template("picture.html", size=len(request.files["picture"].read()))


@app.get("/api/prices")
def prices():
    return jsonify(prices=GOODS, next=url_for("prices", page=2))


@app.get("/soon")
def soon():
    return render_template("soon.html"), {"Refresh": f"0; url={url_for('home')}"}
