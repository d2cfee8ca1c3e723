"""The main job, with real clients through real processes: publish, install, and who may not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests

from tests import dists
from tests.journeys.admin import Admin
from tests.journeys.distributions import File, distributions, paths, wheels
from tests.journeys.installers import assert_holds, hashes, pip_download, uv_install
from tests.journeys.larder import ADMIN_PASSWORD, Larder, Repository
from tests.journeys.machine import Machine, digests, signed_in, twine, uv

FEW = ("six", "idna", "markupsafe")


def test_what_twine_and_uv_publish_pip_and_uv_install(
    repository: Repository, larder: Larder, machine: Machine
) -> None:
    few = [file for file in distributions() if file.name in FEW]
    tools = wheels("setuptools", "flit-core")  # what pip builds the sdists with
    machine.run(*twine(repository.url, paths(few[::2] + tools), token=larder.writer))
    machine.run(*uv(repository.url, paths(few[1::2]), token=larder.writer))

    index = signed_in(repository.simple, larder.reader)
    assert pip_download(machine, index, few) == hashes(few)
    few_wheels = [file for file in few if file.is_wheel]
    assert_holds(uv_install(machine, index, few_wheels), few_wheels)


@pytest.fixture
def six(repository: Repository, larder: Larder, machine: Machine) -> File:
    """The wheel of six, published."""
    (wheel,) = wheels("six")
    machine.run(*twine(repository.url, [wheel.path], token=larder.writer))
    return wheel


@pytest.mark.usefixtures("six")
def test_a_stranger_cannot_install(
    repository: Repository, larder: Larder, machine: Machine
) -> None:
    for token in (None, larder.stranger, larder.writer[:-4] + "zzzz"):
        index = signed_in(repository.simple, token) if token else repository.simple
        auth = ("__token__", token) if token else None
        page = requests.get(f"{repository.simple}six/", auth=auth, timeout=30)
        assert page.status_code == (403 if token == larder.stranger else 401)
        assert ("WWW-Authenticate" in page.headers) == (page.status_code == 401)
        target = str(machine.home / "refused")
        machine.fails("pip", "install", "--target", target, "-i", index, "six")
        said = machine.fails(
            "uv", "pip", "install", "--target", target, "--default-index", index, "six"
        )
        assert str(page.status_code) in said
        assert not Path(target, "six.py").exists()


def test_a_stranger_cannot_upload_and_reads_why(
    repository: Repository, larder: Larder, machine: Machine
) -> None:
    (idna,) = wheels("idna")
    wrong = larder.writer[:-4] + "zzzz"
    for token, sentence in (
        (larder.stranger, f"There is no repository {repository.name} that you may use."),
        (larder.reader, f"You may read {repository.name} but not publish to it"),
        (wrong, "This token is not valid"),
    ):
        assert sentence in machine.fails(*twine(repository.url, [idna.path], token=token))
        assert sentence in machine.fails(*uv(repository.url, [idna.path], token=token))
    assert "Missing credentials" in machine.fails(*uv(repository.url, [idna.path], token=None))
    refused = requests.post(repository.url, files={"content": b"frog"}, timeout=30)
    assert (refused.status_code, refused.reason) == (401, "Sign in with a user name and a token.")
    assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    listed = requests.get(f"{repository.simple}idna/", auth=("", larder.reader), timeout=30)
    assert listed.status_code == 404


def test_pip_leaves_out_a_yanked_release_unless_it_is_pinned(
    repository: Repository, larder: Larder, machine: Machine
) -> None:
    built = machine.folder("dist")
    for version in ("1.0", "1.1"):
        name, content = dists.make_wheel("frog", version)
        (built / name).write_bytes(content)
    machine.run(*twine(repository.url, sorted(built.iterdir()), token=larder.writer))
    with Admin(larder.url, "admin", ADMIN_PASSWORD) as admin:
        (sha256,) = (digest for name, digest in digests(built).items() if "1.1" in name)
        file = admin.find("packages/distribution", sha256)
        admin.save(file, yanked=True, yanked_reason="it croaks")

    pip = ("pip", "install", "--no-deps", "-i", signed_in(repository.simple, larder.reader))
    machine.run(*pip, "--target", str(machine.home / "newest"), "frog")
    assert (machine.home / "newest" / "frog-1.0.dist-info").is_dir()
    said = machine.run(*pip, "--target", str(machine.home / "pinned"), "frog==1.1")
    assert (machine.home / "pinned" / "frog-1.1.dist-info").is_dir()
    assert "it croaks" in said


def test_the_same_file_again_is_fine_and_other_bytes_are_not(
    repository: Repository, larder: Larder, six: File, machine: Machine
) -> None:
    before = requests.get(repository.simple + "six/", auth=("", larder.reader), timeout=30)
    machine.run(*twine(repository.url, [six.path], token=larder.writer))
    machine.run(*uv(repository.url, [six.path], token=larder.writer))
    after = requests.get(repository.simple + "six/", auth=("", larder.reader), timeout=30)
    assert after.content == before.content
    assert after.headers["ETag"] == before.headers["ETag"]

    other = machine.folder("other") / six.path.name
    other.write_bytes(dists.make_wheel("six", six.version, tag="py2.py3-none-any")[1])
    assert "File already exists" in machine.fails(
        *twine(repository.url, [other], token=larder.writer)
    )
    assert "File already exists" in machine.fails(*uv(repository.url, [other], token=larder.writer))
    index = signed_in(repository.simple, larder.reader)
    assert pip_download(machine, index, [six]) == hashes([six])


def test_an_administrator_sets_two_tenants_up_in_the_admin(
    production: Larder, machine: Machine
) -> None:
    with Admin(production.url, "admin", ADMIN_PASSWORD) as admin:
        admin.add("accounts/tenant", slug="initech", name="Initech")
        admin.add("repos/repository", tenant="initech", key="reports", members_read=False)
        for person, role in (("milton", "writer"), ("lumbergh", "reader")):
            admin.add("accounts/user", username=person, new_password=f"stapler-of-{person}")
            admin.add("accounts/membership", user=person, tenant="initech")
            whom = {"subject": "a user", "membership": person}
            admin.add("repos/grant", repository="reports", role=role, **whom)
        admin.add("accounts/tenant", slug="initrode", name="Initrode")
        admin.add("accounts/user", username="drew", new_password="stapler-of-drew")
        admin.add("accounts/membership", user="drew", tenant="initrode")
        milton, lumbergh, drew = (
            _secret(admin.add("accounts/token", membership=person, name="desk", role="writer"))
            for person in ("milton", "lumbergh", "drew")
        )
    url = f"{production.url}/initech/reports/"
    chosen = wheels("idna")
    assert "You may read initech/reports" in machine.fails(
        *twine(url, paths(chosen), token=lumbergh)
    )
    machine.run(*twine(url, paths(chosen), token=milton))
    index = signed_in(f"{url}simple/", lumbergh)
    assert pip_download(machine, index, chosen) == hashes(chosen)
    not_there = "There is no repository initech/reports that you may use"
    assert not_there in machine.fails(*twine(url, paths(chosen), token=drew))
    stranger = requests.get(f"{url}simple/idna/", auth=("__token__", drew), timeout=30)
    assert (stranger.status_code, stranger.reason) == (403, f"{not_there}.")
    # The passwords set in the admin work as well: people type those into pip.
    assert requests.get(f"{url}simple/", auth=("lumbergh", "stapler-of-lumbergh"), timeout=30).ok


@pytest.mark.parametrize(
    ("upload", "simple"),
    [
        ("/main/pypi-local", "/main/pypi-local/simple"),
        ("/main/pypi-local/", "/main/pypi-local/simple/"),
        ("/artifactory/api/pypi/pypi-local", "/artifactory/api/pypi/pypi-local/simple"),
        ("/artifactory/api/pypi/pypi-local/", "/artifactory/pypi/pypi-local/simple"),
        ("/api/pypi/pypi-local", "/api/pypi/pypi-local/simple"),
        ("/pypi/", "/pypi/simple/"),
        ("/pypi", "/pypi/simple"),
    ],
)
def test_every_form_of_the_url_takes_uploads_and_serves_them(
    upload: str, simple: str, production: Larder, machine: Machine
) -> None:
    name = f"form-{re.sub('[^a-z]+', '-', upload)}-{'slash' if upload.endswith('/') else 'bare'}"
    filename, content = dists.make_wheel(name, "1.0")
    wheel = machine.folder("dist") / filename
    wheel.write_bytes(content)
    machine.run(*twine(production.url + upload, [wheel], token=production.admin))
    index = signed_in(production.url + simple, production.admin)
    target = machine.folder("downloads")
    machine.run("pip", "download", "--no-deps", "-i", index, "--dest", str(target), name)
    assert digests(target) == digests(wheel.parent)


def _secret(page: str) -> str:
    """Return the token that the page after its making shows."""
    (secret,) = set(re.findall(r"lrd_\w+", page))
    return str(secret)
