"""The larder command as people install it, and real clients that have nothing but its keyring."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.dists import make_sdist, make_wheel
from tests.journeys.distributions import wheels_of_the_client
from tests.journeys.documented import commands_of, copy_client, desk_environment, run_all
from tests.journeys.indexes import static_index
from tests.journeys.installers import served
from tests.journeys.larder import ADMIN_PASSWORD, Larder, embedded
from tests.journeys.machine import digests

HERE = "https://packages.example"
_CONSUMER = """
[project]
name = "consumer"
version = "1.0"
requires-python = ">=3.11,<4"
dependencies = ["frog"]
[tool.poetry]
package-mode = false
[[tool.poetry.source]]
name = "shelf"
url = "{index}"
priority = "primary"
"""


@dataclass(frozen=True)
class Desk:
    """Where somebody works who has installed the command and logs in with it."""

    folder: Path
    environment: dict[str, str]

    def done(self, command: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run a line of a shell, and return how it ended."""
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def run(self, command: str, typed: str = "") -> str:
        """Run a line that must succeed, and return what it printed."""
        done = self.done(command, typed)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def fails(self, command: str, typed: str = "") -> str:
        """Run a line that must fail, and return what it said."""
        done = self.done(command, typed)
        assert done.returncode != 0, f"{command}\n{done.stdout}"
        return done.stdout + done.stderr

    def log_in(self, larder: Larder) -> None:
        """Log in as the administrator."""
        line = f"larder login {larder.url} --username admin --password-stdin"
        self.run(line, f"{ADMIN_PASSWORD}\n")

    @property
    def logins(self) -> Path:
        """The file that the command keeps."""
        return Path(self.environment["XDG_CONFIG_HOME"], "larder", "logins.json")


@pytest.fixture
def desk(command_site: Path, tmp_path: Path) -> Desk:
    """A desk with the command and the clients, nobody logged in."""
    return _desk(command_site, tmp_path)


@pytest.fixture
def bare_desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with the tree of the command, and what pip installs is there alone.

    Its index is one of others, with what the command requires.
    """
    site = tmp_path / "site"
    bare = _desk(site, tmp_path)
    copy_client(bare.folder)
    with static_index(wheels_of_the_client()) as index:
        pip = {"PIP_TARGET": str(site), "PIP_UPGRADE": "1", "PIP_INDEX_URL": index}
        yield Desk(bare.folder, bare.environment | pip)


def _desk(site: Path, folder: Path) -> Desk:
    home = folder / "desk"
    home.mkdir()
    for name, version in (("frog", "1.0"), ("frog", "2.0")):
        file, content = make_wheel(name, version)
        (home / file).write_bytes(content)
    file, content = make_sdist("frog", "2.0")
    (home / file).write_bytes(content)
    return Desk(home, desk_environment(site, home))


@pytest.fixture(scope="module")
def running() -> Iterator[Larder]:
    """A Larder of its own: the documents make repositories with names."""
    with embedded() as larder:
        yield larder


def test_the_commands_of_the_page_work_one_after_the_other(
    running: Larder, bare_desk: Desk
) -> None:
    """With this Larder's URL and administrator in the place of the page's."""
    desk = bare_desk
    running.manage(
        ["create_tenant", "pond"],
        ["create_user", "bob", "--tenant", "pond"],
        ["create_repository", "pond/pypi-local"],
        ["add_issuer", "https://token.actions.githubusercontent.com", "--kind", "github"],
    )
    running.python(
        "import django; django.setup()\n"
        "from accounts.models import *\n"
        "Membership.objects.create(tenant=Tenant.objects.get(slug='pond'), kind='admin',"
        " user=User.objects.get(username='admin'))"
    )
    (desk.folder / "password").write_text(f"{ADMIN_PASSWORD}\n")
    commands = [
        line.replace(f"https://__token__@{HERE[8:]}", f"http://__token__@{running.url[7:]}")
        .replace(HERE, running.url)
        .replace("acme/", "pond/")
        .replace("--tenant acme", "--tenant pond")
        .replace("--username ada", "--username admin")
        .replace("simple/ ada", "simple/ admin")
        for line in commands_of("command.md")
    ]
    assert len(commands) > 25
    said = run_all(commands, desk.folder, desk.environment)
    assert ADMIN_PASSWORD not in said
    assert "lrr_" not in said
    assert "You are logged out" in said
    # Installed twice: from the folder where it was built, and from this Larder.
    site = Path(desk.environment["PIP_TARGET"])
    (facts,) = site.glob("larder_client-*.dist-info")
    assert not (facts / "direct_url.json").exists()
    assert list(site.glob("keyring-*.dist-info"))


def test_one_login_signs_every_client_in_until_it_is_revoked(running: Larder, desk: Desk) -> None:
    shelf = running.repository()
    named = shelf.simple.replace("http://", "http://__token__@")
    publish = f"twine upload --repository-url {shelf.url} frog-1.0-*.whl"
    pip = "pip download --no-cache-dir --keyring-provider subprocess --no-deps"
    install = f"{pip} -d got -i {named} frog"
    uv = f"uv pip install --no-cache --keyring-provider subprocess -i {named} --target uv-got frog"
    send = (
        f"uv publish --trusted-publishing never --keyring-provider subprocess -u __token__"
        f" --publish-url {shelf.url} frog-2.0-*.whl"
    )
    (desk.folder / "pyproject.toml").write_text(_CONSUMER.format(index=shelf.simple))
    lock = "poetry lock --no-cache --no-interaction"
    for command in (publish, install, uv, send, lock):
        desk.fails(command)
    desk.log_in(running)
    assert desk.logins.stat().st_mode & 0o777 == 0o600
    for command in (publish, send, install, uv, lock):
        desk.run(command)
    here = {name: sha for name, sha in digests_of_wheels(desk.folder).items() if ".whl" in name}
    assert served(shelf, "frog", running.reader) == here
    assert (desk.folder / "uv-got" / "frog-2.0.dist-info").is_dir()
    assert "frog-2.0" in (desk.folder / "poetry.lock").read_text()
    secrets = json.loads(desk.logins.read_text())["logins"][running.url]
    for file in desk.folder.rglob("*"):
        if file.is_file() and file != desk.logins:
            content = file.read_bytes()
            assert secrets["access_token"].encode() not in content, file
            assert secrets["refresh_token"].encode() not in content, file
    running.python(
        "import django; django.setup()\n"
        "from accounts.models import Login\n"
        "from accounts import logins\n"
        "from base.audit import SYSTEM\n"
        "[logins.revoke(each, by=SYSTEM) for each in Login.objects.filter(revoked_at=None)]"
    )
    for got in ("got", "uv-got"):
        shutil.rmtree(desk.folder / got)
    for command in (publish, install, uv, send, f"{lock} --regenerate"):
        desk.fails(command)
        running.forgive()
    assert "This token is not valid" in desk.fails("larder whoami")
    assert desk.done("larder whoami").returncode == 3


def test_no_number_of_installs_by_keyring_is_taken_for_guessing(
    running: Larder, desk: Desk
) -> None:
    """For each file uv sends an empty password first; ten wrong ones close an address."""
    shelf = running.repository()
    desk.log_in(running)
    desk.run(f"larder publish --to {shelf.name} frog-1.0-*.whl")
    index = shelf.simple.replace("http://", "http://__token__@")
    uv = f"uv pip install -q --no-cache --reinstall --keyring-provider subprocess -i {index}"
    desk.run(f"for each in $(seq 12); do {uv} --target uv-got frog || exit 1; done")
    counted = running.python(
        "import django; django.setup()\n"
        "from accounts.models import SignInFailures\n"
        "print(sum(each.count for each in SignInFailures.objects.all()))"
    )
    assert counted.strip() == "0"


def test_the_keyring_answers_for_the_very_origin_alone(running: Larder, desk: Desk) -> None:
    desk.log_in(running)
    host = running.url.removeprefix("http://")
    assert desk.run(f"keyring get {running.url}/acme/x/simple/ admin").startswith("lra_")
    assert desk.run(f"keyring get {running.url} __token__").startswith("lra_")
    for other in (host, f"https://{host}", "http://127.0.0.1/", f"{running.url}0", "shelf"):
        assert "lra_" not in desk.fails(f"keyring get '{other}' admin")
    assert "lra_" not in desk.fails(f"keyring get {running.url} somebody-else")
    desk.run("larder logout")
    assert "lra_" not in desk.fails(f"keyring get {running.url} admin")


def test_many_clients_at_once_bring_one_access_token(running: Larder, desk: Desk) -> None:
    desk.log_in(running)
    ask = f"keyring get {running.url} admin"
    said = desk.run(f"for each in 1 2 3 4 5 6; do {ask} & done; wait").split()
    assert len(said) == 6
    assert len(set(said)) == 1


def test_refusals_are_one_line_and_an_exit_code(running: Larder, desk: Desk) -> None:
    nowhere = desk.done("larder whoami")
    assert (nowhere.returncode, nowhere.stdout) == (3, "")
    wrong = desk.done(f"larder login {running.url} --username admin --password-stdin", "wrong\n")
    assert wrong.returncode == 3
    assert "The user name or password is wrong" in wrong.stderr
    running.forgive()
    desk.run(f"larder login {running.url} --token-stdin", f"{running.reader}\n")
    shelf = running.repository().name
    ends = {
        f"larder publish --to {shelf} frog-1.0-*.whl": (4, "You may read"),
        f"larder publish --to {shelf} absent-1.0-py3-none-any.whl": (1, "There is no file"),
        f"larder publish --to {shelf} broken-1.0-py3-none-any.whl": (1, "no zip archive"),
        f"larder promote absent.whl {shelf} {shelf}": (5, "There is no absent.whl"),
        "larder repo show acme/absent": (5, "There is no repository"),
        "larder repo show absent": (2, "write it as tenant/key"),
        f"larder repo purge {shelf}": (1, f"add: --yes {shelf}"),
        f"larder repo check {shelf}": (4, "You may read"),
        "larder token list": (1, "--password-stdin"),
        "larder whoami --url http://127.0.0.1:9": (3, "not logged in"),
        "larder login http://127.0.0.1:9 --token-stdin": (6, "cannot be reached"),
    }
    (desk.folder / "broken-1.0-py3-none-any.whl").write_text("no wheel")
    for command, (code, sentence) in ends.items():
        done = desk.done(command)
        assert (done.returncode, done.stdout) == (code, ""), command
        assert sentence in done.stderr, command
        assert "Traceback" not in done.stderr


def digests_of_wheels(folder: Path) -> dict[str, str]:
    """Return the digests of the files beside the home's folders."""
    wheels = folder / "wheels"
    wheels.mkdir()
    for wheel in folder.glob("*.whl"):
        shutil.copy(wheel, wheels)
    return digests(wheels)
