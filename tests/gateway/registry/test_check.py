"""What may be wrong with a manifest, a row each, and that all of it is told at once."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.table as table
from gateway.model import Manifest
from gateway.registry.check import MOST, Problem, Surroundings, check, parse, problems

GOOD = """
team: pets
upstreams:
  pets: { origins: ["http://pets.internal:8000"] }
mounts:
  /pets: { upstream: pets, links_to: [/hotels] }
fragments:
  pets.list: { upstream: pets, path: /list, alternative: hotels.deals }
"""


def manifest(text: str) -> Manifest:
    found, wrong = parse(text)
    assert found is not None, wrong
    return found


HOTELS = manifest("""
team: hotels
upstreams: { hotels: { origins: ["http://hotels.internal:8000"] } }
mounts:
  /hotels: { upstream: hotels }
  /rooms: { upstream: hotels, hosts: [hotels.example] }
fragments: { hotels.deals: { upstream: hotels, path: /deals } }
""")
AROUND = Surroundings([HOTELS], own_listeners=[("127.0.0.1", 8081)], trusted=False, team="pets")


def test_a_good_manifest_has_no_problems() -> None:
    finding = check(GOOD, AROUND)
    assert finding.problems == ()
    assert finding.manifest == manifest(GOOD)


def test_as_json_it_is_the_same() -> None:
    text = manifest(GOOD).model_dump_json(exclude_unset=True)
    assert check(text, AROUND) == check(GOOD, AROUND)


ROWS = [
    ("an unknown key, nearly known", ("upstream: pets, links", "upstraem: pets, links"), "unknown-key",
     "mounts./pets.upstraem", 6, "Did you mean 'upstream'?"),
    ("an unknown key at the top", ("fragments:", "fragment:"), "unknown-key", "fragment", 7, "'fragments'"),
    ("an unknown key deep down", ("path: /list", "path: /list, cache: { tll: 3 }"), "unknown-key",
     "fragments.pets.list.cache.tll", 8, "Did you mean 'ttl'?"),
    ("a key that is like none", ("path: /list", "path: /list, x: 3"), "unknown-key", "fragments.pets.list.x", 8,
     "Keys here are alternative, cache,"),
    ("a key missing", ("path: /list, ", ""), "missing", "fragments.pets.list.path", 8, "Add `path: …`."),
    ("no team", ("team: pets", "# "), "missing", "team", 3, "Add `team: …`."),
    ("a choice that is none", ("path: /list", "path: /list, isolation: shadw"), "choice",
     "fragments.pets.list.isolation", 8, "Did you mean 'shadow'?"),
    ("a duration that is none", ("path: /list", "path: /list, timeout: soon"), "value",
     "fragments.pets.list.timeout", 8, "400ms, 2s, 5m, 1h or 1d."),
    ("a prefix that is none", ("/pets: {", "/pets/: {"), "name", "mounts./pets/", 6, "without a slash at the end"),
    ("the gateway's own prefix", ("/pets: {", "/-/pets: {"), "name", "mounts./-/pets", 6, "kept for the gateway"),
    ("a list that is none", ("[/hotels]", "/hotels"), "type", "mounts./pets.links_to", 6, "also for one"),
    ("a mapping that is none", ("{ upstream: pets, links_to: [/hotels] }", "pets"), "type", "mounts./pets", 6,
     "`key: value`"),
    ("an upstream nobody declares", ("upstream: pets, links", "upstream: pet, links"), "upstream",
     "mounts./pets.upstream", 6, "Did you mean 'pets'?"),
    ("an upstream of another team", ("upstream: pets, path", "upstream: hotels, path"), "upstream",
     "fragments.pets.list.upstream", 8, "Upstreams of this team are pets."),
    ("an upstream without origins", ('origins: ["http://pets.internal:8000"]', "health: /"), "origins",
     "upstreams.pets", 4, "Write `origins:"),
    ("a prefix of another team", ("/pets: {", "/hotels: {"), "owned", "mounts./hotels", 6, "Choose another prefix"),
    ("a prefix inside another team's", ("/pets: {", "/hotels/pets: {"), "owned", "mounts./hotels/pets", 6, "outside"),
    ("a prefix that shares a host", ("/pets: {", "/rooms: { hosts: [a.example, Hotels.Example],"), "owned",
     "mounts./rooms", 6, "or other hosts"),
    ("a fragment of another team", ("pets.list:", "hotels.deals:"), "owned", "fragments.hotels.deals", 8, "another"),
    ("another team's manifest", ("team: pets", "team: cars"), "team", "team", 2, "the same name in both places"),
    ("an origin in the metadata network", ("pets.internal:8000", "169.254.169.254"), "origin",
     "upstreams.pets.origins.0", 4, "own name or address"),
    ("the gateway as an origin", ("pets.internal:8000", "localhost:8081"), "origin", "upstreams.pets.origins.0", 4,
     "own server"),
    ("a port that is none", ("internal:8000", "internal:99999"), "origin", "upstreams.pets.origins.0", 4, "1 to 65535"),
    ("a folder from a stranger", ("http://pets.internal:8000", "file:/etc"), "origin", "upstreams.pets.origins.0", 4,
     "by HTTP"),
    ("an origin that is none", ("http://pets", "ftp://pets"), "value", "upstreams.pets.origins.0", 4, "scheme, host"),
    ("its own alternative", ("alternative: hotels.deals", "alternative: pets.list"), "alternative",
     "fragments.pets.list.alternative", 8, "another fragment"),
    ("a key twice", ("team: pets", "team: pets\nteam: pets"), "duplicate", "team", 3, "line 2 already"),
    ("a cookie of the site", ("links_to: [/hotels]", "cookies: [session]"), "cookies", "mounts./pets.cookies.0", 6,
     "`site_cookies`"),
    ("one in a fragment's request", ("path: /list", "path: /list, forward: { cookies: [session] }"), "cookies",
     "fragments.pets.list.forward.cookies.0", 8, "`site_cookies`"),
    ("a cookie that is marked", ("links_to: [/hotels]", "cookies: [Mf.12345678.s]"), "cookies",
     "mounts./pets.cookies.0", 6, "the application gave"),
    ("not YAML", ("links_to: [/hotels] }", "links_to: [/hotels }"), "syntax", "", 6, "brackets"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code", "path", "line", "hint"), [pytest.param(*row[1:], id=row[0]) for row in ROWS]
)
def test_a_problem_says_where_and_what_to_do(
    change: tuple[str, str], code: str, path: str, line: int, hint: str
) -> None:
    assert change[0] in GOOD
    finding = check(GOOD.replace(*change), AROUND)
    told = [problem for problem in finding.errors if (problem.code, problem.path, problem.line) == (code, path, line)]
    assert len(told) == 1, finding.problems
    assert hint in told[0].hint
    assert told[0].message
    assert told[0].column


@pytest.mark.parametrize(
    ("change", "code", "hint"),
    [
        pytest.param(("[/hotels]", "[/hotel]"), "links-to", "Did you mean '/hotels'?", id="a link to nowhere"),
        pytest.param(("hotels.deals", "hotels.dealz"), "alternative", "'hotels.deals'?", id="an alternative not there"),
        pytest.param(("pets.list", "hotels.pets"), "name", "its own team", id="a fragment named after another team"),
    ],
)
def test_a_warning_does_not_refuse(change: tuple[str, str], code: str, hint: str) -> None:
    finding = check(GOOD.replace(*change), AROUND)
    assert finding.errors == ()
    assert [(problem.code, hint in problem.hint) for problem in finding.problems] == [(code, True)]


def test_everything_is_told_at_once_from_top_to_bottom() -> None:
    text = GOOD
    for change in ROWS[0][1], ROWS[4][1], ROWS[11][1], ROWS[20][1]:
        text = text.replace(*change)
    lines = [problem.line for problem in check(text, AROUND).errors]
    assert lines == sorted(lines)  # type: ignore[type-var]
    assert {4, 6, 8} <= set(lines)


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        pytest.param(("http://pets.internal:8000", "file:./dist"), True, id="a folder"),
        pytest.param(("/pets: {", "/hotels/pets: {"), True, id="a prefix inside another team's"),
        pytest.param(("/pets: {", "/hotels: {"), False, id="but not another team's prefix"),
    ],
)
def test_the_operators_files_may_do_more(change: tuple[str, str], allowed: bool) -> None:
    assert (check(GOOD.replace(*change), Surroundings([HOTELS])).errors == ()) is allowed


@pytest.mark.parametrize(
    "around",
    [
        pytest.param(replace(AROUND, site_cookies=("consent",)), id="named by the operator"),
        pytest.param(replace(AROUND, trusted=True), id="in a file of the operator's"),
    ],
)
def test_a_cookie_that_all_may_be_shown(around: Surroundings) -> None:
    assert check(GOOD.replace("links_to: [/hotels]", "cookies: [consent]"), around).errors == ()


def test_cookies_at_the_root_are_the_roots_own() -> None:
    at_root = GOOD.replace("/pets: {", "/: {").replace("path: /list", "path: /list, forward: { cookies: [session] }")
    assert check(at_root, AROUND).errors == ()


def test_two_applications_never_share_a_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "tag", lambda team, upstream: "00000000")
    (found,) = check(GOOD, AROUND).errors
    assert (found.code, found.path) == ("owned", "upstreams.pets")
    assert "team 'hotels'" in found.message


def test_one_prefix_may_be_two_teams_on_different_hosts() -> None:
    assert check(GOOD.replace("/pets: {", "/rooms: { hosts: [pets.example],"), AROUND).errors == ()


def test_a_team_does_not_conflict_with_itself() -> None:
    assert check(GOOD, Surroundings([HOTELS, manifest(GOOD)])).problems == ()


def test_a_manifest_without_text_is_checked_without_lines() -> None:
    (problem,) = problems(manifest(GOOD.replace("/pets:", "/hotels:")), AROUND)
    assert (problem.code, problem.line, problem.path) == ("owned", None, "mounts./hotels")
    assert problems(manifest(GOOD), AROUND) == []


def test_a_hostile_text_is_not_answered_with_a_hundred_thousand_problems() -> None:
    found = check("team: pets\nmounts:\n" + "".join(f"  x{number}: {{}}\n" for number in range(300)), AROUND)
    assert len(found.problems) == MOST + 1
    assert found.problems[-1].message == "And 400 problems more."


def test_a_problem_reads_as_a_sentence_and_as_json() -> None:
    problem = Problem("mounts./a", "Mount '/a' is taken.", "Choose another.", 3, 5, "owned")
    assert str(problem) == "3:5: mounts./a: Mount '/a' is taken. Choose another."
    assert json.loads(json.dumps(problem.as_json()))["line"] == 3


@given(st.text())
def test_any_text_gives_a_manifest_or_problems(text: str) -> None:
    found, wrong = parse(text)
    assert (found is None) == bool(wrong)


KEYS = st.sampled_from(
    ["team", "upstreams", "mounts", "fragments", "upstream", "origins", "releases", "path", "/a", "a"]
)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | KEYS
SHAPES = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5))


@given(st.dictionaries(KEYS, SHAPES))
def test_any_shape_gives_a_manifest_or_problems(tree: dict[str, object]) -> None:
    finding = check(json.dumps(tree), AROUND)
    assert finding.errors or finding.manifest is not None
    assert all(problem.message for problem in finding.problems)
