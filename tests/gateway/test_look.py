"""How what the verbs say looks: facts as one reads them, the line of a problem, columns."""

import pytest

import gateway.look as look
from gateway.registry.check import Problem
from gateway.trial.remarks import remark

SERVED = """{"fact":"served","id":"x","at":1.5,"method":"GET","target":"/a\\u001b","status":200,"seconds":0.0015,
"team":"a","mount":"/","cache":"portico; hit","error":""}""".replace("\n", "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("plain words", "plain words", id="other lines stay"),
        pytest.param('{"fact":"unknown"}', '{"fact":"unknown"}', id="unknown facts stay"),
        pytest.param('{"fact":"served"}', '{"fact":"served"}', id="half a fact stays"),
        pytest.param('{"fact":"noticed","at":0,"room":"r","what":"w"}', " r: w", id="what was noticed"),
        pytest.param(
            '{"fact":"degraded","at":0,"fragment":"a.b","team":"a","outcome":"fallback","why":"slow"}',
            " slot a.b of a: fallback, slow",
            id="a slot that was not filled",
        ),
        pytest.param(
            '{"fact":"leaked","at":0,"mount":"/a","target":"/x","page":"/a/","how":"rescue"}',
            " leak of /a: /x from /a/, closed by rescue",
            id="a leak",
        ),
        pytest.param(SERVED, " 200 GET /a\N{REPLACEMENT CHARACTER} 1.5 ms portico; hit", id="an exchange"),
    ],
)
def test_facts_of_the_log(line: str, expected: str) -> None:
    assert look.for_people(line).endswith(expected)


def test_a_problem_stands_below_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem("mounts./x", "It is wrong.", "Mend it.", 2, 3, "code")
    look.problems("a.yaml", "team: a\n\tmounts:\n", [problem, Problem("team", "So so.", level="warning")])
    assert capsys.readouterr().out.splitlines() == [
        "a.yaml:2:3  mounts./x  It is wrong.",
        "       2 |  mounts:",
        "         |   ^",
        "    hint: Mend it.",
        "a.yaml  team  So so.",
        "a.yaml: 1 problem and 1 warning.",
    ]


def test_nothing_wrong_is_nothing_said(capsys: pytest.CaptureFixture[str]) -> None:
    look.problems("a.yaml", "team: a\n", [])
    assert capsys.readouterr().out == ""


def test_a_remark_about_a_shell_is_told_by_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    found = remark("slot-without-name", "A slot \x1bwithout a name is left as it is.", 2, column=4)
    look.remarks("home.html", "<p>\n<p>\x1b<mf-slot>\u2028\n", [found, remark("shell-large", "It is long.")])
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert told.splitlines()[:4] == [
        "home.html:2:4  slot-without-name  A slot �without a name is left as it is.",
        "       2 | <p>�<mf-slot>",
        "         |    ^",
        '    hint: Write `name="team.fragment"`, as a manifest declares it under `fragments`.',
    ]
    assert told.endswith("home.html: 1 problem and 1 warning.\n")
