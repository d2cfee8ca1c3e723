"""Which archives the gate refuses, at which level and with which words, and which it lets in."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from base.errors import InvalidInput
from packages.archive import Inspected, inspect
from packages.filename_rules import require_public_name
from packages.filenames import MAX_SHOWN, parse_filename, shown
from repos.models import GIB
from repos.rules import Rules
from tests.archives.cases import Case, slugs
from tests.archives.good import GOOD
from tests.archives.hostile import ARCHIVES, FORMS

SECONDS = 5

Judge = Callable[[Case, Rules], Inspected]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Bring a case before the gate, as a spool file without any name of its own."""

    def judge(case: Case, rules: Rules) -> Inspected:
        path = tmp_path / "spool"
        path.write_bytes(case.content())
        named = parse_filename(case.filename, name=case.name, version=case.version)
        started = time.process_time()
        try:
            if rules == Rules.STRICT:  # as publish does, before it reads the file
                require_public_name(named)
            return inspect(path, named, rules=rules, file_limit=4 * GIB)
        finally:
            assert time.process_time() - started < SECONDS

    return judge


def test_there_are_as_many_as_promised_and_each_has_a_name_of_its_own() -> None:
    assert len(slugs((*ARCHIVES, *FORMS))) >= 200
    assert len(slugs(GOOD)) >= 40
    assert len(ARCHIVES) >= 200
    assert all(case.says for case in (*ARCHIVES, *FORMS))
    assert not any(case.says for case in GOOD)


@pytest.mark.parametrize("rules", Rules)
@pytest.mark.parametrize("case", ARCHIVES, ids=slugs(ARCHIVES))
def test_a_hostile_archive(judge: Judge, case: Case, rules: Rules) -> None:
    if not case.is_refused_by(rules):
        assert any(case.finding in finding for finding in judge(case, rules).findings) or (
            not case.finding
        )
        return
    with pytest.raises(InvalidInput) as refused:
        judge(case, rules)
    sentence = refused.value.sentence
    assert case.sentence(rules) in sentence
    assert shown(case.filename) in sentence
    assert sentence.isascii()
    assert sentence.isprintable()
    assert sentence.endswith(".")
    assert len(sentence) < 4 * MAX_SHOWN + 300


@pytest.mark.parametrize("rules", Rules)
@pytest.mark.parametrize("case", GOOD, ids=slugs(GOOD))
def test_a_good_but_odd_archive(judge: Judge, case: Case, rules: Rules) -> None:
    inspected = judge(case, rules)
    assert inspected.metadata is not None
    assert inspected.metadata.name.lower().startswith(case.name[0].lower())
    for finding in inspected.findings:
        assert finding.isascii()
        assert finding.isprintable()


def test_what_is_not_odd_leaves_no_finding(judge: Judge) -> None:
    odd = {case.slug for case in GOOD if judge(case, Rules.COMPATIBLE).findings}
    assert odd <= {"good-signed-record"}
