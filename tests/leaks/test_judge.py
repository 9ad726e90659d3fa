"""The judge tells closed, leaked and damaged apart, and is fooled by no look-alike."""

import dataclasses

import pytest

import tests.leaks.judge as judge
from tests.leaks.judge import Cookie, cookie
from tests.leaks.markers import CONTROLS, FIELDS, MARKERS, PAGES, Marker
from tests.leaks.origin import Site, fenced
from tests.leaks.viewer import Fields, Got, Viewer

PUBLIC = "http://shop.test"
BY_ID = {marker.id: marker for marker in MARKERS}


def viewer(marker: Marker, came: str) -> Viewer:
    """Somebody to whom a proxy handed this in the place of what the marker's origin wrote."""
    site = Site("/hotels", PUBLIC)
    site.origin.port = 8000
    page = PAGES.get(marker.page)
    body = fenced(marker.id, came, page) if page else ""
    fields: Fields = [(marker.field, came)] if marker.field else []
    return Viewer(site, {marker.page: Got(200, fields, body.encode(), [])})


@pytest.mark.parametrize(
    ("id", "came", "state"),
    [
        pytest.param("h-double", '<a href="/hotels/m/h-double">', "closed", id="below the prefix"),
        pytest.param("h-double", f'<a href="{PUBLIC}/hotels/m/h-double">', "closed", id="the same, in full"),
        pytest.param("h-double", '<a href="&#47;hotels/m/h-double">', "closed", id="the same, spelled otherwise"),
        pytest.param("h-double", '<a href="/m/h-double">', "leaked", id="left as it was"),
        pytest.param("h-double", '<a href="http://127.0.0.1:8000/m/h-double">', "leaked", id="the origin's address"),
        pytest.param("h-double", '<a href="/hotels/hotels/m/h-double">', "damaged", id="the prefix twice"),
        pytest.param("h-double", '<a href="/pets/m/h-double">', "damaged", id="another mount"),
        pytest.param("h-double", "<a>", "damaged", id="gone"),
        pytest.param("h-ping", '<a ping="/hotels/m/h-ping-1 /m/h-ping-2">', "leaked", id="one of two"),
        pytest.param(
            "h-canonical", "<link href=/hotels/m/h-canonical>", "leaked", id="no public origin where one must be"
        ),
        pytest.param("r-location", "/hotels/m/r-location", "closed", id="a field below the prefix"),
        pytest.param("r-location", "//hotels/m/r-location", "damaged", id="a path that became a host"),
        pytest.param("r-service-worker-allowed", "/hotels/", "closed", id="a scope of the mount"),
        pytest.param("r-service-worker-allowed", "/", "leaked", id="a scope of the whole domain"),
        pytest.param("r-hsts", "max-age=1", "leaked", id="what a team must not say"),
        pytest.param(
            "r-csp-report", "img-src 'self'; report-uri /hotels/m/r-csp-report", "closed", id="a policy mapped"
        ),
        pytest.param("r-csp-report", "report-uri /hotels/m/r-csp-report", "damaged", id="a policy loosened"),
        pytest.param("r-csp-report", "img-src *; report-uri /hotels/m/r-csp-report", "damaged", id="a policy changed"),
        pytest.param("r-cookie-root", "r-cookie-root=1; Path=/; HttpOnly", "leaked", id="a cookie for all"),
        pytest.param("r-cookie-root", "r-cookie-root=1; Path=/hotels", "damaged", id="a cookie that lost an attribute"),
        pytest.param(
            "r-cookie-root", "x=1; Path=/hotels; Domain=b.test; HttpOnly", "leaked", id="a cookie of a domain"
        ),
        pytest.param("r-cookie-host", "__Host-x=1; Secure; Path=/hotels", "damaged", id="a cookie no browser takes"),
    ],
)
def test_verdict(id: str, came: str, state: str) -> None:
    assert judge.judge(viewer(BY_ID[id], came), BY_ID[id]).state == state


def test_a_missing_field_is_damage_unless_it_was_to_go() -> None:
    gone = {each.id: viewer(each, "") for each in FIELDS}
    for each in gone.values():
        each.kept = {path: dataclasses.replace(got, fields=[]) for path, got in each.kept.items()}
    assert judge.judge(gone["r-hsts"], BY_ID["r-hsts"]) == judge.CLOSED
    assert judge.judge(gone["r-location"], BY_ID["r-location"]).state == "damaged"


def test_one_byte_of_a_control_is_damage() -> None:
    control = next(each for each in CONTROLS if each.id == "comment")
    site = Site("/hotels", PUBLIC)
    whole = site.whole(control.page)
    assert judge.changed(Viewer(site, {control.page: Got(200, [], whole, [])}), control) == ""
    edited = whole.replace(b'<!-- <a href="/x"> -->', b'<!-- <a href="/y"> -->')
    assert judge.changed(Viewer(site, {control.page: Got(200, [], edited, [])}), control) != ""


def test_what_a_gateway_brings_is_no_change() -> None:
    site = Site("/hotels", PUBLIC)
    whole = site.whole("/html")
    tag = b'<script src="/-/browser/mount-1.js" data-prefix="/hotels"></script>'
    assert judge.around(whole.replace(b"<head>", b"<head>" + tag), "/html") == judge.around(whole, "/html")
    assert judge.around(whole.replace(b"<head>", b"<head><script></script>"), "/html") != judge.around(whole, "/html")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param("a=1; Path=/x; Secure", Cookie("a", "1", "/x", "", frozenset({"secure"})), id="as it says"),
        pytest.param("a=1", Cookie("a", "1", "/dir", "", frozenset()), id="its default path is the directory"),
        pytest.param("a=1; Path=x", Cookie("a", "1", "/dir", "", frozenset()), id="a relative path is none"),
    ],
)
def test_cookie_as_a_browser_keeps_it(value: str, kept: Cookie) -> None:
    assert cookie(value, "/dir/page") == kept
