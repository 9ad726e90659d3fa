"""Codings are undone within limits; parts deflated apart make one gzip stream."""

import gzip
import sys
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.rules.coding as coding
from gateway.errors import BadAnswer

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PLAIN = b"<p>What a page says, said again and again.</p>" * 40


def bare(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKED = [
    pytest.param(b"gzip", gzip.compress(PLAIN), id="gzip"),
    pytest.param(b"x-gzip", gzip.compress(PLAIN), id="x-gzip"),
    pytest.param(b"deflate", zlib.compress(PLAIN), id="deflate as zlib"),
    pytest.param(b"deflate", bare(PLAIN), id="deflate bare, as some send it"),
    pytest.param(b"br", brotli.compress(PLAIN), id="br"),
    pytest.param(b"zstd", zstd.compress(PLAIN), id="zstd"),
]


@pytest.mark.parametrize(("name", "body"), PACKED)
def test_decoded(name: bytes, body: bytes) -> None:
    assert coding.decoded(body, name, len(PLAIN)) == PLAIN


@pytest.mark.parametrize(("name", "body"), PACKED)
def test_decoded_a_byte_at_a_time(name: bytes, body: bytes) -> None:
    decoder = coding.Decoder(name, len(PLAIN))
    assert b"".join(decoder.feed(body[at : at + 1]) for at in range(len(body))) + decoder.close() == PLAIN


@pytest.mark.parametrize(("name", "body"), PACKED)
def test_cut_at_every_offset_is_told(name: bytes, body: bytes) -> None:
    for at in range(1, len(body)):
        with pytest.raises(BadAnswer):
            coding.decoded(body[:at], name, len(PLAIN))
    assert coding.decoded(b"", name, len(PLAIN)) == b""  # as answers to HEAD and redirects come


@pytest.mark.parametrize("behind", [b"\0\0\0", b"<!-- 2 ms -->", b"\n"])
def test_what_follows_a_gzipped_body_is_passed_over(behind: bytes) -> None:
    packed = gzip.compress(PLAIN)
    assert coding.decoded(packed + packed + behind, b"gzip", 2 * len(PLAIN)) == PLAIN + PLAIN
    decoder = coding.Decoder(b"gzip", len(PLAIN))
    assert decoder.feed(packed) + decoder.feed(behind) + decoder.close() == PLAIN


@pytest.mark.parametrize("name", [b"", b"identity"])
def test_no_coding_is_no_work(name: bytes) -> None:
    assert coding.decoded(b"as it is", name, 3) == b"as it is"


@pytest.mark.parametrize("name", [b"compress", b"gzip, br", b"nonsense", b"\xff"])
def test_unknown_coding_is_told(name: bytes) -> None:
    with pytest.raises(BadAnswer, match="cannot be undone"):
        coding.Decoder(name, 100)


@pytest.mark.parametrize(("name", "body"), PACKED)
def test_limit_is_exact(name: bytes, body: bytes) -> None:
    with pytest.raises(BadAnswer, match="more than may be read"):
        coding.decoded(body, name, len(PLAIN) - 1)


BOMB = bytes(32 << 20)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        pytest.param(b"gzip", gzip.compress(BOMB, 1), id="gzip"),
        pytest.param(b"deflate", zlib.compress(BOMB, 1), id="deflate"),
        pytest.param(b"br", brotli.compress(BOMB, quality=1), id="br"),
        pytest.param(b"zstd", zstd.compress(BOMB, 1), id="zstd"),
    ],
)
def test_bomb_is_refused(name: bytes, body: bytes) -> None:
    with pytest.raises(BadAnswer, match="more than may be read"):
        coding.decoded(body, name, 1 << 20)


def test_several_gzip_members_are_one_body() -> None:
    """RFC 1952 section 2.2."""
    assert coding.decoded(gzip.compress(b"one ") + gzip.compress(b"two"), b"gzip", 100) == b"one two"


@given(st.sampled_from([b"gzip", b"deflate", b"br"]), st.binary(max_size=60))
def test_garbage_is_told(name: bytes, body: bytes) -> None:
    try:
        plain = coding.decoded(body, name, 10_000)
    except BadAnswer:
        return
    assert len(plain) <= 10_000


@given(st.lists(st.binary(max_size=200), max_size=12))
def test_parts_make_one_gzip_stream(parts: list[bytes]) -> None:
    assert gzip.decompress(coding.joined_gzip(parts)) == b"".join(parts)


@given(st.lists(st.lists(st.binary(max_size=60), max_size=4), max_size=5))
def test_parts_may_come_one_after_the_other(batches: list[list[bytes]]) -> None:
    joint = coding.Joint()
    stream = b"".join([*(joint.add(batch) for batch in batches), joint.end()])
    assert gzip.decompress(stream) == b"".join(b"".join(batch) for batch in batches)


def test_what_has_come_can_be_read_before_the_rest() -> None:
    joint, reader = coding.Joint(), zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert reader.decompress(joint.add([b"first ", b"half "])) == b"first half "
    assert reader.decompress(joint.add([b"second"]) + joint.end()) == b"second"
    assert reader.eof


def test_a_part_is_deflated_without_looking_at_others() -> None:
    """So it can be kept and joined behind anything."""
    part = coding.deflated(b"abc" * 50)
    assert zlib.decompressobj(-zlib.MAX_WBITS).decompress(part) == b"abc" * 50
    assert part.endswith(b"\x00\x00\xff\xff")


@pytest.mark.parametrize("name", sorted(coding.DECODES))
@given(chunks=st.lists(st.binary(max_size=300), max_size=6))
def test_encoded_and_decoded_is_the_same(name: bytes, chunks: list[bytes]) -> None:
    encoder, decoder = coding.Encoder(name), coding.Decoder(name, 10_000)
    # what was put in can be read at once, before anything follows
    assert [decoder.feed(encoder.feed(chunk)) for chunk in chunks] == chunks
    assert decoder.feed(encoder.close()) + decoder.close() == b""


@pytest.mark.parametrize("name", sorted(coding.DECODES))
def test_what_swells_comes_in_steps(name: bytes) -> None:
    encoder = coding.Encoder(name)
    packed = encoder.feed(bytes(4 << 20)) + encoder.close()
    sizes = [len(step) for step in coding.Decoder(name, 8 << 20).steps(packed)]
    assert sum(sizes) == 4 << 20
    assert max(sizes) <= 2 * coding.STEP


def test_a_window_no_browser_would_take_is_refused() -> None:
    wide = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 25})
    with pytest.raises(BadAnswer):
        coding.decoded(wide.compress(PLAIN) + wide.flush(), b"zstd", 1 << 20)


def test_frames_are_one_body() -> None:
    assert coding.decoded(zstd.compress(b"one ") + zstd.compress(b"two"), b"zstd", 100) == b"one two"
