"""Which addresses a manifest may point to (server-side request forgery through registered origins).

Pure: an address and what the operator allows go in, a reason to refuse comes out. Names pass here; the transport asks
again for every address a name resolves to, so a name that changes its mind after the check gains nothing.
"""

import re
from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

NETWORKS = ("public", "private", "loopback")

# Where clouds keep their machines' credentials: AWS and most others, Alibaba, Azure, Oracle, AWS and Google over IPv6.
METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
    )
)
THIS_NETWORK = IPv4Network("0.0.0.0/8")  # RFC 1122 section 3.2.1.3; Linux takes 0.0.0.0 for the machine itself
SHARED = IPv4Network("100.64.0.0/10")  # RFC 6598
TRANSLATED = IPv6Network("64:ff9b::/96")  # RFC 6052: IPv4 behind NAT64
COMPATIBLE = IPv6Network("::/96")  # RFC 4291 section 2.5.5.1, long deprecated
TEREDO = IPv6Network("2001::/32")  # RFC 4380: hides an IPv4 address

# What inet_aton takes besides four decimal numbers: 0, 2130706433, 0x7f.1, 017700000001, 127.1
DISGUISED = re.compile(r"(.*\.)?(0[xX][0-9a-fA-F]*|[0-9]+)\.?", re.DOTALL)


def refusal(address: str, networks: Collection[str] = NETWORKS) -> str | None:
    """Why no origin may stand at that host, None when it may or when it is a name."""
    bare = address.removeprefix("[").removesuffix("]")
    literal = _literal(bare)
    if literal is None:
        if DISGUISED.fullmatch(bare) or ":" in bare or not bare:
            return "is not an address written in full"
        return _by_class("loopback", networks) if is_local_name(bare) else None
    return _by_class(network(literal), networks)


def network(address: Address) -> str:
    """The class an address belongs to: public, private, loopback, or one that no origin may be in."""
    inner = _embedded(address)
    if inner is not None:
        return network(inner)
    if address in METADATA:
        return "metadata"
    if address.is_unspecified or address in THIS_NETWORK:
        return "unspecified"
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    if address.is_multicast:
        return "multicast"
    if address in COMPATIBLE or address in TEREDO or _reserved(address):
        return "reserved"
    return "public" if address.is_global and address not in SHARED else "private"


def is_local_name(name: str) -> bool:
    """`localhost` and what ends in it always mean this machine (RFC 6761 section 6.3)."""
    lower = name.lower().rstrip(".")
    return lower == "localhost" or lower.endswith(".localhost")


def is_here(host: str, port: int, listener: tuple[str, int]) -> bool:
    """Whether an origin is one of the gateway's own listeners, as far as its text tells."""
    own, own_port = listener
    if port != own_port:
        return False
    if host.lower() == own.lower():
        return True
    there, here = _literal(host.strip("[]")), _literal(own.strip("[]"))
    local = is_local_name(host) or (there is not None and network(there) in ("loopback", "unspecified"))
    return local and (is_local_name(own) or (here is not None and network(here) in ("loopback", "unspecified")))


def _literal(text: str) -> Address | None:
    """An address; without its zone (RFC 6874), which would make it unequal to itself."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address an IPv6 one stands for: mapped (RFC 4291), 6to4 (RFC 3056), translated (RFC 6052)."""
    if isinstance(address, IPv4Address):
        return None
    if address in TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _reserved(address: Address) -> bool:
    """Set aside for the future; IPv6 marks most of its unassigned space so, IPv4 240.0.0.0/4."""
    return address.is_reserved


def _by_class(kind: str, networks: Collection[str]) -> str | None:
    if kind in networks and kind in NETWORKS:
        return None
    if kind in NETWORKS:
        return f"is an address of class {kind}; this gateway allows {', '.join(networks) or 'none'}"
    return f"is an address of class {kind}, where no origin may be"
