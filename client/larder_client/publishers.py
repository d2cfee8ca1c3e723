"""Which CI a repository trusts to publish without a secret."""

from __future__ import annotations

from argparse import Namespace

from larder_client.accounts import signed_in
from larder_client.api import Json
from larder_client.output import show, tell
from larder_client.problems import Problem

_SHOWN = ("id", "project", "name", "only", "is_pending", "last_used_at", "owner_id", "source_id")
# Where the tokens of their own services come from; one of a company's own stands in --issuer.
_ISSUERS = {
    "github": "https://token.actions.githubusercontent.com",
    "gitlab": "https://gitlab.com",
    "google": "https://accounts.google.com",
}


def list_publishers(asked: Namespace) -> None:
    """List the publishers of a repository, with their last use."""
    rows = signed_in(asked).rows("repositories", *asked.repository, "publishers")
    # For scripts as REST has them; for people, what narrows each in one column.
    show(
        [row if asked.json else row | {"only": _only(row)} for row in rows],
        _SHOWN,
        as_json=asked.json,
    )


def add_publisher(asked: Namespace) -> None:
    """Let CI publish a project, be it there or not."""
    wanted = {"project": asked.project, "owner_id": asked.owner_id, "claims": dict(asked.claim)}
    wanted |= {"environment": asked.environment, "ref": asked.ref} | _whom(asked)
    path = ("repositories", *asked.repository, "publishers")
    made = signed_in(asked).send("POST", path, wanted)
    said = f"{made['name']} may publish {made['project']} to {'/'.join(asked.repository)}."
    tell(made, said, as_json=asked.json)


def remove_publisher(asked: Namespace) -> None:
    """Trust a publisher no longer."""
    path = ("repositories", *asked.repository, "publishers", str(asked.id))
    signed_in(asked).send("DELETE", path)
    said = f"Publisher {asked.id} of {'/'.join(asked.repository)} is trusted no longer."
    tell({"id": asked.id}, said, as_json=asked.json)


def _only(row: Json) -> list[str]:
    """Return what narrows a publisher, as the page says it."""
    named = {name: row[name] for name in ("environment", "ref") if row[name]} | row["claims"]
    return [f"{name} {value}" for name, value in named.items()]


def _whom(asked: Namespace) -> Json:
    """Return issuer, source and workflow. Raises Problem."""
    if asked.subject:
        if not asked.issuer:
            raise Problem("Say whose subject it is. Add: --issuer URL")
        return {"issuer": asked.issuer, "source": asked.subject, "workflow": asked.workflow}
    kind = next(name for name in _ISSUERS if getattr(asked, name))
    workflow = asked.workflow or (".gitlab-ci.yml" if kind == "gitlab" else "")
    if kind == "github" and not workflow:
        raise Problem("Say which workflow may publish. Add: --workflow release.yml")
    issuer = asked.issuer or _ISSUERS[kind]
    return {"issuer": issuer, "source": getattr(asked, kind), "workflow": workflow}
