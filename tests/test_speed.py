"""The bench of speed: what it makes of figures, of answers, and of what is missing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.speed import runner, settling
from bench.speed.__main__ import chosen, is_wrong, parsed, together
from bench.speed.asking import Answer, links, require_kind, require_names, require_status, validator
from bench.speed.cases import Case, Row
from bench.speed.corpus import SMALL, Corpus
from bench.speed.load import Seen
from bench.speed.peers.larder import ALONE, IN_PRODUCTION
from bench.speed.peers.larder_grown import MANY
from bench.speed.peers.larder_hosts import TWO
from bench.speed.peers.running import Running
from bench.speed.peers.static import NAME as STATIC
from bench.speed.portions import OtherSizes, Portion, added, combined, load, save
from bench.speed.reading import Bench, large_page
from bench.speed.report import page, table
from bench.speed.results import Measured, Results, Void, ratio
from bench.speed.scenes import GROWTH, ROWS, SIDE_BY_SIDE
from bench.speed.targets import TARGETS, latencies, outcomes
from bench.speed.writing import require_uploads

HTML_PAGE = b'<a href="../../files/a-1.whl#sha256=0">a-1.whl</a> <a href="/b-1.whl">b-1.whl</a>'
JSON_PAGE = json.dumps({"files": [{"filename": "a-1.whl", "url": "../../files/a-1.whl"}]}).encode()
TINY = replace(SMALL, projects=2, files=2, large=3, root=2, wheel_mib=1, upload_mib=1)


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer("http://127.0.0.1/simple/a/", status, named, body)


def running(name: str, **more: Any) -> Running:
    return Running(name, pids=(), start_seconds=0.0, index="http://127.0.0.1/simple/", **more)


def noted(results: Results, case: str, who: str, *values: float, p99: float | None = None) -> None:
    results.cell(case, who).rounds.extend(Measured(value, p99) for value in values)


def a_portion(results: Results, **more: Any) -> Portion:
    told: dict[str, Any] = {
        "command": "make bench",
        "began": "2026-01-01 12:00 UTC",
        "commit": "abc",
        "sizes": SMALL,
        "rounds": 3,
        "seconds": 5,
        "load": "load 0.1",
        "machine": ["2 cores"],
        "versions": ["nginx 1"],
    }
    return Portion(**(told | more), results=results)


def test_a_figure_is_the_median_of_its_rounds_and_a_reason_voids_it() -> None:
    results = Results()
    noted(results, "small-html", ALONE, 900, 100, 200, p99=2.0)
    cell = results.cell("small-html", ALONE)
    assert (cell.value, cell.p99) == (200, 2.0)
    cell.void = "answers 500, not 200"
    assert (cell.value, cell.p99, cell.note) == (None, None, "")


def test_a_ratio_needs_both_figures() -> None:
    assert ratio(50, 200) == 0.25
    assert ratio(None, 200) is None
    assert ratio(50, None) is None
    assert ratio(50, 0) is None


def test_the_fastest_peer_is_one_with_a_figure() -> None:
    results = Results()
    noted(results, "small-wheel", "devpi", 8)
    noted(results, "small-wheel", "proxpi", 2)
    results.cell("small-wheel", "pypiserver").void = "it broke"
    peers = ["devpi", "proxpi", "pypiserver", "unknown"]
    assert results.fastest("small-wheel", peers) == "devpi"
    assert results.fastest("metadata", peers) is None


def test_the_fastest_peer_is_named_and_a_cache_stands_beside() -> None:
    results = Results()
    noted(results, "small-html", IN_PRODUCTION, 3_000)
    noted(results, "small-html", "devpi", 200)
    noted(results, "small-html", "pypiserver", 100)
    noted(results, "small-html", "proxpi", 300)
    wanted = f"| small page, HTML | {IN_PRODUCTION} | at least 30 x the fastest peer "
    assert f"{wanted}| 15 x devpi (10 x proxpi) |" in page([a_portion(results)])


def test_the_table_has_figures_shares_and_voids() -> None:
    page_row = ["small page, HTML", "requests/s", "20,000 (p99 1.50 ms)", "-"]
    page_row += ["6,000 (30 %, p99 3.00 ms)", "void"]
    results = Results()
    noted(results, "small-html", STATIC, 20_000, p99=1.5)
    noted(results, "small-html", IN_PRODUCTION, 6_000, p99=3.0)
    results.cell("small-html", "devpi").void = "answers 500, not 200"
    noted(results, "start", STATIC, 0.1)
    noted(results, "start", IN_PRODUCTION, 2.5)
    noted(results, "start", ALONE, 2.0)
    assert list(table(SIDE_BY_SIDE, results))[2:] == [
        f"| {' | '.join(page_row)} |",
        "| start until the first page | s | 0.10 | 2.00 | 2.50 | - |",
    ]


def test_the_page_says_what_is_void_who_was_absent_and_who_holds_less() -> None:
    results = Results()
    results.cell("small-html", "devpi").void = "answers 500, not 200"
    notes = {"devpi": running("devpi", large=100).remarks(SMALL)}
    results.cell("small-html", "proxpi").void = "could not be started: it broke"
    said = page([a_portion(results, notes=notes)])
    began = "2026-01-01 12:00 UTC"
    assert "- **devpi**: small page, HTML: answers 500, not 200\n" in said
    assert "- **proxpi**: small page, HTML: could not be started: it broke\n" in said
    assert "- devpi: it holds 100 of 200 files of the large one\n" in said
    assert f"- {began}, commit abc, load 0.1, `make bench`, 3 rounds of 5 s: small-html\n" in said


def test_who_holds_less_has_no_share_of_the_limit(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path, TINY)
    fewer, same = (large_page(running("a", large=held), corpus).of_less for held in (2, None))
    assert (fewer, same) == (True, False)
    results = Results()
    noted(results, "large-html", STATIC, 100)
    noted(results, "large-html", IN_PRODUCTION, 50)
    results.cell("large-html", "devpi").rounds.append(Measured(20, of_less=True))
    (row,) = list(table(SIDE_BY_SIDE, results))[2:]
    assert row == "| large page, HTML | requests/s | 100 | 50 (50 %) | 20 |"


def test_notes_and_versions_are_of_those_whose_rows_are_shown() -> None:
    first, second = Results(), Results()
    noted(first, "small-html", "devpi", 1)
    noted(second, "small-json", "devpi", 1)
    told = {"versions": ["nginx 1", "devpi-server 6", "proxpi 2"]}
    said = page(
        [
            a_portion(first, notes={"devpi": ["one process"], "pulp": ["it waits"]}, **told),
            a_portion(second, notes={"devpi": ["one process", "no nginx"], "wheels": ["made up"]}),
        ]
    )
    assert "- devpi: one process; no nginx\n- wheels: made up\n" in said
    assert "pulp" not in said
    assert "- nginx 1, devpi-server 6\n" in said


def test_the_page_names_what_began_on_a_busy_machine() -> None:
    results = Results()
    noted(results, "small-html", ALONE, 1)
    noted(results, "small-json", ALONE, 1)
    said = page([a_portion(results, busy=["small-json", "small-304"])])
    assert "small-html, small-json; begun on a busy machine: small-json\n" in said


def test_the_bench_waits_for_a_quiet_machine_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shares = iter([0.9, 0.5, 0.1])
    monkeypatch.setattr(settling, "busy_share", lambda: next(shares))
    assert settling.await_quiet()
    assert next(shares, None) is None
    monkeypatch.setattr(settling, "busy_share", lambda: 1.0)
    monkeypatch.setattr(settling, "_SECONDS_AT_MOST", 0)
    assert not settling.await_quiet()


def test_a_target_is_met_or_missed_by_so_much() -> None:
    results = Results()
    noted(results, "small-html", STATIC, 10_000, p99=1.0)
    noted(results, "small-html", IN_PRODUCTION, 3_000, p99=3.5)
    noted(results, "small-html", ALONE, 1_000, p99=2.0)
    noted(results, "small-html", "devpi", 200)
    noted(results, "small-html", "proxpi", 50)
    reached = {
        (each.target.who, each.target.to): (each.reached, each.is_met)
        for each in outcomes([a_portion(results)], ["devpi", "proxpi"])
        if each.target.case == "small-html"
    }
    assert reached == {
        (ALONE, "the fastest peer"): (5, False),
        (ALONE, STATIC): (0.1, True),
        (IN_PRODUCTION, "the fastest peer"): (15, False),
        (IN_PRODUCTION, STATIC): (0.3, True),
    }
    assert [(each.who, each.is_met) for each in latencies(results)][:2] == [
        (ALONE, True),
        (IN_PRODUCTION, False),
    ]
    lines = page([a_portion(results)]).splitlines()
    wanted = f"| small page, HTML | {IN_PRODUCTION} | at least 30 x the fastest peer | 15 x devpi "
    assert f"{wanted}(60 x proxpi) | **not met**: 50 % of it |" in lines


def test_a_ratio_of_two_runs_is_none() -> None:
    pages, uploads = Results(), Results()
    noted(pages, "upload-1", ALONE, 100)
    noted(pages, "upload-1", "devpi", 10)
    noted(uploads, "upload-large", ALONE, 90)
    reached = {
        (each.target.case, each.target.to): each.reached
        for each in outcomes([a_portion(pages), a_portion(uploads)], ["devpi"])
        if each.target.who == ALONE
    }
    assert reached["upload-1", "devpi"] == 10
    assert reached["upload-large", ALONE] is None


def test_results_are_kept_in_portions_and_measured_again(tmp_path: Path) -> None:
    first, second = Results(), Results()
    noted(first, "small-html", ALONE, 1, 3, p99=2.0)
    noted(first, "small-json", ALONE, 4)
    first.cell("small-json", "devpi").void = "it broke"
    noted(second, "small-json", ALONE, 5)
    path = tmp_path / "performance.json"
    save(path, added([a_portion(first)], a_portion(second, rounds=1)))
    kept = load(path, SMALL)
    assert [(each.rounds, each.results.cases()) for each in kept] == [
        (3, ["small-html"]),
        (1, ["small-json"]),
    ]
    results = combined(kept)
    assert results.cell("small-html", ALONE) == first.cell("small-html", ALONE)
    assert results.value("small-json", ALONE) == 5
    assert results.contestants(["small-json"]) == {ALONE}  # the row before is gone, whole
    assert len(added(kept, a_portion(first))) == 1
    assert first.known() == {"small-html", "small-json"}
    assert all(each.results.known() for each in kept)
    with pytest.raises(OtherSizes, match="another corpus"):
        load(path, TINY)


def test_targets_name_cases_that_there_are() -> None:
    keys = [row.key for row in ROWS]
    assert len(keys) == len(set(keys))
    assert {each.case for each in TARGETS} | {each.to_case for each in TARGETS} <= {"", *keys}


def test_links_are_read_from_both_kinds_of_page() -> None:
    assert links(answer(HTML_PAGE, content_type="text/html")) == {
        "a-1.whl": "http://127.0.0.1/files/a-1.whl",
        "b-1.whl": "http://127.0.0.1/b-1.whl",
    }
    there = answer(JSON_PAGE, content_type="application/vnd.pypi.simple.v1+json")
    assert links(there) == {"a-1.whl": "http://127.0.0.1/files/a-1.whl"}


def test_a_wrong_answer_is_void_with_the_reason() -> None:
    html = answer(HTML_PAGE, content_type="text/html")
    require_names(html, {"a-1.whl", "b-1.whl"})
    with pytest.raises(Void, match="1 of 2 missing, 1 too many"):
        require_names(html, {"a-1.whl", "c-1.whl"})
    with pytest.raises(Void, match="answers 404, not 200"):
        require_status(answer(b"", 404), 200)
    with pytest.raises(Void, match="has no JSON"):
        require_kind(html, "application/vnd.pypi.simple.v1+json", packed=False)
    with pytest.raises(Void, match="does not compress"):
        require_kind(html, "text/html", packed=True)
    with pytest.raises(Void, match="gives no validator"):
        validator(html)
    assert validator(answer(b"", etag='"1"', last_modified="then")) == {"If-None-Match": '"1"'}


def test_answers_of_too_few_bytes_are_void() -> None:
    seen = Seen(requests=10, bytes=5_000, seconds=1.0, p99=1.0)
    seen.require_bodies(500)
    seen.require_no_bodies(501)
    with pytest.raises(Void, match="500 bytes on average, a whole one has 501"):
        seen.require_bodies(501)
    with pytest.raises(Void, match="as if they had been whole"):
        seen.require_no_bodies(500)


def test_who_has_no_uploads_says_why() -> None:
    with pytest.raises(Void, match="takes no uploads"):
        require_uploads(running("a"))
    with pytest.raises(Void, match="lists it later"):
        require_uploads(running("a", no_uploads="lists it later"))


def test_one_measurement_may_tell_of_several_rows(tmp_path: Path) -> None:
    bench = Bench(Corpus(tmp_path, TINY), 1, tmp_path)
    rounds = iter([(Measured(4), Measured(1)), (Measured(6), Measured(3))])
    memory = Row("grown", "memory", "MiB", higher=False, worst=True)
    case = Case(
        "speed", "speed", "s", measure=lambda *_: next(rounds), besides=(memory,), needs_wrk=False
    )
    results = Results()
    runner.measure([case], [running("a")], 2, bench, results)
    assert (results.value("speed", "a"), results.value("grown", "a")) == (5, 3)
    results = Results.of(results.told())
    assert results.value("grown", "a") == 3
    runner.void(case, "a", "it broke", results)
    assert (results.value("speed", "a"), results.value("grown", "a")) == (None, None)


def test_a_note_is_of_the_round_that_its_figure_is_of() -> None:
    results = Results()
    cell = results.cell("mix", ALONE)
    cell.rounds.extend(Measured(value, note=f"{value} seen") for value in (5, 9, 7))
    assert (cell.value, cell.note) == (7, "7 seen")
    cell.worst = True
    assert (cell.value, cell.note) == (9, "9 seen")


def test_a_row_that_another_case_tells_of_may_be_asked_for() -> None:
    options = parsed(["--cases", "proxy-second", "upload-big-memory"])
    found = [case.key for case in chosen(SIDE_BY_SIDE, options, [])]
    assert found == ["proxy-warm", "upload-big"]


def a_case(*told: Measured | Void, needs_wrk: bool = False) -> Case:
    """Return a case that tells these figures, or raises these reasons, one after the other."""
    left = list(told)

    def measure(_running: Running, _bench: Bench) -> Measured:
        said = left.pop(0)
        if isinstance(said, Void):
            raise said
        return said

    return Case("a-case", "A case", "s", measure=measure, needs_wrk=needs_wrk)


def test_one_wrong_round_voids_a_cell_and_is_not_tried_again(tmp_path: Path) -> None:
    bench = Bench(Corpus(tmp_path, TINY), 1, tmp_path)
    case = a_case(Measured(1), Void("wrong page"), Measured(3))
    results = Results()
    runner.measure([case], [running("a")], 3, bench, results)
    cell = results.cell("a-case", "a")
    assert (cell.value, cell.void, len(cell.rounds)) == (None, "wrong page", 1)


def test_what_is_compared_is_measured_in_the_same_rounds(tmp_path: Path) -> None:
    order: list[str] = []

    def measured(key: str, **more: Any) -> Case:
        def measure(_running: Running, _bench: Bench) -> Measured:
            order.append(key)
            return Measured(1)

        return Case(key, key, "s", measure=measure, needs_wrk=False, **more)

    cases = [measured("small-json"), measured("b"), measured("in-turn", repeated=False)]
    bench = Bench(Corpus(tmp_path, TINY), 1, tmp_path)
    for compared in together(cases):
        runner.measure(compared, [running("x")], 2, bench, Results())
    assert order == ["small-json", "in-turn", "small-json", "b", "b"]
    assert [[case.key for case in each] for each in together(cases[1:])] == [["b"], ["in-turn"]]


def test_a_target_between_two_cases_is_of_such_as_are_measured_together() -> None:
    lists = [{case.key for case in each} for each in together(SIDE_BY_SIDE.cases)]
    between = {(each.case, each.to_case) for each in TARGETS if each.to_case}
    assert between
    assert all(any({*pair} <= keys for keys in lists) for pair in between)


def test_without_wrk_reading_is_void_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.speed.load.shutil.which", lambda _: None)
    bench = Bench(Corpus(tmp_path, TINY), 1, tmp_path)
    results = Results()
    runner.measure([a_case(needs_wrk=True)], [running("a")], 1, bench, results)
    assert results.cell("a-case", "a").void.startswith("not run: wrk is missing on this machine")


def test_who_is_needed_by_somebody_is_started_too() -> None:
    peers = SIDE_BY_SIDE.peers
    needed = [peer.names[0] for peer in peers if runner.needed(peer, peers, ["proxpi"])]
    assert needed == [ALONE, STATIC, "proxpi"]


def test_the_corpus_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    digests = [
        [
            (wheel.name, hashlib.sha256(wheel.path.read_bytes()).hexdigest())
            for wheel in Corpus(tmp_path / name, TINY).wheels()
        ]
        for name in ("one", "other")
    ]
    assert digests[0] == digests[1]
    assert len(digests[0]) == 2 * 2 + 3 + 1


def test_what_is_uploaded_is_new_each_time(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path, TINY)
    made = [corpus.to_upload(["large", "large"]) for _ in range(2)]
    names = [wheel.name for wheels in made for wheel in wheels]
    assert len(set(names)) == 4
    assert corpus.new_names(3)[0] != corpus.new_names(3)[0]


def test_larder_is_wrong_where_it_was_run_and_gave_no_figure() -> None:
    results = Results()
    results.cell("hosts-cost", "Larder, two hosts").void = "not run: it needs root"
    results.cell("small-html", "devpi").void = "wrong page"
    assert not is_wrong(a_portion(results))
    results.cell("small-html", ALONE).void = "could not be started: it broke"
    assert is_wrong(a_portion(results))


def test_cases_that_have_figures_are_not_missing() -> None:
    results = Results()
    noted(results, "grown-page", MANY, 100)
    results.cell("grown-rare", MANY).void = "no answer"
    options = parsed(["--missing", "--cases", "grown-page", "grown-rare", "small-html"])
    missing = chosen(GROWTH, options, [a_portion(results)])
    assert [case.key for case in missing] == ["grown-rare"]


def test_a_count_is_told_as_it_is() -> None:
    results = Results()
    noted(results, "proxy-crowd", IN_PRODUCTION, 1)
    noted(results, "proxy-crowd", STATIC, 20)
    noted(results, "hosts-revoked", TWO, 3)
    lines = page([a_portion(results)]).splitlines()
    crowd = "20 callers for one file that nobody had, through a proxy"
    assert f"| {crowd} | requests upstream | 20 | 1 |" in lines
    wanted = f"| {crowd} | {IN_PRODUCTION} | at most 1 requests upstream | 1 requests upstream |"
    assert f"{wanted} met |" in lines
    miss = f"reads at the last host by a token revoked at the first | {TWO} | at most 0 misses"
    assert f"| {miss} | 3 misses | **not met** |" in lines
