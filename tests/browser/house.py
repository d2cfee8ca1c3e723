"""A furnished Larder: what a company's would hold, to look at its screens and take pictures.

Two tenants; in acme a local with projects in every state, a remote over an index on loopback, a
virtual over both, and repositories that are still empty. Downloads go back for a month.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.dists import make_sdist, make_wheel
from tests.journeys.distributions import File
from tests.journeys.indexes import static_index
from tests.journeys.larder import Larder
from tests.journeys.machine import sha256_of
from tests.journeys.remotes import make_remote
from tests.journeys.wire import Content, request, upload
from tests.parts.processes import private_folder

LOCAL, REMOTE, VIRTUAL = "acme/pypi-local", "acme/pypi-remote", "acme/pypi-virtual"
EMPTY, EMPTY_REMOTE, THEIRS = "acme/fresh", "acme/fresh-remote", "globex/pypi-local"
PEOPLE = ("admin", "ada", "wes", "ray", "mona", "gwen")

_README = """\
# acme-billing

Invoices from **meters**: reads what the sensors of a site counted, applies the tariff, and writes
one invoice for each customer.

```python
from acme_billing import Tariff, invoices

for invoice in invoices("2026-10", tariff=Tariff.load("night")):
    invoice.send()
```

| what | where |
|---|---|
| tariffs | `acme_billing/tariffs/` |
| a night's meters | `acme-sensor` |

- Rounds as the tax office does.
- Never sends an invoice twice.
"""
_FACTS = (
    "Summary: Invoices from meters: tariffs, taxes and reminders",
    "Author-email: Ada <ada@acme.example>",
    "License-Expression: MIT",
    "Keywords: billing,invoices,tariffs",
    "Classifier: Development Status :: 5 - Production/Stable",
    "Classifier: Programming Language :: Python :: 3",
    "Classifier: Topic :: Office/Business :: Financial :: Accounting",
    "Project-URL: Documentation, https://docs.acme.example/billing",
    "Project-URL: Source, https://git.acme.example/billing",
    "Provides-Extra: pdf",
    "Description-Content-Type: text/markdown",
)
_NEEDS = ("acme-sensor>=1.2", "attrs>=25", "acme-paper; extra == 'pdf'")
_BILLING = ("1.0", "1.1", "1.2", "2.0", "2.0.1", "2.1", "2.2rc1")
_WITH_COMMAND = ("2.1", "2.2rc1")
# Beside publishing: what curators, quiet periods and a month of installers would have done.
_LIVED_IN = """
import django
django.setup()
from datetime import timedelta
from accounts.models import Issuer, User
from accounts.principal import Principal
from base import clock
from base.audit import SYSTEM
from packages import curate, statistics
from packages.describe import set_properties
from packages.extraction.extract import extract_due
from packages.models import Distribution, FileDownloads, Project, Provenance, Release
from packages.models import RepositoryDay
from repos import publishers
from repos.models import Repository, RepositoryState, TrustedPublisher
RepositoryState.objects.exclude(extract_after=None).update(extract_after=clock.now())
while extract_due():
    pass
root = Principal(user=User.objects.get(username="admin"))
local = Repository.objects.get(tenant__slug="acme", key="pypi-local")
def project(name):
    return Project.objects.get(repository=local, normalized=name)
def status(name, status, reason):
    curate.set_status(project(name), status=Project.Status(status), reason=reason, by=root)
status("acme-ledger", "deprecated", "Use acme-billing.")
status("acme-probe", "quarantined", "Its 0.3 sends readings to a host that is not ours.")
bad = Release.objects.get(project=project("acme-billing"), version="2.0")
curate.yank(bad, reason="Counts the day of the time change twice. Use 2.0.1.", by=root)
curate.delete(Distribution.objects.get(filename="acme_ledger-0.8-py3-none-any.whl"), by=root)
for file in Distribution.objects.filter(release__project=project("acme-billing")):
    set_properties(file, {"qa.approved": ["yes"]}, by=root)
def trust(issuer, project, source, workflow="", **more):
    row = TrustedPublisher(
        repository=local, issuer=issuer, normalized=project, source=source, workflow=workflow,
    )
    publishers.add_publisher(row, by=SYSTEM)
    TrustedPublisher.objects.filter(pk=row.pk).update(**more)
github = Issuer(kind="github", url="https://token.actions.example")
gitlab = Issuer(kind="gitlab", url="https://gitlab.acme.example", private_allowed=True)
for issuer in (github, gitlab):
    publishers.save_issuer(issuer, by=SYSTEM)
used = {"owner_id": "4711", "source_id": "815", "last_used_at": clock.now() - timedelta(hours=3)}
trust(github, "acme-billing", "acme/billing", "release.yml", environment="release", **used)
trust(github, "acme-lamp", "acme/lamp", "release.yml")
trust(gitlab, "acme-ledger", "tools/ledger", ".gitlab-ci.yml", ref="refs/tags/*")
# What an upload with attestations leaves; a provenance is served of a public host alone.
def attest(release, issuer, home, path, **more):
    at = clock.now() - timedelta(hours=3)
    build = {
        "kind": issuer.kind, "issuer": issuer.url, "source": path, "source_url": f"{home}/{path}",
        "commit": "0e2a68d2f4dbbd2a6f8bd4ad25b4e5fb0ac54a1c", "ref": "refs/tags/v2", **more,
    }
    said = [
        {"predicate_type": each, "logged_at": at.isoformat(), "build": build} for each in _KINDS
    ]
    is_public = home == "https://github.com"
    for file in Distribution.objects.filter(release=release):
        Provenance.objects.create(
            distribution=file, attested=said, said=build | {"environment": "release"},
            document=b"{}" if is_public else b"", uploaded_to=local, uploaded_at=at,
        )
        file.is_attested, file.has_provenance = True, is_public
        file.save(update_fields=["is_attested", "has_provenance"])
_KINDS = (
    "https://docs.attest.example/attestations/publish/v1", "https://slsa.dev/provenance/v1",
)
billing = Release.objects.filter(project=project("acme-billing"))
public = Issuer(kind="github", url="https://token.actions.githubusercontent.com")
attest(
    billing.get(version="2.1"), public, "https://github.com", "acme/billing",
    workflow=".github/workflows/release.yml", run="https://github.com/acme/billing/actions/runs/17",
)
attest(
    billing.get(version="2.0.1"), gitlab, "https://gitlab.acme.example", "tools/billing",
    workflow=".gitlab-ci.yml", run="https://gitlab.acme.example/tools/billing/-/jobs/9",
)
today = clock.now().date()
files = Distribution.objects.filter(release__isnull=False).order_by("pk")
for day in range(30):
    for number, file in enumerate(files):
        count = (day * 7 + number * 5) % 23 + (day // 6) * (number % 3)
        if count:
            FileDownloads.objects.update_or_create(
                distribution=file, day=today - timedelta(days=29 - day),
                defaults={
                    "count": count, "last_at": clock.now() - timedelta(days=29 - day),
                    "last_by": "ray",
                },
            )
    for shelf in Repository.objects.filter(tenant__slug="acme"):
        if not shelf.key.startswith("fresh"):
            RepositoryDay.objects.update_or_create(
                repository=shelf, day=today - timedelta(days=29 - day),
                defaults={
                    "downloads": (day * 37) % 61 + day * 3, "fetched": (day * 5) % 11,
                    "downloaded_bytes": day * 900_000, "projects": 5, "files": 10 + day,
                    "stored_bytes": 740 * day,
                    "counted_serial": 1 if day < 29 else None,
                },
            )
statistics.recount()
"""


@dataclass(frozen=True)
class House:
    """A furnished Larder, and the passwords of its people."""

    larder: Larder
    passwords: dict[str, str]

    def url(self, repository: str, path: str = "") -> str:
        """Return the URL of a page of a repository."""
        return f"{self.larder.url}/{repository}/{path}"


@contextmanager
def furnished(larder: Larder, admin_password: str) -> Iterator[House]:
    """Fill `larder`, and yield it until the block ends; its upstream is there as long."""
    with private_folder("wheels") as folder, static_index(list(_upstream(folder))) as index:
        passwords = _let_in(larder) | {"admin": admin_password}
        _build(larder, index)
        _publish(larder)
        larder.python(_LIVED_IN)
        yield House(larder, passwords)


def _upstream(folder: Path) -> Iterator[File]:
    """Yield the wheels that the index behind the remote has."""
    for name, version in (("attrs", "25.1.0"), ("attrs", "26.1.0"), ("urllib3", "2.8.0")):
        filename, content = make_wheel(name, version)
        path = folder / filename
        path.write_bytes(content)
        yield File(path, name, version, sha256_of(content))


def _let_in(larder: Larder) -> dict[str, str]:
    larder.manage(
        ["create_user", "ada", "--tenant", "acme", "--tenant-admin"],
        ["create_user", "mona", "--tenant", "acme"],
    )
    others = [name for name in PEOPLE if name != "admin"]
    made = larder.manage(*(["set_password", name] for name in others))
    return dict(zip(others, made, strict=True))


def _build(larder: Larder, index: str) -> None:
    """Make the repositories; of acme's own, mona reads none but through all members' grants."""
    larder.manage(
        ["create_repository", LOCAL, "--description", "What acme's teams publish"],
        ["create_repository", EMPTY],
        ["create_repository", THEIRS],
        ["grant", LOCAL, "--team", "packagers", "--role", "writer"],
        ["grant", EMPTY, "--team", "packagers", "--role", "writer"],
        ["grant", THEIRS, "--user", "gwen", "--role", "writer"],
    )
    for key in ("pypi-remote", "fresh-remote"):
        make_remote(larder, key, index)
    virtual = ["create_repository", VIRTUAL, "--kind", "virtual"]
    larder.manage([*virtual, "--member", LOCAL, "--member", REMOTE])


def _publish(larder: Larder) -> None:
    to = f"{larder.url}/{LOCAL}/"
    for version in _BILLING:
        is_late = version in _WITH_COMMAND
        needs = (*_NEEDS, "acme-tariffs>=3") if is_late else _NEEDS
        files = {"acme_billing/tariffs/night.toml": f"since = '{version}'\n".encode()}
        if is_late:
            said = b"[console_scripts]\nbilling = acme_billing:main\n"
            files[f"acme_billing-{version}.dist-info/entry_points.txt"] = said
        for make in (make_wheel, make_sdist):
            built = make(
                "acme-billing", version, metadata_version="2.4", requires_python=">=3.10",
                requires_dist=needs, extra_headers=_FACTS, description=_README, files=files,
            )  # fmt: skip
            _send(to, larder.writer, "acme-billing", version, built)
    native = {"acme_sensor/_read.so": b"\x7fELF" + bytes(4000), "acme_sensor.pth": b"acme_sensor\n"}
    wheel = make_wheel("acme-sensor", "1.4", tag="cp312-cp312-manylinux_2_28_x86_64", files=native)
    _send(to, larder.writer, "acme-sensor", "1.4", wheel)
    for name, version in (
        ("acme-ledger", "0.8"),
        ("acme-ledger", "0.9"),
        ("acme-probe", "0.3"),
        ("acme-paper", "3.0"),
    ):
        _send(to, larder.writer, name, version, make_wheel(name, version))
    _send(
        f"{larder.url}/{THEIRS}/", larder.stranger, "globex-vault", "1.0",
        make_wheel("globex-vault", "1.0"),
    )  # fmt: skip
    with request(
        "GET", f"{larder.url}/{REMOTE}/files/attrs/attrs-26.1.0-py3-none-any.whl", larder.reader
    ) as fetched:
        assert fetched.status == 200
        fetched.read()


def _send(to: str, token: str, name: str, version: str, built: tuple[str, bytes]) -> None:
    filename, content = built
    kind = "bdist_wheel" if filename.endswith(".whl") else "sdist"
    sent = upload(
        to, token, Content(filename, len(content), [content]),
        name=name, version=version, filetype=kind,
    )  # fmt: skip
    assert sent == (200, "OK"), (filename, sent)
