"""A composed page is kept no longer than any part of it, shown to no more viewers, and named by every byte it has."""

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gateway.rules.algebra as algebra
from fragments.urls import Place
from gateway.message import Fields, Head, Request, Response, every, first
from gateway.rules.algebra import ONE_VIEWERS, STAND_IN, Part

UTF_8 = (b"content-type", b"text/html; charset=utf-8")
PETS = Place("/pets", frozenset({"http://pets.test"}), base="/pets/box", public="http://shop.test", tag="1a2b3c4d")
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
LATER = "Wed, 15 Nov 2023 22:13:20 GMT"


def says(
    cache_control: str | None = None,
    fresh: float | None = 60.0,
    age: float = 0.0,
    asks: frozenset[bytes] = frozenset(),
    place: Place | None = PETS,
    primary: bool = False,
    **fields: str,
) -> Part:
    """A part with these fields; kept and fresh for a minute, unless told otherwise."""
    said: Fields = [] if cache_control is None else [(b"cache-control", cache_control.encode())]
    said += [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    return Part(Head(said), fresh, age, asks, place, primary)


def unkept(cache_control: str) -> Part:
    return says(cache_control, fresh=None)


def of(name: str, *parts: Part) -> list[bytes]:
    fields, _ = algebra.page(parts)
    return every(fields, name.encode())


NOBODY = "private, no-cache"


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        # How long
        pytest.param([says("max-age=60")], "public, max-age=60", id="a shell alone"),
        pytest.param([says("max-age=60"), says("max-age=30", 30)], "public, max-age=30", id="the shortest time left"),
        pytest.param(
            [says("max-age=60", 12.9, 47.1)], "public, max-age=12", id="less what has passed, in whole seconds"
        ),
        pytest.param([says("max-age=60", 0.9, 59.1)], NOBODY, id="less than a second is nothing"),
        pytest.param([says("max-age=60"), says("max-age=60", -5, 65)], NOBODY, id="a stale part leaves nothing"),
        pytest.param(
            [says("max-age=60"), unkept("max-age=60")], NOBODY, id="what the cache would not keep, nobody keeps"
        ),
        pytest.param([says("max-age=60"), STAND_IN], NOBODY, id="a slot's own content is not for long"),
        pytest.param([says("max-age=0", 0)], NOBODY, id="max-age=0"),
        pytest.param([says(None, 60)], "public, max-age=60", id="a silent origin, and a manifest that speaks"),
        pytest.param([says(None, None)], NOBODY, id="a silent origin, and a silent manifest"),
        pytest.param(
            [says(None, 30, date=DATE, expires=LATER)],
            "public, max-age=30",
            id="Expires, and no longer than the cache has it",
        ),
        pytest.param([says(None, 60, expires="0")], NOBODY, id="an Expires that is no date is now"),
        pytest.param(
            [says("max-age=9", 9, date=DATE, expires=LATER)], "public, max-age=9", id="max-age goes before Expires"
        ),
        pytest.param([says("max-age=abc", 60)], NOBODY, id="a time that is none"),
        # The caches between
        pytest.param(
            [says("max-age=10, s-maxage=60")], "public, max-age=10, s-maxage=60", id="each cache its own time"
        ),
        pytest.param([says("max-age=600, s-maxage=60")], "public, max-age=600, s-maxage=60", id="either way round"),
        pytest.param(
            [says("s-maxage=60")], "public, max-age=0, s-maxage=60", id="s-maxage says nothing of a viewer's cache"
        ),
        pytest.param(
            [says("max-age=60, s-maxage=60")],
            "public, max-age=60, s-maxage=60",
            id="s-maxage stays: it forbids stale answers",
        ),
        pytest.param(
            [says("max-age=99, s-maxage=60"), says("max-age=20", 20)],
            "public, max-age=20, s-maxage=20",
            id="the shortest of each",
        ),
        pytest.param(
            [says("max-age=10, s-maxage=60", 40, 20)],
            "public, max-age=0, s-maxage=40",
            id="a viewer's time may be over sooner",
        ),
        # For whom
        pytest.param(
            [says("max-age=60"), unkept("private, max-age=20")],
            "private, max-age=20",
            id="a private part makes it private",
        ),
        pytest.param(
            [says("max-age=10", 10), unkept("private, max-age=20")],
            "private, max-age=10",
            id="and no longer than the others",
        ),
        pytest.param(
            [says("max-age=9, s-maxage=60"), unkept("private, max-age=20")],
            "private, max-age=9",
            id="for a viewer by a viewer's time",
        ),
        pytest.param([says("max-age=60"), unkept("private")], NOBODY, id="private, and no word for how long"),
        pytest.param(
            [unkept('private="set-cookie", max-age=5')], "private, max-age=5", id="private for a field is private"
        ),
        pytest.param([says("max-age=60"), unkept("PRIVATE, Max-Age=5")], "private, max-age=5", id="in any case"),
        pytest.param([says("max-age=60"), ONE_VIEWERS], NOBODY, id="what was chosen by who asks"),
        # Not at all
        pytest.param([says("max-age=60"), unkept("no-store")], "no-store", id="no-store wins"),
        pytest.param([unkept("private, max-age=9"), unkept("no-store")], "no-store", id="over private, too"),
        pytest.param([unkept("no-store"), says("max-age=60")], "no-store", id="a shell's as a piece's"),
        pytest.param([unkept("must-understand, no-store")], "no-store", id="must-understand or not"),
        pytest.param([says("max-age=60"), unkept("no-cache, max-age=60")], NOBODY, id="no-cache wins over a time"),
        pytest.param(
            [says("max-age=60"), unkept('no-cache="set-cookie", max-age=60')], NOBODY, id="no-cache for a field, too"
        ),
        pytest.param([says("max-age=60", vary="*")], NOBODY, id="what depends on everything"),
        pytest.param([says("max-age=60", vary=",".join(map(str, range(40))))], NOBODY, id="what depends on too much"),
        # What else is forbidden
        pytest.param(
            [says("max-age=60"), says("max-age=60, must-revalidate")],
            "public, max-age=60, must-revalidate",
            id="must-revalidate of any",
        ),
        pytest.param(
            [says("max-age=60, proxy-revalidate")], "public, max-age=60, proxy-revalidate", id="proxy-revalidate of any"
        ),
        pytest.param(
            [says("max-age=60"), says("max-age=60, no-transform")],
            "public, max-age=60, no-transform",
            id="no-transform of any",
        ),
        pytest.param([says("max-age=60, immutable")], "public, max-age=60", id="immutable is no page"),
        pytest.param([unkept("no-cache, must-revalidate")], NOBODY + ", must-revalidate", id="beside no-cache as well"),
        # Stale
        pytest.param(
            [says("max-age=60, stale-while-revalidate=30")],
            "public, max-age=60, stale-while-revalidate=30",
            id="stale while asking",
        ),
        pytest.param(
            [says("max-age=60, stale-if-error=90")], "public, max-age=60, stale-if-error=90", id="stale when it fails"
        ),
        pytest.param(
            [says("max-age=60, stale-while-revalidate=30"), says("max-age=60")],
            "public, max-age=60",
            id="not if a part of the same age may not",
        ),
        pytest.param(
            [says("max-age=60"), says("max-age=20, stale-while-revalidate=30", 20)],
            "public, max-age=20, stale-while-revalidate=30",
            id="a part that is fresh still may not be stale",
        ),
        pytest.param(
            [says("max-age=30", 30), says("max-age=20, stale-while-revalidate=30", 20)],
            "public, max-age=20, stale-while-revalidate=10",
            id="until the first may not be used",
        ),
        pytest.param(
            [says("max-age=60, stale-while-revalidate=30"), says("max-age=60, must-revalidate")],
            "public, max-age=60, must-revalidate",
            id="never beside must-revalidate",
        ),
        pytest.param(
            [says("max-age=9, s-maxage=60, stale-if-error=30")],
            "public, max-age=9, s-maxage=60",
            id="never beside s-maxage",
        ),
    ],
)
def test_cache_control(parts: list[Part], told: str) -> None:
    assert algebra.lasting(parts).after(0.0).decode() == told


@pytest.mark.parametrize(
    ("said", "seconds", "told"),
    [
        pytest.param("max-age=60", 20.5, "public, max-age=39", id="what is left is less"),
        pytest.param("max-age=60", 59.5, NOBODY, id="until nothing is"),
        pytest.param("max-age=10, s-maxage=60", 20, "public, max-age=0, s-maxage=40", id="for each its own"),
        pytest.param(
            "max-age=60, stale-if-error=9", 20, "public, max-age=40, stale-if-error=9", id="and beyond as before"
        ),
        pytest.param("no-store", 20, "no-store", id="nothing stays nothing"),
    ],
)
def test_a_page_promises_less_as_it_ages(said: str, seconds: float, told: str) -> None:
    assert algebra.lasting([says(said)]).after(seconds).decode() == told


@pytest.mark.parametrize(
    ("name", "parts", "told"),
    [
        pytest.param("vary", [says(), says()], "accept-encoding", id="the coding is chosen here"),
        pytest.param(
            "vary",
            [says(vary="Cookie"), says(vary="accept-language, cookie")],
            "accept-encoding, accept-language, cookie",
            id="all that any part depends on, once",
        ),
        pytest.param("vary", [says(vary="Accept-Encoding")], "accept-encoding", id="in one spelling"),
        pytest.param("vary", [says(vary="cookie"), says(vary="*")], "*", id="everything is everything"),
        pytest.param(
            "vary",
            [says(), says(asks=frozenset({b"x-plan"}))],
            "accept-encoding, x-plan",
            id="what a manifest shows an origin may change its answer",
        ),
        pytest.param("vary", [says(vary=",".join(map(str, range(32))))], "*", id="too much is everything"),
        pytest.param("content-language", [says(content_language="de"), says()], "de", id="who says none agrees"),
        pytest.param(
            "content-language",
            [says(content_language="de, en"), says(content_language="EN,de")],
            "de, en",
            id="the same languages in another order",
        ),
        pytest.param(
            "content-language",
            [says(content_language="de"), says(content_language="en")],
            None,
            id="two languages are none",
        ),
        pytest.param("content-language", [says(), says(content_language="en")], None, id="a piece's is not the page's"),
        pytest.param("last-modified", [says(last_modified=DATE), says(last_modified=LATER)], LATER, id="the latest"),
        pytest.param(
            "last-modified", [says(last_modified=LATER), says(last_modified=DATE)], LATER, id="whoever has it"
        ),
        pytest.param("last-modified", [says(last_modified=DATE), says()], None, id="not if one has none"),
        pytest.param(
            "last-modified", [says(last_modified=DATE), says(last_modified="soon")], None, id="or one that is none"
        ),
        pytest.param("last-modified", [says(last_modified=DATE), STAND_IN], None, id="nor if one is a stand-in"),
        pytest.param(
            "link",
            [says(), says(link="</a.css>; rel=preload; as=style")],
            "</pets/a.css>; rel=preload; as=style",
            id="a piece's hint, below its mount",
        ),
        pytest.param(
            "link",
            [says(), says(link="<a.js>; rel=modulepreload")],
            "</pets/a.js>; rel=modulepreload",
            id="relative to the piece, not to the page",
        ),
        pytest.param(
            "link",
            [says(), says(link='<//cdn.test>; rel="preconnect"')],
            '<//cdn.test>; rel="preconnect"',
            id="another host",
        ),
        pytest.param(
            "link",
            [says(), says(link="</a>; rel=preload, </b>; rel=canonical")],
            "</pets/a>; rel=preload",
            id="what the page is, pieces do not say",
        ),
        pytest.param("link", [says(), says(link="</a>; rel=stylesheet")], None, id="nor how it looks"),
        pytest.param("link", [says(), says(link='</a>; rel="preload stylesheet"')], None, id="not by the way either"),
        pytest.param("link", [says(), says(link='</a>; rel=preload; anchor="/b"')], None, id="nor about other pages"),
        pytest.param(
            "link",
            [says(), says(link="</a>; rel=preload"), says(link="</a>; rel=preload")],
            "</pets/a>; rel=preload",
            id="each once",
        ),
        pytest.param(
            "link",
            [says(link="</s>; rel=next"), says(link="</a>; rel=preload")],
            "</s>; rel=next, </pets/a>; rel=preload",
            id="the shell's own as it is",
        ),
        pytest.param(
            "link", [says(), says(link='</a>; title="</b>; rel=preload"; rel=next')], None, id="a string is no link"
        ),
        pytest.param("set-cookie", [says(set_cookie="s=1"), says()], "s=1", id="the shell's"),
        pytest.param("set-cookie", [says(), says(set_cookie="p=1")], None, id="a piece's never"),
        pytest.param(
            "set-cookie",
            [says(), says(set_cookie="p=1; Path=/", primary=True)],
            "mf.1a2b3c4d.p=1; Path=/pets",
            id="a primary piece's, below its mount",
        ),
        pytest.param(
            "content-security-policy",
            [says(content_security_policy="default-src 'self'"), says(content_security_policy="default-src *")],
            "default-src 'self'",
            id="a piece's policy does not widen the shell's",
        ),
        pytest.param(
            "content-security-policy",
            [says(), says(content_security_policy="default-src 'none'")],
            None,
            id="nor does it shut the page",
        ),
        pytest.param("x-own", [says(x_own="1"), says(x_own="2")], "1", id="all else is the shell's"),
        pytest.param("location", [says(), says(location="/x", primary=True)], None, id="and never a piece's"),
    ],
)
def test_field(name: str, parts: list[Part], told: str | None) -> None:
    assert b", ".join(of(name, *parts)).decode() == (told or "")


GONE = sorted(algebra.GONE | {b"cdn-cache-control", b"cloudflare-cdn-cache-control", b"last-modified"})


@pytest.mark.parametrize("name", [pytest.param(name, id=name.decode()) for name in GONE])
def test_what_spoke_of_the_shells_own_bytes_or_time_is_gone(name: bytes) -> None:
    left, _ = algebra.page([Part(Head([(name, b"x"), (b"x-own", b"y")]))])
    assert left == [(b"x-own", b"y"), UTF_8, (b"cache-control", NOBODY.encode()), (b"vary", b"accept-encoding")]


def test_what_pieces_hint_at_fits_into_a_head() -> None:
    many = ", ".join(f"</{number}.css>; rel=preload; as=style" for number in range(500))
    (told,) = of("link", says(), says(link=many), says(link=many))
    assert len(told) <= algebra.HINTS and told.startswith(b"</pets/0.css>") and told.endswith(b"as=style")


@pytest.mark.parametrize(
    "evil", ["<" * 50_000, '<a>;"' + "\\" * 50_000, "<a>" + ";rel=" * 20_000, "<a>;a=" + '"' * 50_001]
)
def test_a_link_field_of_a_stranger_is_read_in_linear_time(evil: str) -> None:
    assert of("link", says(), says(link=evil)) == []


# Properties

CACHE = st.lists(
    st.sampled_from(
        ["no-store", "private", "no-cache", "public", "must-revalidate", "max-age=60", "max-age=7", "s-maxage=9",
         "stale-while-revalidate=30", "stale-if-error=5", "no-transform", "immutable"]
    ),
    max_size=4,
).map(", ".join)  # fmt: skip
PARTS = st.builds(
    says,
    CACHE,
    st.one_of(st.none(), st.floats(-10, 100)),
    st.floats(0, 50),
    vary=st.sampled_from(["", "cookie", "accept-language, x", "*"]),
)
PAGES = st.lists(PARTS, min_size=1, max_size=5)


def freedom(parts: list[Part]) -> tuple[float, ...]:
    """How much a page may be kept, by whom, and how long, each on its own."""
    lasting = algebra.lasting(parts)
    told = lasting.after(0.0)
    own = float(match[1]) if (match := re.search(rb"max-age=(\d+)", told)) else 0.0
    shared = float(match[1]) if (match := re.search(rb"s-maxage=(\d+)", told)) else own
    stale, error = (float(match[1]) if (match := re.search(name + rb"=(\d+)", told)) else 0.0
                    for name in (rb"revalidate", rb"error"))  # fmt: skip
    public = b"public" in told
    words = (b"must-revalidate", b"proxy-revalidate", b"no-transform")
    return (
        b"no-store" not in told,
        public,
        own,
        shared if public else 0.0,
        own + stale,
        own + error,
        *(word not in told or b"no-store" in told for word in words),
    )


@settings(max_examples=300)
@given(PAGES, PARTS)
def test_adding_a_part_never_makes_a_page_more_cacheable(parts: list[Part], more: Part) -> None:
    before, after = freedom(parts), freedom([*parts, more])
    assert all(late <= early for early, late in zip(before[:4], after[:4], strict=True))
    # two times, each told in whole seconds, may be one second off together
    assert all(late <= early + 1 for early, late in zip(before[4:], after[4:], strict=True))


@settings(max_examples=200)
@given(PAGES)
def test_no_part_is_kept_longer_or_shown_to_more_than_it_may(parts: list[Part]) -> None:
    told = algebra.lasting(parts).after(0.0)
    said = [first(part.head.fields, b"cache-control") or b"" for part in parts]
    if any(b"no-store" in each for each in said):
        assert told == b"no-store"
    if any(b"private" in each or b"no-cache" in each for each in said):
        assert b"public" not in told
    own, shared = (re.search(name, told) for name in (rb"(?<!s-)max-age=(\d+)", rb"s-maxage=(\d+)"))
    if own is not None:
        assert all(int(own[1]) <= int(limit) for each in said for limit in re.findall(rb"max-age=(\d+)", each)[:1])
    if b"public" in told:
        between = shared or own
        assert between is not None
        assert all(part.fresh is not None and int(between[1]) <= part.fresh for part in parts)


@settings(max_examples=200)
@given(PAGES, st.randoms(use_true_random=False))
def test_the_order_of_pieces_does_not_matter(parts: list[Part], random: Random) -> None:
    shuffled = parts[1:]
    random.shuffle(shuffled)
    shuffled = [parts[0], *shuffled]
    assert algebra.lasting(parts) == algebra.lasting(shuffled)
    for rule in (algebra.vary, algebra.language, algebra.modified):
        assert rule(parts) == rule(shuffled)


@given(st.lists(st.binary(max_size=20).filter(bool), min_size=1, max_size=6), st.data())
def test_a_validator_holds_only_while_no_part_changed(names: list[bytes], data: st.DataObject) -> None:
    names = [name.ljust(16) for name in names]
    at = data.draw(st.integers(0, len(names) - 1))
    other = [*names[:at], data.draw(st.binary(min_size=16, max_size=16)), *names[at + 1 :]]
    assert (algebra.etag(names) == algebra.etag(other)) is (names == other)
    assert algebra.etag(names) != algebra.etag([*names, b"one more".ljust(16)])
    assert re.fullmatch(rb'W/"page-[0-9a-f]{24}"', algebra.etag(names))


# Which answers are a shell


def asked(*fields: tuple[bytes, bytes], method: bytes = b"GET") -> Request:
    return Request(method, b"/", list(fields))


HTML = (b"content-type", b"text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("status", "fields", "composed"),
    [
        pytest.param(200, [HTML], True, id="a page"),
        pytest.param(404, [HTML], True, id="one that says what is missing"),
        pytest.param(200, [(b"content-type", b"text/plain")], False, id="no HTML"),
        pytest.param(200, [], False, id="nobody knows what"),
        pytest.param(204, [HTML], False, id="nothing"),
        pytest.param(206, [HTML], False, id="a part of one"),
        pytest.param(304, [HTML], False, id="no body"),
        pytest.param(200, [HTML, (b"content-encoding", b"x")], False, id="one in a coding nobody undid"),
        pytest.param(200, [HTML, (b"cache-control", b"no-transform")], False, id="one that nobody may change"),
    ],
)
def test_may_be_composed(status: int, fields: Fields, composed: bool) -> None:
    assert algebra.may_be_composed(Response(status, fields)) is composed


INM, PAGE = b"if-none-match", b'W/"page-0123"'


@pytest.mark.parametrize(
    ("request_", "status", "fields", "of_the_shell"),
    [
        pytest.param(asked((b"range", b"bytes=0-9")), 206, [HTML], True, id="a part of a shell"),
        pytest.param(asked((b"range", b"bytes=0-9")), 206, [(b"content-type", b"video/mp4")], False, id="of a film"),
        pytest.param(asked((INM, PAGE)), 304, [], True, id="an origin that takes dates, and our ETag beside"),
        pytest.param(asked((INM, b'"theirs"')), 304, [], False, id="an ETag of its own"),
        pytest.param(asked((b"if-modified-since", b"x")), 304, [], True, id="a date, from who knows whom"),
        pytest.param(
            asked((b"if-modified-since", b"x"), (b"sec-fetch-dest", b"style")),
            304,
            [],
            False,
            id="a date, from a browser for a sheet",
        ),
        pytest.param(
            asked((b"if-modified-since", b"x")), 304, [(b"content-type", b"text/css")], False, id="of a sheet"
        ),
        pytest.param(asked((INM, PAGE), method=b"POST"), 304, [], False, id="a method without conditions"),
    ],
)
def test_of_the_shell(request_: Request, status: int, fields: Fields, of_the_shell: bool) -> None:
    assert algebra.of_the_shell(request_, Response(status, fields)) is of_the_shell


def test_an_unconditional_request_is_the_same_for_the_whole() -> None:
    held = [(name, b"x") for name in (INM, b"if-modified-since", b"if-match", b"if-range", b"range")]
    request = Request(b"GET", b"/a?b", [*held, (b"cookie", b"c")], scheme=b"https", peer="192.0.2.1")
    plain = algebra.unconditional(request)
    assert plain.headers == [(b"cookie", b"c")]
    assert (plain.target, plain.scheme, plain.peer) == (b"/a?b", b"https", "192.0.2.1")


# The policy's nonce

POLICY = b"script-src 'nonce-r4nd0mr4nd0mr4nd0m+/=='; style-src 'nonce-other-other-other'"
NONCE = b"r4nd0mr4nd0mr4nd0m+/=="


@pytest.mark.parametrize("name", [b"content-security-policy", b"content-security-policy-report-only"])
def test_the_nonces_of_a_policy_are_found_and_renewed(name: bytes) -> None:
    fields: Fields = [(b"x", b"'nonce-x'"), (name, POLICY)]
    assert algebra.nonces(fields) == [NONCE, b"other-other-other"]
    assert algebra.renewed(fields, [NONCE], b"new") == [
        (b"x", b"'nonce-x'"),
        (name, b"script-src 'nonce-new'; style-src 'nonce-other-other-other'"),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(b'nonce="r4nd0mr4nd0mr4nd0m+/=="', True, id="as it is"),
        pytest.param(b"nonce=r4nd0mr4nd0mr4nd0m&#43;&#x2F;&#61;&#x3d;", True, id="escaped by a template"),
        pytest.param(b'nonce="r4nd0mr4nd0mr4nd0m"', False, id="only half of it"),
    ],
)
def test_a_nonce_is_found_as_templates_write_it(text: bytes, found: bool) -> None:
    assert (algebra.spelled([NONCE]).search(text) is not None) is found


def test_a_short_nonce_may_stand_anywhere() -> None:
    assert algebra.unguessable(NONCE) and not algebra.unguessable(b"abc")
