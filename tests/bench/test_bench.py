"""The bench counts right, with neither nginx nor wrk here: its figures are no test, what it makes of them is."""

import gzip
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import tests.bench.__main__ as bench
import tests.bench.contenders as contenders
import tests.bench.kernel as kernel
import tests.bench.machine as machine
import tests.bench.nginx as nginx
import tests.bench.pages as pages
import tests.bench.rounds as rounds
import tests.bench.suites as suites
import tests.bench.wrk as wrk
from gateway.registry import check
from tests.bench.contenders import Contender
from tests.bench.nginx import Ports
from tests.bench.rounds import Run, Work
from tests.bench.table import Figure, Table, rendered
from tests.bench.wrk import Load, Unfit
from tests.kit.origin import Answer, Origin

PORTS = Ports(9000, (9001, 9002, 9003), 9009)
REPORT = """Running 2s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.64ms    2.01ms  41.30ms   96.10%
    Req/Sec    42.12k     3.10k   48.00k    75.00%
  Latency Distribution
     50%    1.30ms
     75%    1.72ms
     90%    2.20ms
     99%  980.00us
  84210 requests in 2.01s, 350.11MB read
Requests/sec:  41895.52
"""


# What wrk says


def test_report_is_read() -> None:
    load = wrk.read(REPORT)
    assert (load.requests, load.seconds, load.timeouts) == (84210, 2.01, 0)
    assert (load.median, load.slowest) == pytest.approx((0.0013, 0.00098))


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        pytest.param("in 2.01s,", 2.01, id="seconds"),
        pytest.param("in 1.50m,", 90.0, id="minutes"),
        pytest.param("in 980.00ms,", 0.98, id="milliseconds"),
    ],
)
def test_units_of_time(written: str, seconds: float) -> None:
    assert wrk.read(REPORT.replace("in 2.01s,", written)).seconds == pytest.approx(seconds)


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(REPORT + "  Non-2xx or 3xx responses: 12\n", id="an error answered is no figure"),
        pytest.param(REPORT + "  Socket errors: connect 0, read 3, write 0, timeout 0\n", id="nor is a broken one"),
        pytest.param("unable to connect to 127.0.0.1:1 Connection refused\n", id="nor none at all"),
    ],
)
def test_errors_are_no_figure(report: str) -> None:
    with pytest.raises(Unfit):
        wrk.read(report)


def test_timeouts_are_counted() -> None:
    assert wrk.read(REPORT + "  Socket errors: connect 0, read 0, write 0, timeout 7\n").timeouts == 7


# What the kernel counts

WORKING = (
    "import os, time\nif os.fork() == 0:\n  end = time.process_time() + 0.2\n  while time.process_time() < end: pass\n"
)
WAITING = WORKING + "  print('worked', flush=True)\n  time.sleep(60)\nelse:\n  os.wait()\n"


def test_processor_time_of_children_counts() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE, start_new_session=True) as parent:
        try:
            assert parent.stdout is not None
            assert parent.stdout.readline() == b"worked\n"
            assert len(kernel.tree(parent.pid)) == 2
            assert 0.2e9 <= kernel.busy(parent.pid) < 5e9
            assert kernel.memory(parent.pid) > 1e6
            assert kernel.busy(os.getpid()) > kernel.busy(parent.pid)
        finally:
            os.killpg(parent.pid, 9)


def test_processor_time_of_threads_counts() -> None:
    before, go, done = kernel.busy(os.getpid()), threading.Event(), threading.Event()

    def work() -> None:
        sum(range(2_000_000))
        done.set()
        go.wait()

    thread = threading.Thread(target=work)
    thread.start()
    done.wait()
    grown = kernel.busy(os.getpid()) - before
    go.set()
    thread.join()
    assert grown > 5e6


def test_nobody_takes_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert kernel.busy(child.pid) == kernel.memory(child.pid) == 0


def test_what_is_started_inside_stays_on_the_core() -> None:
    before = os.sched_getaffinity(0)
    core, _ = kernel.cores()
    with kernel.on(core):
        said = subprocess.run(
            [sys.executable, "-c", "import os; print(os.sched_getaffinity(0))"], capture_output=True, text=True
        )
    assert said.stdout.strip() == str({core})
    assert os.sched_getaffinity(0) == before


def test_core_gets_busier() -> None:
    assert kernel.core_busy(kernel.cores()[0]) > 0
    with pytest.raises(LookupError):
        kernel.core_busy(99_999)


# What is asked for


def test_sizes_are_those_of_the_plan() -> None:
    assert len(pages.shell(lambda _: "").encode()) == pytest.approx(31_000, abs=200)
    assert [len(pages.fragment(number).encode()) for number in range(1, 6)] == [3_000] * 5
    assert len(pages.shell(pages.fragment)) == pytest.approx(46_000, abs=200)
    assert len(pages.page(20_000)) == 20_000
    assert len(pages.plain(4096)) == 4096


def test_pages_are_alike_in_every_run() -> None:
    assert pages.page(20_000) == pages.page(20_000)
    assert pages.fragment(1) != pages.fragment(2)


def test_text_is_what_a_person_reads() -> None:
    assert pages.text("<p title='x'>a &amp;\n b<!-- c --><script>d</script></p>") == "a & b"


@pytest.mark.parametrize(
    ("check", "body", "fits"),
    [
        pytest.param(suites.same_bytes(b"a"), b"a", True, id="the same bytes"),
        pytest.param(suites.same_bytes(b"a"), b"a ", False, id="one more"),
        pytest.param(suites.same_text("<i>a</i> b"), b"<u>a</u><p>b", True, id="the same text, other marks"),
        pytest.param(suites.same_text("<i>a</i> b"), b"<u>a</u>", False, id="text that is missing"),
        pytest.param(suites.same_links('<a href="/x">', "/m"), b'<a href="/m/x">', True, id="a link below the prefix"),
        pytest.param(suites.same_links('<a href="/x">', "/m"), b'<a href="/x">', False, id="a link left where it was"),
        pytest.param(
            suites.same_links('<a href="/x">', "/m"),
            b'<script src="/-/browser/x.js"></script><a href="/m/x">',
            True,
            id="what a gateway brings of its own",
        ),
    ],
)
def test_bodies_are_looked_at(check: rounds.Check, body: bytes, fits: bool) -> None:
    assert (check(body) is None) is fits


# Who is asked


def test_manifest_is_one_the_registry_takes() -> None:
    manifest, problems = check.parse(contenders.manifest(PORTS))
    assert manifest is not None
    assert not problems
    assert {fragment.upstream for fragment in manifest.fragments.values()} == {"team0", "team1", "team2", "odd"}


@pytest.mark.parametrize("kind", contenders.KINDS)
def test_shells_name_fragments_that_exist(kind: str) -> None:
    manifest, _ = check.parse(contenders.manifest(PORTS))
    assert manifest is not None
    page = pages.shell(lambda number: contenders.slot(kind, number))
    names = re.findall(r'<mf-slot name="([^"]*)">', page)
    assert len(names) == 5
    assert set(names) <= set(manifest.fragments)
    included = re.findall(r'virtual="([^"]*)"', pages.shell(lambda number: contenders.include(kind, number)))
    assert len(included) == 5
    assert all(f"location = {path} " in nginx.peer(8000, PORTS) for path in included)


def test_three_teams_serve_five_fragments() -> None:
    assert {PORTS.team(number) for number in range(1, 6)} == set(PORTS.teams)


@pytest.mark.parametrize(
    "setting",
    [
        *("sendfile off;", "tcp_nopush off;", "postpone_output 60000;", "output_buffers 4 64k;", "access_log off;"),
        *("gzip_comp_level 1;", "keepalive 256;", "proxy_http_version 1.1;", "worker_processes 1;"),
    ],
)
def test_peer_is_tuned(setting: str) -> None:
    assert setting in nginx.peer(8000, PORTS)


@pytest.mark.parametrize("text", [nginx.peer(8000, PORTS), nginx.origins(PORTS)], ids=["peer", "origins"])
def test_peer_stays_on_loopback_and_in_its_folder(text: str) -> None:
    assert text.count("{") == text.count("}")
    listens = re.findall(r"listen (\S+);", text)
    assert listens
    assert all(listen.startswith("127.0.0.1:") for listen in listens)
    assert not re.search(r"(?:_path|alias|pid) /", text)


def test_worker_of_root_stays_root() -> None:
    assert "user root;" in nginx.command("x", root=True)
    assert "user root;" not in nginx.command("x", root=False)


# How figures come about


def run(cost: float) -> Run:
    return Run(Load(1000, 1.0, 0.001, 0.002), int(cost * 1_000_000), 0.05)


def test_cost_is_processor_time_for_a_request() -> None:
    assert run(25.0).cost == 25.0


def test_ratio_is_taken_round_by_round() -> None:
    gateway, peer = [run(10), run(20), run(100)], [run(20), run(40), run(300)]
    assert rounds.ratio(gateway, peer) == 2.0


def test_every_peer_has_a_line_and_every_floor_is_held() -> None:
    task = suites.Task(Work("4 KB", "/", lambda _: None), {"nginx": 0.5, "caddy": 2.0})
    runs = {"portico": [run(40.0)], "nginx": [run(30.0)], "caddy": [run(60.0)]}
    figures = suites.compared(task, runs)
    assert [(figure.contender, figure.cells, figure.floor) for figure in figures] == [
        ("portico", ("40.0", "25,000", "0.75"), 0.5),
        ("nginx", ("30.0", "33,333", "1.00"), None),
        ("caddy", ("60.0", "16,667", "0.50"), None),
        ("portico against caddy", ("", "", "1.50"), 2.0),
    ]
    table = Table("pass", "Pass", suites.COST, figures)
    assert [table.holds(figure) for figure in figures] == [True, True, True, False]


def test_speed_of_reading_html() -> None:
    figure, peer = suites.read(Work("new", "/", lambda _: None), {"portico": [run(2000)], "nginx": [run(1000)]})
    assert figure.cells == ("50.0", "2.00", "0.50")
    assert (figure.value, figure.floor, peer.floor) == (50.0, 25.0, None)


def test_answer_is_looked_at_before_it_is_measured(origin: Callable[..., Origin]) -> None:
    packed = Answer(gzip.compress(b"<p>a"), headers=[("Content-Encoding", "gzip"), ("Cache-Status", "portico; hit")])
    told = {"/plain": Answer(b"<p>a"), "/gzip": packed, "/gone": Answer(b"", 404)}
    contender = Contender("it", origin(lambda seen: told[seen.path]).url, 0)
    check, zipped = suites.same_text("a"), {"Accept-Encoding": "gzip"}
    rounds.look(Work("plain", "/plain", check), contender)
    rounds.look(Work("gzip", "/gzip", check, zipped, cache="hit"), contender)
    for work in (
        Work("other text", "/plain", suites.same_text("b")),
        Work("not zipped", "/plain", check, zipped),
        Work("zipped unasked", "/gzip", check),
        Work("another verdict", "/gzip", check, zipped, cache="fwd="),
        Work("no page", "/gone", check),
    ):
        with pytest.raises(Unfit):
            rounds.look(work, contender)


def test_first_byte_comes_before_the_whole(origin: Callable[..., Origin]) -> None:
    contender = Contender("nginx", origin(lambda _: Answer([b"a", 0.2, b"b"])).url, 0)
    first, whole = rounds.first_byte(Work("slow", "/", suites.same_text("ab")), contender)
    assert first < 0.15 < 0.2 <= whole


# What is shown


TABLE = Table(
    "memory",
    "Memory",
    ("work", "contender", "MB"),
    [Figure("at rest", "portico", ("52.1",), 52.1, 60.0), Figure("at rest", "nginx", ("5.6",), 5.6)],
    at_most=True,
)


def test_table_reads_on_a_terminal_and_in_markdown() -> None:
    assert rendered(TABLE).splitlines() == [
        "### Memory",
        "",
        "| work    | contender |   MB | at most | holds |",
        "|---------|-----------|-----:|--------:|------:|",
        "| at rest | portico   | 52.1 |      60 |   yes |",
        "| at rest | nginx     |  5.6 |         |       |",
    ]


@pytest.mark.parametrize(
    ("value", "at_most", "holds"),
    [
        pytest.param(2.0, False, True, id="at the floor"),
        pytest.param(1.9, False, False, id="below the floor"),
        pytest.param(1.9, True, True, id="below the ceiling"),
        pytest.param(2.1, True, False, id="above the ceiling"),
    ],
)
def test_floor(value: float, at_most: bool, holds: bool) -> None:
    figure = Figure("w", "portico", ("x",), value, 2.0)
    table = Table("s", "t", ("work", "contender", "x"), [figure], at_most=at_most)
    assert table.holds(figure) is holds
    assert ("**no**" not in rendered(table)) is holds


def test_json_has_every_round() -> None:
    figures = suites.compared(suites.Task(Work("w", "/", lambda _: None), {"nginx": 0.5}), {"nginx": [run(1), run(2)]})
    read = json.loads(json.dumps(Table("pass", "Pass", suites.COST, figures).as_json()))
    assert [each["cost"] for each in read["figures"][0]["rounds"]] == [1.0, 2.0]
    assert read["figures"][0]["holds"] is True


@pytest.mark.parametrize(
    ("arguments", "prefix", "said"),
    [
        pytest.param("'--enable-optimizations' '--with-lto'", "/opt", "an optimised build", id="told by its options"),
        pytest.param("'--enable-shared'", "/usr", "the distribution's build", id="a distribution's"),
        pytest.param("'--enable-shared'", "/home/x", "not an optimised build", id="built without"),
    ],
)
def test_how_python_was_built_is_said(arguments: str, prefix: str, said: str) -> None:
    assert machine.built(arguments, prefix).startswith(said)


def test_page_keeps_what_was_written_by_hand(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"# Ours\n\nBy hand.\n\n{bench.MARK}\n\nold figures\n")
    bench.rewrite(page, bench.written(["Machine: x."], [TABLE], 3, 2))
    text = page.read_text()
    assert text.startswith(f"# Ours\n\nBy hand.\n\n{bench.MARK}\n\n- Machine: x.\n- 3 rounds of 2 s each, medians.\n")
    assert "old figures" not in text
    assert rendered(TABLE) in text


def test_page_of_figures_is_the_bench_s_to_write() -> None:
    assert bench.MARK in (contenders.ROOT / "docs" / "performance.md").read_text()


# How it is called


def test_missing_peer_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(bench, "SERVERS", ())
    assert bench.main(["pass"]) == 2
    assert "apt-get install nginx-light wrk" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["nonsense"], ["--rounds", "0"], ["--seconds", "0.5"]], ids=" ".join)
def test_order_that_is_not_understood_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.main(words)
    assert ended.value.code == 2
    assert "./dev bench" in capsys.readouterr().err


def test_odd_origin_never_says_the_same_twice(start: Callable[..., object], free_port: int, tmp_path: Path) -> None:
    (tmp_path / "fragment-1.html").write_text("later")
    start(
        *(sys.executable, "-m", "tests.bench.origin", str(free_port), "2000", "0.1", str(tmp_path)),
        port=free_port,
        cwd=contenders.ROOT,
    )
    first, _ = rounds.fetch(f"http://127.0.0.1:{free_port}/page", {})
    second, _ = rounds.fetch(f"http://127.0.0.1:{free_port}/page", {})
    assert first != second
    assert len(first) == len(second)
    assert pages.text(first.decode()) == pages.text(pages.page(2000))
    assert rounds.fetch(f"http://127.0.0.1:{free_port}/slow/fragment-1.html", {})[0] == b"later"
