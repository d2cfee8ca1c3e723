"""Puts, gives out and deletes files at their paths: `/artifactory/<key>/<path>`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from accounts.models import Tenant
from accounts.principal import Principal
from accounts.roles import Role
from artifactory.errors import ItemMissing, RequestUnreadable
from artifactory.properties import GENERATED, properties_in
from artifactory.shapes import ITEM_CREATED, answered, checksums, created_file, done, download_uri
from artifactory.storage import CHANGED_AT_MOST, item_of
from base.bodies import BodyBroken
from base.errors import InvalidInput, LarderError
from packages import storage
from packages.curate import AlreadyDeleted
from packages.deletion import delete_file
from packages.deploy import deploy
from packages.describe import judge_token
from packages.documents import showable
from packages.filenames import parse_filename_of, parse_name, parse_version, shown
from packages.index.base import FileNotFound, ProjectNotFound, stored_of
from packages.index.opening import open_index
from packages.models import Blob, Distribution
from packages.paths import file_at
from packages.search.ground import within
from pypi.answer import Answer, Ask
from pypi.files import given_out
from repos.access import readable_by, require
from repos.models import Kind, Repository
from repos.targets import target_of_upload

_DIGESTS = ("sha1", "sha256", "md5")
_BY_LENGTH = {32: "md5", 40: "sha1", 64: "sha256"}
_PARTS_OF_A_PATH = 3  # project, version, file name


def put(ask: Ask, path: str = "") -> Answer:
    """Put a file at a path, with the properties behind its name; 201, also for the same again."""
    target = target_of_upload(ask.principal, ask.tenant, ask.key)
    folder, slash, last = path.rpartition("/")
    name, _, matrix = last.partition(";")
    if not name:
        raise RequestUnreadable("A folder comes with its files: put a file at a path below it.")
    given = properties_in(matrix)
    digests = _digests(ask)
    size, chunks = ask.body.left or 0, _received(ask)
    if ask.header("x-checksum-deploy").lower() == "true":
        blob = _known(target.repository.tenant, digests, ask.principal)
        size, chunks = blob.size, storage.chunks(blob.storage_key, blob.size)
    deployed = deploy(
        repository=target.repository,
        path=f"{folder}{slash}{name}",
        chunks=chunks,
        by=ask.principal,
        properties={each: values for each, values in given.items() if each not in GENERATED},
        digests=digests,
        declared_size=size,
        through=target.through,
    )
    row = Distribution.objects.select_related("blob").get(pk=deployed.distribution.pk)
    answer = answered(ask, created_file(ask, ask.key, row), status=201, kind=ITEM_CREATED)
    answer.headers["Location"] = download_uri(ask, ask.key, row.path)
    return answer


def give(ask: Ask, path: str = "") -> Answer:
    """Give a file out, be it listed or not; what a remote does not hold yet is fetched."""
    repository = require(ask.principal, ask.tenant, ask.key, Role.READER)
    row = file_at(within(repository, ask.principal), path)
    if row is not None:
        answer = given_out(ask, stored_of(row), "no-cache", through=repository)
        for name, digest in checksums(row).items():
            answer.headers[f"X-Checksum-{name.capitalize()}"] = digest
        answer.headers["X-Artifactory-Filename"] = quote(row.filename)
        return answer
    return _from_upstream(ask, repository, path)


def delete(ask: Ask, path: str = "") -> Answer:
    """Delete a file, or all files below a folder: of a remote, let go of them."""
    repository = require(ask.principal, ask.tenant, ask.key, Role.ADMIN)
    if repository.kind == Kind.VIRTUAL:
        raise RequestUnreadable(f"{repository} shows what others hold. Delete it from these.")
    if not path.strip("/"):
        raise RequestUnreadable("Say which file or folder. A repository is deleted as such.")
    _delete(item_of(ask, path, Role.ADMIN).files(at_most=CHANGED_AT_MOST), ask.principal)
    return done()


def _delete(rows: Sequence[Distribution], by: Principal) -> None:
    """Delete files, each in its own transaction: uploads wait for no more than one of them.

    What is refused in between says how far it came; done again, it goes on with the rest.
    """
    for row in rows:
        judge_token(row, {}, by)
    for number, row in enumerate(rows):
        try:
            delete_file(row, by=by)
        except AlreadyDeleted:  # by somebody else, at this moment
            continue
        except LarderError as refused:
            if number:
                refused.sentence = f"{number} of {len(rows)} files are deleted. {refused.sentence}"
            raise


def _digests(ask: Ask) -> dict[str, str]:
    """Return what the client hashed, by the names of the digests."""
    found = {name: ask.header(f"x-checksum-{name}").strip().lower() for name in _DIGESTS}
    plain = ask.header("x-checksum").strip().lower()
    if plain:
        found[_BY_LENGTH.get(len(plain), "sha256")] = plain
    return {name: digest for name, digest in found.items() if digest}


def _received(ask: Ask) -> Iterator[bytes]:
    while chunk := ask.body.read():
        yield chunk
    if ask.body.left:
        raise BodyBroken("The file did not arrive whole. Send it again.")


def _known(tenant: Tenant, digests: dict[str, str], by: Principal) -> Blob:
    """Return the bytes of this SHA-256 that the caller may read in the tenant.

    A hash is not a key: of bytes that are anywhere else, nothing is said.
    """
    sha256 = digests.get("sha256", "")
    held = showable().filter(
        blob__tenant=tenant,
        blob__sha256=sha256,
        repository__in=readable_by(by).order_by().values("pk"),
    )
    row = held.select_related("blob").first() if sha256.isascii() and sha256.isalnum() else None
    if row is None or row.blob is None:
        raise ItemMissing("no file with this SHA-256 is known here. Send its bytes.")
    return row.blob


def _from_upstream(ask: Ask, repository: Repository, path: str) -> Answer:
    """Return a file that an index upstream lists, as `<project>/<version>/<file name>`."""
    parts = path.split("/")
    missing = ItemMissing(f"there is no file {shown(path)} in {repository}.")
    if repository.kind == Kind.LOCAL or len(parts) != _PARTS_OF_A_PATH or not path.isprintable():
        raise missing
    try:
        name = parse_name(parts[0])
        is_its_version = parse_filename_of(parts[2], name).version == parse_version(parts[1])
        found = open_index(repository, ask.principal).open(name, parts[2])
    except (InvalidInput, ProjectNotFound, FileNotFound):
        raise missing from None
    if not is_its_version:
        raise missing
    return given_out(ask, found, "no-cache", through=repository)
