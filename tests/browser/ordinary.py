"""What teams send on an ordinary day, from `ordinary.txt`, each with the place where a sane person would put it."""

import re
from pathlib import Path

from tests.browser.nasty import Answer

_SECTION = re.compile(r"^==== (?P<place>[^:\n]+): (?P<name>.+)\n(?P<body>(?:(?!====).*\n?)*)", re.MULTILINE)

ORDINARY: dict[str, tuple[str, Answer]] = {
    each["name"]: (each["place"], Answer(each["body"].strip("\n").encode()))
    for each in _SECTION.finditer(Path(__file__).with_suffix(".txt").read_text())
}
