"""Set-Cookie below a prefix (RFC 6265 section 5.2): the path is the application's, the domain is the gateway's.

A cookie of one mount must not reach another, and one an origin sets for its own domain would be thrown away.
"""


def put_below(set_cookie: bytes, prefix: bytes) -> bytes:
    """A Set-Cookie value as it leaves: Path below the prefix, no Domain, every other attribute as it came.

    A `__Host-` cookie keeps Path=/: a browser refuses it with any other (RFC 6265bis section 4.1.3.2).
    """
    pair, *attributes = set_cookie.split(b";")
    kept, path = [pair.rstrip()], b"/"
    for attribute in attributes:
        name, _, value = attribute.strip().partition(b"=")
        word = name.strip().lower()
        if word == b"path":
            path = value.strip() or b"/"
        elif word and word != b"domain":
            kept.append(attribute.strip())
    if not path.startswith(b"/"):
        path = b"/"
    if pair.lstrip().lower().startswith(b"__host-"):
        return b"; ".join([*kept, b"Path=/"])
    return b"; ".join([*kept, b"Path=" + _below(path, prefix)])


def _below(path: bytes, prefix: bytes) -> bytes:
    if path == prefix or (prefix and path.startswith(prefix + b"/")):
        return path
    if path == b"/":
        return prefix or b"/"
    return prefix + path
