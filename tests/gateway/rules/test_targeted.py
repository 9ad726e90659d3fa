"""A targeted field that holds speaks alone; one that breaks its grammar is not there."""

import pytest

import gateway.rules.targeted as targeted
from gateway.message import Fields, Head
from gateway.rules.targeted import Said


def cdn(value: bytes) -> tuple[bytes, bytes]:
    return b"cdn-cache-control", value


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param([], None, id="none"),
        pytest.param([(b"cache-control", b"max-age=60")], None, id="not targeted"),
        pytest.param([(b"akamai-cache-control", b"max-age=60")], None, id="others' target"),
        pytest.param(
            [cdn(b"max-age=60, must-revalidate")], {b"max-age": b"60", b"must-revalidate": None}, id="ours too"
        ),
        pytest.param(
            [cdn(b"max-age=1"), (targeted.OURS, b"max-age=2")], {b"max-age": b"2"}, id="the more specific first"
        ),
        pytest.param([cdn(b"max-age=1"), (targeted.OURS, b"")], {b"max-age": b"1"}, id="an empty one is not there"),
        pytest.param(
            [cdn(b"max-age=1"), (targeted.OURS, b"max-age=!")], {b"max-age": b"1"}, id="a broken one is not there"
        ),
        pytest.param([cdn(b"max-age=1"), cdn(b"no-store")], {b"max-age": b"1", b"no-store": None}, id="lines are one"),
        pytest.param([cdn(b"Max-Age=1")], None, id="upper case breaks the grammar"),
        pytest.param([cdn(b"max-age=1; x=2")], {b"max-age": b"1"}, id="parameters mean nothing"),
        pytest.param([cdn(b'max-age="60"')], {b"max-age": b"nonsense"}, id="a number in quotes is none"),
        pytest.param([cdn(b"max-age=1.5")], {b"max-age": b"nonsense"}, id="nor is a fraction"),
        pytest.param([cdn(b"max-age")], {b"max-age": None}, id="nor is silence"),
        pytest.param([cdn(b"no-store=?0, max-age=1")], {b"max-age": b"1"}, id="a directive that is not meant"),
        pytest.param([cdn(b'private="x-a, x-b"')], {b"private": b"x-a, x-b"}, id="fields in a string"),
        pytest.param([cdn(b"private=x-a")], {b"private": b"x-a"}, id="a field as a token"),
        pytest.param([cdn(b'private=("x-a" x-b)')], {b"private": b"x-a, x-b"}, id="fields in a list"),
        pytest.param([cdn(b'private=("x-a" 1)')], {b"private": None}, id="with one that is none: all of it"),
        pytest.param([cdn(b"private=1")], {b"private": None}, id="what names none means all"),
        pytest.param([cdn(b"private")], {b"private": None}, id="all of it"),
    ],
)
def test_said(fields: Fields, said: Said | None) -> None:
    assert targeted.said(Head(fields)) == said
