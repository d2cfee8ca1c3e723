"""Promoting files: copied or moved to another repository, without being sent again."""

from __future__ import annotations

import json
from argparse import Namespace

from larder_client.accounts import signed_in
from larder_client.api import Api, Json
from larder_client.output import note
from larder_client.problems import MISSING, REFUSED, Problem

Repository = tuple[str, str]


def promote(asked: Namespace) -> None:
    """Copy or move files, one after the other; one that is refused keeps no other back."""
    api = signed_in(asked)
    outcomes = {name: _outcome(api, name, asked) for name in dict.fromkeys(asked.files)}
    done = [each for each in outcomes.values() if not isinstance(each, Problem)]
    if asked.json and done:
        print(json.dumps(done if len(asked.files) > 1 else done[0], indent=2))
    if failed := {name: each for name, each in outcomes.items() if isinstance(each, Problem)}:
        raise _whole(failed, asked)


def _outcome(api: Api, filename: str, asked: Namespace) -> Json | Problem:
    """Promote one file, and say so; return the answer, or why it was refused."""
    try:
        answer = _promoted(api, filename, asked)
    except Problem as problem:
        if len(asked.files) > 1:
            note(f"{filename}: {problem.sentence}")
        return problem
    for sentence in answer["notes"]:
        note(sentence)
    if not asked.json:
        print(f"{filename} is in {'/'.join(asked.target)}.")
    return answer


def _whole(failed: dict[str, Problem], asked: Namespace) -> Problem:
    """Return the problem of a single file, or which of several were not promoted."""
    (first, *others) = failed.values()
    if len(asked.files) == 1:
        return first
    is_alike = all(other.code == first.code for other in others)
    target = "/".join(asked.target)
    return Problem(
        f"Not promoted to {target}: {', '.join(failed)}.", first.code if is_alike else REFUSED
    )


def _promoted(api: Api, filename: str, asked: Namespace) -> Json:
    file = _file_meant(api, asked.source, filename)
    wanted = {"to": "/".join(asked.target), "move": asked.move}
    here = ("repositories", *asked.source, "files", str(file["id"]), "promote")
    return api.send("POST", here, wanted)


def _file_meant(api: Api, repository: Repository, filename: str) -> Json:
    """Return the one file of this name that installers may get. Raises Problem.

    Others that have the name wait for their extraction, or were sent to a path and are no package.
    """
    name = "/".join(repository)
    files = _files(api, repository, filename)
    if not files:
        raise _missing(api, repository, filename)
    named = [file for file in files if file["project"]]
    if not named:
        raise Problem(f"No {filename} in {name} has a project yet: nobody installs it.", MISSING)
    if len(named) > 1:
        those = ", ".join(f"{file['url']} (id {file['id']})" for file in named)
        raise Problem(f"{name} has several {filename}: {those}. Promote one by its id, over REST.")
    return named[0]


def _files(api: Api, repository: Repository, filename: str) -> list[Json]:
    return list(api.rows("repositories", *repository, "files", filename=filename))


def _missing(api: Api, repository: Repository, filename: str) -> Problem:
    """Return the refusal of a file that is not there; of a virtual's, with where it is."""
    name = "/".join(repository)
    settings = api.get("repositories", *repository)
    if settings["kind"] != "virtual":
        return Problem(f"There is no {filename} in {name}.", MISSING)
    # Explained to this caller: what they may not read has no name there.
    told = api.get("repositories", *repository, "explain", project=_project_of(filename))
    sources = dict.fromkeys(_parts(each["source"]) for each in told["members"] if each["source"])
    holders = ["/".join(each) for each in sources if _files(api, each, filename)]
    if not holders:
        return Problem(
            f"{name} is a virtual, which holds no files, and nothing behind it that you may read "
            f"holds {filename}.",
            MISSING,
        )
    return Problem(
        f"{name} is a virtual, which holds no files. Promote {filename} from {' or '.join(holders)}"
        ", which is behind it."
    )


def _project_of(filename: str) -> str:
    """Return the project of a wheel or an sdist, as its name spells it."""
    if filename.endswith(".whl"):
        return filename.partition("-")[0]
    return filename.rpartition("-")[0] or filename


def _parts(source: str) -> Repository:
    """Return the repository of a source, whose scope may follow."""
    tenant, key, *_scope = source.split("/")
    return tenant, key
