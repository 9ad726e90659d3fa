"""How scripts leave the mount: one snippet each, run in a browser on a page of the application.

A snippet has `u`, the marker's own root path. It is closed when the origin is asked for that path (`asks`), or when
what it reports is the value meant (`tells`, with `%X` for the prefix). What goes elsewhere goes by a page of its own.
Layer E is also closed by the gateway alone, which sees whose page asked; layer R only by what runs in the page.
"""

import json
from dataclasses import dataclass
from typing import Literal

Layer = Literal["E", "R"]


@dataclass(frozen=True, slots=True)
class Escape:
    """One way out. `ending` is the path's, so that the origin answers with the right type; `also` are further paths."""

    id: str
    channel: str
    code: str
    layer: Layer = "E"
    ending: str = ""
    tells: str = ""
    also: tuple[str, ...] = ()
    goes: bool = False  # the page is left

    @property
    def url(self) -> str:
        return f"/m/{self.id}{self.ending}"

    @property
    def asks(self) -> tuple[str, ...]:
        return self.also or (() if self.tells else (self.url,))

    @property
    def kind(self) -> str:
        return "J"


STAYING = (
    Escape("j-import", "J1", "await import(u)", ending=".js"),
    Escape("j-fetch", "J3", "await fetch(u)"),
    Escape("j-fetch-origin", "J3", "await fetch(location.origin + u)"),
    Escape("j-fetch-url", "J17", "await fetch(new URL(u, location))"),
    Escape("j-fetch-request", "J3", "await fetch(new Request(u))"),
    Escape("j-fetch-post", "J3", "await fetch(u, {method: 'POST', body: 'a=1'})"),
    Escape(
        "j-xhr",
        "J4",
        "await new Promise(done => { const x = new XMLHttpRequest; x.open('GET', u); x.onloadend = done; x.send() })",
    ),
    Escape("j-xhr-sub", "J4", "class Mine extends XMLHttpRequest {}; const x = new Mine; x.open('GET', u); x.send()"),
    Escape(
        "j-socket",
        "J5",
        "tell(await new Promise(done => { const s = new WebSocket(u.replace(/^/, 'ws://' + location.host));"
        " s.onmessage = e => done(e.data); s.onerror = () => done('refused') }))",
        "R",
        tells="here",
    ),
    Escape(
        "j-socket-path",
        "J5",
        "tell(await new Promise(done => { const s = new WebSocket(u);"
        " s.onmessage = e => done(e.data); s.onerror = () => done('refused') }))",
        "R",
        tells="here",
    ),
    Escape(
        "j-events",
        "J6",
        "tell(await new Promise(done => { const s = new EventSource(u);"
        " s.onmessage = e => { s.close(); done(e.data) }; s.onerror = () => { s.close(); done('refused') } }))",
        ending=".events",
        tells="here",
    ),
    Escape("j-beacon", "J6", "navigator.sendBeacon(u, 'x')"),
    Escape("j-worker", "J7", "new Worker(u)", ending=".js"),
    Escape("j-worker-module", "J2", "new Worker(u, {type: 'module'})", ending=".js"),
    Escape(
        "j-worker-asks",
        "J2",
        "new Worker(u)",
        ending=".js",
        also=("/m/j-worker-asks-fetch", "/m/j-worker-asks-more.js"),
    ),
    Escape("j-shared-worker", "J7", "new SharedWorker(u)", ending=".js"),
    Escape(
        "j-service-worker",
        "J8",
        "const r = await navigator.serviceWorker.register(u, {scope: '/m/j-service-worker/'});"
        " tell(new URL(r.scope).pathname); await r.unregister()",
        "R",
        ending=".js",
        tells="%X/m/j-service-worker/",
    ),
    Escape(
        "j-push-state",
        "J11",
        "const was = location.href; history.pushState({}, '', u);"
        " tell(location.pathname); history.replaceState({}, '', was)",
        "R",
        tells="%X/m/j-push-state",
    ),
    Escape(
        "j-replace-state",
        "J11",
        "const was = location.href; history.replaceState({}, '', u);"
        " tell(location.pathname); history.replaceState({}, '', was)",
        "R",
        tells="%X/m/j-replace-state",
    ),
    Escape("j-image", "J15", "document.body.append(Object.assign(new Image, {src: u}))", ending=".gif"),
    Escape(
        "j-image-attribute",
        "J15",
        "const i = new Image; i.setAttribute('src', u); document.body.append(i)",
        ending=".gif",
    ),
    Escape(
        "j-image-srcset", "J15", "const i = new Image; i.srcset = u + ' 1x'; document.body.append(i)", ending=".gif"
    ),
    Escape("j-audio", "J15", "const a = new Audio(u); a.load()", ending=".wav"),
    Escape(
        "j-poster",
        "J15",
        "const v = document.createElement('video'); v.poster = u; document.body.append(v)",
        ending=".gif",
    ),
    Escape(
        "j-script",
        "J15",
        "const s = document.createElement('script'); s.src = u; document.head.append(s)",
        ending=".js",
    ),
    Escape(
        "j-module",
        "J16",
        "const s = document.createElement('script'); s.type = 'module'; s.src = u; document.head.append(s)",
        ending=".js",
    ),
    Escape(
        "j-stylesheet",
        "J16",
        "const l = document.createElement('link'); l.rel = 'stylesheet'; l.href = u; document.head.append(l)",
        ending=".css",
    ),
    Escape(
        "j-preload",
        "J16",
        "const l = document.createElement('link'); l.rel = 'modulepreload'; l.href = u; document.head.append(l)",
        ending=".js",
    ),
    Escape("j-frame", "J15", "const f = document.createElement('iframe'); f.src = u; document.body.append(f)"),
    Escape(
        "j-object",
        "J15",
        "const o = document.createElement('object'); o.type = 'image/gif'; o.data = u; document.body.append(o)",
        ending=".gif",
    ),
    Escape(
        "j-svg-image",
        "J15",
        "const s = document.createElementNS('http://www.w3.org/2000/svg', 'svg');"
        " const i = document.createElementNS('http://www.w3.org/2000/svg', 'image');"
        " i.setAttribute('href', u); s.append(i); document.body.append(s)",
        ending=".gif",
    ),
    Escape(
        "j-inner",
        "J14",
        "const d = document.createElement('div'); document.body.append(d); d.innerHTML = `<img src=\"${u}\">`",
        ending=".gif",
    ),
    Escape(
        "j-outer",
        "J14",
        "const d = document.createElement('div'); document.body.append(d); d.outerHTML = `<img src=\"${u}\">`",
        ending=".gif",
    ),
    Escape("j-adjacent", "J14", "document.body.insertAdjacentHTML('beforeend', `<img src=\"${u}\">`)", ending=".gif"),
    Escape(
        "j-fragment",
        "J14",
        'document.body.append(document.createRange().createContextualFragment(`<img src="${u}">`))',
        ending=".gif",
    ),
    Escape(
        "j-template",
        "J14",
        "const t = document.createElement('template'); t.innerHTML = `<img src=\"${u}\">`;"
        " document.body.append(t.content.cloneNode(true))",
        ending=".gif",
    ),
    Escape(
        "j-parser",
        "J14",
        "const d = new DOMParser().parseFromString(`<img src=\"${u}\">`, 'text/html');"
        " document.body.append(document.adoptNode(d.body.firstChild))",
        ending=".gif",
    ),
    Escape(
        "j-unsafe",
        "J14",
        "const d = document.createElement('div'); document.body.append(d); d.setHTMLUnsafe(`<img src=\"${u}\">`)",
        ending=".gif",
    ),
    Escape("j-background", "C9", "document.body.style.backgroundImage = `url(${u})`", ending=".gif"),
    Escape("j-css-text", "C9", "shown('div').style.cssText = `background:url(${u})`", ending=".gif"),
    Escape("j-css-property", "C9", "shown('div').style.setProperty('background-image', `url(${u})`)", ending=".gif"),
    Escape("j-css-attribute", "C9", "shown('div').setAttribute('style', `background:url(${u})`)", ending=".gif"),
    Escape(
        "j-css-rule",
        "C9",
        "const s = document.createElement('style'); document.head.append(s);"
        " s.sheet.insertRule(`#j-css-rule{background:url(${u})}`); shown('div').id = 'j-css-rule'",
        ending=".gif",
    ),
    Escape(
        "j-css-sheet",
        "C9",
        "const s = new CSSStyleSheet; s.replaceSync(`#j-css-sheet{background:url(${u})}`);"
        " document.adoptedStyleSheets = [...document.adoptedStyleSheets, s]; shown('div').id = 'j-css-sheet'",
        ending=".gif",
    ),
    Escape(
        "j-css-style",
        "C9",
        "const s = document.createElement('style'); s.textContent = `#j-css-style{background:url(${u})}`;"
        " document.head.append(s); shown('div').id = 'j-css-style'",
        ending=".gif",
    ),
    Escape("j-font", "C9", "new FontFace('mine', `url(${u})`).load().catch(() => 0)"),
    Escape("j-cache", "J19", "await (await caches.open('mine')).add(u); await caches.delete('mine')"),
    Escape("j-handler", "H14", "const b = shown('button'); b.setAttribute('onclick', `fetch('${u}')`); b.click()"),
    Escape("j-inner-frame", "J25", "const f = shown('iframe'); await f.contentWindow.fetch(u)", "R"),  # names no page
    Escape("j-srcdoc", "J25", "const f = shown('iframe'); f.srcdoc = `<img src=\"${u}\">`", ending=".gif"),
    Escape("j-srcdoc-script", "J25", "const f = shown('iframe'); f.srcdoc = `<script>fetch('${u}')<\\/script>`"),
    Escape(
        "j-copied",
        "J15",
        "const a = shown('a'); a.href = u; await asked(a); tell(new URL(a.href).pathname)",
        "R",
        tells="%X/m/j-copied",
    ),
    Escape(
        "j-copied-inner",
        "J14",
        "const d = shown('div'); d.innerHTML = `<a href=\"${u}\">x</a>`;"
        " await asked(d.firstChild); tell(new URL(d.firstChild.href).pathname)",
        "R",
        tells="%X/m/j-copied-inner",
    ),
    Escape(
        "j-cookie-set",
        "J18",
        "await fetch(u); tell(document.cookie.includes('j-cookie-read=1') + ' ' + /mf\\./.test(document.cookie))",
        "R",
        tells="true false",
    ),
    Escape(
        "j-cookie-written",
        "J18",
        "document.cookie = 'j-written=2; path=/'; const seen = await (await fetch('/echo')).json();"
        " tell(String(seen.fields.some(([n, v]) => n.toLowerCase() == 'cookie' && v.includes('j-written=2')))"
        " + ' ' + document.cookie.includes('j-written=2'))",
        "R",
        tells="true true",
    ),
    Escape(
        "j-cookie-store",
        "J18",
        "await cookieStore.set({name: 'j-stored', value: '3', path: '/'});"
        " const kept = await cookieStore.get('j-stored'); tell(`${kept && kept.name} ${kept && kept.value}`)",
        "R",
        tells="j-stored 3",
    ),
)

GOING = (
    Escape("j-assign", "J9", "location.assign(u)", goes=True),
    Escape("j-href", "J9", "location.href = u", goes=True),
    Escape("j-location", "J9", "window.location = u", goes=True),
    Escape("j-replace", "J9", "location.replace(u)", goes=True),
    Escape("j-pathname", "J9", "location.pathname = u", goes=True),
    Escape("j-navigate", "J9", "navigation.navigate(u)", goes=True),
    Escape(
        "j-click",
        "J13",
        "const a = document.createElement('a'); a.href = u; document.body.append(a); a.click()",
        goes=True,
    ),
    Escape(
        "j-click-inner",
        "J14",
        "document.body.insertAdjacentHTML('beforeend', `<a id=go href=\"${u}\">x</a>`);"
        " document.getElementById('go').click()",
        goes=True,
    ),
    Escape("j-submit", "J13", "const f = shown('form'); f.action = u; f.submit()", goes=True),
    Escape("j-submit-post", "J13", "const f = shown('form'); f.method = 'post'; f.action = u; f.submit()", goes=True),
    Escape(
        "j-request-submit", "J13", "const f = shown('form'); f.setAttribute('action', u); f.requestSubmit()", goes=True
    ),
    Escape(
        "j-form-action",
        "J13",
        "const f = shown('form'), b = document.createElement('button'); b.formAction = u; f.append(b); b.click()",
        goes=True,
    ),
    Escape(
        "j-refresh",
        "J9",
        "const m = document.createElement('meta'); m.httpEquiv = 'refresh'; m.content = `0; url=${u}`;"
        " document.head.append(m)",
        goes=True,
    ),
    Escape(
        "j-script-link",
        "H14",
        "const a = shown('a'); a.href = `javascript:void(location.href='${u}')`; a.click()",
        goes=True,
    ),
)

OPENING = (
    Escape("j-open", "J13", "window.open(u)", goes=True),
    Escape("j-blank", "J13", "const a = shown('a'); a.href = u; a.target = '_blank'; a.click()", goes=True),
    Escape(
        "j-form-blank",
        "J13",
        "const f = shown('form'); f.action = u; f.target = '_blank'; f.method = 'post'; f.submit()",
        goes=True,
    ),
)
STATIC = Escape("j-static", "J1", "", ending=".js")

ESCAPES = (*STAYING, STATIC, *GOING, *OPENING)


@dataclass(frozen=True, slots=True)
class Kept:
    """Something a script does that is no escape: what it reports is what it would report at `/` without a proxy."""

    id: str
    code: str
    tells: str


KEPT = (
    Kept("k-relative", "const r = await fetch('../m/k-relative'); tell(new URL(r.url).pathname)", "%X/m/k-relative"),
    Kept("k-already", "const r = await fetch('%X/m/k-already'); tell(new URL(r.url).pathname)", "%X/m/k-already"),
    Kept("k-data", "tell(await (await fetch('data:text/plain,/x')).text())", "/x"),
    Kept("k-blob", "tell(await (await fetch(URL.createObjectURL(new Blob(['/x'])))).text())", "/x"),
    Kept("k-hash", "history.replaceState({}, '', '#/x'); tell(location.hash)", "#/x"),
    Kept("k-text", "const d = shown('div'); d.textContent = '<a href=\"/x\">'; tell(d.textContent)", '<a href="/x">'),
    Kept("k-attribute", "const d = shown('div'); d.setAttribute('data-note', '/x'); tell(d.dataset.note)", "/x"),
    Kept("k-string", "tell(String(Object.assign(new String('/x'))))", "/x"),
    Kept(
        "k-foreign", "const a = shown('a'); a.href = 'https://other.example/x'; tell(a.href)", "https://other.example/x"
    ),
    Kept(
        "k-schemeless", "const a = shown('a'); a.href = '//cdn.example/x'; tell(a.host + a.pathname)", "cdn.example/x"
    ),
    Kept("k-mount", "const a = shown('a'); a.href = '/pets/7'; tell(new URL(a.href).pathname)", "/pets/7"),
    Kept("k-link", "const a = shown('a'); a.href = '/x'; tell(a.pathname)", "/x"),  # as its author wrote it
    Kept("k-mailto", "const a = shown('a'); a.href = 'mailto:a@b.example'; tell(a.href)", "mailto:a@b.example"),
    Kept("k-state", "history.replaceState({path: '/x'}, ''); tell(history.state.path)", "/x"),
    Kept(
        "k-body", "const r = await fetch('/m/k-body.json', {method: 'POST', body: '/x'}); tell(String(r.status))", "200"
    ),
    Kept(
        "k-subclass",
        "class Mine extends Request {}; const r = new Mine('x'); tell(`${r instanceof Mine} ${r instanceof Request}`)",
        "true true",
    ),
    Kept(
        "k-names",
        "tell([fetch.name, fetch.length, WebSocket.name, history.pushState.length].join())",
        "fetch,1,WebSocket,2",
    ),
)

_OPENING_SCRIPT = """
const told = window.told = {};
const shown = name => document.body.appendChild(document.createElement(name));
const failed = (id, error) => { told[id] = 'failed: ' + error };
const asked = async link => {  // its menu, from which links are copied and opened in windows of their own
  link.dispatchEvent(new MouseEvent('contextmenu', {bubbles: true, composed: true, cancelable: true}));
};
const run = (id, u, code) => code(u, value => { told[id] = value }).catch(error => failed(id, error));
"""


def _call(each: Escape | Kept, url: str) -> str:
    return f"await run({json.dumps(each.id)}, {json.dumps(url)}, async (u, tell) => {{ {each.code} }});"


def _script(calls: list[str]) -> str:
    """Between the steps there is no waiting for what is loaded."""
    return f"{_OPENING_SCRIPT}(async () => {{\n" + "\n".join(calls) + "\nwindow.over = true;\n})();\n"


def _page(script: str, more: str = "") -> str:
    return (
        '<!doctype html>\n<html><head><meta charset="utf-8"><title>Escapes</title><link rel=icon href="data:,">'
        f'{more}</head>\n<body><p>Here.</p><script src="{script}"></script></body></html>\n'
    )


_WORKERS = {
    "/m/j-worker-asks.js": "fetch('/m/j-worker-asks-fetch'); importScripts('/m/j-worker-asks-more.js');",
    "/js/static.js": "import '/m/j-static.js';",
}


def served(path: str, prefix: str) -> tuple[str, str] | None:
    """A page or a script of the escapes; None when it is neither. The prefix is for what has to spell it."""
    if path in _WORKERS:
        return "text/javascript", _WORKERS[path]
    if path == "/js/staying":
        return "text/html", _page("/js/staying.js", '<script type=module src="/js/static.js"></script>')
    if path == "/js/staying.js":
        return "text/javascript", _script([_call(each, each.url) for each in STAYING])
    if path == "/js/kept":
        return "text/html", _page("/js/kept.js")
    if path == "/js/kept.js":
        return "text/javascript", _script([_call(each, "") for each in KEPT]).replace("%X", prefix)
    return _going(path)


def _going(path: str) -> tuple[str, str] | None:
    for each in (*GOING, *OPENING):
        if path == f"/js/{each.id}":
            return "text/html", _page(f"/js/{each.id}.js")
        if path == f"/js/{each.id}.js":
            return "text/javascript", _script([_call(each, each.url)])
    return None
