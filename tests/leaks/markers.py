"""The table of leaks: one marker for each channel and spelling, and what no proxy may touch.

In what the origin writes `%U` is the marker's own path, `%V` the same without its first slash, `%O` the origin as the
proxy is told of it, `%H` its authority, `%P` the public origin and `%X` the prefix, which a control may name. All
these are closed by what a proxy does to bytes; what is left to the browser stands in `escapes`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import tests.leaks.reading as reading
from tests.leaks.reading import Read, attribute, candidates, element, member, refreshed, sheet, text, whole, words

Means = Literal[
    "url",  # leads below the prefix
    "public",  # the same, and with the public origin, for others read it
    "path",  # a field of the prefix alone
    "absent",  # is not the application's to say
    "cookie",  # is kept below the prefix, and comes back under its own name
    "alone",  # of two cookies of one name only its own comes back
    "condition",  # a validator that comes back as the origin's own
    "policy",  # names public URLs below the prefix, and nothing else of it changed
    "origin",  # names the public origin
    "referrer",  # lets the gateway know which page a request came from
]

CLASSES = {
    "R": "answer fields",
    "Q": "requests",
    "H": "HTML",
    "C": "CSS",
    "D": "documents",
    "J": "JavaScript",
}


@dataclass(frozen=True, slots=True)
class Marker:
    """One way to leave the mount. `also` are the ends of further URLs it carries, behind the same path."""

    id: str
    channel: str
    page: str
    written: str
    read: Read
    ends: tuple[str, ...] = ("",)
    means: Means = "url"
    field: str = ""

    @property
    def url(self) -> str:
        return f"/m/{self.id}"

    @property
    def kind(self) -> str:
        return self.channel[0]


@dataclass(frozen=True, slots=True)
class Control:
    """Something that looks like a leak and is none: every byte comes through as it was."""

    id: str
    page: str
    written: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What stands around the markers of one page. `coding` packs it, `pieces` cuts it where it hurts."""

    type: str
    before: str = ""
    after: str = ""
    coding: str = ""
    charset: str = "utf-8"
    pieces: int = 0


# Fields of answers.

_url = whole
_links = reading.matched(r"<([^<>]*)>(?=[^\"]*(?:\"[^\"]*\"[^\"]*)*$)")
_quoted = reading.matched(r'"([^"]*)"')


def _field(
    id: str, channel: str, name: str, written: str, read: Read = _url, ends: Iterable[str] = ("",), means: Means = "url"
) -> Marker:
    return Marker(id, channel, f"/fields/{id}", written, read, tuple(ends), means, field=name)


FIELDS = (
    _field("r-location", "R1", "Location", "%U"),
    _field("r-location-query", "R1", "Location", "%U?next=%2Fx#top", ends=["?next=%2Fx#top"]),
    _field("r-location-origin", "R2", "Location", "%O%U"),
    _field("r-location-origin-schemeless", "R2", "Location", "//%H%U"),
    _field("r-location-public", "R3", "Location", "%P%U"),
    _field("r-refresh", "R6", "Refresh", "3; url=%U", refreshed),
    _field("r-refresh-quoted", "R6", "Refresh", "3;URL='%U'", refreshed),
    _field("r-content-location", "R7", "Content-Location", "%U"),
    _field("r-link", "R8", "Link", '<%U>; rel=preload; as=script; title="</x>, </y>"', _links),
    _field("r-link-two", "R8", "Link", "<%U-1>; rel=next, <%O%U-2>; rel=prev", _links, ["-1", "-2"]),
    _field("r-early-hints", "R8", "103 Link", "<%U>; rel=preload; as=style", _links),
    _field("r-cookie-root", "R9", "Set-Cookie", "%N=1; Path=/; HttpOnly", means="cookie"),
    _field("r-cookie-path", "R9", "Set-Cookie", "%N=1; Path=/fields; SameSite=Lax", means="cookie"),
    _field("r-cookie-no-path", "R9", "Set-Cookie", "%N=1", means="cookie"),
    _field("r-cookie-domain", "R10", "Set-Cookie", "%N=1; Domain=%D; Path=/", means="cookie"),
    _field("r-cookie-host", "R11", "Set-Cookie", "__Host-%N=1; Secure; Path=/", means="cookie"),
    _field("r-cookie-secure", "R11", "Set-Cookie", "__Secure-%N=1; Secure; Path=/", means="cookie"),
    _field("r-cookie-same-name", "R12", "Set-Cookie", "session=own; Path=/", means="alone"),
    _field("r-sourcemap", "R13", "SourceMap", "%U"),
    _field("r-x-sourcemap", "R13", "X-SourceMap", "%U"),
    _field("r-service-worker-allowed", "R14", "Service-Worker-Allowed", "/", means="path"),
    _field("r-csp-report", "R15", "Content-Security-Policy", "img-src 'self'; report-uri %U", means="policy"),
    _field("r-csp-source", "R15", "Content-Security-Policy", "img-src %P%U data:; font-src *", means="policy"),
    _field("r-csp-origin", "R15", "Content-Security-Policy", "img-src %O%U; script-src 'none'", means="policy"),
    _field(
        "r-csp-report-only", "R15", "Content-Security-Policy-Report-Only", "img-src *; report-uri %U", means="policy"
    ),
    _field("r-reporting-endpoints", "R16", "Reporting-Endpoints", 'main="%U-1", other="%O%U-2"', _quoted, ["-1", "-2"]),
    _field(
        "r-report-to",
        "R16",
        "Report-To",
        '{"group":"a","max_age":9,"endpoints":[{"url":"%P%U"}]}',
        member("/endpoints/0/url"),
    ),
    _field("r-hx-redirect", "R17", "HX-Redirect", "%U"),
    _field("r-hx-location", "R17", "HX-Location", "%U"),
    _field("r-hx-location-json", "R17", "HX-Location", '{"path":"%U","target":"#x"}', member("/path")),
    _field("r-hx-push-url", "R17", "HX-Push-Url", "%U"),
    _field("r-hx-replace-url", "R17", "HX-Replace-Url", "%U"),
    _field("r-inertia", "R17", "X-Inertia-Location", "%U"),
    _field("r-turbo", "R17", "Turbo-Location", "%U"),
    _field("r-unpoly", "R17", "X-Up-Location", "%U"),
    _field("r-speculation-rules", "R18", "Speculation-Rules", '"%U"', _quoted),
    _field("r-pingback", "R18", "X-Pingback", "%O%U"),
    _field("r-accel", "R19", "X-Accel-Redirect", "/secret/%V", means="absent"),
    _field("r-sendfile", "R19", "X-Sendfile", "/srv/%V", means="absent"),
    _field("r-hsts", "R20", "Strict-Transport-Security", "max-age=31536000; includeSubDomains", means="absent"),
    _field("r-clear-site-data", "R20", "Clear-Site-Data", '"*"', means="absent"),
    _field("r-alt-svc", "R20", "Alt-Svc", 'h3=":443"', means="absent"),
    _field("r-etag", "R22", "ETag", '"%N"', means="condition"),
    _field("r-no-referrer", "R24", "Referrer-Policy", "no-referrer", means="referrer"),
    _field("r-allow-origin", "R25", "Access-Control-Allow-Origin", "%O", means="origin"),
    _field("r-timing-origin", "R25", "Timing-Allow-Origin", "%O", means="origin"),
)

# HTML: id, channel, what is written, how it is read, further ends of URLs.

_style = attribute("style", sheet)
_content = attribute("content")
_two = ("-1", "-2")

_HTML: tuple[tuple[str, str, str, Read, tuple[str, ...]], ...] = (
    ("h-double", "H1", '<a href="%U">x</a>', attribute("href"), ("",)),
    ("h-single", "H1", "<a href='%U'>x</a>", attribute("href"), ("",)),
    ("h-unquoted", "H1", "<a href=%U>x</a>", attribute("href"), ("",)),
    ("h-upper", "H1", '<A HREF="%U">x</A>', attribute("href"), ("",)),
    ("h-spaced", "H1", '<a href = "%U">x</a>', attribute("href"), ("",)),
    ("h-newlines", "H1", "<a\nhref\n=\n'%U'\n>x</a>", attribute("href"), ("",)),
    ("h-after-others", "H1", "<a class=a title='a > b' hidden href=\"%U\">x</a>", attribute("href"), ("",)),
    ("h-entity-decimal", "H1", '<a href="&#47;%V">x</a>', attribute("href"), ("",)),
    ("h-entity-hex", "H1", '<a href="&#x2F;%V">x</a>', attribute("href"), ("",)),
    ("h-entity-named", "H1", '<a href="&sol;%V">x</a>', attribute("href"), ("",)),
    ("h-query", "H1", '<a href="%U?a=1&amp;b=/2#/c">x</a>', attribute("href"), ("?a=1&b=/2#/c",)),
    ("h-first-of-two", "H1", '<a href="%U" href="/other">x</a>', attribute("href"), ("",)),
    ("h-origin", "H7", '<a href="%O%U">x</a>', attribute("href"), ("",)),
    ("h-origin-schemeless", "H7", '<a href="//%H%U">x</a>', attribute("href"), ("",)),
    ("h-origin-upper", "H7", '<a href="HTTP://%H%U">x</a>', attribute("href"), ("",)),
    ("h-public", "H7", '<a href="%P%U">x</a>', attribute("href"), ("",)),
    ("h-src", "H1", '<img src="%U.gif" alt>', attribute("src"), (".gif",)),
    ("h-script", "H1", '<script src="%U.js"></script>', attribute("src"), (".js",)),
    ("h-iframe", "H1", '<iframe src="%U"></iframe>', attribute("src"), ("",)),
    ("h-action", "H1", '<form action="%U" method=post><input></form>', attribute("action"), ("",)),
    ("h-formaction", "H2", '<button formaction="%U">x</button>', attribute("formaction"), ("",)),
    ("h-formaction-input", "H2", '<input type=submit formaction="%U">', attribute("formaction"), ("",)),
    ("h-ping", "H2", '<a ping="%U-1 %U-2">x</a>', attribute("ping", words), _two),
    ("h-poster", "H2", '<video poster="%U.gif"></video>', attribute("poster"), (".gif",)),
    ("h-data", "H2", '<object data="%U.gif" type="image/gif"></object>', attribute("data"), (".gif",)),
    ("h-cite", "H2", '<blockquote cite="%U"></blockquote>', attribute("cite"), ("",)),
    ("h-cite-q", "H2", '<q cite="%U"></q>', attribute("cite"), ("",)),
    ("h-cite-ins", "H2", '<ins cite="%U"></ins>', attribute("cite"), ("",)),
    ("h-background", "H2", '<table background="%U.gif"></table>', attribute("background"), (".gif",)),
    ("h-longdesc", "H2", '<img longdesc="%U" alt>', attribute("longdesc"), ("",)),
    ("h-srcset", "H3", '<img srcset="%U-1 1x, %U-2 2x" alt>', attribute("srcset", candidates), _two),
    (
        "h-srcset-comma",
        "H3",
        '<img srcset="%U,w=1 1x,%U,w=2 2x" alt>',
        attribute("srcset", candidates),
        (",w=1", ",w=2"),
    ),
    (
        "h-imagesrcset",
        "H3",
        '<link rel=preload as=image imagesrcset="%U-1 100w, %U-2 200w" imagesizes=50vw>',
        attribute("imagesrcset", candidates),
        _two,
    ),
    (
        "h-source-srcset",
        "H3",
        '<picture><source srcset="%U-1 1x, %U-2 2x"></picture>',
        attribute("srcset", candidates),
        _two,
    ),
    ("h-refresh", "H5", '<meta http-equiv=refresh content="9999; url=%U">', attribute("content", refreshed), ("",)),
    (
        "h-refresh-quoted",
        "H5",
        "<meta http-equiv=Refresh content=\"9999;URL='%U'\">",
        attribute("content", refreshed),
        ("",),
    ),
    ("h-refresh-bare", "H5", '<meta http-equiv=refresh content="9999,%U">', attribute("content", refreshed), ("",)),
    ("h-og-image-root", "H7", '<meta property="og:image" content="%U">', _content, ("",)),
    ("h-stylesheet", "H8", '<link rel=stylesheet href="%U.css">', attribute("href"), (".css",)),
    ("h-icon", "H8", '<link rel="shortcut icon" href="%U.gif">', attribute("href"), (".gif",)),
    ("h-modulepreload", "H8", '<link rel=modulepreload href="%U.js">', attribute("href"), (".js",)),
    ("h-manifest", "H8", '<link rel=manifest href="%U.webmanifest">', attribute("href"), (".webmanifest",)),
    ("h-prefetch", "H8", '<link rel=prefetch href="%U">', attribute("href"), ("",)),
    ("h-style-attribute", "H9", "<p style=\"background:url('%U.gif')\">x", _style, (".gif",)),
    ("h-style-entities", "H9", '<p style="background:url(&quot;%U.gif&quot;)">x', _style, (".gif",)),
    ("h-style", "H9", "<style>.a{background:url(%U.gif)}</style>", text(sheet), (".gif",)),
    ("h-style-import", "H9", '<style>@import "%U.css";</style>', text(sheet), (".css",)),
    (
        "h-importmap",
        "H11",
        '<script type=importmap>{"imports":{"a":"%U.js"}}</script>',
        text(member("/imports/a")),
        (".js",),
    ),
    (
        "h-importmap-scope",
        "H11",
        '<script type=importmap>{"scopes":{"%U/":{"a":"./a.js"}}}</script>',
        text(reading.keys("/scopes")),
        ("/",),
    ),
    (
        "h-speculation",
        "H12",
        '<script type=speculationrules>{"prefetch":[{"source":"list","urls":["%U"]}]}</script>',
        text(member("/prefetch/0/urls/0")),
        ("",),
    ),
    (
        "h-speculation-matches",
        "H12",
        '<script type=speculationrules>{"prefetch":[{"where":{"href_matches":"%U/*"},"eagerness":"eager"}]}</script>',
        text(member("/prefetch/0/where/href_matches")),
        ("/*",),
    ),
    (
        "h-ld-json",
        "H13",
        '<script type="application/ld+json">{"@type":"Hotel","url":"%O%U","image":"%O/x"}</script>',
        text(member("/url")),
        ("",),
    ),
    (
        "h-ld-json-id",
        "H13",
        '<script type="application/ld+json">{"@graph":[{"@id":"%P%U#it"}]}</script>',
        text(member("/@graph/0/@id")),
        ("#it",),
    ),
    (
        "h-srcdoc",
        "H15",
        "<iframe srcdoc='<img src=\"%U.gif\">'></iframe>",
        attribute("srcdoc", attribute("src")),
        (".gif",),
    ),
    (
        "h-srcdoc-entities",
        "H15",
        '<iframe srcdoc="&lt;img src=&quot;%U.gif&quot;&gt;"></iframe>',
        attribute("srcdoc", attribute("src")),
        (".gif",),
    ),
    ("h-template", "H16", '<template><a href="%U">x</a></template>', attribute("href"), ("",)),
    ("h-noscript", "H16", '<noscript><img src="%U.gif"></noscript>', attribute("src"), (".gif",)),
    (
        "h-shadow",
        "H16",
        '<div><template shadowrootmode=open><img src="%U.gif"></template></div>',
        attribute("src"),
        (".gif",),
    ),
    ("h-svg-use", "H17", '<svg><use xlink:href="%U.svg#a"/></svg>', attribute("xlink:href"), (".svg#a",)),
    ("h-svg-image", "H17", '<svg><image href="%U.gif"/></svg>', attribute("href"), (".gif",)),
    ("h-svg-link", "H17", '<svg><a href="%U"><text>x</text></a></svg>', attribute("href"), ("",)),
    ("h-svg-fill", "H17", '<svg><rect fill="url(%U.svg#g)"/></svg>', attribute("fill", sheet), (".svg#g",)),
    ("h-svg-filter", "H17", '<svg><filter><feImage href="%U.gif"/></filter></svg>', attribute("href"), (".gif",)),
    (
        "h-svg-set",
        "H17",
        '<svg><a><set attributeName="href" to="%U"/></a></svg>',
        attribute("to"),
        ("",),
    ),
    ("h-svg-style", "H17", "<svg><style>.a{fill:url(%U.svg#g)}</style></svg>", text(sheet), (".svg#g",)),
    ("h-mathml", "H17", '<math><mi href="%U">x</mi></math>', attribute("href"), ("",)),
    ("h-data-src", "H18", '<img data-src="%U.gif" alt>', attribute("data-src"), (".gif",)),
    ("h-hx-get", "H18", '<div hx-get="%U">x</div>', attribute("hx-get"), ("",)),
    ("h-hx-post", "H18", '<div data-hx-post="%U">x</div>', attribute("data-hx-post"), ("",)),
    ("h-leading-space", "H27", '<a href="  %U">x</a>', attribute("href"), ("",)),
    ("h-leading-newline", "H27", '<a href="\n\t%U">x</a>', attribute("href"), ("",)),
    ("h-tab-inside", "H27", '<a href="/\t%V">x</a>', attribute("href"), ("",)),
    ("h-backslash", "H27", '<a href="\\%V">x</a>', attribute("href"), ("",)),
    ("h-dots", "H27", '<a href="/../..%U">x</a>', attribute("href"), ("",)),
    ("h-area", "H28", '<map><area href="%U" alt></map>', attribute("href"), ("",)),
    ("h-track", "H28", '<video><track src="%U.vtt"></video>', attribute("src"), (".vtt",)),
    ("h-embed", "H28", '<embed src="%U.gif" type="image/gif">', attribute("src"), (".gif",)),
    ("h-audio", "H28", '<audio src="%U.wav" preload=none></audio>', attribute("src"), (".wav",)),
    ("h-source", "H28", '<audio preload=none><source src="%U.wav"></audio>', attribute("src"), (".wav",)),
    ("h-input", "H28", '<input type=image src="%U.gif" alt=x>', attribute("src"), (".gif",)),
    ("h-frame", "H28", '<frame src="%U">', attribute("src"), ("",)),
)

# What others read, with the public origin in front.
_PUBLIC: tuple[tuple[str, str, str, Read], ...] = (
    ("h-canonical", "H7", '<link rel=canonical href="%O%U">', attribute("href")),
    ("h-alternate", "H7", '<link rel=alternate hreflang=fr href="%O%U">', attribute("href")),
    ("h-og-image", "H7", '<meta property="og:image" content="%O%U">', _content),
    ("h-og-url", "H7", '<meta property="og:url" content="%P%U">', _content),
    ("h-twitter", "H7", '<meta name="twitter:image" content="%O%U">', _content),
)

# A page of its own each: it would change its neighbours, or the page as a whole is the marker.
_ALONE: tuple[tuple[str, str, str, str, Read, Means], ...] = (
    ("h-base", "H4", "/html/base", '<base href="/">', attribute("href"), "path"),
    (
        "h-meta-csp",
        "H6",
        "/html/policy",
        '<meta http-equiv="Content-Security-Policy" content="img-src %P%U; font-src *">',
        _content,
        "policy",
    ),
    ("h-xhtml", "H24", "/html/xhtml", '<a href="%U">x</a>', attribute("href"), "url"),
    ("h-mark", "H25", "/html/mark", '<a href="%U">\xe9</a>', attribute("href"), "url"),
    ("h-latin", "H25", "/html/latin", '<a href="%U" title="\xe9">\xe9</a>', attribute("href"), "url"),
    ("h-utf-16", "H25", "/html/wide", '<a href="%U">\xe9</a>', attribute("href"), "url"),
    ("h-gzip", "H26", "/html/gzip", '<a href="%U">x</a>', attribute("href"), "url"),
    ("h-deflate", "H26", "/html/deflate", '<a href="%U">x</a>', attribute("href"), "url"),
    ("h-br", "H26", "/html/br", '<a href="%U">x</a>', attribute("href"), "url"),
    ("h-zstd", "H26", "/html/zstd", '<a href="%U">x</a>', attribute("href"), "url"),
    ("h-cut", "H26", "/html/cut", '<a class="something" href="%U">x</a>', attribute("href"), "url"),
    ("h-unfinished", "H23", "/html/partial", '<a href="%U">x</a>', attribute("href"), "url"),
)

HTML = (
    *(Marker(id, channel, "/html", written, read, ends) for id, channel, written, read, ends in _HTML),
    *(Marker(id, channel, "/html", written, read, means="public") for id, channel, written, read in _PUBLIC),
    *(Marker(id, channel, page, written, read, means=means) for id, channel, page, written, read, means in _ALONE),
)

# CSS: id, channel, what is written, further ends of URLs.

_CSS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("c-import-string", "C2", '@import "%U.css";', (".css",)),
    ("c-import-single", "C2", "@import '%U.css' screen;", (".css",)),
    ("c-import-url", "C2", "@import url(%U.css);", (".css",)),
    ("c-import-layer", "C2", '@import url("%U.css") layer(a) supports(display:grid);', (".css",)),
    ("c-bare", "C1", ".a{background:url(%U.gif)}", (".gif",)),
    ("c-double", "C1", '.a{background:url("%U.gif")}', (".gif",)),
    ("c-single", "C1", ".a{background:url('%U.gif')}", (".gif",)),
    ("c-spaced", "C1", '.a{background:url( \n"%U.gif" )}', (".gif",)),
    ("c-upper", "C1", ".a{background:URL(%U.gif)}", (".gif",)),
    ("c-name-escaped", "C1", ".a{background:u\\72l(%U.gif)}", (".gif",)),
    ("c-slash-escaped", "C1", ".a{background:url(\\2f %V.gif)}", (".gif",)),
    ("c-string-escaped", "C1", '.a{background:url("\\2f %V.gif")}', (".gif",)),
    ("c-origin", "C1", ".a{background:url(%O%U.gif)}", (".gif",)),
    ("c-after-comment", "C1", ".a{/* ) ' */background:url(%U.gif)}", (".gif",)),
    ("c-nested", "C1", "@media screen{.a{& .b{background:url(%U.gif)}}}", (".gif",)),
    ("c-set-strings", "C3", '.a{background:image-set("%U-1" 1x, "%U-2" 2x)}', _two),
    ("c-set-urls", "C3", ".a{background:-webkit-image-set(url(%U-1) 1x, url(%U-2) 2x)}", _two),
    ("c-font", "C3", "@font-face{font-family:a;src:url(%U-1) format('woff2'),url('%U-2')}", _two),
    ("c-fade", "C3", ".a{background:cross-fade(url(%U-1),url(%U-2))}", _two),
    ("c-property", "C6", ".a{--image:url(%U.gif)}", (".gif",)),
    ("c-map", "C7", "/*# sourceMappingURL=%U.map */", (".map",)),
)

CSS = tuple(Marker(id, channel, "/css/style.css", written, sheet, ends) for id, channel, written, ends in _CSS)

# Documents are read whole; their text stands in PAGES.

_SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
_ATOM = "{http://www.w3.org/2005/Atom}"
_DOCUMENTS: tuple[tuple[str, str, str, Read, Means], ...] = (
    ("c-end", "C1", "/css/end.css", sheet, "url"),
    ("d-start", "D1", "/site.webmanifest", member("/start_url"), "url"),
    ("d-scope", "D1", "/site.webmanifest", member("/scope"), "url"),
    ("d-id", "D1", "/site.webmanifest", member("/id"), "url"),
    ("d-icon", "D1", "/site.webmanifest", member("/icons/0/src"), "url"),
    ("d-screenshot", "D1", "/site.webmanifest", member("/screenshots/0/src"), "url"),
    ("d-shortcut", "D1", "/site.webmanifest", member("/shortcuts/0/url"), "url"),
    ("d-share", "D1", "/site.webmanifest", member("/share_target/action"), "url"),
    ("d-file", "D1", "/site.webmanifest", member("/file_handlers/0/action"), "url"),
    ("d-protocol", "D1", "/site.webmanifest", member("/protocol_handlers/0/url"), "url"),
    ("d-rules", "D1", "/rules.json", member("/prefetch/0/urls/0"), "url"),
    ("d-sitemap", "D2", "/sitemap.xml", element(f"{_SITEMAP}loc"), "public"),
    (
        "d-sitemap-alternate",
        "D2",
        "/sitemap.xml",
        element("{http://www.w3.org/1999/xhtml}link", "href"),
        "public",
    ),
    ("d-sitemap-index", "D2", "/sitemap_index.xml", element(f"{_SITEMAP}loc"), "public"),
    ("d-rss", "D2", "/feed.rss", lambda xml: element("link")(xml)[:1], "public"),
    ("d-rss-item", "D2", "/feed.rss", lambda xml: element("link")(xml)[1:], "public"),
    ("d-rss-enclosure", "D2", "/feed.rss", element("enclosure", "url"), "public"),
    ("d-atom", "D2", "/feed.atom", element(f"{_ATOM}link", "href"), "public"),
    ("d-opensearch", "D2", "/search.xml", element("{http://a9.com/-/spec/opensearch/1.1/}Url", "template"), "public"),
    ("d-robots-sitemap", "D3", "/robots.txt", reading.matched(r"^Sitemap: (\S+)"), "public"),
    ("d-robots-path", "D3", "/robots.txt", reading.matched(r"^Disallow: (\S+)"), "url"),
    ("d-hal", "D5", "/api/rooms", member("/links/next/href"), "url"),
    ("d-hal-origin", "D5", "/api/rooms", member("/items/0/href"), "url"),
    ("d-hls-line", "D6", "/live.m3u8", reading.matched(r"^(/\S+|http\S+)"), "url"),
    ("d-hls-key", "D6", "/live.m3u8", reading.matched(r'URI="([^"]*)"'), "url"),
    ("d-svg", "D7", "/image.svg", element("{http://www.w3.org/2000/svg}image", "href"), "url"),
    ("d-svg-style", "D7", "/image.svg", lambda xml: sheet(xml.partition("<style>")[2].partition("</style>")[0]), "url"),
    ("d-stylesheet", "D7", "/image.svg", reading.matched(r'<\?xml-stylesheet href="([^"]*)"'), "url"),
)

DOCUMENTS = tuple(Marker(id, channel, page, "", read, means=means) for id, channel, page, read, means in _DOCUMENTS)

MARKERS: tuple[Marker, ...] = (*FIELDS, *HTML, *CSS, *DOCUMENTS)

# JSON whose URLs are named in the manifest, because nothing in it says which strings are any.
POINTERS = ("/links/*/href", "/items/*/href")

# What is to come through as it is.

_KEPT_HTML: tuple[tuple[str, str], ...] = (
    ("text", 'Write &lt;a href="/x"> or url(/x), then go to /x.'),
    ("comment", '<!-- <a href="/x"> -->'),
    ("comment-conditional", '<!--[if IE]><link href="/ie.css"><![endif]-->'),
    ("script", '<script>var a = \'<a href="/x">\', b = "/x", c = \'url(/x)\'; // src="/x"</script>'),
    ("script-json", '<script type="application/json">{"href":"/x","src":"/y"}</script>'),
    ("script-template", '<script type="text/template"><a href="/x"><img src="/y"></script>'),
    ("textarea", '<textarea><a href="/x"></textarea>'),
    ("title-attribute", '<p title="<a href=/x>">x'),
    ("title-svg", '<svg><title>src="/x" url(/x)</title></svg>'),
    ("pre", '<pre>&lt;img src="/x"&gt; href="/x"</pre>'),
    ("xmp", '<xmp><a href="/x"></xmp>'),
    ("foreign", '<a href="https://other.example/x">x</a>'),
    ("foreign-schemeless", '<a href="//cdn.example/x">x</a>'),
    ("foreign-port", '<a href="http://127.0.0.1:1/x">x</a>'),
    ("foreign-srcset", '<img srcset="//cdn.example/a 1x, https://cdn.example/b 2x" alt>'),
    ("already", '<a href="%X/x?a=/b">x</a>'),
    ("already-public", '<a href="%P%X/x">x</a>'),
    ("already-bare", '<a href="%X/">x</a>'),
    ("other-mount", '<a href="/pets/7">x</a>'),
    ("other-mount-bare", '<a href="/pets">x</a>'),
    ("other-mount-public", '<a href="%P/pets/7">x</a>'),
    ("relative", '<a href="x/y?z">x</a><a href="./x">x</a><a href="../x">x</a>'),
    ("query-only", '<a href="?page=/2">x</a>'),
    ("fragment", '<a href="#/x">x</a><a href="#">x</a>'),
    ("empty", '<a href="">x</a><a href>x</a>'),
    ("mailto", '<a href="mailto:a@b.example?subject=/x">x</a><a href="tel:/1">x</a>'),
    ("data-url", '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt>'),
    ("javascript", "<a href=\"javascript:go('/x')\">x</a>"),
    ("handler", "<a onclick=\"go('/x')\">x</a>"),
    ("blob", '<img src="blob:%P/x" alt>'),
    ("odd-attribute", '<a data-note="/x" name="/x" class="/x" id="/x" value="/x">x</a>'),
    ("second-of-two", '<a href="x" href="/x">x</a>'),
    ("style-string", '<style>.b::before{content:"url(/x)"} /* url(/x) */ .c{fill:url(#g)}</style>'),
    ("style-data", '<p style="background:url(data:image/png;base64,AA/BB)">x'),
    ("usemap", '<img usemap="#map" src="x.gif" alt>'),
    ("entities", "<p>&copy; &amp; &lt; &notanentity; caf\xe9</p>"),
    ("broken", "<p <a href=x</p ><//><!x><?php /x ?>"),
)
_KEPT_CSS: tuple[tuple[str, str], ...] = (
    ("css-comment", "/* url(/x) @import '/x'; */"),
    ("css-content", '.a::before{content:"/x"}'),
    ("css-content-url", '.a::before{content:"url(/x)"}'),
    ("css-fragment", ".a{fill:url(#g)}"),
    ("css-data", ".a{background:url(data:image/png;base64,AA/BB)}"),
    ("css-relative", '.a{background:url(../x.gif)} .b{background:url("x")}'),
    ("css-foreign", ".a{background:url(//cdn.example/x)} .b{background:url(https://cdn.example/x)}"),
    ("css-already", ".a{background:url(%X/x)}"),
    ("css-property", '.a{--path:"/x"; --raw:/x}'),
    ("css-selector", 'a[href="/x"]{color:red}'),
    ("css-namespace", '@namespace svg "/x";'),
)
_KEPT_FIELDS: tuple[tuple[str, str, str], ...] = (
    ("field-location-relative", "Location", "x/y?z"),
    ("field-location-foreign", "Location", "https://other.example/x"),
    ("field-location-schemeless", "Location", "//other.example/x"),
    ("field-location-already", "Location", "%X/x"),
    ("field-location-next", "Location", "https://login.example/?next=%2Fx"),
    ("field-link-foreign", "Link", '<https://cdn.example/x>; rel=preload; anchor="#/x"'),
    ("field-push-false", "HX-Push-Url", "false"),
    ("field-csp", "Content-Security-Policy", "default-src 'self' https://cdn.example/x; frame-ancestors 'none'"),
    ("field-allow-any", "Access-Control-Allow-Origin", "*"),
    ("field-custom", "X-Path", "/x"),
    ("field-disposition", "Content-Disposition", 'attachment; filename="/x"'),
)
_KEPT_WHOLE: tuple[tuple[str, str], ...] = (
    ("script-file", "/kept/app.js"),
    ("json-file", "/kept/app.json"),
    ("text-file", "/kept/notes.txt"),
    ("no-transform", "/kept/no-transform"),
    ("download", "/kept/page.bin"),
    ("range", "/kept/range"),
)

CONTROLS: tuple[Control, ...] = (
    *(Control(id, "/kept/html", written) for id, written in _KEPT_HTML),
    *(Control(id, "/kept/style.css", written) for id, written in _KEPT_CSS),
    *(Control(id, f"/fields/{id}", written, name) for id, name, written in _KEPT_FIELDS),
    *(Control(id, page, "") for id, page in _KEPT_WHOLE),
)

# Pages. Markers and controls with a text of their own stand between `before` and `after`.

_HEAD = (
    '<!doctype html>\n<html lang="en"><head><meta charset="%s"><title>Worst case</title>'
    '<link rel=icon href="data:,"></head><body>\n'
)
_TAIL = "</body></html>\n"
_UTF8 = _HEAD % "utf-8"
_HTML_TYPE = "text/html; charset=utf-8"
_URLSET = "http://www.sitemaps.org/schemas/sitemap/0.9"

PAGES: dict[str, Page] = {
    "/html": Page(_HTML_TYPE, _UTF8, _TAIL),
    "/html/base": Page(_HTML_TYPE, "<!doctype html><title>Base</title>", _TAIL),
    "/html/policy": Page(_HTML_TYPE, "<!doctype html><title>Policy</title>", _TAIL),
    "/html/xhtml": Page(
        "application/xhtml+xml",
        '<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><head><title>X</title></head><body>',
        _TAIL,
    ),
    "/html/mark": Page("text/html", "\ufeff" + _UTF8, _TAIL),
    "/html/latin": Page("text/html; charset=iso-8859-1", _HEAD % "iso-8859-1", _TAIL, charset="latin-1"),
    "/html/wide": Page("text/html; charset=utf-16le", "<!doctype html><title>W</title>", "", charset="utf-16-le"),
    "/html/gzip": Page(_HTML_TYPE, _UTF8, _TAIL, coding="gzip"),
    "/html/deflate": Page(_HTML_TYPE, _UTF8, _TAIL, coding="deflate"),
    "/html/br": Page(_HTML_TYPE, _UTF8, _TAIL, coding="br"),
    "/html/zstd": Page(_HTML_TYPE, _UTF8, _TAIL, coding="zstd"),
    "/html/cut": Page(_HTML_TYPE, _UTF8, _TAIL, pieces=7),
    "/html/partial": Page(_HTML_TYPE),
    "/css/style.css": Page("text/css"),
    "/css/end.css": Page("text/css", "a{background:url(/m/c-end"),
    "/site.webmanifest": Page(
        "application/manifest+json",
        '{"name":"Worst","start_url":"/m/d-start","scope":"/m/d-scope","id":"/m/d-id",'
        '"icons":[{"src":"/m/d-icon"}],"screenshots":[{"src":"/m/d-screenshot"}],'
        '"shortcuts":[{"name":"a","url":"/m/d-shortcut"}],"share_target":{"action":"/m/d-share"},'
        '"file_handlers":[{"action":"/m/d-file"}],"protocol_handlers":[{"protocol":"web+a","url":"/m/d-protocol"}]}',
    ),
    "/rules.json": Page("application/speculationrules+json", '{"prefetch":[{"source":"list","urls":["/m/d-rules"]}]}'),
    "/sitemap.xml": Page(
        "application/xml",
        f'<?xml version="1.0"?>\n<urlset xmlns="{_URLSET}" xmlns:xhtml="http://www.w3.org/1999/xhtml"><url>'
        "<loc>%O/m/d-sitemap</loc>"
        '<xhtml:link rel="alternate" hreflang="fr" href="%P/m/d-sitemap-alternate"/></url></urlset>',
    ),
    "/sitemap_index.xml": Page(
        "text/xml",
        f'<sitemapindex xmlns="{_URLSET}"><sitemap><loc>%P/m/d-sitemap-index</loc></sitemap></sitemapindex>',
    ),
    "/feed.rss": Page(
        "application/rss+xml",
        '<rss version="2.0"><channel><title>/x</title><link>%O/m/d-rss</link><item><title>a</title>'
        '<link>%P/m/d-rss-item</link><enclosure url="%O/m/d-rss-enclosure" length="1" type="audio/wav"/></item>'
        "</channel></rss>",
    ),
    "/feed.atom": Page(
        "application/atom+xml",
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>/x</title><link href="%O/m/d-atom"/></feed>',
    ),
    "/search.xml": Page(
        "application/opensearchdescription+xml",
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/"><ShortName>/x</ShortName>'
        '<Url type="text/html" template="%O/m/d-opensearch"/></OpenSearchDescription>',
    ),
    "/robots.txt": Page("text/plain", "User-agent: *\nDisallow: /m/d-robots-path\n\nSitemap: %O/m/d-robots-sitemap\n"),
    "/api/rooms": Page(
        "application/json",
        '{"name":"/x","links":{"next":{"href":"/m/d-hal"}},"items":[{"href":"%O/m/d-hal-origin","path":"/x"}]}',
    ),
    "/live.m3u8": Page(
        "application/vnd.apple.mpegurl",
        '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="/m/d-hls-key"\n#EXTINF:4,/x\n/m/d-hls-line\n#EXTINF:4,\nrelative.ts\n',
    ),
    "/image.svg": Page(
        "image/svg+xml",
        '<?xml version="1.0"?>\n<?xml-stylesheet href="/m/d-stylesheet" type="text/css"?>\n'
        '<svg xmlns="http://www.w3.org/2000/svg"><!-- href="/x" --><style>a{fill:url(/m/d-svg-style)}</style>'
        '<text>/x href="/x"</text><image href="/m/d-svg"/></svg>',
    ),
    "/kept/html": Page(_HTML_TYPE, _UTF8, _TAIL),
    "/kept/style.css": Page("text/css"),
    "/kept/app.js": Page(
        "text/javascript", 'import "/x.js"; fetch("/x"); const a = \'<a href="/x">\', b = "url(/x)";\n'
    ),
    "/kept/app.json": Page("application/json", '{"href":"/x","html":"<a href=\\"/x\\">","src": "/y"}\n'),
    "/kept/notes.txt": Page("text/plain", 'href="/x" src="/x" url(/x)\nSitemap: /x\n'),
    "/kept/no-transform": Page(_HTML_TYPE, '<!doctype html><a href="/x">x</a>\n'),
    "/kept/page.bin": Page("application/octet-stream", '<a href="/x">\x00 url(/x)\n'),
    "/kept/range": Page("application/octet-stream", 'href="/x" '),
}
