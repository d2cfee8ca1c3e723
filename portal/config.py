"""Reads Larder's environment once, into types, and names every wrong value with what is right."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from base.slugs import SLUG_PATTERN

T = TypeVar("T")

_BROKERS = frozenset({"file", "pgmq", "redis", "rediss", "amqp", "amqps"})
_MIN_SECRET = 32
# Of one process. Threads that send a file, or wait for an upstream, have given theirs back.
_CONNECTIONS_AT_MOST = 32
_IN_A_TRUST_ROOT = ("mediaType", "certificateAuthorities", "ctlogs", "tlogs")
_ROOT = Path(__file__).resolve().parent.parent


class ConfigError(ImproperlyConfigured):
    """One or more settings are wrong; the message has a line for each."""


class _Wrong(ValueError):
    """A value is wrong; the message says what would be right and does not repeat the value."""


@dataclass(frozen=True, slots=True)
class StorageLocation:
    """Where blobs live: a folder, or a bucket of an S3-compatible service."""

    folder: Path | None = None
    bucket: str = ""
    prefix: str = ""
    endpoint: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """Larder's settings, typed. Names follow the `LARDER_` variables they come from."""

    home: Path
    bind: str
    base_url: str
    database: dict[str, Any]
    storage: StorageLocation
    broker_url: str
    secret_key: str
    secret_key_fallbacks: tuple[str, ...]
    default_tenant: str
    default_repository: tuple[str, str]
    admin_password: str
    upstream_url: str
    private_upstreams_allowed: bool
    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    accel_prefix: str
    pages_prefix: str
    sigstore_trust_root: Path | None
    web_processes: int
    web_threads: int

    @property
    def spool(self) -> Path:
        """The folder of uploads and downloads on their way."""
        return self.home / "spool"

    @property
    def large_pages(self) -> Path:
        """The folder of the pages that the edge has nginx send."""
        return self.home / "pages"

    @property
    def static(self) -> Path:
        """The folder of the static files, which `manage.py prepare` collects."""
        return self.home / "static"

    @property
    def is_https(self) -> bool:
        """Say whether people reach Larder by https, which turns on production cookies."""
        return self.base_url.startswith("https://")

    @property
    def host(self) -> str:
        """The host name in the base URL."""
        return urlsplit(self.base_url).hostname or "localhost"


def read(environment: Mapping[str, str]) -> Config:
    """Return the settings in `environment`, or raise ConfigError naming all that is wrong."""
    reader = _Reader(environment)
    home = reader.take("LARDER_HOME", "./var", _folder)
    bind = reader.take("LARDER_BIND", "127.0.0.1:8000", _bind)
    processes = reader.take("LARDER_WEB_PROCESSES", "2", _count)
    threads = reader.take("LARDER_WEB_THREADS", "64", _count)
    default_tenant = reader.take("LARDER_DEFAULT_TENANT", "main", _slug)
    if reader.problems:
        raise ConfigError("\n".join(reader.problems))
    config = Config(
        home=home,
        bind=bind,
        base_url=reader.take("LARDER_BASE_URL", f"http://{_reachable(bind)}", _base_url),
        database=reader.take(
            "LARDER_DATABASE_URL",
            f"sqlite:///{quote(str(home))}/larder.sqlite3",
            lambda text: _database(text, pool_size=min(threads, _CONNECTIONS_AT_MOST) + 1),
        ),
        storage=reader.take("LARDER_STORAGE_URL", f"{home.as_uri()}/blobs", _storage),
        broker_url=reader.take("LARDER_BROKER_URL", f"{home.as_uri()}/broker", _broker),
        secret_key=_secret_key(reader, home),
        secret_key_fallbacks=reader.take("LARDER_SECRET_KEY_FALLBACKS", "", _words),
        default_tenant=default_tenant,
        default_repository=reader.take(
            "LARDER_DEFAULT_REPOSITORY", f"{default_tenant}/pypi-virtual", _repository_name
        ),
        admin_password=reader.take("LARDER_ADMIN_PASSWORD", "", str),
        upstream_url=reader.take("LARDER_UPSTREAM_URL", "", _upstream_url),
        private_upstreams_allowed=reader.take("LARDER_PRIVATE_UPSTREAMS", "ask", _ask_or_allow),
        trusted_proxies=reader.take("LARDER_TRUSTED_PROXIES", "", _networks),
        accel_prefix=reader.take("LARDER_ACCEL_PREFIX", "", _location("/-/blobs")),
        pages_prefix=reader.take("LARDER_PAGES_PREFIX", "", _location("/-/pages")),
        sigstore_trust_root=reader.take("LARDER_SIGSTORE_TRUST_ROOT", "", _trust_root),
        web_processes=processes,
        web_threads=threads,
    )
    if reader.problems:
        raise ConfigError("\n".join(reader.problems))
    return config


class _Reader:
    """Takes variables one by one and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.problems: list[str] = []

    def take(self, name: str, default: str, parse: Callable[[str], T]) -> T:
        text = self.environment.get(name) or default
        try:
            return parse(text)
        except _Wrong as error:
            right = str(error)
        except ValueError:
            # Python's own words may repeat the value, which may hold a password.
            right = "it cannot be read"
        self.problems.append(f"{name} is wrong: {right}.")
        return parse(default)


def _folder(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _bind(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004 - ports end there
        raise _Wrong("give host:port, for example 127.0.0.1:8000")
    return text


def _reachable(bind: str) -> str:
    """Return what a browser on this machine types to reach `bind`."""
    host, _, port = bind.rpartition(":")
    return f"127.0.0.1:{port}" if host in {"0.0.0.0", "[::]"} else bind  # noqa: S104 - compared, not bound


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1024:  # noqa: PLR2004 - a typo guard
        raise _Wrong("give a whole number from 1 to 1024")
    return int(text)


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    is_bare = parts.path in {"", "/"} and not parts.query and "@" not in parts.netloc
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_bare:
        raise _Wrong("give http:// or https:// and a host name, without a path or password")
    return text.rstrip("/")


def _database(text: str, *, pool_size: int) -> dict[str, Any]:
    scheme = urlsplit(text).scheme
    if scheme == "sqlite":
        database = dict(environ.Env.db_url_config(text))
        # BEGIN IMMEDIATE: writers queue at the start instead of failing in the middle.
        # synchronous=FULL: an acknowledged upload survives a power cut.
        database["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
        return database
    if scheme in {"postgres", "postgresql"}:
        database = dict(environ.Env.db_url_config(text))
        # A connection that the server has closed meanwhile is replaced, not handed out.
        database["CONN_HEALTH_CHECKS"] = True
        database["OPTIONS"] = {
            **database.get("OPTIONS", {}),
            "connect_timeout": 5,
            "pool": {"min_size": 1, "max_size": pool_size, "timeout": 10},
        }
        return database
    raise _Wrong("give sqlite:///path or postgres://user:password@host:port/name")


def _storage(text: str) -> StorageLocation:
    parts = urlsplit(text)
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return StorageLocation(folder=Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if unknown := set(options) - {"endpoint", "region"}:
            raise _Wrong(f"it knows endpoint and region, not {', '.join(sorted(unknown))}")
        return StorageLocation(
            bucket=parts.netloc,
            prefix=parts.path.strip("/"),
            endpoint=options.get("endpoint", ""),
            region=options.get("region", ""),
        )
    raise _Wrong("give file:///folder or s3://bucket/prefix?endpoint=...&region=...")


def _broker(text: str) -> str:
    parts = urlsplit(text)
    is_odd_folder = parts.scheme == "file" and (parts.netloc or not parts.path.startswith("/"))
    if is_odd_folder or parts.scheme not in _BROKERS:
        raise _Wrong("give file:///folder, pgmq://..., redis://... or amqp://...")
    return text


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _slug(text: str) -> str:
    if not re.fullmatch(SLUG_PATTERN, text):
        raise _Wrong("give lower-case letters, digits, '.', '_' and '-', a letter or digit first")
    return text


def _repository_name(text: str) -> tuple[str, str]:
    tenant, slash, key = text.partition("/")
    if not slash or not key:
        raise _Wrong("give tenant/key, for example main/pypi-local")
    return _slug(tenant), _slug(key)


def _upstream_url(text: str) -> str:
    if text and (urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).hostname):
        raise _Wrong("give the http:// or https:// URL of an index")
    return text


def _ask_or_allow(text: str) -> bool:
    if text not in {"ask", "allow"}:
        raise _Wrong("give ask or allow")
    return text == "allow"


def _networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(word.strip()) for word in _words(text))
    except ValueError:
        raise _Wrong(
            "give addresses or networks with commas, for example 10.0.0.5,10.1.0.0/16"
        ) from None


def _location(example: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text and not text.startswith("/"):
            raise _Wrong(f"give the path of nginx's internal location, for example {example}")
        return text.rstrip("/")

    return parse


def _trust_root(text: str) -> Path | None:
    """Return a file that looks like a trust root; its keys are read by who verifies by them."""
    if not text:
        return None
    path = _folder(text)
    try:
        root = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise _Wrong(
            "there is no such file; unset it and run manage.py refresh_trust_root with this path "
            "to have the public one there"
        ) from None
    except (OSError, ValueError, RecursionError):
        root = None
    if not isinstance(root, dict) or not all(root.get(name) for name in _IN_A_TRUST_ROOT):
        raise _Wrong("give the path of a Sigstore's trusted_root.json")
    return path


def _secret_key(reader: _Reader, home: Path) -> str:
    """Return the given secret key, or the one of this installation, made on first use."""
    given = reader.environment.get("LARDER_SECRET_KEY", "")
    if file := reader.environment.get("LARDER_SECRET_KEY_FILE"):
        try:
            given = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            reader.problems.append("LARDER_SECRET_KEY_FILE cannot be read: give a text file.")
            return ""
    if not given:
        return _embedded_secret(home)
    if len(given) < _MIN_SECRET or len(set(given)) < _MIN_SECRET // 4:
        reader.problems.append(
            f"LARDER_SECRET_KEY is wrong: give at least {_MIN_SECRET} random characters."
        )
    return given


def _embedded_secret(home: Path) -> str:
    """Return the secret in `home`, making it once; only its owner can read it."""
    path = home / "secret_key"
    if not path.exists():
        # Accounts and private packages are in it: nobody else on this machine may look.
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Linked into place whole, so that a second process never reads half a key.
        fresh = home / f".secret_key-{secrets.token_hex(8)}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(64))
        with contextlib.suppress(FileExistsError):  # another process made it first
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text(encoding="ascii").strip()


def project_root() -> Path:
    """Return the folder that holds manage.py."""
    return _ROOT
