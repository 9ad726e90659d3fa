"""Scripts as they are served: small, at a path that changes with them, and loaded by an element that harms no page."""

import gzip
import hashlib
import json
import re

import pytest

import fragments.head as head
import fragments.nonces as nonces
import requirements.minifier.small as minifier
from fragments.head import HeadItem
from fragments.scan import Kind, attributes, tokens, unescape
from fragments.urls import Place
from gateway.browser.scripts import MOUNT, OWN, PREFETCH, SLOTS, SOFT, TRANSITIONS, Script, import_map, slots_tag, tag
from tests.house.tree import ROOT

BROWSER = ROOT / "gateway" / "browser"
PLACE = Place("/hotels", links_to=("/pets", "/a/b"), tag="1a2b3c4d")


def read(element: bytes) -> dict[str, str]:
    """The attributes as a browser reads them."""
    (start,) = [token for token in tokens(element) if token.kind is Kind.START]
    found = attributes(element, start)
    return {each.name.decode(): unescape(each.value or b"") for each in found}


@pytest.mark.parametrize(
    ("script", "most"), [(MOUNT, 3072), (SLOTS, 2900), (SOFT, 1200)], ids=lambda each: getattr(each, "name", "")
)
def test_scripts_stay_small(script: Script, most: int) -> None:
    assert len(gzip.compress(script.body, 6)) <= most


@pytest.mark.parametrize("script", [MOUNT, SLOTS, SOFT], ids=lambda script: script.name)
def test_small_script_was_made_of_the_readable_one(script: Script) -> None:
    name = script.name
    first = (BROWSER / f"{name}.min.js").read_text().splitlines()[0]
    assert first + "\n" == minifier.head((BROWSER / f"{name}.js").read_bytes()), f"{name}.js has changed: ./dev small"
    assert first.encode() not in script.body


def test_everything_of_ours_is_served_as_what_it_is() -> None:
    kinds = {path.rpartition(b".")[2]: kind for path, (kind, _) in OWN.items()}
    assert kinds == {
        b"js": b"text/javascript; charset=utf-8",
        b"css": b"text/css; charset=utf-8",
        b"json": b"application/speculationrules+json",
    }
    assert all(OWN[each.path] == (each.kind, each.body) for each in (MOUNT, SLOTS, SOFT, TRANSITIONS))


@pytest.mark.parametrize("eagerness", ["conservative", "moderate", "eager"])
def test_links_that_must_not_be_followed_are_not_fetched_ahead(eagerness: str) -> None:
    (rule,) = json.loads(PREFETCH[eagerness].body)["prefetch"]
    assert (rule["source"], rule["eagerness"]) == ("document", eagerness)
    allowed, *never = rule["where"]["and"]
    assert allowed == {"href_matches": "/*"}
    assert {"not": {"href_matches": "/-/*"}} in never
    assert OWN[PREFETCH[eagerness].path][1] == PREFETCH[eagerness].body


@pytest.mark.parametrize("soft", [False, True], ids=["ordinary", "soft"])
def test_tag_of_the_slots_runtime(soft: bool) -> None:
    expected = {"type": "module", "async": "", "data-mf-runtime": "", "src": SLOTS.path.decode(), "data-shell": "ab12"}
    assert read(slots_tag("ab12", soft)) == expected | ({"data-soft": SOFT.path.decode()} if soft else {})


def test_slots_runtime_stands_in_a_head_once() -> None:
    items = []
    for shell, soft in (("", False), ("ab12", True)):
        known = head.identify("script", read(slots_tag(shell, soft)))
        assert known is not None
        items.append(HeadItem(*known, slots_tag(shell, soft)))
    assert items[0].kind == "module"
    assert len(head.gather(items, set())) == 1


def test_nonce_of_an_answer_is_put_on_the_slots_runtime() -> None:
    assert read(nonces.on(slots_tag("ab12", True), b"abc="))["nonce"] == "abc="


def test_path_holds_the_digest_of_the_body() -> None:
    digest = hashlib.sha256(MOUNT.body).hexdigest()[:16]
    assert MOUNT.path == f"/-/browser/mount-{digest}.js".encode()
    assert Script("mount", b"another").path != MOUNT.path


def test_tag_tells_the_place() -> None:
    assert read(tag(PLACE, "auto", b"abc=", (b"theme", b"lang"))) == {
        "src": MOUNT.path.decode(),
        "data-prefix": "/hotels",
        "data-stays": "/hotels /-/browser /-/fragment /-/slots /-/u /pets /a/b",
        "data-tag": "1a2b3c4d",
        "data-cookies": "lang= theme=",
        "data-router": "auto",
        "nonce": "abc=",
    }


def test_tag_without_a_nonce_has_none() -> None:
    assert b"nonce" not in tag(PLACE, "none", None)


@pytest.mark.parametrize(
    "value", ['/a"b', "/a'b", "/a<script>", "/a&quot;b"], ids=["quote", "apostrophe", "tag", "entity"]
)
def test_no_value_leaves_its_attribute(value: str) -> None:
    written = tag(Place(value, links_to=(value,)), value, value.encode(), (value.encode(),))
    assert re.fullmatch(rb'<script( [a-z-]+="[^"<>]*")+></script>', written)


def test_import_map_leaves_what_is_below_already_and_other_mounts() -> None:
    written = import_map(PLACE, b"abc")
    found = re.fullmatch(rb'<script type="importmap" nonce="abc">(.*)</script>', written)
    assert found
    assert json.loads(found[1]) == {
        "imports": {"/": "/hotels/", "/hotels/": "/hotels/", "/pets/": "/pets/", "/a/b/": "/a/b/"}
    }
