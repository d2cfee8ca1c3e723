"""Raw deploys: what may be put where, and how a file gets its name."""

from __future__ import annotations

import pytest

from accounts.models import Tenant
from accounts.principal import Principal
from base import clock
from base.audit import SYSTEM
from base.models import AuditEvent
from packages import curate
from packages.deploy import PathRefused, deploy
from packages.describe import PropertyRefused, set_properties
from packages.extraction import extract
from packages.extraction.extract import extract_due
from packages.filenames import FilenameRefused, NormalizedName
from packages.index.local import LocalIndex
from packages.models import Distribution, LooseObject, Project, StoredMetadata, UpstreamPage
from packages.properties import Properties
from packages.uploads import FileExists, FileTooLarge, QuotaExceeded, UploadRefused
from repos import configure
from repos.access import RoleMissing
from repos.models import Claim, Kind, Repository, RepositoryState, Upstream
from repos.stamps import stamp
from tests.cast import Cast, make_repository
from tests.conftest import MovableClock
from tests.dists import make_dumb, make_wheel, zip_of
from tests.packages.extraction.extracting import FakeReader, facts, metadata_of, put

State = Distribution.Extraction
NAMED = {"pypi.name": ["frog"], "pypi.version": ["1.0"]}
WHEEL, CONTENT = make_wheel("frog", "1.0")
BARE, BARE_CONTENT = "frog-1.0.zip", zip_of({"frog/readme.txt": b"no metadata at all"})


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch, time: MovableClock) -> FakeReader:
    """What reads archives in this test: metadata in wheels, none in anything else."""
    fake = FakeReader(says={BARE: facts(None)})
    monkeypatch.setattr(extract, "Reader", lambda: fake)
    return fake


@pytest.fixture
def shelf(cast: Cast, time: MovableClock, reader: FakeReader) -> Repository:
    """A local repository."""
    return cast.acme.repository


@pytest.fixture
def wes(cast: Cast) -> Principal:
    """A writer."""
    return cast.acme.writer.limited


def lay(
    shelf: Repository,
    by: Principal,
    path: str = f"libs/{WHEEL}",
    content: bytes = CONTENT,
    properties: Properties | None = None,
) -> Distribution:
    return deploy(
        repository=shelf, path=path, chunks=iter([content]), properties=properties, by=by
    ).distribution


def extracted(time: MovableClock, row: Distribution) -> Distribution:
    """Let the quiet period pass, and return the row as it is then."""
    time.move(seconds=60)
    extract_due()
    return Distribution.objects.select_related("release__project").get(pk=row.pk)


def listed(shelf: Repository) -> list[str]:
    projects = Project.objects.filter(repository=shelf)
    index = LocalIndex(shelf)
    return [
        file.filename
        for row in projects
        for file in index.page(NormalizedName(row.normalized)).files
    ]


def test_a_wheel_is_listed_when_it_has_been_read_and_not_before(
    shelf: Repository, wes: Principal, time: MovableClock
) -> None:
    before = stamp(shelf.pk)
    row = lay(shelf, wes)
    assert (row.path, row.release, row.extraction) == (f"libs/{WHEEL}", None, State.PENDING)
    assert stamp(shelf.pk) == before
    assert listed(shelf) == []
    row = extracted(time, row)
    assert row.release is not None
    assert (str(row.release), row.extraction, row.kind) == ("frog 1.0", State.EXTRACTED, "wheel")
    assert row.path == f"libs/{WHEEL}"
    assert listed(shelf) == [WHEEL]
    assert row.metadata_sha256
    assert StoredMetadata.objects.filter(distribution=row).exists()
    assert stamp(shelf.pk).serial == before.serial + 1
    assert dict(row.properties.values_list("name", "value"))["pypi.normalized.name"] == "frog"
    events = AuditEvent.objects.filter(action__startswith="distribution").order_by("pk")
    assert [(each.action, each.actor) for each in events] == [
        ("distribution.deploy", "wes"),
        ("distribution.name", "larder"),
    ]
    assert RepositoryState.objects.get(repository=shelf).extract_after is None


def test_without_metadata_it_stays_unlisted_until_somebody_says_its_name(
    shelf: Repository, wes: Principal, time: MovableClock
) -> None:
    row = extracted(time, lay(shelf, wes, BARE, BARE_CONTENT))
    assert row.extraction == State.UNLISTED
    assert row.extraction_reason == (
        "Its archive carries no metadata. Say its pypi.name and pypi.version, and it is listed."
    )
    set_properties(row, {"pypi.name": ["frog"]}, by=wes)
    row = extracted(time, row)
    assert "Say its pypi.version, and" in row.extraction_reason
    set_properties(row, {"pypi.version": ["1.0"]}, by=wes)
    row.refresh_from_db()
    assert row.extraction == State.PENDING
    # frog-1.0.zip is an sdist by its name, and every sdist has a PKG-INFO.
    assert "has no PKG-INFO" in extracted(time, row).extraction_reason


def test_what_people_say_names_what_carries_no_metadata(
    shelf: Repository, wes: Principal, time: MovableClock, reader: FakeReader
) -> None:
    filename, content = make_dumb("frog", "1.0")
    reader.says[filename] = facts(None)
    row = extracted(time, lay(shelf, wes, filename, content, NAMED))
    assert (row.extraction, row.kind) == (State.EXTRACTED, "dumb")
    assert listed(shelf) == [filename]
    origins = set(row.properties.values_list("name", "origin"))
    assert ("pypi.name", "person") in origins
    assert ("pypi.normalized.name", "archive") in origins
    with pytest.raises(PropertyRefused, match="has its name"):
        set_properties(row, {"pypi.name": ["toad"]}, by=wes)


@pytest.mark.parametrize(
    "said", [{"pypi.name": ["toad"]}, {"pypi.version": ["2.0"]}], ids=["name", "version"]
)
def test_archive_and_people_must_agree(
    shelf: Repository, wes: Principal, time: MovableClock, said: Properties
) -> None:
    row = extracted(time, lay(shelf, wes, properties=said))
    assert (row.extraction, row.release) == (State.FAILED, None)
    assert "Correct or remove the property" in row.extraction_reason
    right = {name: NAMED[name] for name in said}
    set_properties(row, right, by=wes)
    assert extracted(time, row).extraction == State.EXTRACTED


def test_the_same_bytes_again_change_nothing_but_properties(
    shelf: Repository, wes: Principal
) -> None:
    row = lay(shelf, wes)
    events = AuditEvent.objects.count()
    assert lay(shelf, wes) == row
    assert AuditEvent.objects.count() == events
    assert lay(shelf, wes, properties={"qa.approved": ["yes"]}) == row
    assert row.properties.get().value == "yes"
    assert not LooseObject.objects.exists()
    assert Tenant.objects.get(slug="acme").used_files == 1


def test_other_bytes_at_a_path_are_refused_unless_files_may_be_overwritten(
    shelf: Repository, wes: Principal, time: MovableClock
) -> None:
    row = extracted(time, lay(shelf, wes))
    _, other = make_wheel("frog", "1.0", description="other")
    with pytest.raises(FileExists, match="File already exists"):
        lay(shelf, wes, content=other)
    shelf.overwrite_allowed = True
    configure.change_repository(shelf, by=SYSTEM)
    again = lay(shelf, wes, content=other)
    assert again == row
    assert listed(shelf) == []
    assert extracted(time, row).extraction == State.EXTRACTED
    assert listed(shelf) == [WHEEL]
    assert Tenant.objects.get(slug="acme").used_bytes == len(other)


def test_a_published_file_is_at_its_path_too(shelf: Repository, wes: Principal) -> None:
    published = put(shelf, wes)
    assert lay(shelf, wes, f"frog/1.0/{WHEEL}") == published
    with pytest.raises(FileExists):
        lay(shelf, wes, f"frog/1.0/{WHEEL}", b"PK other bytes")


def test_a_second_file_of_one_name_is_not_listed(
    shelf: Repository, wes: Principal, time: MovableClock
) -> None:
    put(shelf, wes)
    same = extracted(time, lay(shelf, wes))
    assert same.extraction == State.UNLISTED
    assert same.extraction_reason == (
        f"The same file is listed already; it is at frog/1.0/{WHEEL}."
    )
    _, other = make_wheel("frog", "1.0", description="other")
    different = extracted(time, lay(shelf, wes, f"other/{WHEEL}", other))
    assert different.extraction == State.FAILED
    assert different.extraction_reason.startswith("File already exists: ")
    assert listed(shelf) == [WHEEL]


def test_naming_obeys_the_projects_status_and_its_tombstones(
    shelf: Repository, wes: Principal, cast: Cast, time: MovableClock
) -> None:
    first = put(shelf, wes, "0.9")
    project = Project.objects.get()
    curate.set_status(
        project, status=Project.Status.ARCHIVED, reason="done", by=cast.acme.admin.principal
    )
    row = extracted(time, lay(shelf, wes))
    assert (row.extraction, row.release) == (State.FAILED, None)
    assert "archived and takes no uploads" in row.extraction_reason
    curate.set_status(
        project, status=Project.Status.ACTIVE, reason="", by=cast.acme.admin.principal
    )
    curate.try_again(row, by=wes)
    assert extracted(time, row).extraction == State.EXTRACTED
    curate.delete(first, by=cast.acme.admin.principal)
    filename, content = make_wheel("frog", "0.9")
    gone = extracted(time, lay(shelf, wes, filename, content))
    assert "was deleted from acme/local" in gone.extraction_reason


def test_a_name_served_upstream_waits_for_a_claim(
    shelf: Repository, wes: Principal, cast: Cast, time: MovableClock
) -> None:
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    virtual = make_repository(cast.acme.tenant, "virtual", Kind.VIRTUAL)
    configure.set_members(virtual, [shelf, remote], by=SYSTEM)
    configure.save_upstream(
        Upstream(repository=remote, index_url="https://mirror.example.org/"), by=SYSTEM
    )
    UpstreamPage.objects.create(
        repository=remote, normalized="frog", is_served=True, answered_at=clock.now()
    )
    row = extracted(time, lay(shelf, wes))
    assert row.extraction == State.FAILED
    assert "is served by an index beside acme/local" in row.extraction_reason
    configure.add_claim(Claim(repository=shelf, pattern="frog"), by=SYSTEM)
    curate.try_again(row, by=wes)
    assert extracted(time, row).extraction == State.EXTRACTED


def test_what_the_gate_refuses_is_not_listed(
    shelf: Repository, wes: Principal, time: MovableClock, reader: FakeReader
) -> None:
    bad = zip_of({"frog-1.0.dist-info/METADATA": metadata_of("frog-1.0-")})
    row = extracted(time, lay(shelf, wes, content=bad))
    assert (row.extraction, row.release) == (State.FAILED, None)
    assert WHEEL in row.extraction_reason


@pytest.mark.parametrize(
    "path",
    [
        f"../{WHEEL}", f"a//{WHEEL}", f"/{WHEEL}", f"a/./{WHEEL}", f".hidden/{WHEEL}",
        f"a b/{WHEEL}", f"a/é/{WHEEL}", f"{'d/' * 300}{WHEEL}",
    ],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_refused(
    shelf: Repository, wes: Principal, path: str
) -> None:
    with pytest.raises(PathRefused):
        lay(shelf, wes, path)
    assert not Distribution.objects.exists()


@pytest.mark.parametrize("filename", ["frog.exe", "frog", ".whl", "frog;1.whl", ""])
def test_what_is_no_archive_by_its_name_is_refused(
    shelf: Repository, wes: Principal, filename: str
) -> None:
    with pytest.raises(FilenameRefused):
        lay(shelf, wes, f"a/{filename}")


def test_sizes_and_quotas_hold(shelf: Repository, wes: Principal) -> None:
    Tenant.objects.update(quota_bytes=10)
    with pytest.raises(QuotaExceeded):
        lay(shelf, wes)
    Tenant.objects.update(quota_bytes=None)
    shelf.max_file_bytes = 10
    with pytest.raises(FileTooLarge):
        lay(shelf, wes)
    assert not Distribution.objects.exists()
    assert not LooseObject.objects.exists()


def test_only_a_local_takes_files_and_only_from_writers(
    shelf: Repository, cast: Cast, wes: Principal
) -> None:
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    with pytest.raises(UploadRefused, match="takes no uploads"):
        lay(remote, wes)
    with pytest.raises(RoleMissing):
        lay(shelf, cast.acme.reader.limited)
    assert not Distribution.objects.exists()


def test_a_token_for_certain_projects_says_which_one_and_gets_no_other(
    shelf: Repository, cast: Cast, time: MovableClock
) -> None:
    token = cast.acme.writer.token
    token.project_patterns = ["frog*"]
    token.save()
    by = cast.acme.writer.limited
    with pytest.raises(RoleMissing, match=r"say with pypi\.name"):
        lay(shelf, by)
    with pytest.raises(RoleMissing, match="may not change files of"):
        lay(shelf, by, properties={"pypi.name": ["toad"]})
    filename, content = make_wheel("toad", "1.0")
    row = extracted(time, lay(shelf, by, filename, content, {"pypi.name": ["frog"]}))
    assert (row.extraction, row.release) == (State.FAILED, None)


def test_an_unnamed_file_can_be_deleted_and_restored(
    shelf: Repository, cast: Cast, wes: Principal, time: MovableClock
) -> None:
    row = lay(shelf, wes)
    admin = cast.acme.admin.principal
    curate.delete(row, by=admin)
    assert extracted(time, row).extraction == State.PENDING
    with pytest.raises(UploadRefused, match="was deleted"):
        lay(shelf, wes)
    curate.restore(Distribution.objects.get(), by=admin)
    assert extracted(time, row).extraction == State.EXTRACTED
