"""What Chromiums differ in, asked of the browser itself. Tests assert what is true with it, and what is true without.

The one that comes with Debian can all of this; the one that npm carries, for machines where that cannot be installed,
can none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from playwright.sync_api import Browser, Page

from tests.kit.origin import Answer, Origin, Seen, html, serving

PATCH = '<main><?start name="mf-a"?>fallback<?end?></main><template for="mf-a">piece</template>'
MOVE = """async () => {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "data:text/css,a{}" })
  const loads = () => new Promise((done) => {
    link.onload = () => done(true)
    setTimeout(done, 300, false)
  })
  document.head.append(link)
  await loads()
  document.body.moveBefore(link, null)
  return !(await loads())
}"""
PRELOAD = """<!doctype html><link rel="icon" href="data:,"><script>
const link = Object.assign(document.createElement("link"), { rel: "modulepreload", href: "/module.js" })
link.onload = () => (document.title = "done")
document.head.append(link)
</script>"""


def patches(browser: Browser) -> bool:
    """It puts `<template for>` into its place itself, with scripting and without."""
    with _tab(browser) as tab:
        tab.goto("data:text/html," + quote(PATCH))
        return tab.inner_text("main") == "piece"


def moves_sheets(browser: Browser) -> bool:
    """A link to a sheet that `moveBefore` moves is not loaded again."""
    with _tab(browser) as tab:
        tab.goto("data:text/html,<!doctype html>")
        return bool(tab.evaluate(MOVE))


def says_who_preloads(browser: Browser) -> bool:
    """A module that a script wants preloaded is asked for with a Referer."""
    with serving(_preloading) as origin, _tab(browser) as tab:
        tab.goto(origin.url + "/")
        tab.wait_for_function("document.title === 'done'")
        return _referer(origin) is not None


def _preloading(seen: Seen) -> Answer:
    if seen.path == "/":
        return html(PRELOAD)
    return Answer(b"", headers=[("Content-Type", "text/javascript")])


def _referer(origin: Origin) -> str | None:
    return next(seen.get("referer") for seen in origin.requests if seen.path == "/module.js")


@contextmanager
def _tab(browser: Browser) -> Iterator[Page]:
    tab = browser.new_page()
    try:
        yield tab
    finally:
        tab.close()
