"""Shells read: odd files are told and never raise; each slot with what its place allows, next to what is declared."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gateway.table as tables
import gateway.trial.shells as shells
from fragments.plan import ISOLATIONS
from gateway.model import Manifest
from gateway.trial.shells import Around, Shell, Source

OPENING = b"<!doctype html>\n<title>t</title>\n<body>\n"
PORTAL = Manifest.model_validate(
    {
        "team": "hotels",
        "upstreams": {"hotels": {"origins": ["http://hotels:8000"], "dialects": ["esi"]}},
        "mounts": {"/": {"upstream": "hotels", "composes": True}, "/plain": {"upstream": "hotels"}},
        "fragments": {
            "hotels.deals": {"upstream": "hotels", "path": "/deals"},
            "hotels.framed": {"upstream": "hotels", "path": "/framed", "isolation": "iframe"},
            "hotels.scoped": {"upstream": "hotels", "path": "/scoped", "isolation": "scope"},
        },
    }
)


def read(body: bytes, content_type: str = "", status: int = 200, around: Around = shells.NOWHERE) -> Shell:
    return shells.read(Source("home.html", body, content_type, status), around)


def portal(at: str = "/", whole: bool = True) -> Around:
    return Around(tables.compile([PORTAL]), "next to hotels.yaml", whole, at)


def codes(shell: Shell) -> list[tuple[str, int]]:
    return [(remark.code, remark.line) for remark in shell.remarks]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        pytest.param(b"", "", 200, "shell-empty", id="nothing"),
        pytest.param(b" \n\t", "", 200, "shell-empty", id="blanks"),
        pytest.param(b"\x7fELF\0\0<mf-slot name=x>", "", 200, "shell-binary", id="a program"),
        pytest.param(b"<p>" + b"a" * shells.LARGEST, "", 200, "shell-too-large", id="more than is read"),
        pytest.param(b"<div>" * 600 + b"<mf-slot name=x />", "", 200, "shell-over-budget", id="too deep"),
        pytest.param(b"{}", "application/json", 200, "shell-is-no-page", id="JSON"),
        pytest.param(b"<p>gone", "text/html", 404, "shell-not-ok", id="an error page"),
    ],
)
def test_what_is_no_shell_is_told_and_has_no_plan(body: bytes, content_type: str, status: int, code: str) -> None:
    shell = read(body, content_type, status)
    assert (shell.plan, [remark.code for remark in shell.remarks], shell.code) == (None, [code], 1)
    assert shell.remarks[0].cause and shell.remarks[0].fix


@pytest.mark.parametrize(
    ("body", "content_type", "level", "place"),
    [
        pytest.param(
            OPENING + "café<mf-slot name=x />".encode("latin-1"),
            "text/html; charset=iso-8859-1",
            "warning",
            (4, 4),
            id="named",
        ),
        pytest.param(
            b"<!doctype html><meta charset=windows-1252>\xe9<mf-slot name=x />", "", "warning", (1, 43), id="in a meta"
        ),
        pytest.param("\ufeff<!doctype html><mf-slot name=x />".encode("utf-16-le"), "", "warning", (1, 1), id="UTF-16"),
        pytest.param(OPENING + b"\xe9<mf-slot name=x />", "", "error", (4, 1), id="nobody says which"),
    ],
)
def test_other_charsets_are_converted_as_composing_does(
    body: bytes, content_type: str, level: str, place: tuple[int, int]
) -> None:
    shell = read(body, content_type)
    found = next(remark for remark in shell.remarks if remark.code == "shell-not-utf-8")
    assert (found.level, (found.line, found.column)) == (level, place)
    assert [slot.name for slot in shell.slots] == ["x"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(b"<mf-slot name=x></mf-slot>", [], id="fine"),
        pytest.param(b"<mf-slot></mf-slot>", [("slot-without-name", 4)], id="without a name"),
        pytest.param(b"\n<mf-slot name=x><p>", [("slot-not-closed", 5)], id="not closed"),
        pytest.param(b"<plaintext><mf-slot name=x />", [("slot-in-text", 4)], id="where all is text"),
        pytest.param(b"<mf-slot name=x timeout=soon />", [("slot-timeout", 4)], id="a time that is none"),
        pytest.param(b"<script>'<mf-slot name=x />'</script>", [("slot-in-text", 4)], id="in a script"),
        pytest.param(
            b"<table><mf-slot name=x isolation=iframe /></table>", [("slot-not-isolable", 4)], id="a frame as a row"
        ),
        pytest.param(b"<mf-slot id=a name=x />\n<mf-slot id=a name=y />", [("slot-twice", 5)], id="the same id twice"),
        pytest.param(
            b"<mf-slot name=x primary />\n<mf-slot name=y primary />", [("slot-primaries", 5)], id="two speak for it"
        ),
        pytest.param(b"<mf-slot name=x requierd />", [("slot-attribute", 4)], id="an attribute misspelt"),
        pytest.param(b"<mf-slot name=x city=paris date=1 />", [], id="parameters of the fragment's"),
        pytest.param(b"<mf-slot name=x required optional />", [("slot-contradiction", 4)], id="both at once"),
        pytest.param(
            b'<mf-slot name="x" data-mf-slot="0-ab">x</mf-slot>', [("shell-composed", 4)], id="composed already"
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(body: bytes, told: list[tuple[str, int]]) -> None:
    assert codes(read(OPENING + body)) == told


def test_no_slot_stands_in_a_frameset() -> None:
    shell = read(b"<!doctype html><html>\n<frameset><mf-slot name=x /></frameset>")
    assert (codes(shell), shell.code) == ([("slot-refused", 2)], 1)


def test_a_page_without_doctype_is_read_in_quirks_mode() -> None:
    assert codes(read(b"<p><mf-slot name=x></mf-slot>")) == [("shell-without-doctype", 1)]


def test_slots_beyond_what_is_fetched_for_a_page_are_told_once() -> None:
    markup = b"<mf-slot name=x />\n" * 98 + b"<mf-slot name=x lazy />\n" * 9 + b"<mf-slot name=x />\n" * 4
    (found,) = read(OPENING + markup).remarks
    assert (found.code, found.line, found.level) == ("slots-too-many", 3 + 98 + 9 + 3, "error")


def test_a_page_without_slots_is_no_fault() -> None:
    shell = read(b"<p>plain")
    assert (shell.slots, shell.remarks, shell.code) == ((), (), 0)


def test_a_page_longer_than_is_composed_is_said_to_be() -> None:
    shell = read(OPENING + b"a" * shells.COMPOSED)
    assert codes(shell) == [("shell-large", 0)]


@pytest.mark.parametrize(
    ("markup", "allowed"),
    [
        pytest.param(b"<div><mf-slot name=x /></div>", ISOLATIONS, id="flow"),
        pytest.param(b"<p><mf-slot name=x /></p>", ISOLATIONS, id="phrase"),
        pytest.param(b"<table><!--mf:slot name=x--></table>", ("none",), id="table"),
        pytest.param(b"<select><!--mf:slot name=x--></select>", ("none",), id="select"),
        pytest.param(b"<svg><mf-slot name=x /></svg>", ("none",), id="svg"),
    ],
)
def test_what_isolation_a_place_can_have(markup: bytes, allowed: tuple[str, ...]) -> None:
    (slot,) = read(OPENING + markup).slots
    assert shells.allowed(slot) == allowed


@pytest.mark.parametrize(
    ("markup", "told"),
    [
        pytest.param(b"<mf-slot name=hotels.deals />", [], id="declared"),
        pytest.param(b"<mf-slot name=hotels.deal />", [("slot-undeclared", "warning")], id="misspelt"),
        pytest.param(
            b"<mf-slot name=hotels.deal required />", [("slot-undeclared", "error")], id="misspelt, and required"
        ),
        pytest.param(
            b"<table><!--mf:slot name=hotels.framed--></table>", [("slot-not-isolable", "error")], id="a frame as a row"
        ),
        pytest.param(
            b"<table><!--mf:slot name=hotels.scoped--></table>",
            [("slot-not-isolable", "warning")],
            id="sheets of a row are not scoped",
        ),
    ],
)
def test_slots_are_held_against_what_is_declared(markup: bytes, told: list[tuple[str, str]]) -> None:
    shell = read(OPENING + markup, around=portal())
    assert [(remark.code, remark.level) for remark in shell.remarks] == told


def test_a_misspelt_fragment_is_guessed() -> None:
    (found,) = read(OPENING + b"<mf-slot name=hotels.deal />", around=portal()).remarks
    assert found.cause == "No manifest declares the fragment 'hotels.deal' (next to hotels.yaml)."
    assert found.fix.startswith("Did you mean 'hotels.deals'? ")


def test_nobody_is_asked_about_fragments_unless_somebody_is_named() -> None:
    assert not read(OPENING + b"<mf-slot name=nobody.knows />").remarks


@pytest.mark.parametrize(
    ("around", "languages", "told"),
    [
        pytest.param(portal("/"), ("esi",), [], id="a mount that composes, a language it may speak"),
        pytest.param(portal("/"), ("ssi",), ["dialect-not-allowed"], id="one it may not"),
        pytest.param(portal("/", whole=False), ("ssi",), [], id="a gateway does not tell which it may"),
        pytest.param(portal("/plain/x"), (), ["shell-composes-not"], id="a mount that does not compose"),
    ],
)
def test_the_mount_of_a_shell_is_asked(around: Around, languages: tuple[str, ...], told: list[str]) -> None:
    source = Source("home.html", OPENING + b"<mf-slot name=hotels.deals />")
    assert [remark.code for remark in shells.read(source, around, languages).remarks] == told


def test_the_stronger_isolation_counts() -> None:
    (slot,) = read(OPENING + b"<mf-slot name=hotels.framed isolation=shadow />").slots
    assert shells.isolation(slot, None) == "shadow"
    assert shells.isolation(slot, portal().declared(slot)) == "iframe"


def test_other_languages_are_noticed() -> None:
    shell = read(OPENING + b"<esi:include src=/x><!--#echo var=x --><fragment src=/y></fragment>")
    assert shell.unread == ("tailor", "esi", "ssi")


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise(body: bytes) -> None:
    assert isinstance(read(b"<mf-slot name=x>" + body), Shell)
    assert isinstance(read(body), Shell)
