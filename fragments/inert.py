"""What a page consists of for the most part: text, comments and tags that no rule of rewriting could change.

They are stepped over in one go. Spelled narrowly: whatever looks odd is left to the scanner, which knows all the rules.
"""

from __future__ import annotations

import re

import fragments.patterns as patterns


def _spelled(words: str) -> str:
    """A pattern for any of these names in any case, by first letters, so that most names fail at once."""
    by_letter: dict[str, list[str]] = {}
    for word in words.split():
        by_letter.setdefault(word[0], []).append(word[1:])
    return "(?:" + "|".join(_either_case(letter) + _followed(rests) for letter, rests in by_letter.items()) + ")"


def _either_case(letter: str) -> str:
    return f"[{letter}{letter.upper()}]" if letter.isalpha() else letter


def _followed(rests: list[str]) -> str:
    more = " ".join(rests).split()
    return (_spelled(" ".join(more)) + "?" * ("" in rests)) if more else ""


_SPACE, _END, _NAME = r"[\t\n\f\r ]", r"(?=[\t\n\f\r />])", r"[^\t\n\f\r />\"'=<]"
_CSS_DOUBT, _URL_DOUBT = r"(&\\", r"\x00-\x20/\\&hH"
_SCRIPTED = _spelled("data- hx- sse- up- ws-")  # see urls.scripted
_UNLIKE_URLS = r"(?<![sS][eE][tT])(?<![sS][sS][eE])(?<!-[wW][sS])"  # candidates and connections begin with anything
_COMMENT = r"<!--(?!-?>)[^-]*+(?:-(?!-!?>)[^-]*+)*+--!?>"


def _valued(first: str, rest: str) -> str:
    """A quoted or bare value whose first character and whose others are none of these."""
    bare = rf"(?![{first}])[^\t\n\f\r \"'=<>`{rest}]++"
    return rf"=(?:\"(?![{first}])[^\"{rest}]*+\"|'(?![{first}])[^'{rest}]*+'|{bare})"


_LINKS = _spelled("href src action formaction poster cite background data longdesc")
_OTHERS = _spelled("srcset imagesrcset ping manifest icon codebase archive lowsrc dynsrc attributionsrc profile")
_STYLE = _spelled("style")
# Attributes that nobody changes, whatever they say; and those that scripts read, when they say no root path.
_CONCERNING = rf"{_SCRIPTED}|(?:{_LINKS}|{_OTHERS}|{_STYLE})[\t\n\f\r />=]"
_FREE = rf"(?!{_CONCERNING}){_NAME}++(?:{_valued('=', '')})?+{_END}"
_BY_SCRIPTS = rf"{_SCRIPTED}{_NAME}*+{_UNLIKE_URLS}{_valued(_URL_DOUBT, '')}{_END}"


def _unchanged(relative: bool) -> re.Pattern[bytes]:
    sheet = rf"{_STYLE}{_valued(_CSS_DOUBT, _CSS_DOUBT)}{_END}"
    link = rf"{_LINKS}{_valued(_URL_DOUBT, '')}{_END}|" if relative else ""
    looked_into = _spelled("svg math script style title textarea xmp iframe noembed noframes plaintext meta link")
    attributes = rf"(?:{_SPACE}++(?:{_FREE}|{_BY_SCRIPTS}|{link}{sheet}))*+{_SPACE}*+"
    tag = rf"<(?!{looked_into}{_END})[A-Za-z]{_NAME}*+{attributes}/?>"
    return patterns.compile(
        rf"(?:[^<]++|</[A-Za-z]{_NAME}*+{_SPACE}*+>|{tag}|{_icon()}|{_COMMENT}|<(?=[^A-Za-z/!?]))*+"
        rf"{_linking()}?+".encode()
    )


def _linking() -> str:
    """A tag of which one root path may change, and nothing else. Its groups: the tag, the quote, the path."""
    inert = rf"(?:{_SPACE}++(?:{_FREE}|{_BY_SCRIPTS}))*+{_SPACE}*+"
    link = rf"{_spelled('a')}(?={_SPACE}){inert}{_spelled('href')}"
    picture = rf"{_spelled('img')}(?={_SPACE}){inert}{_spelled('src')}"
    return rf"(<(?:{link}|{picture})=([\"'])(/[\w\-./?=#~+%]*+)\2{_END}{inert}/?>)"


def _icon() -> str:
    """A whole drawing of shapes that name nothing but each other."""
    drawn = _spelled(
        "path g rect circle line polyline polygon ellipse defs lineargradient radialgradient stop use symbol"
    )
    linked, title = _spelled("href xlink:href src style"), _spelled("title")
    plain = rf"(?!{linked}[\t\n\f\r />=]){_NAME}++(?:{_valued(_CSS_DOUBT, _CSS_DOUBT)})?+"
    local = r"(?:(?:xlink:)?href=\"#[^\"&]*+\"|[a-z\-]++=\"url\(#[\w\-]*+\)\"|transform=\"[^\"&]*+\")"
    attributes = rf"(?:{_SPACE}++(?:{local}|{plain}){_END})*+{_SPACE}*+"
    inside = rf"[^<]++|</?{drawn}{attributes}/?>|<{title}>[^<]*+</{title}>|{_COMMENT}"
    return rf"<{_spelled('svg')}{attributes}>(?:{inside})*+</{_spelled('svg')}>"


# Each ends, where there is one, in the linking tag that follows.
MARKUP = _unchanged(relative=True)
MARKUP_WITH_A_BASE = _unchanged(relative=False)  # where relative URLs change as well
