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
    wanted = {"project": asked.project, "claims": dict(asked.claim)}
    wanted |= {"environment": asked.environment, "ref": asked.ref} | _numbers(asked) | _whom(asked)
    path = ("repositories", *asked.repository, "publishers")
    made = signed_in(asked).send("POST", path, wanted)
    said = f"{made['name']} may publish {made['project']} to {'/'.join(asked.repository)}."
    tell(made, said, as_json=asked.json)


def trust_anew(asked: Namespace) -> None:
    """Trust others by the name of a publisher, and no longer who had it."""
    if bool(_numbers(asked)) == asked.whoever_is_first:
        raise Problem(
            "Say whom to trust: --source-id NUMBER, --owner-id NUMBER or both, as the refusal "
            "names them; or --whoever-is-first."
        )
    path = ("repositories", *asked.repository, "publishers", str(asked.id), "anew")
    now = signed_in(asked).send("POST", path, _numbers(asked))
    names = {"source_id": "its number is", "owner_id": "the number of its owner is"}
    whose = " and ".join(f"{said} {now[name]}" for name, said in names.items() if now[name])
    said = f"{now['source']} is trusted anew: {whose or 'as whoever publishes first'}."
    tell(now, said, as_json=asked.json)


def remove_publisher(asked: Namespace) -> None:
    """Trust a publisher no longer."""
    path = ("repositories", *asked.repository, "publishers", str(asked.id))
    signed_in(asked).send("DELETE", path)
    said = f"Publisher {asked.id} of {'/'.join(asked.repository)} is trusted no longer."
    tell({"id": asked.id}, said, as_json=asked.json)


def _numbers(asked: Namespace) -> Json:
    """Return the numbers that were given."""
    given = {"owner_id": asked.owner_id, "source_id": asked.source_id}
    return {name: number for name, number in given.items() if number}


def _only(row: Json) -> list[str]:
    """Return what narrows a publisher, as the page says it."""
    named = {name: row[name] for name in ("environment", "ref") if row[name]} | row["claims"]
    return [f"{name} {value}" for name, value in named.items()]


def _whom(asked: Namespace) -> Json:
    """Return issuer, source and workflow. Raises Problem."""
    if asked.subject:
        if not asked.issuer:
            raise Problem("Say whose subject it is. Add: --issuer URL")
        whom = {"source": asked.subject, "workflow": asked.workflow}
        return {"kind": "other", "issuer": asked.issuer} | whom
    kind = next(name for name in _ISSUERS if getattr(asked, name))
    workflow = asked.workflow or (".gitlab-ci.yml" if kind == "gitlab" else "")
    if kind == "github" and not workflow:
        raise Problem("Say which workflow may publish. Add: --workflow release.yml")
    issuer = asked.issuer or _ISSUERS[kind]
    whom = {"source": getattr(asked, kind), "workflow": workflow}
    return {"kind": kind, "issuer": issuer} | whom
