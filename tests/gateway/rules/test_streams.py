"""How long an answer may be silent."""

import pytest

import gateway.rules.streams as streams
from gateway.message import Head
from gateway.rules.streams import QUIET, STALL


@pytest.mark.parametrize(
    ("kind", "length", "patience"),
    [
        pytest.param(b"text/html", 100, STALL, id="a page of known length"),
        pytest.param(b"text/html", None, QUIET, id="a page that is still being made"),
        pytest.param(b"text/event-stream", None, None, id="events"),
        pytest.param(b"Text/Event-Stream; charset=utf-8", None, None, id="events, spelled otherwise"),
        pytest.param(b"text/event-stream", 100, STALL, id="events that are a file"),
        pytest.param(b"multipart/x-mixed-replace; boundary=x", None, None, id="pictures of a camera"),
        pytest.param(b"application/x-ndjson", None, None, id="lines of a log"),
    ],
)
def test_patience(kind: bytes, length: int | None, patience: float | None) -> None:
    assert streams.patience(Head([(b"content-type", kind)]), length) == patience


def test_an_answer_that_does_not_say_what_it_is_has_an_end() -> None:
    assert streams.endless(Head([])) is False
