"""Scripts as they are served: small, at a path that changes with them, and loaded by an element that harms no page."""

import gzip
import hashlib
import json
import re

import pytest

import requirements.minifier.small as minifier
from fragments.scan import Kind, attributes, tokens, unescape
from fragments.urls import Place
from gateway.browser.scripts import MOUNT, Script, import_map, tag
from tests.house.tree import ROOT

BROWSER = ROOT / "gateway" / "browser"
PLACE = Place("/hotels", links_to=("/pets", "/a/b"), tag="1a2b3c4d")


def read(element: bytes) -> dict[str, str]:
    """The attributes as a browser reads them."""
    (start,) = [token for token in tokens(element) if token.kind is Kind.START]
    found = attributes(element, start)
    return {each.name.decode(): unescape(each.value or b"") for each in found}


def test_runtime_is_at_most_three_kilobytes() -> None:
    assert len(gzip.compress(MOUNT.body, 6)) <= 3 * 1024


def test_small_script_was_made_of_the_readable_one() -> None:
    first = (BROWSER / "mount.min.js").read_text().splitlines()[0]
    assert first + "\n" == minifier.head((BROWSER / "mount.js").read_bytes()), "mount.js has changed: run ./dev small"
    assert first.encode() not in MOUNT.body


def test_path_holds_the_digest_of_the_body() -> None:
    digest = hashlib.sha256(MOUNT.body).hexdigest()[:16]
    assert MOUNT.path == f"/-/browser/mount-{digest}.js".encode()
    assert Script("mount", b"another").path != MOUNT.path


def test_tag_tells_the_place() -> None:
    assert read(tag(PLACE, "auto", b"abc=", (b"theme", b"lang"))) == {
        "src": MOUNT.path.decode(),
        "data-prefix": "/hotels",
        "data-stays": "/hotels /-/browser /-/fragment /-/u /pets /a/b",
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
