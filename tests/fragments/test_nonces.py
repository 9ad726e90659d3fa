"""What runs or styles carries the answer's nonce; nothing else is touched."""

import pytest

import fragments.nonces as nonces
from fragments.contain import Fitted
from fragments.head import HeadItem


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"<script>a()</script>", b'<script nonce="n">a()</script>', id="a script"),
        pytest.param(b'<script src="/a">', b'<script nonce="n" src="/a">', id="one of elsewhere"),
        pytest.param(b"<style>p{}</style>", b'<style nonce="n">p{}</style>', id="a sheet"),
        pytest.param(b'<link rel="stylesheet" href="/a">', b'<link nonce="n" rel="stylesheet" href="/a">', id="linked"),
        pytest.param(b'<link rel="x PRELOAD">', b'<link nonce="n" rel="x PRELOAD">', id="a hint among others"),
        pytest.param(b'<link rel="canonical" href="/a">', b'<link rel="canonical" href="/a">', id="any other link"),
        pytest.param(b"<p>&lt;script>", b"<p>&lt;script>", id="text"),
        pytest.param(b'<p title="<script>">', b'<p title="<script>">', id="an attribute"),
        pytest.param(b"<!--<script>-->", b"<!--<script>-->", id="a comment"),
        pytest.param(
            b"<script>'<script>'</script>", b"<script nonce=\"n\">'<script>'</script>", id="a string in a script"
        ),
        pytest.param(
            b"<textarea><script></textarea><script>", b'<textarea><script></textarea><script nonce="n">', id="raw text"
        ),
        pytest.param(
            b'<template shadowrootmode="open"><script>a()</script></template>',
            b'<template shadowrootmode="open"><script nonce="n">a()</script></template>',
            id="inside a shadow root",
        ),
        pytest.param(
            b"<svg><style>p{}</style><script>a()</script></svg>",
            b'<svg><style nonce="n">p{}</style><script nonce="n">a()</script></svg>',
            id="in a drawing",
        ),
    ],
)
def test_on(before: bytes, after: bytes) -> None:
    assert nonces.on(before, b"n") == after


def test_a_piece_brings_it_to_the_head_as_well() -> None:
    head = (HeadItem("style", "k", b"<style>p{}</style>"), HeadItem("importmap", "/", b'{"a":"<script>"}'))
    piece = Fitted(b"<mf-slot><script>a()</script></mf-slot>", head, inside=9)
    fitted = nonces.fitted(piece, b"n")
    assert fitted.html == b'<mf-slot><script nonce="n">a()</script></mf-slot>'
    assert [item.html for item in fitted.head] == [b'<style nonce="n">p{}</style>', b'{"a":"<script>"}']
    assert (fitted.inside, piece.html) == (9, b"<mf-slot><script>a()</script></mf-slot>")


def test_a_frames_document_has_the_pages_policy_and_so_its_nonce() -> None:
    before = b'<mf-slot><iframe title="&quot;" srcdoc="&lt;p title=&quot;&amp;lt;&quot;&gt;'
    frame = before + b'&lt;script&gt;a()&lt;/script&gt;"></iframe></mf-slot>'
    fitted = nonces.fitted(Fitted(frame, rung="iframe"), b"n")
    assert fitted.html == before + b'&lt;script nonce=&quot;n&quot;&gt;a()&lt;/script&gt;"></iframe></mf-slot>'
