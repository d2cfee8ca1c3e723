"""What the command does in repositories: each is a request or two, and what they answered."""

from __future__ import annotations

from argparse import Namespace

from larder_client.accounts import signed_in
from larder_client.api import Api, Json
from larder_client.output import note, show, tell
from larder_client.problems import MISSING, Problem

Repository = tuple[str, str]
_REPOSITORY = ("tenant", "key", "kind", "description")
_PURGE = ("id", "state", "files_done", "files", "bytes_done", "began_at", "by")
_GRANT = ("id", "subject", "user", "team", "role")


def list_repositories(asked: Namespace) -> None:
    """List the repositories that the caller may read."""
    query = {"tenant": asked.tenant} if asked.tenant else {}
    show(list(signed_in(asked).rows("repositories", **query)), _REPOSITORY, as_json=asked.json)


def create_repository(asked: Namespace) -> None:
    """Make a repository with its upstream or its members: all of it, or nothing."""
    tenant, key = asked.repository
    _require_fitting(asked)
    api = signed_in(asked)
    wanted = {"tenant": tenant, "key": key, "kind": asked.kind, "description": asked.description}
    if asked.private:
        wanted["members_read"] = False
    if asked.upstream:
        wanted["upstream"] = {"index_url": asked.upstream}
    if asked.member:
        wanted["members"] = [{"repository": "/".join(each)} for each in asked.member]
    if asked.deploy_to:
        wanted["deployment"] = "/".join(asked.deploy_to)
    made = api.send("POST", ("repositories",), wanted)
    tell(made, f"{tenant}/{key} is made: {api.origin}/{tenant}/{key}/simple/", as_json=asked.json)


def show_repository(asked: Namespace) -> None:
    """Show all settings of a repository."""
    found = signed_in(asked).get("repositories", *asked.repository)
    rows = [{"setting": name, "value": value} for name, value in found.items()]
    if asked.json:
        tell(found, "", as_json=True)
    else:
        show(rows, ("setting", "value"), as_json=False)


def delete_repository(asked: Namespace) -> None:
    """Take a repository out of service, with its name typed once more."""
    name = "/".join(asked.repository)
    if asked.yes != name:
        raise Problem(f"Nothing is deleted. If you mean it, add: --yes {name}")
    signed_in(asked).send("DELETE", ("repositories", *asked.repository))
    tell({"repository": name}, f"{name} is deleted.", as_json=asked.json)


def check_repository(asked: Namespace) -> None:
    """Try the index behind a remote out, and say what it answers."""
    path = ("repositories", *asked.repository, "upstream", "check")
    found = signed_in(asked).send("POST", path)
    if asked.json:
        tell(found, "", as_json=True)
    else:
        show(found["trials"], ("works", "says"), as_json=False)
    if not found["works"]:
        raise Problem(f"What is behind {'/'.join(asked.repository)} does not work.")


def purge_repository(asked: Namespace) -> None:
    """Let go of what a remote keeps, with its name typed once more; workers do it."""
    name = "/".join(asked.repository)
    if asked.yes != name:
        raise Problem(f"Nothing is purged. If you mean it, add: --yes {name}")
    which = {"fetched_days": asked.fetched_days, "unused_days": asked.unused_days}
    path = ("repositories", *asked.repository, "cache", "purges")
    begun = signed_in(asked).send("POST", path, {"typed": name} | which)
    said = f"{name} is being purged. How far it is: larder repo purges {name}"
    tell(begun, said, as_json=asked.json)


def list_purges(asked: Namespace) -> None:
    """List the purges of what a remote keeps, the latest first, with how far they are."""
    rows = signed_in(asked).rows("repositories", *asked.repository, "cache", "purges")
    show(list(rows), _PURGE, as_json=asked.json)


def list_grants(asked: Namespace) -> None:
    """List who has which role in a repository."""
    show(list(_grants(signed_in(asked), asked.repository)), _GRANT, as_json=asked.json)


def add_grant(asked: Namespace) -> None:
    """Give a role in a repository."""
    wanted = {"role": asked.role} | _subject(asked)
    path = ("repositories", *asked.repository, "grants")
    made = signed_in(asked).send("POST", path, wanted)
    whom = made["user"] or made["team"] or made["subject"]
    said = f"{whom} is {made['role']} of {'/'.join(asked.repository)}."
    tell(made, said, as_json=asked.json)


def remove_grant(asked: Namespace) -> None:
    """Take a role away."""
    api, subject = signed_in(asked), _subject(asked)
    for grant in _grants(api, asked.repository):
        if subject.items() <= grant.items():
            api.send("DELETE", ("repositories", *asked.repository, "grants", str(grant["id"])))
            said = f"The role {grant['role']} is taken away."
            tell(grant, said, as_json=asked.json)
            return
    raise Problem("There is no such grant.", MISSING)


def search(asked: Namespace) -> None:
    """Find files or projects: the first page of what meets a query."""
    found = signed_in(asked).get("search", q=" ".join(asked.query))
    if asked.json:
        tell(found, "", as_json=True)
        return
    columns = ("repository", "project", "version")
    more = ("filename", "size") if found["of"] == "files" else ("summary",)
    show(found["hits"], (*columns, *more), as_json=False)
    if found["next"]:
        note("There are more. Say more exactly what you look for, or take REST.")


def explain(asked: Namespace) -> None:
    """Say which files a repository shows of a project, and why not others."""
    api = signed_in(asked)
    found = api.get("repositories", *asked.repository, "explain", project=asked.project)
    if asked.json:
        tell(found, "", as_json=True)
        return
    show(
        found["lines"],
        ("filename", "source", "is_shown", "why", "pip", "attested_by"),
        as_json=False,
    )
    print(f"\npip takes {found['taken'] or 'none of them'}. {found['why']}".rstrip())


def yank(asked: Namespace) -> None:
    """Yank a release, or take that back."""
    wanted = {"yanked": not asked.undo, "reason": asked.reason}
    path = ("repositories", *asked.repository, "projects", asked.project, "releases")
    said = signed_in(asked).send("PATCH", (*path, asked.version), wanted)
    became = "offered again" if asked.undo else "yanked"
    tell(said, f"{asked.project} {asked.version} is {became}.", as_json=asked.json)


def _require_fitting(asked: Namespace) -> None:
    if asked.upstream and asked.kind != "remote":
        raise Problem("Only a remote has an upstream. Add: --kind remote")
    if (asked.member or asked.deploy_to) and asked.kind != "virtual":
        raise Problem("Only a virtual has members. Add: --kind virtual")


def _grants(api: Api, repository: Repository) -> list[Json]:
    return list(api.rows("repositories", *repository, "grants"))


def _subject(asked: Namespace) -> Json:
    if asked.user:
        return {"subject": "user", "user": asked.user}
    if asked.team:
        return {"subject": "team", "team": asked.team}
    return {"subject": asked.subject}
