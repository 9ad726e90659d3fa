"""What origins are told we can do for their pages."""

import pytest

from gateway.message import Fields, Head
from gateway.rules.surrogates import Lasting, asked, capable, lasting, shown

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


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param(b"max-age=3600", Lasting(lasts=3600), id="a time"),
        pytest.param(b"MaX-aGe=3600", Lasting(lasts=3600), id="in any case"),
        pytest.param(b"foobar, max-age=3600", Lasting(lasts=3600), id="beside what nobody knows"),
        pytest.param(b"max-age=600+60", Lasting(lasts=600, beyond=60), id="and more while stale"),
        pytest.param(b'no-store, content="ESI/1.0"', Lasting(never=True), id="never"),
        pytest.param(b"no-store-remote", None, id="for surrogates far away only"),
        pytest.param(b'content="max-age=5"', None, id="nothing is read in quotes"),
        pytest.param(b'content="ESI/1.0"', None, id="silence"),
        pytest.param(b"max-age=5, max-age=9", Lasting(lasts=5), id="the first counts"),
        pytest.param(b"max-age=5, max-age=9;portico", Lasting(lasts=9), id="what is meant for us goes before"),
        pytest.param(b"max-age=5;cdn1", None, id="what is meant for others is theirs"),
        pytest.param(b"max-age=5;cdn1, max-age=6", Lasting(lasts=6), id="and ours is ours"),
        pytest.param(b"max-age=5a", Lasting(lasts=0), id="nonsense is stale"),
        pytest.param(b"max-age =5", Lasting(lasts=0), id="a space is nonsense"),
        pytest.param(b"max-age", Lasting(lasts=0), id="no number, too"),
    ],
)
def test_how_long_surrogates_may_keep_it(said: bytes, told: Lasting | None) -> None:
    assert lasting(Head([(b"surrogate-control", said)])) == told
    assert lasting(Head([])) is None
