"""Key frames under names of their own: they are the document's wherever they are written, so of two pieces whose names
are the same the later would win in both.

Only names that the piece's own sheets declare change, where they are declared and where an animation names them.
"""

from __future__ import annotations

import re

import fragments.patterns as patterns

_LETTER = r"\-0-9A-Za-z_\x80-\U0010ffff"
_WORD = rf"[{_LETTER}]++(?![\\(])"
_STRING = r"\"[^\"\\\n\r\f]*+(?:\\[\s\S][^\"\\\n\r\f]*+)*+\"?|'[^'\\\n\r\f]*+(?:\\[\s\S][^'\\\n\r\f]*+)*+'?"
_COMMENT = r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?"
_GAP = rf"(?:[ \t\n\r\f]|{_COMMENT})*+"
_VENDOR = r"(?:-webkit-|-moz-|-o-)?"
_TOKEN = patterns.compile(
    rf"{_COMMENT}|{_STRING}|(?<![{_LETTER}])[uU][rR][lL]\([^\"'()]*+\)"
    rf"|(?P<declared>(?i:@{_VENDOR}keyframes)(?![{_LETTER}\\]){_GAP})(?P<name>{_WORD}|{_STRING})"
    rf"|(?P<animated>(?<![{_LETTER}])(?i:{_VENDOR}animation(?:-name)?){_GAP}:)"
    rf"(?P<value>(?:[^;{{}}\"'/]|{_STRING}|{_COMMENT}|/)++)"
)
_NAMES = patterns.compile(rf"{_COMMENT}|\([^()]*+\)?|\\[\s\S]|(?P<name>{_STRING}|{_WORD})")
# What an animation says besides its name; frames that are called so keep their name.
_KEYWORDS = frozenset(
    re.findall(
        r"[a-z\-]+",
        "none initial inherit unset revert auto ease linear infinite normal reverse forwards backwards both alternate "
        "paused running alternate-reverse ease-in ease-out ease-in-out step-start step-end",
    )
)


def declared(css: str) -> frozenset[str]:
    """The names of the key frames in this sheet."""
    if "keyframes" not in css.lower():
        return frozenset()
    names = (_bare(found["name"]) for found in _TOKEN.finditer(css) if found["declared"])
    return frozenset(name for name in names if name not in _KEYWORDS and "\\" not in name)


def apart(css: str, names: frozenset[str], scope: str) -> str:
    """The sheet, or the declarations of a style attribute, with these names as they are in this scope."""
    if not names:
        return css
    return _TOKEN.sub(lambda found: _renamed(found, names, scope), css)


def _renamed(found: re.Match[str], names: frozenset[str], scope: str) -> str:
    if found["declared"]:
        return found["declared"] + _own(found["name"], names, scope)
    if found["animated"]:
        said = _NAMES.sub(lambda each: _own(each["name"], names, scope) if each["name"] else each[0], found["value"])
        return found["animated"] + said
    return found[0]


def _own(name: str, names: frozenset[str], scope: str) -> str:
    if _bare(name) not in names:
        return name
    quote = name[0] if name[0] in "\"'" else ""
    return f"{quote}{_bare(name)}-{re.sub('[^a-z0-9_-]', '-', scope)}{quote}"


def _bare(name: str) -> str:
    return name[1:].removesuffix(name[0]) if name[:1] in ("'", '"') else name
