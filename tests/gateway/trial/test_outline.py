"""A plan as one reads it: a tree from the first byte to the last, and the same as JSON."""

import json

import gateway.table as tables
import gateway.trial.outline as outline
import gateway.trial.shells as shells
import gateway.trial.spoken as spoken
from gateway.model import Manifest
from gateway.trial.shells import Around, Shell, Source

PAGE = b"""<!doctype html><html><head><title>Home</title><link rel=canonical href=/></head>
<body><mf-slot name="hotels.deals" timeout="400ms" city="paris">Soon.</mf-slot>
<p>between</p><mf-slot name="cars.last"></mf-slot>
</body></html>
"""


def read(body: bytes, languages: tuple[str, ...] = ()) -> Shell:
    return spoken.read(Source("home.html", body), shells.NOWHERE, languages)


def test_a_tree_from_the_first_byte_to_the_last() -> None:
    shell = read(PAGE)
    assert shell.plan is not None
    assert list(outline.lines(shell)) == [
        f"home.html: {len(PAGE)} bytes in 3 literals and 2 slots, digest {shell.plan.digest}",
        "├─ literal 0, 87 bytes",
        "│  ├─ at 27: title; a primary piece's replaces it",
        "│  ├─ at 46: metadata canonical",
        "│  ├─ at 73: end of the head; pieces' sheets, scripts and hints",
        "│  └─ at 73: import map, if any comes",
        "├─ slot 0, hotels.deals",
        "│  ├─ element in line 2, flow in html > body",
        "│  ├─ if it fails: its content; waits at most: 400 ms",
        "│  ├─ isolation: none; may be: any",
        "│  ├─ asks with: city=paris",
        "│  └─ its content: 5 bytes",
        "├─ literal 1, 15 bytes",
        "├─ slot 1, cars.last",
        "│  ├─ element in line 3, flow in html > body",
        "│  ├─ if it fails: nothing; waits at most: -",
        "│  └─ isolation: none; may be: any",
        "└─ literal 2, 16 bytes",
        "   └─ at 1: end of the body; late pieces",
    ]


def test_what_it_says_to_others_is_told_besides() -> None:
    page = b"<!doctype html><esi:choose><esi:when test='1'><esi:include src=/a /></esi:when><esi:otherwise>"
    page += b"<esi:include src=/b /></esi:otherwise></esi:choose>"
    told = "\n".join(outline.lines(read(page, ("esi",))))
    assert "as it is said to a request without cookies and query, in esi" in told
    assert "include in line 1, flow in html > body" in told
    assert told.index("from: /a") < told.index("line 1, esi: /b")


def test_an_import_map_of_the_shells_is_told() -> None:
    page = b'<!doctype html><script type="importmap">{}</script><mf-slot name=x></mf-slot>'
    assert "import map; pieces' are merged into it" in "\n".join(outline.lines(read(page)))


def test_whose_a_fragment_is_stands_in_its_slot() -> None:
    manifest = Manifest.model_validate(
        {
            "team": "hotels",
            "upstreams": {"hotels": {"origins": ["http://hotels:8000"]}},
            "fragments": {"hotels.deals": {"upstream": "hotels", "path": "/deals", "timeout": "250ms"}},
        }
    )
    around = Around(tables.compile([manifest]), "next to hotels.yaml", True)
    told = "\n".join(outline.lines(shells.read(Source("home.html", PAGE), around)))
    assert "waits at most: 250 ms" in told
    assert "└─ team hotels: http://hotels:8000/deals" in told


def test_nothing_of_what_cannot_be_read() -> None:
    shell = read(b"")
    assert list(outline.lines(shell)) == []
    told = outline.as_json(shell)
    assert (told["exit"], "literals" in told, told["problems"][0]["code"]) == (1, False, "shell-empty")


def test_all_of_it_as_json() -> None:
    told = json.loads(json.dumps(outline.as_json(read(PAGE))))
    assert (told["kind"], told["bytes"], told["literals"], told["quirks"]) == ("plan", len(PAGE), [87, 15, 16], False)
    assert told["title"] == {"literal": 0, "offset": 27}
    assert told["head_end"] == told["import_map"] == {"literal": 0, "offset": 73}
    assert told["body_end"] == {"literal": 2, "offset": 1}
    assert told["metadata"] == [{"key": "canonical", "literal": 0, "offset": 46}]
    assert [(slot["name"], slot["line"], slot["include"]) for slot in told["slots"]] == [
        ("hotels.deals", 2, None),
        ("cars.last", 3, None),
    ]


def test_an_include_in_a_plan_says_where_it_looks() -> None:
    (slot,) = outline.as_json(read(b"<!doctype html><esi:include src=/a alt=/b />", ("esi",)))["slots"]
    assert slot["include"] == {"source": "/a", "alternative": "/b"}
