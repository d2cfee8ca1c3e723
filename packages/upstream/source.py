"""One upstream as it is asked: its URLs, its origins, who we are there."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings

from packages.upstream.addresses import Guard, Origin, origin_of
from packages.upstream.errors import CredentialsLost
from repos.models import Repository, Upstream
from repos.sealed import SealBroken, unseal


@dataclass(frozen=True)
class Source:
    """A remote's upstream in one scope."""

    repository: Repository
    upstream: Upstream
    scope: str = ""

    @property
    def host(self) -> str:
        """Return the name by which sentences call it. Never more: a URL may hold a secret."""
        return urlsplit(self.upstream.index_url).hostname or ""

    @property
    def is_flat(self) -> bool:
        """Say whether it is one list of all files, without a page per project."""
        return not self.upstream.suffix

    @cached_property
    def root_url(self) -> str:
        """Return the URL of the list of projects, or of the flat list."""
        url, suffix = self.upstream.index_url, self.upstream.suffix.strip("/")
        if self.is_flat and not self.scope:
            return url
        base = url.rstrip("/")
        if suffix:
            base = base.removesuffix(f"/{suffix}")
        return "/".join(part for part in (base, self.scope, suffix) if part) + "/"

    @property
    def search_url(self) -> str:
        """Return the URL of the index itself, where pip search is sent: its list's, less suffix."""
        suffix = self.upstream.suffix.strip("/")
        return self.root_url.removesuffix("/").removesuffix(f"/{suffix}") + "/"

    def place_of(self, normalized: str) -> dict[str, Any]:
        """Return the fields by which the rows of one of its projects are found."""
        return {
            "repository_id": self.repository.pk,
            "scope": self.scope,
            "normalized": normalized,
        }

    def page_url(self, normalized: str) -> str:
        """Return the URL of a project's page."""
        return self.root_url if self.is_flat else f"{self.root_url}{quote(normalized)}/"

    def asked_as(self, normalized: str) -> str:
        """Return what tells a stored answer of this upstream from one of where it was before."""
        return hashlib.sha256(self.page_url(normalized).encode()).hexdigest()[:32]

    @cached_property
    def reached_by(self) -> str:
        """Return what tells how it is reached from how it was before its settings changed."""
        upstream = self.upstream
        settings_now = (
            *(upstream.index_url, upstream.suffix, upstream.proxy, upstream.ca),
            *(upstream.username, upstream.sealed_password, upstream.private_allowed),
            *(upstream.connect_seconds, upstream.read_seconds),
        )
        return hashlib.sha256(repr(settings_now).encode()).hexdigest()[:32]

    @cached_property
    def origins(self) -> frozenset[Origin]:
        """Return where credentials may go: what its administrator configured."""
        urls = (self.upstream.index_url, self.upstream.files_url)
        return frozenset(origin_of(url) for url in urls if url)

    @cached_property
    def guard(self) -> Guard:
        """Return what may be connected to on its behalf."""
        configured = {(host, port) for _, host, port in self.origins}
        if self.upstream.proxy:
            configured.add(origin_of(self.upstream.proxy)[1:])
        allowed = self.upstream.private_allowed or settings.PRIVATE_UPSTREAMS_ALLOWED
        return Guard(frozenset(configured), allowed)

    def credentials_for(self, url: str) -> dict[str, str]:
        """Return the header that signs us in at `url`; none where nobody configured it."""
        try:
            password = unseal(self.upstream.sealed_password)
        except SealBroken:
            raise CredentialsLost(
                f"The password for {self.host} cannot be opened: the secret key of this "
                "installation has changed. An administrator enters it again."
            ) from None
        if not (self.upstream.username or password) or origin_of(url) not in self.origins:
            return {}
        text = f"{self.upstream.username}:{password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(text).decode()}"}
