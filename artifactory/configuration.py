"""A repository's configuration as Artifactory's JSON has it, read and written.

Fields that say nothing to Larder are passed over, as Artifactory does. Those that would keep
something from installers, and cannot be kept here, are refused: nobody is to think that they hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from artifactory.errors import RequestUnreadable
from repos.models import Kind, Repository, Upstream, VirtualSettings

PACKAGE_TYPE = "pypi"
# Artifactory's names of numbers and switches, and ours.
_UPSTREAM = {
    "username": "username",
    "pyPIRepositorySuffix": "suffix",
    "offline": "offline",
    "retrievalCachePeriodSecs": "fresh_seconds",
    "missedRetrievalCachePeriodSecs": "negative_seconds",
}
# What may be said of them, because it is what Larder does.
_ONLY: dict[str, tuple[object, ...]] = {
    "includesPattern": ("", "**/*", None),
    "excludesPattern": ("", None),
    "blackedOut": (False, None),
    "storeArtifactsLocally": (True, None),
    "proxy": ("", None),
}


class ConfigurationRefused(RequestUnreadable):
    """A repository cannot be configured so."""


@dataclass(frozen=True, slots=True)
class Given:
    """The fields that came; each is read as what it must be."""

    fields: Mapping[str, Any]

    def judge(self, key: str) -> None:
        """Refuse what is meant for another repository, or would not hold here."""
        if self.text("key") not in {None, "", key}:
            raise ConfigurationRefused(f"The key in the body is not the URL's, which is {key}.")
        package_type = self.text("packageType")
        if package_type is not None and package_type.lower() != PACKAGE_TYPE:
            raise ConfigurationRefused("The packageType is pypi: Larder serves Python packages.")
        for name, only in _ONLY.items():
            if self.fields.get(name) not in only:
                raise ConfigurationRefused(
                    f"{name} cannot be set here. docs/coming-from-artifactory.md has what can."
                )

    def kind(self) -> Kind:
        """Return the kind of a repository that is to be made."""
        rclass = self.text("rclass")
        if rclass not in Kind.values:
            raise ConfigurationRefused("The rclass is local, remote or virtual.")
        return Kind(rclass)

    def text(self, name: str) -> str | None:
        """Return a text; None when it is not given."""
        value = self.fields.get(name)
        # Anything else is nothing that a database keeps.
        if value is not None and not (isinstance(value, str) and value.isprintable()):
            raise ConfigurationRefused(f"{name} is a text in one line.")
        return value

    def texts(self, name: str) -> list[str] | None:
        """Return a list of texts; None when it is not given."""
        value = self.fields.get(name)
        is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
        if value is not None and not is_list:
            raise ConfigurationRefused(f"{name} is a list of texts.")
        return value

    def like(self, name: str, present: object) -> Any:  # noqa: ANN401 - whatever stands there
        """Return a value of the type of `present`, which stays where none is given."""
        value = self.fields.get(name)
        if value is None:
            return present
        if isinstance(present, str):
            return self.text(name)
        if type(value) is not type(present):
            what = "true or false" if isinstance(present, bool) else "a whole number"
            raise ConfigurationRefused(f"{name} is {what}.")
        return value


def configure_upstream(upstream: Upstream, given: Given) -> None:
    """Let `upstream` be as the fields say; what they do not name stays.

    Artifactory's `url` is where files are, and `pyPIRegistryUrl` where the index is; one alone
    stands for both.
    """
    own_index = upstream.index_url if upstream.files_url else ""
    files = given.text("url") or upstream.files_url or upstream.index_url
    index = given.text("pyPIRegistryUrl") or own_index or files
    upstream.index_url, upstream.files_url = index, "" if files == index else files
    for name, ours in _UPSTREAM.items():
        setattr(upstream, ours, given.like(name, getattr(upstream, ours)))


def configuration_of(repository: Repository, *, is_admin: bool) -> dict[str, Any]:
    """Return the configuration of a repository: to those who do not administer it, in short."""
    common: dict[str, Any] = {
        "key": repository.key,
        "packageType": PACKAGE_TYPE,
        "description": repository.description,
        "rclass": repository.kind,
    }
    if not is_admin:
        return common
    common |= {
        "includesPattern": "**/*",
        "excludesPattern": "",
        "repoLayoutRef": "simple-default",
        "blackedOut": False,
    }
    match Kind(repository.kind):
        case Kind.LOCAL:
            return common
        case Kind.REMOTE:
            upstream = Upstream.objects.filter(repository=repository).first()
            return common | (_of_upstream(upstream) if upstream is not None else {"url": ""})
        case Kind.VIRTUAL:
            return common | _of_virtual(repository)


def _of_upstream(upstream: Upstream) -> dict[str, Any]:
    """Return how a remote asks; its password is never told."""
    said = {name: getattr(upstream, ours) for name, ours in _UPSTREAM.items()}
    return {
        "url": upstream.files_url or upstream.index_url,
        "pyPIRegistryUrl": upstream.index_url,
        "storeArtifactsLocally": True,
        **said,
    }


def _of_virtual(virtual: Repository) -> dict[str, Any]:
    settings = (
        VirtualSettings.objects.select_related("deployment").filter(repository=virtual).first()
    )
    target = settings.deployment if settings is not None else None
    members = virtual.members.select_related("repository__tenant")
    return {
        "repositories": [name_in(virtual, each.repository) for each in members],
        "defaultDeploymentRepo": target.key if target is not None else "",
    }


def name_in(virtual: Repository, member: Repository) -> str:
    """Return how a virtual names a member: by its key, of another tenant with that before it."""
    return member.key if member.tenant_id == virtual.tenant_id else str(member)
