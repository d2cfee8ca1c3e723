"""The archives that the gate's own tests are made of, before the reader."""

from __future__ import annotations

import pytest

from packages.reading import ArchiveFacts, ReadingFailed
from tests.archives.cases import Case, slugs
from tests.archives.good import GOOD
from tests.archives.harmless import require_harmless
from tests.archives.hostile import ARCHIVES
from tests.packages.reading.conftest import Read

# What only an upload is asked: how strict rules want a file named, or packed.
OF_UPLOADS = ("name-", "wheel-with-its-folder-in-another", "egg-with-wrong-metadata")


@pytest.mark.parametrize("case", ARCHIVES, ids=slugs(ARCHIVES))
def test_what_an_upload_is_refused_for_is_told(read: Read, case: Case) -> None:
    try:
        found = read((case.filename, case.content()))
    except ReadingFailed as failed:
        sentence = failed.sentence
    else:
        sentence = ""
        require_told(found, case)
    assert case.says in sentence or not sentence


def require_told(found: ArchiveFacts, case: Case) -> None:
    require_harmless(found)
    is_told = found.facts["problems"]["items"] or "egg-info" in found.facts["metadata"]["path"]
    assert is_told or case.slug.startswith(OF_UPLOADS)


@pytest.mark.parametrize("case", GOOD, ids=slugs(GOOD))
def test_a_good_but_odd_archive_is_read(read: Read, case: Case) -> None:
    found = read((case.filename, case.content()))
    require_harmless(found)
    assert found.facts["metadata"]["version"]
