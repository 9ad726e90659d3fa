"""Settings: file, then environment, then command line; what is wrong is told with its place."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.settings import PREFIX, READERS, Settings, address, admin_token, kept_token, open_text, read


def written(folder: Path, text: str) -> Path:
    path = folder / "portico.yaml"
    path.write_text(text)
    return path


def test_without_anything_the_defaults_run_on_a_laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read(None, {}) == Settings(state=tmp_path / ".portico")


def test_every_setting_has_a_reader() -> None:
    assert set(READERS) == set(Settings.__dataclass_fields__)


def test_the_later_wins(tmp_path: Path) -> None:
    config = written(tmp_path, "listen: 0.0.0.0:1\nadmin: 127.0.0.1:2\nworkers: 3\n")
    settings = read(config, {"PORTICO_ADMIN": "127.0.0.1:4", "PORTICO_WORKERS": "5"}, {"workers": 6, "listen": None})
    assert (settings.listen, settings.admin, settings.workers) == ("0.0.0.0:1", "127.0.0.1:4", 6)


def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    settings = read(written(tmp_path, "manifests: [teams/*.yaml, /etc/teams/*.yaml]\nstate: ../kept"), {})
    assert settings.manifests == (f"{tmp_path}/teams/*.yaml", "/etc/teams/*.yaml")
    assert settings.state == tmp_path.parent / "kept"
    assert read(written(tmp_path, ""), {}).state == tmp_path / ".portico"


@pytest.mark.parametrize(
    ("key", "value", "read_as"),
    [
        pytest.param("listen", "[::]:8080", "[::]:8080", id="an IPv6 listener"),
        pytest.param("admin", "http://127.0.0.1:8081/", "127.0.0.1:8081", id="the URL the verbs take"),
        pytest.param("hosts", "Portal.Example, b.example", ("portal.example", "b.example"), id="hosts"),
        pytest.param("origin_networks", "public private", ("public", "private"), id="networks"),
        pytest.param("page_deadline", "1500ms", 1.5, id="a duration"),
        pytest.param("page_deadline", "2", 2.0, id="a number of seconds"),
        pytest.param("site_cookies", "consent, lang", ("consent", "lang"), id="names of cookies"),
        pytest.param("moved_for", "90d", 90 * 86400.0, id="a duration in days"),
        pytest.param("cache_bytes", "256MiB", 256 << 20, id="a size"),
        pytest.param("entry_bytes", "1000", 1000, id="a size in bytes"),
        pytest.param("trusted_proxies", "10.0.0.0/8,::1", (ip_network("10.0.0.0/8"), ip_network("::1")), id="proxies"),
        pytest.param("workers", "auto", "auto", id="workers by themselves"),
        pytest.param("redis", "redis://:p@redis:6379/1", "redis://:p@redis:6379/1", id="Redis"),
        pytest.param("early_hints", "off", False, id="another switch"),
        pytest.param("access_log", "off", False, id="a switch, off"),
        pytest.param("access_log", "True", True, id="a switch, on"),
    ],
)
def test_every_setting_is_an_environment_variable_too(key: str, value: str, read_as: object) -> None:
    assert getattr(read(None, {PREFIX + key.upper(): value}), key) == read_as


@pytest.mark.parametrize("word", ["on", "true", "off", "false"])
def test_a_switch_in_a_file_is_a_bool_or_a_word(tmp_path: Path, word: str) -> None:
    assert read(written(tmp_path, f"access_log: {word}"), {}).access_log is (word in ("on", "true"))


def test_the_process_own_environment_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTICO_WORKERS", "7")
    assert read(None).workers == 7
    assert read(None, {}).workers == "auto"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        pytest.param("lisen: x", "2:1: setting lisen is not known. Did you mean 'listen'?", id="unknown, nearly known"),
        pytest.param("colour: x", "2:1: setting colour is not known. Settings are listen, admin,", id="unknown"),
        pytest.param("listen: here", "2:1: setting listen: 'here' is not an address to listen on", id="no address"),
        pytest.param("listen: 'a:99999'", "2:1: setting listen: 'a:99999' is not", id="no port"),
        pytest.param("admin: https://a:1", "2:1: setting admin: 'https://a:1' is not", id="TLS is not there"),
        pytest.param("workers: 0", "2:1: setting workers: a number of workers, or auto is wanted", id="no worker"),
        pytest.param("workers: true", "2:1: setting workers: a number of workers", id="no number"),
        pytest.param(
            "page_deadline: soon", "2:1: setting page_deadline: a duration is a number with", id="no duration"
        ),
        pytest.param("page_deadline: 0s", "2:1: setting page_deadline: a duration above 0", id="no time"),
        pytest.param("cache_bytes: much", "2:1: setting cache_bytes: a size is a number of bytes", id="no size"),
        pytest.param("hosts: ['http://a']", "2:1: setting hosts: 'http://a' is not a host name", id="no host"),
        pytest.param("hosts: {a: b}", "2:1: setting hosts: a list of texts is wanted", id="no list"),
        pytest.param("origin_networks: [all]", "'all' is not one of public, private, loopback", id="no network"),
        pytest.param("trusted_proxies: [proxy]", "'proxy' is not an address or network", id="no proxy"),
        pytest.param("admin_token: short", "a token has at least 16", id="a token that can be guessed"),
        pytest.param("redis: localhost", "a Redis URL is wanted", id="no Redis URL"),
        pytest.param("state: []", "a folder is wanted", id="no folder"),
        pytest.param("state: [", "3:1: This is not YAML", id="no YAML"),
        pytest.param("access_log: maybe", "setting access_log: on or off is wanted here", id="no switch"),
        pytest.param("access_log: 1", "setting access_log: on or off is wanted here", id="a number is no switch"),
        pytest.param("connections: 0", "a number of connections is wanted here, from 1 to 65535", id="no connection"),
    ],
)
def test_a_wrong_setting_is_told_with_its_place(tmp_path: Path, line: str, told: str) -> None:
    config = written(tmp_path, f"# settings\n{line}\n")
    with pytest.raises(SettingsError) as error:
        read(config, {})
    assert str(error.value).startswith(str(config))
    assert told in str(error.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        read(written(tmp_path, "a: 1\nworkers: x"), {"PORTICO_ADMIN": "x"}, {"listen": "y"})
    assert len(str(error.value).splitlines()) == 4
    assert "environment variable PORTICO_ADMIN" in str(error.value)
    assert "option listen" in str(error.value)


def test_a_file_that_is_no_mapping_or_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="lines of `key: value`"):
        read(written(tmp_path, "- a"), {})
    with pytest.raises(SettingsError, match="No such file"):
        read(tmp_path / "missing.yaml", {})


def test_variables_of_the_orchestrator_are_left_alone() -> None:
    assert read(None, {"PORTICO_PORT": "tcp://10.0.0.1:8080", "PORTICO_TOKEN": "x"}).listen == "0.0.0.0:8080"


@pytest.mark.parametrize(("text", "pair"), [("127.0.0.1:8081", ("127.0.0.1", 8081)), ("[::1]:80", ("::1", 80))])
def test_a_listener_has_a_host_and_a_port(text: str, pair: tuple[str, int]) -> None:
    assert address(text) == pair


def test_the_operators_token_is_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path / "state")
    assert kept_token(settings.state) is None
    token = admin_token(settings)
    assert len(token) >= 43
    assert admin_token(settings) == kept_token(settings.state) == token
    assert (settings.state / "admin.token").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in settings.state.iterdir()] == ["admin.token"]


def test_a_token_that_is_set_is_not_kept(tmp_path: Path) -> None:
    assert admin_token(Settings(state=tmp_path, admin_token="set by the operator")) == "set by the operator"
    assert list(tmp_path.iterdir()) == []


def test_an_empty_token_file_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "admin.token").write_text("")
    assert admin_token(Settings(state=tmp_path)) == kept_token(tmp_path)


def test_a_manifest_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"bad\.yaml cannot be read: it is not UTF-8"):
        open_text(tmp_path / "bad.yaml")
