"""A request that left its mount: whose page made it, and whether its answer shows that nobody here knows the path.

Where script builds a path from the root, the request still says which page it came from (Referer). It chooses among
mounts of this very origin and nothing else: a stranger's page cannot steer it, and it never leads to another host.
"""

import re

from gateway.message import Request, Response
from gateway.rules.fields import media_type

NOBODY = frozenset({404, 405, 501})  # what says that an application has nothing there, or not for this method
_PAGES = frozenset({b"document", b"iframe", b"frame", b"embed", b"object"})
_UNSAID = frozenset({b"", b"empty"})
_WRITTEN = re.compile(rb"[\x21-\x7e]+")  # browsers escape all else (WHATWG URL, section 1.3)


def page(request: Request, public: bytes) -> bytes | None:
    """The path of the page of this origin a request was made by; None when that is not said, or not to be believed.

    Browsers say where a request comes from in Sec-Fetch-Site (W3C Fetch Metadata), which script cannot set; where it
    is absent (plain http, older browsers) a Referer of the same origin has to do. WebSockets carry none, and a service
    worker's script may not be redirected (Service Workers, update algorithm).
    """
    index = request.head.index
    referer = index.get(b"referer")
    if referer is None or not referer.startswith(public + b"/") or b"service-worker" in index:
        return None
    if index.get(b"sec-fetch-site", b"same-origin") != b"same-origin":
        return None
    path = referer[len(public) :].partition(b"?")[0].partition(b"#")[0]
    return path if _WRITTEN.fullmatch(path) else None


def unknown(request: Request, response: Response) -> bool:
    """Does this answer say that the application at the root does not know the path: an error, or a page for a script.

    Single-page applications answer every path with their page; one that was asked for as an image, a style sheet or
    a script is no answer.
    """
    if response.status in NOBODY:
        return True
    wanted = request.index.get(b"sec-fetch-dest", b"")
    if wanted in _UNSAID or wanted in _PAGES or response.status != 200:
        return False
    return media_type(response.index.get(b"content-type")) == "text/html"
