"""Manifests compiled: who owns a path, and what everything is once it is worked out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.table as tables
from gateway.model import Manifest
from gateway.table import Current, Moved, Table


def table_of(*mounts: str, team: str = "t", number: int = 1) -> Table:
    declared = {mount: {"upstream": "u"} for mount in mounts}
    manifest = {"team": team, "upstreams": {"u": {"origins": ["http://o.test"]}}, "mounts": declared}
    return tables.compile([Manifest.model_validate(manifest)], number)


def owner(table: Table, path: bytes, host: bytes = b"shop.test") -> str | None:
    mount = table.find(host, path)
    return None if mount is None else mount.name


@pytest.mark.parametrize(
    ("path", "mount"),
    [
        pytest.param(b"/hotels", "/hotels", id="the bare prefix"),
        pytest.param(b"/hotels/", "/hotels", id="the prefix"),
        pytest.param(b"/hotels/x/y", "/hotels", id="a page below"),
        pytest.param(b"/hotels//x", "/hotels", id="an empty segment below"),
        pytest.param(b"/hotels/admin", "/hotels/admin", id="the longest prefix wins"),
        pytest.param(b"/hotels/admin/x", "/hotels/admin", id="the longest prefix wins below"),
        pytest.param(b"/hotels/administer", "/hotels", id="whole segments only"),
        pytest.param(b"/hotelsfoo", None, id="a longer word is another path"),
        pytest.param(b"/HOTELS/x", None, id="case matters"),
        pytest.param(b"/hotels%2Fx", None, id="an escaped slash is no boundary"),
        pytest.param(b"/", None, id="nobody owns the root"),
        pytest.param(b"//hotels", None, id="an empty first segment"),
    ],
)
def test_find(path: bytes, mount: str | None) -> None:
    assert owner(table_of("/hotels", "/hotels/admin", "/a/b/c"), path) == mount


@pytest.mark.parametrize("path", [b"/", b"/x", b"/hotelsfoo", b"//", b"/x/y/z"])
def test_the_root_owns_the_rest(path: bytes) -> None:
    assert owner(table_of("/", "/hotels"), path) == "/"


def test_hosts_tell_mounts_apart() -> None:
    manifest = Manifest.model_validate(
        {
            "team": "t",
            "upstreams": {"u": {"origins": ["http://o.test"]}},
            "mounts": {"/x": {"upstream": "u", "hosts": ["A.test"]}, "/": {"upstream": "u"}},
        }
    )
    table = tables.compile([manifest])
    assert owner(table, b"/x", b"a.test") == "/x"
    assert owner(table, b"/x", b"b.test") == "/"


def manifest(team: str, **more: object) -> Manifest:
    return Manifest.model_validate({"team": team, "upstreams": {team: {"origins": ["http://o.test"]}}, **more})


def test_what_an_earlier_manifest_owns_stays_its_own() -> None:
    one = manifest("one", mounts={"/x": {"upstream": "one"}}, fragments={"f": {"upstream": "one", "path": "/1"}})
    two = manifest("two", mounts={"/x": {"upstream": "two"}}, fragments={"f": {"upstream": "two", "path": "/2"}})
    table = tables.compile([one, two], 7)
    found = table.find(b"", b"/x/")
    assert found is not None and found.team == "one"
    assert table.fragments["f"].team == "one"
    assert table.teams == ("one", "two")
    assert repr(table) == "<Table 7: 2 teams, 1 mounts, 1 fragments>"


def test_nobody_serves_from_anothers_upstream() -> None:
    thief = manifest("thief", mounts={"/x": {"upstream": "one"}}, fragments={"f": {"upstream": "one", "path": "/"}})
    table = tables.compile([manifest("one"), thief])
    assert table.find(b"", b"/x/") is None
    assert not table.fragments


@pytest.mark.parametrize(
    ("mounts", "home"),
    [
        pytest.param({"/stays": {"upstream": "t"}, "/old": {"upstream": "t"}}, "/stays", id="the first mount"),
        pytest.param({"/": {"upstream": "t"}}, "", id="the root"),
        pytest.param({}, "/-/u/t", id="no mount at all"),
    ],
)
def test_home(mounts: dict[str, object], home: str) -> None:
    assert tables.compile([manifest("t", mounts=mounts)]).upstreams["t"].home == home


@pytest.mark.parametrize(
    ("team", "prefix", "tag"),
    [
        pytest.param("t", "/", "", id="none at the root"),
        pytest.param("t", "/stays", "4ca843d3", id="below a prefix"),
        pytest.param("t", "/a/b/c", "4ca843d3", id="the same below any other"),
        pytest.param("s", "/stays", "e6b96c77", id="another team's is another"),
    ],
)
def test_an_application_keeps_its_tag_wherever_it_is(team: str, prefix: str, tag: str) -> None:
    declared = {prefix: {"upstream": team, "cookies": ["consent", "locale"]}}
    found = tables.compile([manifest(team, mounts=declared)]).find(b"", prefix.encode())
    assert found is not None
    assert found.tag == tag
    assert found.cookies == {b"consent", b"locale"}


@pytest.mark.parametrize(
    ("url", "authority", "port"),
    [
        pytest.param("http://o.test", b"o.test", 80, id="the scheme's port is not said"),
        pytest.param("https://o.test:443", b"o.test", 443, id="nor when it was written"),
        pytest.param("http://o.test:8000", b"o.test:8000", 8000, id="another port is"),
        pytest.param("http://[::1]:8000", b"[::1]:8000", 8000, id="IPv6 in brackets"),
    ],
)
def test_origin(url: str, authority: bytes, port: int) -> None:
    table = tables.compile([Manifest.model_validate({"team": "t", "upstreams": {"u": {"origins": [url]}}})])
    (origin,) = table.upstreams["u"].origins
    assert (origin.authority, origin.port) == (authority, port)
    assert origin.base == f"{origin.scheme}://".encode() + authority


def test_a_folder_is_an_origin() -> None:
    table = tables.compile([Manifest.model_validate({"team": "t", "upstreams": {"u": {"origins": ["file:./dist"]}}})])
    (origin,) = table.upstreams["u"].origins
    assert (origin.scheme, origin.folder) == ("file", "./dist")


def test_origins_of_all_releases_serve() -> None:
    releases = {"stable": {"origins": ["http://a.test"]}, "next": {"origins": ["http://b.test"]}}
    table = tables.compile([Manifest.model_validate({"team": "t", "upstreams": {"u": {"releases": releases}}})])
    assert [origin.host for origin in table.upstreams["u"].origins] == ["a.test", "b.test"]


@pytest.mark.parametrize(
    ("forward", "personal"),
    [
        pytest.param({}, False, id="nothing"),
        pytest.param({"headers": ["User-Agent"]}, False, id="a field"),
        pytest.param({"headers": ["Authorization"]}, True, id="Authorization"),
        pytest.param({"cookies": ["session"]}, True, id="a cookie"),
    ],
)
def test_a_fragment_shown_who_asks_is_personal(forward: dict[str, object], personal: bool) -> None:
    fragment = {"f": {"upstream": "t", "path": "/", "forward": forward}}
    assert tables.compile([manifest("t", fragments=fragment)]).fragments["f"].is_personal is personal


def moved_table() -> Table:
    stays = manifest("hotels", mounts={"/stays": {"upstream": "hotels"}, "/hotels/admin": {"upstream": "hotels"}})
    pets = manifest("pets", mounts={"/pets": {"upstream": "pets", "links_to": ["/hotels", "/cars"]}})
    moves = [Moved("/hotels", "/stays", "hotels", "hotels", 9.0), Moved("/up", "/", "shell", "shell")]
    return tables.compile([stays, pets], 2, moves)


@pytest.mark.parametrize(
    ("path", "home"),
    [
        pytest.param(b"/hotels", b"/stays", id="the prefix itself"),
        pytest.param(b"/hotels/", b"/stays/", id="its page"),
        pytest.param(b"/hotels/x/y", b"/stays/x/y", id="a path below"),
        pytest.param(b"/hotelsfoo", None, id="whole segments only"),
        pytest.param(b"/hotels/admin/x", None, id="what is mounted deeper"),
        pytest.param(b"/stays/x", None, id="the new prefix"),
        pytest.param(b"/up", b"/", id="to the root"),
        pytest.param(b"/up/x", b"/x", id="below the root"),
    ],
)
def test_a_prefix_that_was_left_leads_on(path: bytes, home: bytes | None) -> None:
    table = moved_table()
    move = table.left(path, table.find(b"", path))
    assert (move.leads(path) if move else None) == home


def test_a_move_knows_whose_cookies_go_along() -> None:
    table = moved_table()
    move, mount = table.left(b"/hotels/x", None), table.find(b"", b"/stays/x")
    assert move is not None and mount is not None
    assert move.tag == mount.tag != ""


def test_who_links_to_a_prefix_that_moved_links_to_the_new_one() -> None:
    mount = moved_table().find(b"", b"/pets/")
    assert mount is not None
    assert mount.links_to == ("/hotels", "/cars", "/stays")
    assert mount.relinked == (("/hotels", "/stays"),)


def test_current_is_swapped_whole() -> None:
    current = Current()
    assert current.table.find(b"", b"/") is None
    table = table_of("/x")
    current.swap(table)
    assert current.table is table


SEGMENT = st.sampled_from(["a", "b", "ab", "c.d"])
PREFIXES = st.lists(st.lists(SEGMENT, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts)), max_size=6)
PATHS = st.lists(st.sampled_from(["a", "b", "ab", "c.d", "", "x"]), max_size=6).map(lambda parts: "/" + "/".join(parts))


@given(PREFIXES, PATHS)
def test_the_longest_segment_bounded_prefix_wins(prefixes: list[str], path: str) -> None:
    matching = [prefix for prefix in prefixes if path == prefix or path.startswith(prefix + "/")]
    assert owner(table_of(*prefixes), path.encode()) == max(matching, key=len, default=None)
