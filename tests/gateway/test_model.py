"""What a manifest may say, and what it is told when it may not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import gateway.model as model
from gateway.model import CachePolicy, Manifest

WHOLE = {
    "team": "hotels",
    "upstreams": {"hotels": {"origins": ["http://hotels.internal:8000"], "health": "/healthz", "timeout": "2s"}},
    "mounts": {"/hotels": {"upstream": "hotels", "composes": True, "links_to": ["/pets"]}},
    "fragments": {
        "hotels.deals": {
            "upstream": "hotels",
            "path": "/fragments/deals",
            "timeout": "500ms",
            "cache": {"ttl": "30s", "stale_while_revalidate": "5m", "stale_if_error": "1d", "tags": ["hotels"]},
            "isolation": "none",
        }
    },
}


def test_the_manifest_of_the_design_is_read() -> None:
    manifest = Manifest.model_validate(WHOLE)
    deals = manifest.fragments["hotels.deals"]
    assert manifest.upstreams["hotels"].timeout == 2.0
    assert manifest.mounts["/hotels"].links_to == ["/pets"]
    assert deals.timeout == 0.5
    assert deals.cache is not None
    assert (deals.cache.ttl, deals.cache.stale_while_revalidate, deals.cache.stale_if_error) == (30.0, 300.0, 86400.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("400ms", 0.4, id="milliseconds"),
        pytest.param("2s", 2.0, id="seconds"),
        pytest.param("1.5s", 1.5, id="a fraction"),
        pytest.param("5m", 300.0, id="minutes"),
        pytest.param("1h", 3600.0, id="hours"),
        pytest.param("1d", 86400.0, id="days"),
        pytest.param(" 2s ", 2.0, id="white space around it"),
        pytest.param(3, 3.0, id="a number is seconds"),
    ],
)
def test_seconds(text: object, seconds: float) -> None:
    assert model.seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "2", "s", "2 s", "-1s", "1w", "1s2s", True, None, [], "1e3s", "\u0662s"])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="a duration is a number with a unit"):
        model.seconds(text)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        pytest.param("http://a.internal:8000", "http://a.internal:8000", id="host and port"),
        pytest.param("https://a.internal/", "https://a.internal", id="a slash at the end is dropped"),
        pytest.param("http://[::1]:80", "http://[::1]:80", id="IPv6"),
        pytest.param("file:./dist", "file:./dist", id="a folder"),
    ],
)
def test_origin(text: str, origin: str) -> None:
    assert model.origin(text) == origin


@pytest.mark.parametrize(
    "text", ["a.internal", "ftp://a", "http://", "http://a/path", "http://u:p@a", "http://a?q", "file:", "http://a b"]
)
def test_what_is_no_origin(text: str) -> None:
    with pytest.raises(ValueError, match="an origin is scheme, host and port"):
        model.origin(text)


@pytest.mark.parametrize("text", ["/", "/hotels", "/a/b", "/a.b-c_d~e", "/-x", "/.well-known"])
def test_prefix(text: str) -> None:
    assert model.prefix(text) == text


@pytest.mark.parametrize(
    "text", ["", "hotels", "/hotels/", "//", "/a//b", "/a b", "/%41", "/..", "/a/./b", "/-", "/-/x"]
)
def test_what_is_no_prefix(text: str) -> None:
    with pytest.raises(ValueError, match=r"a mount is / or a path|kept for the gateway"):
        model.prefix(text)


@pytest.mark.parametrize("text", ["x", "/a b", "/a#b", "/a\\b", "/é", "/a\n"])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="a path starts with /"):
        model.path(text)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        pytest.param({"team": "Hotels!"}, ("team",), id="a team's name is plain"),
        pytest.param({"color": "red"}, ("color",), id="an unknown key"),
        pytest.param({"upstreams": {"hotels": {}}}, ("upstreams", "hotels"), id="an upstream without origins"),
        pytest.param(
            {"upstreams": {"h": {"origins": ["http://a"], "releases": {"r": {"origins": ["http://b"]}}}}},
            ("upstreams", "h"),
            id="origins and releases at once",
        ),
        pytest.param({"mounts": {"/h/": {"upstream": "hotels"}}}, ("mounts", "/h/", "[key]"), id="a mount's slash"),
        pytest.param(
            {"fragments": {"a": {"upstream": "hotels", "path": "x"}}},
            ("fragments", "a", "path"),
            id="a fragment's path",
        ),
        pytest.param(
            {"fragments": {"a": {"upstream": "hotels", "path": "/x", "forward": {"headers": ["x y"]}}}},
            ("fragments", "a", "forward", "headers", 0),
            id="a forwarded field's name",
        ),
        pytest.param(
            {"fragments": {"a": {"upstream": "hotels", "path": "/x", "timeout": "400 days"}}},
            ("fragments", "a", "timeout"),
            id="a duration",
        ),
        pytest.param(
            {"mounts": {"/h": {"upstream": "hotels", "cache": {"tags": ["a b"]}}}},
            ("mounts", "/h", "cache", "tags", 0),
            id="a tag with a space",
        ),
        pytest.param(
            {"mounts": {"/h": {"upstream": "hotels", "cookies": ["a;b"]}}},
            ("mounts", "/h", "cookies", 0),
            id="a cookie's name",
        ),
        pytest.param(
            {"mounts": {"/h": {"upstream": "hotels", "rewrite": {"json_pointers": ["/a/*/b~1c", "links"]}}}},
            ("mounts", "/h", "rewrite", "json_pointers", 1),
            id="a JSON pointer",
        ),
    ],
)
def test_problem_is_told_where_it_is(change: dict[str, object], where: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as told:
        Manifest.model_validate({**WHOLE, **change})
    assert where in [problem["loc"] for problem in told.value.errors()]


@pytest.mark.parametrize(("said", "meant"), [(True, "on"), (False, "off"), ("on", "on"), ("off", "off")])
def test_runtime_is_a_word_in_any_yaml(said: object, meant: str) -> None:
    assert model.Mount.model_validate({"upstream": "h", "runtime": said}).runtime == meant


def test_a_manifest_does_not_change() -> None:
    with pytest.raises(ValidationError):
        Manifest(team="hotels").team = "pets"


@given(st.text(max_size=30))
def test_a_prefix_is_bounded_by_segments(text: str) -> None:
    try:
        prefix = model.prefix(text)
    except ValueError:
        return
    assert prefix == "/" or (prefix.startswith("/") and not prefix.endswith("/") and "//" not in prefix)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.5, "500 ms"),
        (0.0, "0 ms"),
        (1.0, "1 s"),
        (1.5, "1.5 s"),
        (90.0, "1.5 min"),
        (100.0, "100 s"),
        (3600.0, "1 h"),
        (86400.0, "1 d"),
    ],
)
def test_a_duration_is_spoken(seconds: float, expected: str) -> None:
    assert model.spoken(seconds) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(None, "as its origin says", id="no policy"),
        pytest.param(CachePolicy(ttl=30.0), "30 s", id="fresh only"),
        pytest.param(CachePolicy(ttl=30.0, stale_if_error=60.0), "30 s, 1 min more on errors", id="stale on errors"),
    ],
)
def test_how_long_a_fragment_is_kept(policy: CachePolicy | None, expected: str) -> None:
    assert model.kept(policy) == expected


DURATIONS_IN_SCHEMA = {
    "a fragment's timeout": Manifest.model_json_schema()["$defs"]["Fragment"]["properties"]["timeout"],
    "a mount's deadline": Manifest.model_json_schema()["$defs"]["Mount"]["properties"]["deadline"],
    "a lifetime": Manifest.model_json_schema()["$defs"]["CachePolicy"]["properties"]["ttl"],
}


@pytest.mark.parametrize("where", DURATIONS_IN_SCHEMA)
@pytest.mark.parametrize(
    ("value", "fits"),
    [
        pytest.param("500ms", True, id="as it is written"),
        pytest.param("1.5s", True, id="a fraction"),
        pytest.param(2, True, id="a number of seconds"),
        pytest.param(-1, False, id="less than nothing"),
        pytest.param("500", False, id="no unit"),
        pytest.param("500ms or so", False, id="more than a duration"),
    ],
)
def test_editors_are_told_what_a_duration_is(where: str, value: str | float, fits: bool) -> None:
    choices = {choice["type"]: choice for choice in DURATIONS_IN_SCHEMA[where]["anyOf"]}
    if isinstance(value, str):
        assert bool(re.search(choices["string"]["pattern"], value)) is fits
    else:
        assert (choices["number"]["minimum"] <= value <= choices["number"]["maximum"]) is fits
