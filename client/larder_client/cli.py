"""The `larder` command: what can be typed, and how it ends."""

from __future__ import annotations

import argparse
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TypeAlias

from larder_client import __version__, accounts, commands, publishers
from larder_client.problems import Problem
from larder_client.promote import promote
from larder_client.publish import publish

_EXAMPLES = """
examples:
  larder login https://packages.example
  larder publish --to acme/pypi-local dist/*
  larder explain acme/pypi-virtual frog
  larder promote frog-1.0-py3-none-any.whl acme/staging acme/production

It ends with 0 when done, 1 when refused, 2 when the command cannot be read, 3 when you have to log
in, 4 when you may not, 5 when there is no such thing, 6 when Larder cannot be reached.
"""
_EXAMPLE = {
    "login": "larder login https://packages.example\n"
    "  larder login https://packages.example --token-stdin < token",
    "publish": "larder publish --to acme/pypi-local dist/*",
    "search": "larder search frog\n  larder search 'qa.approved:yes pypi.version>=1.9'",
    "explain": "larder explain acme/pypi-virtual frog",
    "yank": "larder yank acme/pypi-local frog 1.0 --reason 'It croaks.'",
    "promote": "larder promote frog-1.0-py3-none-any.whl acme/staging acme/production\n"
    "  larder promote frog-1.0.tar.gz frog-1.0-py3-none-any.whl acme/staging acme/production",
    "repo create": "larder repo create acme/pypi-local\n"
    "  larder repo create acme/mirror --kind remote --upstream https://index.example/simple/\n"
    "  larder repo create acme/all --kind virtual --member acme/pypi-local --member acme/mirror",
    "repo purge": "larder repo purge acme/mirror --unused-days 90 --yes acme/mirror",
    "grant add": "larder grant add acme/pypi-local writer --team data\n"
    "  larder grant add acme/pypi-local reader --anyone",
    "publisher add": "larder publisher add acme/pypi-local frog --github acme/frog "
    "--workflow release.yml\n"
    "  larder publisher add acme/pypi-local frog --gitlab acme/frog "
    "--issuer https://gitlab.example",
    "publisher anew": "larder publisher anew acme/pypi-local 7 --source-id 816",
    "token create": "larder token create CI --tenant acme --role writer --days 90",
    "token change": "larder token change 7 --role reader --repository acme/pypi-local --days 30\n"
    "  larder token change 7 --name 'CI of frog' --all-projects --endless",
}
_INTERRUPTED = 130
_ROLES = ("reader", "writer", "admin")


def main() -> None:
    """Do what was typed; a problem is one line, and an exit code."""
    asked = parser().parse_args()
    try:
        asked.does(asked)
        sys.stdout.flush()
    except Problem as problem:
        sys.exit(_end(problem.sentence, problem.code))
    except BrokenPipeError:  # piped into `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        sys.exit(_end(str(error), 1))
    except (KeyboardInterrupt, EOFError):
        sys.exit(_INTERRUPTED)


def parser() -> ArgumentParser:
    """Return all that can be typed."""
    top = ArgumentParser(
        prog="larder",
        description="Work with a Larder: repositories, files, grants and tokens.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=__version__)
    groups = top.add_subparsers(metavar="COMMAND", required=True)
    _of_logins(groups)
    _of_files(groups)
    _of_repositories(
        _group(groups, "repo", "list, make, show, check, purge and delete repositories")
    )
    _of_grants(_group(groups, "grant", "say who may do what in a repository"))
    _of_publishers(_group(groups, "publisher", "say which CI publishes without a secret"))
    _of_tokens(_group(groups, "token", "make, list, change, revoke tokens; asks for your password"))
    return top


Groups: TypeAlias = "argparse._SubParsersAction[ArgumentParser]"  # noqa: SLF001 - it has no other name


def _of_logins(groups: Groups) -> None:
    login = _command(groups, "login", accounts.login, "log in, for this command and pip's keyring")
    login.add_argument("origin", metavar="URL", help="where Larder is: https://packages.example")
    login.add_argument("--username", help="asked for, unless it stands here")
    how = login.add_mutually_exclusive_group()
    how.add_argument("--token-stdin", action="store_true", help="log in with a token on stdin")
    _takes_password(how)
    _command(groups, "logout", accounts.logout, "end the login, here and on the server")
    _command(groups, "whoami", accounts.whoami, "say who is logged in")


def _of_files(groups: Groups) -> None:
    sent = _command(groups, "publish", publish, "publish wheels and sdists")
    sent.add_argument("files", metavar="FILE", nargs="+")
    sent.add_argument("--to", metavar="REPO", type=_repository, required=True,
                      help="tenant/key: where to")  # fmt: skip
    found = _command(groups, "search", commands.search, "find files and projects")
    found.add_argument("query", metavar="WORD", nargs="+", help="docs/search.md has the language")
    explained = _command(groups, "explain", commands.explain, "say why files are shown or hidden")
    _takes_repository(explained)
    explained.add_argument("project")
    yanked = _command(groups, "yank", commands.yank, "yank a release, or take that back")
    _takes_repository(yanked)
    yanked.add_argument("project")
    yanked.add_argument("version")
    yanked.add_argument("--reason", default="", help="installers print it")
    yanked.add_argument("--undo", action="store_true", help="offer the release again")
    promoted = _command(groups, "promote", promote, "copy or move files to another repository")
    promoted.add_argument("files", metavar="FILE", nargs="+", help="their names")
    promoted.add_argument("source", metavar="FROM", type=_repository)
    promoted.add_argument("target", metavar="TO", type=_repository)
    promoted.add_argument("--move", action="store_true", help="delete them where they were")


def _of_repositories(group: Groups) -> None:
    listed = _command(group, "list", commands.list_repositories, "list what you may read")
    listed.add_argument("--tenant")
    made = _command(group, "create", commands.create_repository, "make a repository")
    _takes_repository(made)
    made.add_argument("--kind", choices=("local", "remote", "virtual"), default="local")
    made.add_argument("--description", default="")
    made.add_argument("--private", action="store_true", help="without the tenant's members")
    made.add_argument("--upstream", metavar="URL", help="of a remote: the index behind it")
    made.add_argument("--member", metavar="REPO", type=_repository, action="append",
                      help="of a virtual; again for the next")  # fmt: skip
    made.add_argument("--deploy-to", metavar="REPO", type=_repository,
                      help="of a virtual: where uploads go")  # fmt: skip
    _takes_repository(_command(group, "show", commands.show_repository, "show its settings"))
    gone = _command(group, "delete", commands.delete_repository, "take it out of service")
    _takes_repository(gone)
    tried = _command(group, "check", commands.check_repository, "try the index of a remote out")
    _takes_repository(tried)
    purged = _command(group, "purge", commands.purge_repository, "let go of what a remote keeps")
    _takes_repository(purged)
    purged.add_argument("--fetched-days", type=int, default=0, help="what was fetched so long ago")
    purged.add_argument("--unused-days", type=int, default=0, help="what nobody asked for since")
    _takes_repository(_command(group, "purges", commands.list_purges, "say how far purges are"))
    for each in (gone, purged):
        each.add_argument("--yes", metavar="REPO", help="its name again")


def _of_grants(group: Groups) -> None:
    _takes_repository(_command(group, "list", commands.list_grants, "list the grants"))
    added = _command(group, "add", commands.add_grant, "give a role")
    _takes_repository(added)
    added.add_argument("role", choices=_ROLES)
    _takes_subject(added)
    removed = _command(group, "remove", commands.remove_grant, "take a role away")
    _takes_repository(removed)
    _takes_subject(removed)


def _of_publishers(group: Groups) -> None:
    listed = _command(group, "list", publishers.list_publishers, "list which CI is trusted")
    _takes_repository(listed)
    added = _command(group, "add", publishers.add_publisher, "let CI publish a project")
    _takes_repository(added)
    added.add_argument("project", help="its name; it need not be there yet")
    whose = added.add_mutually_exclusive_group(required=True)
    whose.add_argument("--github", metavar="OWNER/REPOSITORY")
    whose.add_argument("--gitlab", metavar="PATH", help="of the project: group/project")
    whose.add_argument("--google", metavar="EMAIL", help="of a service account")
    whose.add_argument("--subject", metavar="SUB", help="of another issuer; add --issuer")
    added.add_argument("--issuer", metavar="URL", help="one of your own")
    added.add_argument("--workflow", default="", metavar="FILE",
                       help="release.yml; of GitLab .gitlab-ci.yml, if left out")  # fmt: skip
    added.add_argument("--environment", default="", help="any, if left out")
    added.add_argument("--ref", default="", metavar="PATTERN", help="such as 'refs/tags/*'")
    added.add_argument("--claim", metavar="NAME=VALUE", action="append", default=[],
                       type=_claim, help="what its token must say too")  # fmt: skip
    _takes_numbers(added)
    renewed = _command(group, "anew", publishers.trust_anew, "trust others by a publisher's name")
    _takes_repository(renewed)
    renewed.add_argument("id", type=int, help="as in the list")
    _takes_numbers(renewed)
    renewed.add_argument("--whoever-is-first", action="store_true",
                         help="whoever publishes first by its name")  # fmt: skip
    removed = _command(group, "remove", publishers.remove_publisher, "trust CI no longer")
    _takes_repository(removed)
    removed.add_argument("id", type=int, help="as in the list")


def _takes_numbers(parser: ArgumentParser) -> None:
    last = "of the first that publishes, if left out"
    parser.add_argument("--owner-id", metavar="NUMBER", help=f"of the owner or group; {last}")
    parser.add_argument("--source-id", metavar="NUMBER", help=f"of the repository itself; {last}")


def _of_tokens(group: Groups) -> None:
    made = _command(group, "create", accounts.create_token, "make a token; prints its secret")
    made.add_argument("name", help="what it is for")
    made.add_argument("--tenant", required=True)
    made.add_argument("--owner", help="a service account of the tenant; yourself if left out")
    made.add_argument("--role", choices=_ROLES, default="reader", help="the most it may do")
    made.add_argument("--repository", metavar="REPO", action="append", help="where it works")
    made.add_argument("--project", metavar="PATTERN", action="append", help="what it may publish")
    made.add_argument("--days", type=int, help="until it ends")
    listed = _command(group, "list", accounts.list_tokens, "list tokens")
    listed.add_argument("--tenant", help="all of a tenant that you administer")
    changed = _command(group, "change", accounts.change_token, "change what a token may do")
    changed.add_argument("id", type=int)
    _takes_limits(changed)
    revoked = _command(group, "revoke", accounts.revoke_token, "revoke a token")
    revoked.add_argument("id", type=int)
    for each in (made, listed, changed, revoked):
        _takes_password(each)


def _takes_limits(changed: ArgumentParser) -> None:
    """Take what a token may be changed to; what is not said stays."""
    changed.add_argument("--name", help="what it is for")
    changed.add_argument("--role", choices=_ROLES, help="the most it may do")
    where = changed.add_mutually_exclusive_group()
    where.add_argument("--repository", metavar="REPO", action="append", help="where alone it works")
    where.add_argument("--everywhere", action="store_true", help="it works wherever its owner may")
    what = changed.add_mutually_exclusive_group()
    what.add_argument("--project", metavar="PATTERN", action="append", help="what it may publish")
    what.add_argument("--all-projects", action="store_true", help="it may publish any")
    until = changed.add_mutually_exclusive_group()
    until.add_argument("--days", type=int, help="until it ends, from now")
    until.add_argument("--endless", action="store_true", help="it works until it is revoked")


def _group(groups: Groups, name: str, about: str) -> Groups:
    return groups.add_parser(name, help=about).add_subparsers(metavar="COMMAND", required=True)


def _command(
    groups: Groups, name: str, does: Callable[[Namespace], None], about: str
) -> ArgumentParser:
    made = groups.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.set_defaults(does=does)
    if example := _EXAMPLE.get(made.prog.removeprefix("larder ")):
        made.epilog = f"for example:\n  {example}"
    made.add_argument("--json", action="store_true", help="answer in JSON")
    if name != "login":
        made.add_argument("--url", default=os.environ.get("LARDER_URL"),
                          help="which Larder: the last logged in to, or LARDER_URL")  # fmt: skip
    return made


def _takes_repository(command: ArgumentParser) -> None:
    command.add_argument("repository", metavar="REPO", type=_repository, help="tenant/key")


def _takes_subject(command: ArgumentParser) -> None:
    whom = command.add_mutually_exclusive_group(required=True)
    whom.add_argument("--user")
    whom.add_argument("--team")
    for subject in ("members", "signed-in", "anyone"):
        whom.add_argument(f"--{subject}", dest="subject", action="store_const", const=subject)


def _takes_password(command: argparse._ActionsContainer) -> None:
    command.add_argument("--password-stdin", action="store_true", help="read it from stdin")


def _repository(text: str) -> tuple[str, str]:
    tenant, slash, key = text.partition("/")
    if not (tenant and slash and key) or "/" in key:
        raise argparse.ArgumentTypeError(f"'{text}' is no repository: write it as tenant/key")
    return tenant, key


def _claim(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"'{text}' is no claim: write it as name=value")
    return name, value


def _end(sentence: str, code: int) -> int:
    print(f"larder: {sentence}", file=sys.stderr)
    return code
