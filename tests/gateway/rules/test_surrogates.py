"""What origins are told we can do for their pages."""

import pytest

from gateway.message import Fields, Head
from gateway.rules.surrogates import asked, capable, shown

HOST = (b"host", b"x")


@pytest.mark.parametrize(
    ("fields", "dialects", "told"),
    [
        pytest.param([HOST], ("esi",), b'portico="MF/1.0 ESI/1.0"', id="we-speak-esi"),
        pytest.param([HOST], ("ssi", "tailor"), b'portico="MF/1.0"', id="ssi-has-no-such-word"),
        pytest.param([HOST], (), b'portico="MF/1.0"', id="slots-are-filled-in-any-case"),
        pytest.param(
            [(b"surrogate-capability", b'cdn="ESI/1.0"')],
            ("esi",),
            b'cdn="ESI/1.0", portico="MF/1.0 ESI/1.0"',
            id="ledge-behind-what-others-can-do",
        ),
    ],
)
def test_capability(fields: Fields, dialects: tuple[str, ...], told: bytes | None) -> None:
    assert dict(capable(fields, dialects)).get(b"surrogate-capability") == told


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b'content="ESI/1.0"', {b"esi"}),
        (b'content="MF/1.0"', {b"mf"}),
        (b'no-store, max-age=600+60, content="ESI/1.0 MF/1.0 SSI/1.0"', {b"esi", b"mf", b"ssi"}),
        (b'Content = "esi/9.9"', {b"esi"}),
        (b"content=ESI/1.0", {b"esi"}),
        (b'content=""', set()),
        (b"max-age=5", None),
        (b'x-content="ESI/1.0"', None),
        (b"", None),
    ],
)
def test_what_a_page_asks_for(said: bytes, words: set[bytes] | None) -> None:
    head = Head([(b"content-type", b"text/html"), (b"surrogate-control", said)])
    assert asked(head) == words
    assert asked(head) == words
    assert shown(head).fields == [(b"content-type", b"text/html")]


def test_most_ask_for_nothing() -> None:
    head = Head([(b"content-type", b"text/html")])
    assert asked(head) is None
    assert shown(head) is head
