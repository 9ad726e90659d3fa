"""Texts of lines that name URLs: robots.txt (RFC 9309), sitemaps in plain text, HLS playlists (RFC 8216)."""

from __future__ import annotations

import re
from collections.abc import Callable

import fragments.patterns as patterns
from fragments.stream import Lines
from fragments.urls import Change, Place, absolute, below

_FIELD = patterns.compile(r"([\t ]*)(allow|disallow|noindex|sitemap|clean-param)([\t ]*:[\t ]*)(.*)", re.IGNORECASE)
_QUOTED_URI = patterns.compile(r"((?:^|[:,])[A-Z0-9\-]*URI=\")([^\"]*)")


def robots(place: Place) -> Lines:
    return _lines(_rule, place)


def sitemap(place: Place) -> Lines:
    return _lines(said, place)


def playlist(place: Place) -> Lines:
    return _lines(_entry, place)


def _lines(change: Change, place: Place) -> Lines:
    def changed(line: bytes) -> bytes:
        return change(line.decode("ascii", "surrogateescape"), place).encode("utf-8", "surrogateescape")

    return Lines(changed)


def said(url: str, place: Place) -> str:
    """A URL that stands for itself, outside any page: absolute, wherever the public origin is known."""
    mapped = absolute(url, place)
    if place.public and mapped[:1] == "/" and mapped[1:2] not in ("/", "\\"):
        return place.public + mapped
    return mapped


def _rule(line: str, place: Place) -> str:
    """Patterns of paths go below the prefix; a sitemap is always named in full (RFC 9309 leaves it to sitemaps.org)."""
    found = _FIELD.match(line)
    if not found:
        return line
    space, field, colon, value = found.groups()
    value, comment = _without_comment(value)
    return space + field + colon + _RULES.get(field.lower(), below)(value, place) + comment


def _without_comment(value: str) -> tuple[str, str]:
    text = value.partition("#")[0].rstrip("\t ")
    return text, value[len(text) :]


def _cleaned(value: str, place: Place) -> str:
    """`Clean-param: names /path`."""
    names, space, path = value.rpartition(" ")
    return names + space + below(path, place) if names else value


_RULES: dict[str, Callable[[str, Place], str]] = {"sitemap": said, "clean-param": _cleaned}


def _entry(line: str, place: Place) -> str:
    if line.startswith("#"):
        return (
            _QUOTED_URI.sub(lambda found: found[1] + below(found[2], place), line) if line.startswith("#EXT") else line
        )
    return below(line, place) if line else line
