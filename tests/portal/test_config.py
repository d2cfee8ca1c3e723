"""Settings: typed once, and a wrong one is named with what would be right."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from portal.broker import celery_settings
from portal.config import ConfigError, read
from tests.sigstores import the_sigstore

SECRET = "0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"LARDER_HOME": str(tmp_path)}


def test_nothing_has_to_be_set(home: dict[str, str], tmp_path: Path) -> None:
    config = read(home)
    assert config.base_url == "http://127.0.0.1:8000"
    assert config.database["ENGINE"] == "django.db.backends.sqlite3"
    assert config.database["NAME"] == str(tmp_path / "larder.sqlite3")
    assert config.storage.folder == tmp_path / "blobs"
    assert config.broker_url == f"file://{tmp_path}/broker"
    assert config.default_repository == ("main", "pypi-virtual")
    assert not config.is_https


def test_the_embedded_secret_is_made_once_and_is_its_owners_alone(
    home: dict[str, str], tmp_path: Path
) -> None:
    first = read(home).secret_key
    assert len(first) > 60
    assert read(home).secret_key == first
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_production_is_read_from_the_environment(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    config = read(
        home
        | {
            "LARDER_BASE_URL": "https://packages.example.org/",
            "LARDER_DATABASE_URL": "postgres://larder:p%40ss@db:5432/larder",
            "LARDER_STORAGE_URL": "s3://bucket/some/prefix?endpoint=http://s3:9000&region=eu-1",
            "LARDER_BROKER_URL": "pgmq://larder@db/larder",
            "LARDER_SECRET_KEY_FILE": str(tmp_path / "key"),
            "LARDER_SECRET_KEY_FALLBACKS": "old-one,older-one",
            "LARDER_TRUSTED_PROXIES": "10.0.0.5,10.1.0.0/16",
            "LARDER_WEB_THREADS": "8",
        }
    )
    assert config.base_url == "https://packages.example.org"
    assert config.is_https
    assert config.database["PASSWORD"] == "p@ss"
    assert config.database["OPTIONS"]["pool"]["max_size"] == 9
    assert (config.storage.bucket, config.storage.prefix) == ("bucket", "some/prefix")
    assert (config.storage.endpoint, config.storage.region) == ("http://s3:9000", "eu-1")
    assert config.secret_key == SECRET
    assert config.secret_key_fallbacks == ("old-one", "older-one")
    assert [str(network) for network in config.trusted_proxies] == ["10.0.0.5/32", "10.1.0.0/16"]


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("LARDER_BIND", "8000", "host:port"),
        ("LARDER_BIND", "127.0.0.1:99999", "host:port"),
        ("LARDER_BASE_URL", "packages.example.org", "http:// or https://"),
        ("LARDER_BASE_URL", "https://example.org/larder", "without a path"),
        ("LARDER_DATABASE_URL", "mysql://root:hunter2@db/larder", "postgres://"),
        ("LARDER_STORAGE_URL", "gs://bucket", "s3://"),
        ("LARDER_STORAGE_URL", "s3://bucket?region=x&secret=hunter2", "endpoint and region"),
        ("LARDER_BROKER_URL", "kafka://localhost", "pgmq://"),
        ("LARDER_SECRET_KEY", "short", "32 random characters"),
        ("LARDER_SECRET_KEY", "a" * 64, "32 random characters"),
        ("LARDER_SECRET_KEY_FILE", "/does/not/exist", "cannot be read"),
        ("LARDER_DEFAULT_REPOSITORY", "pypi-local", "tenant/key"),
        ("LARDER_DEFAULT_REPOSITORY", "main/Foo Bar", "lower-case"),
        ("LARDER_DEFAULT_TENANT", "Acme Inc", "lower-case"),
        ("LARDER_BASE_URL", "https://ann:hunter2@example.org", "without a path"),
        ("LARDER_DATABASE_URL", "postgres://u:pa:hunter2/word@h/db", "cannot be read"),
        ("LARDER_STORAGE_URL", "file://var/blobs", "file:///folder"),
        ("LARDER_BROKER_URL", "file://var/broker", "file:///folder"),
        ("LARDER_UPSTREAM_URL", "ftp://example.org", "http:// or https://"),
        ("LARDER_PRIVATE_UPSTREAMS", "yes", "ask or allow"),
        ("LARDER_TRUSTED_PROXIES", "proxy.example.org", "10.0.0.5"),
        ("LARDER_ACCEL_PREFIX", "blobs", "/-/blobs"),
        ("LARDER_PAGES_PREFIX", "pages", "/-/pages"),
        ("LARDER_SIGSTORE_TRUST_ROOT", "/does/not/exist", "run manage.py refresh_trust_root"),
        ("LARDER_SIGSTORE_TRUST_ROOT", "/", "trusted_root.json"),
        ("LARDER_SIGSTORE_TRUST_ROOT", __file__, "trusted_root.json"),
        ("LARDER_WEB_PROCESSES", "0", "from 1"),
        ("LARDER_WEB_THREADS", "many", "from 1"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_right(
    home: dict[str, str], name: str, value: str, right: str
) -> None:
    with pytest.raises(ConfigError) as wrong:
        read(home | {name: value})
    assert str(wrong.value).startswith(name)
    assert right in str(wrong.value)
    assert "hunter2" not in str(wrong.value)


def test_a_trust_root_is_looked_at_before_it_is_taken(home: dict[str, str], tmp_path: Path) -> None:
    assert read(home).sigstore_trust_root is None
    path = the_sigstore().write_trust_root(tmp_path / "root.json")
    given = home | {"LARDER_SIGSTORE_TRUST_ROOT": str(path)}
    assert read(given).sigstore_trust_root == path
    for broken in ("[]", "{}", "{", json.dumps(the_sigstore().trust_root() | {"ctlogs": []})):
        path.write_text(broken)
        with pytest.raises(ConfigError, match=r"a Sigstore's trusted_root\.json"):
            read(given)


def test_all_wrong_values_are_named_at_once(home: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as wrong:
        read(home | {"LARDER_BASE_URL": "x", "LARDER_BROKER_URL": "x", "LARDER_STORAGE_URL": "x"})
    assert len(str(wrong.value).splitlines()) == 3


@pytest.mark.parametrize("name", ["c#", "a b+c%20d", "what?", "é"])
def test_a_home_of_any_name_holds_everything(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    config = read({"LARDER_HOME": str(home)})
    assert config.database["NAME"] == str(home / "larder.sqlite3")
    assert config.storage.folder == home / "blobs"
    settings = celery_settings(config.broker_url)
    assert settings["broker_transport_options"]["folder"] == str(home / "broker/messages")
