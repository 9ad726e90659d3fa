"""Include tags that came with the request are text, end to end: a careless application, a portal, a team with a secret.

The application writes whatever it is told into its page, wherever and however. The secret must not be in the
answer, and the secret's origin must not even be asked. The same tags, written by the application itself, work.
"""

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote

import httpx
import pytest
from playwright.sync_api import Browser

from tests.kit.origin import Answer, Origin, Seen, serving
from tests.live.portal import Portal, gateway_for, soon

SECRET = "TOP-SECRET-4711"
SLOT = '<mf-slot name="vault.secret"></mf-slot>'
OWN = '<mf-slot name="shop.own"></mf-slot>'

TAGS = {
    "slot": SLOT,
    "slot-closed": '<mf-slot name="vault.secret"/>',
    "slot-shouted": "<MF-SLOT NAME=vault.secret></MF-SLOT>",
    "slot-with-blanks": "<mf-slot\n\tname = 'vault.secret'\n>x</mf-slot>",
    "slot-with-more": '<mf-slot id="a" name="vault.secret" required primary late></mf-slot>',
    "slot-encoded-name": "<mf-slot name='vault&#46;secret'></mf-slot>",
    "comment": '<!--mf:slot name="vault.secret"-->',
    "comment-with-blanks": "<!--mf:slot   name=vault.secret   -->",
    "template": '<template mf-slot="vault.secret"></template>',
    "template-shouted": "<TEMPLATE id=x MF-SLOT=vault.secret></TEMPLATE>",
    "esi": '<esi:include src="/vault/secret"/>',
    "esi-apostrophes": "<esi:include src='/vault/secret'></esi:include>",
    "esi-bare": "<esi:include\tsrc=/vault/secret />",
    "esi-alt": '<esi:include src="/nothing" alt="/vault/secret" onerror="continue"/>',
    "esi-absolute": '<esi:include src="http://shop.test/vault/secret"/>',
    "esi-wrapped": '<!--esi <esi:include src="/vault/secret"/>-->',
    "esi-in-remove": '</esi:remove><esi:include src="/vault/secret"/>',
    "esi-try": '<esi:try><esi:attempt><esi:include src="/vault/secret"/></esi:attempt></esi:try>',
    "esi-choose": "<esi:choose><esi:when test='1==1'><esi:include src='/vault/secret'/></esi:when></esi:choose>",
    "esi-vars": "<esi:vars><b title='$(HTTP_HOST)'></b></esi:vars><esi:include src='/vault/secret'/>",
    "ssi": '<!--#include virtual="/vault/secret" -->',
    "ssi-with-blanks": "<!--#   include   virtual='/vault/secret'   -->",
    "ssi-set": "<!--#set var='a' value='/vault/secret' --><!--#include virtual='$a' -->",
    "ssi-if": "<!--#if expr='1' --><!--#include virtual='/vault/secret' --><!--#endif -->",
    "tailor": '<fragment src="/vault/secret"></fragment>',
    "tailor-primary": "<fragment primary src='/vault/secret' async>x</fragment>",
    "tailor-fallback": '<fragment src="/nothing" fallback-src="/vault/secret"></fragment>',
    "h-include": '<h-include src="/vault/secret">x</h-include>',
    "turbo-frame": '<turbo-frame id="a" src="/vault/secret">x</turbo-frame>',
}
PLACES = {
    "text": "<p>{}</p>",
    "attribute": '<input value="{}">',
    "attribute-apostrophes": "<p title='{}'>x</p>",
    "attribute-bare": "<p title={}>x</p>",
    "script": "<script>var q = '{}'</script>",
    "json": '<script type="application/json">{{"q": "{}"}}</script>',
    "style": "<style>/* {} */</style>",
    "comment": "<!-- {} -->",
    "title": "<title>{}</title>",
    "textarea": "<textarea>{}</textarea>",
    "head": "<head>{}</head>",
    "table": "<table><tr>{}</tr></table>",
    "select": "<select>{}</select>",
    "svg": "<svg>{}</svg>",
    "template": "<template>{}</template>",
    "noscript": "<noscript>{}</noscript>",
    "twice": "<p>{0}</p><p>{0}</p>",
    "behind-an-open-tag": "<p class={}",
}


# Ways a request carries a text, and how the application gets it out again


@dataclass(frozen=True, slots=True)
class Sent:
    target: str
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


Send = Callable[[str, str], Sent]
Read = Callable[[Seen], str]


def form(seen: Seen, name: str = "q") -> str:
    return parse_qs(seen.body.decode(), keep_blank_values=True).get(name, [""])[0]


def query(seen: Seen, name: str = "q") -> str:
    return parse_qs(seen.query, keep_blank_values=True).get(name, [""])[0]


def encoded(tag: str) -> str:
    return quote(tag, safe="")


def escaped(tag: str) -> str:
    return "".join(f"\\u{ord(each):04x}" if not each.isalnum() else each for each in tag)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
WAYS: dict[str, tuple[Send, Read]] = {
    "query": (lambda path, tag: Sent(f"{path}?q={encoded(tag)}"), query),
    "query-plus-for-blanks": (lambda path, tag: Sent(f"{path}?q={encoded(tag).replace('%20', '+')}"), query),
    "query-small-hex": (lambda path, tag: Sent(f"{path}?q=" + encoded(tag).replace("%3C", "%3c")), query),
    "query-every-character": (
        lambda path, tag: Sent(f"{path}?q={''.join(f'%{each:02x}' for each in tag.encode())}"),
        query,
    ),
    "query-entities": (
        lambda path, tag: Sent(f"{path}?q={encoded(html.escape(tag))}"),
        lambda seen: html.unescape(query(seen)),
    ),
    "query-numbered-entities": (
        lambda path, tag: Sent(f"{path}?q={encoded(''.join(f'&#{ord(each)};' for each in tag))}"),
        lambda seen: html.unescape(query(seen)),
    ),
    "query-encoded-twice": (
        lambda path, tag: Sent(f"{path}?q={encoded(encoded(tag))}"),
        lambda seen: unquote(query(seen)),
    ),
    "query-escaped-as-json": (
        lambda path, tag: Sent(f"{path}?q={encoded(escaped(tag))}"),
        lambda seen: json.loads(f'"{query(seen)}"'),
    ),
    "query-whole": (lambda path, tag: Sent(f"{path}?{encoded(tag)}"), lambda seen: unquote(seen.query)),
    "query-name": (
        lambda path, tag: Sent(f"{path}?{encoded(tag)}=1"),
        lambda seen: unquote(seen.query).removesuffix("=1"),
    ),
    "two-parameters": (
        lambda path, tag: Sent(f"{path}?a={encoded(tag[:9])}&b={encoded(tag[9:])}"),
        lambda seen: query(seen, "a") + query(seen, "b"),
    ),
    "three-parameters": (
        lambda path, tag: Sent(f"{path}?a={encoded(tag[:1])}&b={encoded(tag[1:6])}&c={encoded(tag[6:])}"),
        lambda seen: query(seen, "a") + query(seen, "b") + query(seen, "c"),
    ),
    "two-parameters-in-another-order": (
        lambda path, tag: Sent(f"{path}?b={encoded(tag[1:])}&a={encoded(tag[:1])}"),
        lambda seen: query(seen, "a") + query(seen, "b"),
    ),
    "a-parameter-and-a-cookie": (
        lambda path, tag: Sent(f"{path}?a={encoded(tag[:1])}", {"Cookie": f"q={encoded(tag[1:])}"}),
        lambda seen: query(seen, "a") + unquote(cookie(seen)),
    ),
    "a-parameter-and-a-form": (
        lambda path, tag: Sent(f"{path}?a={encoded(tag[:1])}", FORM, f"q={encoded(tag[1:])}".encode()),
        lambda seen: query(seen, "a") + form(seen),
    ),
    "two-segments-of-the-path": (
        lambda path, tag: Sent(f"{path}/{encoded(tag[:1])}/{encoded(tag[1:])}"),
        lambda seen: unquote(seen.path.split("/", 4)[3]) + unquote(seen.path.split("/", 4)[4]),
    ),
    "json-in-two-words": (
        lambda path, tag: Sent(
            path, {"Content-Type": "application/json"}, json.dumps({"q": tag[:1], "r": tag[1:]}).encode()
        ),
        lambda seen: str(json.loads(seen.body)["q"]) + str(json.loads(seen.body)["r"]),
    ),
    "path": (lambda path, tag: Sent(f"{path}/{encoded(tag)}"), lambda seen: unquote(seen.path.split("/", 3)[3])),
    "cookie": (lambda path, tag: Sent(path, {"Cookie": f"a=1; q={encoded(tag)}"}), lambda seen: unquote(cookie(seen))),
    "field": (lambda path, tag: Sent(path, {"X-Q": flat(tag)}), lambda seen: seen.get("x-q") or ""),
    "referer": (
        lambda path, tag: Sent(path, {"Referer": f"http://evil.test/{encoded(tag)}"}),
        lambda seen: unquote(seen.get("referer") or ""),
    ),
    "user-agent": (lambda path, tag: Sent(path, {"User-Agent": flat(tag)}), lambda seen: seen.get("user-agent") or ""),
    "accept-language": (
        lambda path, tag: Sent(path, {"Accept-Language": flat(tag)}),
        lambda seen: seen.get("accept-language") or "",
    ),
    "form": (lambda path, tag: Sent(path, FORM, f"q={encoded(tag)}".encode()), form),
    "form-two-parameters": (
        lambda path, tag: Sent(path, FORM, f"a={encoded(tag[:9])}&b={encoded(tag[9:])}".encode()),
        lambda seen: form(seen, "a") + form(seen, "b"),
    ),
    "multipart": (
        lambda path, tag: Sent(
            path, MULTIPART, f'--b\r\nContent-Disposition: form-data; name="q"\r\n\r\n{tag}\r\n--b--\r\n'.encode()
        ),
        lambda seen: seen.body.decode().split("\r\n\r\n", 1)[1].removesuffix("\r\n--b--\r\n"),
    ),
    "json": (
        lambda path, tag: Sent(path, {"Content-Type": "application/json"}, json.dumps({"q": tag}).encode()),
        lambda seen: str(json.loads(seen.body)["q"]),
    ),
    "json-escaped": (
        lambda path, tag: Sent(path, {"Content-Type": "application/json"}, f'{{"q": "{escaped(tag)}"}}'.encode()),
        lambda seen: str(json.loads(seen.body)["q"]),
    ),
    "raw-body": (
        lambda path, tag: Sent(path, {"Content-Type": "text/plain"}, tag.encode()),
        lambda seen: seen.body.decode(),
    ),
}


def flat(tag: str) -> str:
    """A field holds no ends of lines."""
    return re.sub(r"[\n\t]", " ", tag)


def cookie(seen: Seen) -> str:
    return (seen.get("cookie") or "").partition("q=")[2]


# The application, and the team with the secret


def page(markup: str | list[bytes]) -> Answer:
    """Kept for everybody by whoever does not look: what one viewer injects would be shown to all."""
    fields = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "public, max-age=60")]
    return Answer(markup.encode() if isinstance(markup, str) else markup, headers=fields)


def shop(seen: Seen) -> Answer:
    """/way/place/… : reads its request by that way, writes it into that place."""
    if seen.path == "/own":
        return page("<b>own</b>")
    if seen.path in ("/echo", "/composer"):
        return page(f"<i>echo {query(seen)}</i>{OWN if seen.path == '/composer' else ''}")
    if seen.path in ("/plain", "/writer"):
        return page(f"<i>wrote {SLOT}{TAGS['esi']}{TAGS['ssi']}{TAGS['tailor']}</i>")
    if seen.path.startswith("/through/"):
        return page(f'<p>shell</p><mf-slot name="shop.{seen.path.removeprefix("/through/")}"></mf-slot>')
    if seen.path == "/gadgets":
        return page(f"<!doctype html><body><mf-slot name=shop.own lazy>soon</mf-slot><p>{query(seen)}</p>")
    if seen.path.startswith("/itself/"):
        return page(f"<p>{TAGS[seen.path.removeprefix('/itself/')]}</p>{OWN}")
    if seen.path.count("/") < 2:
        return Answer(b"nothing here", 404)
    _, way, place, *_ = seen.path.split("/", 3)
    cut, _, way = way.rpartition(".")
    written = PLACES[place].format(told(way, seen))
    text = f"{written}{OWN}" if "open" not in place else f"{OWN}{written}"
    if not cut:
        return page(text)
    size, body = int(cut), text.encode()
    return page([body[at : at + size] for at in range(0, len(body), size)])


def told(way: str, seen: Seen) -> str:
    """What a request says in that way; nothing when it says nothing."""
    says = seen.body if WAYS[way][0]("/", "x").body is not None else True
    return WAYS[way][1](seen) if says else ""


@pytest.fixture(scope="module")
def application() -> Iterator[Origin]:
    with serving(shop) as origin:
        yield origin


@pytest.fixture(scope="module")
def vault() -> Iterator[Origin]:
    fields = [("Content-Type", "text/html")]
    with serving(
        lambda _: Answer(f'<turbo-frame id="a"><b>{SECRET}</b></turbo-frame>'.encode(), 200, fields)
    ) as origin:
        yield origin


@pytest.fixture(scope="module")
def portal(application: Origin, vault: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    told = {
        "shop": f"""\
team: shop
upstreams:
  shop: {{ origins: ["{application.url}"], dialects: [tailor, esi, ssi, include] }}
mounts:
  /: {{ upstream: shop, composes: true }}
  /sub: {{ upstream: shop, composes: true, links_to: [/vault] }}
fragments:
  shop.own: {{ upstream: shop, path: /own }}
  shop.echo: {{ upstream: shop, path: /echo, forward: {{ query: [q] }} }}
  shop.composer: {{ upstream: shop, path: /composer, composes: true, forward: {{ query: [q] }} }}
  shop.plain: {{ upstream: shop, path: /plain }}
  shop.writer: {{ upstream: shop, path: /writer, composes: true }}
""",
        "vault": f"""\
team: vault
upstreams:
  vault: {{ origins: ["{vault.url}"] }}
mounts:
  /vault: {{ upstream: vault }}
fragments:
  vault.secret: {{ upstream: vault, path: /secret }}
""",
    }
    with gateway_for(tmp_path_factory.mktemp("injection"), told) as portal:
        yield portal


@pytest.fixture(scope="module")
def viewer(portal: Portal) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=portal.url, headers={"Host": "shop.test"}, timeout=10) as viewer:
        yield viewer


def asked(viewer: httpx.Client, sent: Sent) -> httpx.Response:
    method = "GET" if sent.body is None else "POST"
    return viewer.request(method, sent.target, headers=sent.fields, content=sent.body)


def is_safe(answer: httpx.Response, vault: Origin, own: bool = True) -> None:
    assert answer.status_code == 200
    assert SECRET not in answer.text
    assert vault.requests == []
    assert "<b>own</b>" in answer.text or not own  # the page's own slot works


SPLIT = ("two", "three", "a-parameter", "form-two", "json-in", "raw-body")  # any body is looked at as a form, too


def hides(way: str, tag: str) -> bool:
    """A value that ends within a tag's beginning is taken for that of all tags that begin so: for who sends it."""
    return way.startswith(SPLIT) and tag.startswith("slot")


@pytest.fixture(autouse=True)
def nobody_asked(vault: Origin) -> None:
    vault.requests.clear()


BY_PREFIX = [pytest.param(tag, place, id=f"{place}: {tag}") for place in ("text", "attribute", "head") for tag in TAGS]
BY_PLACE = [pytest.param(tag, place, id=f"{place}: {tag}") for place in PLACES for tag in TAGS]
BY_WAY = [pytest.param(tag, way, id=f"{way}: {tag}") for way in WAYS for tag in TAGS]


def test_there_are_payloads_enough() -> None:
    assert len(BY_PLACE) + len(BY_WAY) >= 1000
    assert len(TAGS) >= 28 and len(WAYS) >= 24 and len(PLACES) >= 18


@pytest.mark.parametrize(("tag", "place"), BY_PLACE)
def test_wherever_it_is_reflected(viewer: httpx.Client, vault: Origin, tag: str, place: str) -> None:
    answer = asked(viewer, WAYS["query"][0](f"/query/{place}", TAGS[tag]))
    is_safe(answer, vault)
    assert TAGS[tag] in answer.text  # it is there, and it is text


@pytest.mark.parametrize(("tag", "place"), BY_PREFIX)
def test_below_a_prefix_where_addresses_are_mapped(viewer: httpx.Client, vault: Origin, tag: str, place: str) -> None:
    is_safe(asked(viewer, WAYS["query"][0](f"/sub/query/{place}", TAGS[tag])), vault)


@pytest.mark.parametrize(("tag", "way"), BY_WAY)
def test_however_it_came(viewer: httpx.Client, vault: Origin, tag: str, way: str) -> None:
    answer = asked(viewer, WAYS[way][0](f"/{way}/text", TAGS[tag]))
    is_safe(answer, vault, own=not hides(way, tag))
    assert flat(TAGS[tag]).lower() in flat(answer.text).lower()


@pytest.mark.parametrize("way", ["query", "cookie", "field", "form", "path"])
@pytest.mark.parametrize("tag", ["slot", "comment", "esi", "esi-wrapped", "ssi", "tailor", "h-include"])
@pytest.mark.parametrize("size", [1, 3, 11])
def test_in_chunks(viewer: httpx.Client, vault: Origin, tag: str, way: str, size: int) -> None:
    answer = asked(viewer, WAYS[way][0](f"/{size}.{way}/text", TAGS[tag]))
    is_safe(answer, vault)
    assert TAGS[tag] in answer.text


@pytest.mark.parametrize("way", [way for way in WAYS if not WAYS[way][0]("/", "x").target.partition("/")[2]])
@pytest.mark.parametrize("tag", ["slot", "esi", "ssi", "tailor"])
def test_what_one_viewer_injects_is_shown_to_no_other(viewer: httpx.Client, vault: Origin, tag: str, way: str) -> None:
    """What came in a field or a body is not in the address: a page that is kept would be for all who ask for it."""
    path = f"/{way}/text"
    before = viewer.get(path)
    is_safe(asked(viewer, WAYS[way][0](path, TAGS[tag])), vault, own=not hides(way, tag))
    after = viewer.get(path)
    is_safe(after, vault)
    assert TAGS[tag] not in after.text and after.text == before.text


# By way of a fragment


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("through", ["echo", "composer"])
def test_a_fragment_that_reflects_it(viewer: httpx.Client, vault: Origin, through: str, tag: str) -> None:
    """Also one that may hold slots of its own."""
    answer = asked(viewer, WAYS["query"][0](f"/through/{through}", TAGS[tag]))
    assert answer.status_code == 200 and "echo" in answer.text
    assert SECRET not in answer.text and vault.requests == []
    assert ("<b>own</b>" in answer.text) in (through == "composer", not tag.startswith(("slot", "comment", "template")))


def test_a_fragment_without_the_right_includes_nothing(viewer: httpx.Client, vault: Origin) -> None:
    answer = viewer.get("/through/plain")
    assert "wrote" in answer.text and SECRET not in answer.text and vault.requests == []


def test_one_with_the_right_does_in_our_own_language_only(viewer: httpx.Client, vault: Origin) -> None:
    answer = viewer.get("/through/writer")
    assert answer.text.count(SECRET) == 1
    assert vault.targets == ["/secret"]


# The controls


@pytest.mark.parametrize("tag", [tag for tag in TAGS if tag not in ("esi-in-remove",)])
def test_the_same_tag_of_the_page_itself_works(viewer: httpx.Client, vault: Origin, tag: str) -> None:
    answer = viewer.get(f"/itself/{tag}")
    assert answer.status_code == 200 and "<b>own</b>" in answer.text
    assert answer.text.count(SECRET) == 1
    assert vault.targets[:1] in ([], ["/secret"])  # kept, since it may be


@pytest.mark.parametrize("tag", ["slot", "esi", "ssi", "tailor"])
def test_a_page_that_holds_the_same_tag_itself_keeps_it_for_all_but_who_sends_it(
    viewer: httpx.Client, vault: Origin, tag: str
) -> None:
    """Who sends a page's own tag hides it from himself, and from nobody else."""
    alone = viewer.get(f"/itself/{tag}?q={encoded(TAGS[tag])}")
    assert SECRET not in alone.text and "<b>own</b>" in alone.text
    assert SECRET in viewer.get(f"/itself/{tag}").text


# In a browser


def test_no_script_of_ours_does_what_a_reflected_tag_says(browser: Browser, portal: Portal, vault: Origin) -> None:
    """Marks that our own scripts read, reflected: they fetch nothing of the secret team's, and run nothing."""
    marks = (
        '<mf-slot name="vault.secret" data-mf-slot="0" data-mf-lazy="http://evil.test/-/fragment/vault.secret">x</mf-slot>'
        '<mf-slot name="a" data-mf-slot="1" data-mf-module="http://evil.test/evil.js">x</mf-slot>'
        '<template for="mf-0" data-mf-late="0">evil</template>'
    )
    tab = browser.new_page()
    asked_for: list[str] = []  # but not the page's own address, in which the marks are
    tab.on("request", lambda request: asked_for.append(request.url))
    try:
        tab.goto(f"{portal.url}/gadgets?q={encoded(marks)}", wait_until="load")
        assert soon(lambda: tab.evaluate("document.readyState") == "complete", 5)
        assert soon(lambda: "own" in tab.evaluate("document.body.innerText"), 5)  # our script is there, and works
        assert [url for url in asked_for if url.startswith("http://evil.test")] == []
        assert "evil" not in tab.evaluate("document.body.innerText")
    finally:
        tab.close()
    assert vault.requests == []
