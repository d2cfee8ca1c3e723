"""A virtual through any history: what it shows, and what it should show.

The model below is docs/virtuals.md, written down as sets over a few names. hypothesis makes
up the history: files come and go, upstreams fall silent, members, claims, marks and grants
change. What it looks for above all: a stranger's file under a name that is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from django.db import transaction
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.principal import Principal
from accounts.roles import Role
from base import clock
from base.audit import SYSTEM
from packages import curate
from packages.explain import explain
from packages.filenames import parse_name
from packages.index import held
from packages.index.base import IndexUnavailable, ProjectNotFound
from packages.models import Distribution, Project
from repos import configure
from repos.access import RoleMissing, SignInRequired
from repos.models import AlsoUpstream, Claim, Grant, Kind, Repository, VirtualSettings
from tests.cast import Cast, assemble, make_repository
from tests.conftest import MovableClock
from tests.properties import examples
from tests.virtuals import Upstreams, make_remote, put_file

NAMES = ("frog", "acme-frog")
VERSIONS = ("1.0", "2.0")
PATTERNS = ("frog", "acme-frog", "acme-*")
LOCALS = ("local-a", "local-b")
STRANGERS = ("stranger-a", "stranger-b")
PRIVATE = ("private-a", "private-b")
REMOTES = (*STRANGERS, *PRIVATE)
SOURCES = (*LOCALS, *REMOTES)
VIRTUALS = ("top", "mid", "low")  # each may show those behind it
EVERYTHING = (*VIRTUALS, *SOURCES)

Path = tuple[str, ...]  # from the top virtual down to a source
Shown = list[tuple[str, str]]  # version and whose


@dataclass
class Model:
    """What there is, in sets."""

    members: dict[str, list[str]] = field(default_factory=lambda: {each: [] for each in VIRTUALS})
    firsts: set[str] = field(default_factory=set)
    marks: set[tuple[str, str]] = field(default_factory=set)  # virtual, name
    claims: set[tuple[str, str]] = field(default_factory=set)  # repository, pattern
    files: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # local, name
    deleted: set[tuple[str, str, str]] = field(default_factory=set)  # local, name, version
    quarantined: set[tuple[str, str]] = field(default_factory=set)  # local, name
    let_go: set[tuple[str, str]] = field(default_factory=set)  # repository, name
    upstream: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # remote, name
    had: set[tuple[str, str]] = field(default_factory=set)  # private remote, name
    down: set[str] = field(default_factory=set)
    readers: dict[str, set[str]] = field(default_factory=dict)  # repository: mona, anyone

    def paths(self, virtual: str) -> list[Path]:
        """Return the ways down to every source, in member order."""
        found: list[Path] = []
        for each in self.members[virtual]:
            below = self.paths(each) if each in VIRTUALS else [(each,)]
            found += [(virtual, *path) for path in below]
        return found

    def beneath(self, virtual: str) -> set[str]:
        """Return everything beneath a virtual."""
        return {each for path in self.paths(virtual) for each in path[1:]} | {
            each for member in self.members[virtual] for each in self._with_nested(member)
        }

    def _with_nested(self, member: str) -> set[str]:
        return {member} | (self.beneath(member) if member in VIRTUALS else set())

    def may_read(self, who: str, repository: str) -> bool:
        """Say whether ada (everything), mona (what she was given) or nobody may read it."""
        given = self.readers.get(repository, set())
        return who == "ada" or "anyone" in given or (who == "mona" and "mona" in given)

    def claim_on(self, repository: str, name: str) -> int:
        """Return how well a repository claims a name; 0: not at all."""
        found = 0
        for claimer, pattern in self.claims:
            if claimer == repository and pattern == name:
                found = 1000
            elif claimer == repository and pattern[-1] == "*" and name.startswith(pattern[:-1]):
                found = max(found, len(pattern))
        return found

    def has(self, source: str, name: str) -> bool:
        """Say whether a page would be there if it were asked for."""
        if source in LOCALS:
            return (source, name) in self.files
        return source not in self.down and (source, name) in self.upstream

    def keeps(self, repository: str, name: str, asked: set[str]) -> bool:
        """Say whether the name is this repository's; a private remote's once it is asked."""
        if self.claim_on(repository, name):
            return True
        if (repository, name) in self.let_go or repository in VIRTUALS:
            return False
        if repository in LOCALS:
            return (repository, name) in self.files
        is_had = (repository, name) in self.had
        return repository in PRIVATE and (
            is_had or (repository in asked and self.has(repository, name))
        )

    def stopped(self, path: Path, name: str, asked: set[str]) -> str:
        """Return why nothing of a source may be shown here: a claim, a keeper, an outage, or ""."""
        source, is_remote = path[-1], path[-1] in REMOTES
        binding = [each for each in path[:-1] if not (is_remote and (each, name) in self.marks)]
        for virtual in binding:
            order = [each[-1] for each in self.paths(virtual)]
            best = max(order, key=lambda each: self.claim_on(each, name))
            if self.claim_on(best, name) and best != source:
                return "claimed"
        for virtual in binding if is_remote else []:
            order = [each[-1] for each in self.paths(virtual)]
            keepers = [each for each in order if self.keeps(each, name, asked)]
            nested = self._with_nested(virtual) & set(VIRTUALS)
            if any(self.claim_on(each, name) for each in nested) or set(keepers) & set(LOCALS):
                return "kept"
            if keepers and max(keepers, key=lambda each: self.claim_on(each, name)) != source:
                return "kept"
        for virtual in binding if is_remote else []:
            others = {each[-1] for each in self.paths(virtual)} & asked & self.down
            if others - {source}:
                return "perhaps kept"
        return ""

    def answer(self, virtual: str, name: str, who: str) -> str | Shown:
        """Return what a caller hears of a name: the files and whose they are, or a refusal."""
        if who == "nobody" and not all(self.may_read(who, each) for each in self.beneath(virtual)):
            return "sign in"
        asked: set[str] = set()
        for path in self.paths(virtual):
            is_private = path[-1] in PRIVATE and (path[-1], name) not in self.let_go
            if is_private and not self.stopped(path, name, asked):
                asked.add(path[-1])
        walk = Walk(self, name, who, asked)
        walk.through((virtual,))
        if walk.is_unavailable:
            return "unavailable"
        shown = self.merged(virtual, name, walk.contributing)
        if walk.is_withheld and not shown:
            return "withheld"
        everything = {virtual, *self.beneath(virtual)}
        is_kept = any(self.keeps(each, name, asked) for each in everything)
        return shown if walk.contributing or is_kept else "absent"

    def merged(self, virtual: str, name: str, contributing: list[str]) -> Shown:
        """Return the lines that are left when each file name is shown once."""
        locals_ = set(self.beneath(virtual)) & set(LOCALS)
        hidden = {
            version
            for each in locals_
            if (each, name) in self.quarantined
            for version in self.files[each, name]
            if (each, name, version) not in self.deleted
        }
        gone = {version for each, its, version in self.deleted if each in locals_ and its == name}
        shown: dict[str, str] = {}
        for source in sorted(contributing, key=lambda each: each not in LOCALS):
            if source in LOCALS:
                living = self.files[source, name] - {
                    version for version in VERSIONS if (source, name, version) in self.deleted
                }
            else:
                living = self.upstream[source, name] - gone
            for version in living - hidden - set(shown):
                shown[version] = source
        return sorted(shown.items())


@dataclass
class Walk:
    """Goes down the model's virtuals and finds out which sources contribute."""

    model: Model
    name: str
    who: str
    asked: set[str]
    contributing: list[str] = field(default_factory=list)
    is_unavailable: bool = False
    is_withheld: bool = False

    def through(self, path: Path) -> bool:
        """Visit what a virtual shows; say whether something there has the name."""
        found = False
        for member in self.model.members[path[-1]]:
            if found and path[-1] in self.model.firsts:
                break
            below = (*path, member)
            found |= self.through(below) if member in VIRTUALS else self._source(below)
        return found

    def _source(self, path: Path) -> bool:
        source, model = path[-1], self.model
        why = model.stopped(path, self.name, self.asked)
        if not all(model.may_read(self.who, each) for each in path[1:]):
            self.is_withheld |= why in {"", "perhaps kept"}
            return False
        if why == "perhaps kept" or (not why and source in model.down):
            self.is_unavailable = True
            return True
        if why or not model.has(source, self.name):
            return False
        if source not in self.contributing:
            self.contributing.append(source)
        if source in LOCALS:
            has_files = (source, self.name) not in model.quarantined and any(
                (source, self.name, version) not in model.deleted
                for version in model.files[source, self.name]
            )
        else:
            has_files = bool(model.upstream[source, self.name])
        return has_files or model.keeps(source, self.name, self.asked)


class History(RuleBasedStateMachine):
    """The same history told to Larder and to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(transaction.atomic())
        self.stack.callback(transaction.set_rollback, True)
        self.clock = MovableClock()
        self.stack.enter_context(clock.use(self.clock))
        self.model = Model()
        self.upstreams = Upstreams()
        self.turn = 0

    @initialize()
    def begin(self) -> None:
        """Make the cast and the repositories; the top shows something from the start."""
        held.forget()
        self.cast: Cast = assemble()
        tenant = self.cast.acme.tenant
        for key in LOCALS:
            make_repository(tenant, key)
        for key in REMOTES:
            make_remote(self.cast.acme, key, keeps_names=key in PRIVATE)
        for key in VIRTUALS:
            make_repository(tenant, key, Kind.VIRTUAL)
        for virtual, *members in (
            ("low", "local-b", "private-a"),
            ("mid", "stranger-a", "low"),
            ("top", "local-a", "mid", "stranger-b", "private-b"),
        ):
            self._show(virtual, members)
        for repository in EVERYTHING:
            self.grant(repository, "mona")
        for remote in REMOTES:
            self.serve(remote, "frog", set(VERSIONS))

    def teardown(self) -> None:
        """Undo all of it."""
        self.stack.close()
        held.forget()

    def _show(self, virtual: str, members: list[str]) -> None:
        before = {each: self.model.beneath(each) for each in VIRTUALS}
        kept = {
            local: {name for name in NAMES if (local, name) in self.model.files}
            - {name for its, name in self.model.let_go if its == local}
            for local in LOCALS
        }
        configure.set_members(named(virtual), [named(each) for each in members], by=SYSTEM)
        self.model.members[virtual] = members
        inherited = set()
        for above in VIRTUALS:
            for gone in before[above] - self.model.beneath(above) - set(REMOTES):
                inherited |= {(above, name) for name in kept.get(gone, ())}
                inherited |= {(above, pattern) for its, pattern in self.model.claims if its == gone}
        self.model.claims |= inherited

    @rule(data=st.data(), virtual=st.sampled_from(VIRTUALS))
    def show(self, data: st.DataObject, virtual: str) -> None:
        """A virtual gets other members."""
        offered = (*VIRTUALS[VIRTUALS.index(virtual) + 1 :], *SOURCES)
        members = data.draw(st.lists(st.sampled_from(offered), unique=True, max_size=5))
        self._show(virtual, members)

    @rule(
        local=st.sampled_from(LOCALS),
        name=st.sampled_from(NAMES),
        version=st.sampled_from(VERSIONS),
    )
    def publish(self, local: str, name: str, version: str) -> None:
        """A file is published, unless it is there or was."""
        if version not in self.model.files.get((local, name), set()):
            put_file(named(local), name, version)
            self.model.files.setdefault((local, name), set()).add(version)
            self.model.let_go.discard((local, name))

    @precondition(lambda self: self.model.files)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """A file is deleted."""
        local, name = data.draw(st.sampled_from(sorted(self.model.files)))
        version = data.draw(st.sampled_from(sorted(self.model.files[local, name])))
        if (local, name, version) not in self.model.deleted:
            row = Distribution.objects.get(
                repository__key=local, release__project__normalized=name, release__version=version
            )
            curate.delete(row, by=self.ada)
            self.model.deleted.add((local, name, version))

    @precondition(lambda self: self.model.files)
    @rule(data=st.data(), is_bad=st.booleans())
    def judge(self, data: st.DataObject, is_bad: bool) -> None:
        """A project is quarantined, or no longer."""
        local, name = data.draw(st.sampled_from(sorted(self.model.files)))
        status = Project.Status.QUARANTINED if is_bad else Project.Status.ACTIVE
        row = Project.objects.get(repository__key=local, normalized=name)
        curate.set_status(row, status=status, reason="", by=self.ada)
        change = self.model.quarantined.add if is_bad else self.model.quarantined.discard
        change((local, name))

    @rule(repository=st.sampled_from((*LOCALS, *PRIVATE)), name=st.sampled_from(NAMES))
    def let_go(self, repository: str, name: str) -> None:
        """A name is let go of."""
        had = self.model.files if repository in LOCALS else self.model.had
        if (repository, name) in had and (repository, name) not in self.model.let_go:
            curate.let_go(named(repository), parse_name(name), by=self.ada)
            self.model.let_go.add((repository, name))

    @rule(
        remote=st.sampled_from(REMOTES),
        name=st.sampled_from(NAMES),
        versions=st.none() | st.sets(st.sampled_from(VERSIONS)),
    )
    def serve(self, remote: str, name: str, versions: set[str] | None) -> None:
        """An upstream has other files of a name, or no such project."""
        self.clock.move(seconds=2)
        self.upstreams.files.get((remote, ""), {}).pop(name, None)
        self.model.upstream.pop((remote, name), None)
        if versions is not None:
            filenames = [wheel(name, version) for version in sorted(versions)]
            self.upstreams.has(remote, name, *filenames, by=remote)
            self.model.upstream[remote, name] = versions

    @rule(remote=st.sampled_from(REMOTES), is_down=st.booleans())
    def fail(self, remote: str, is_down: bool) -> None:
        """An upstream cannot be reached, or can again."""
        self.clock.move(seconds=2)
        (self.model.down.add if is_down else self.model.down.discard)(remote)
        self.upstreams.down = {(each, "") for each in self.model.down}

    @rule(repository=st.sampled_from(EVERYTHING), pattern=st.sampled_from(PATTERNS))
    def claim(self, repository: str, pattern: str) -> None:
        """A claim is made, or taken back."""
        row = Claim.objects.filter(repository__key=repository, pattern=pattern).first()
        assert (row is not None) == ((repository, pattern) in self.model.claims)
        if row is None:
            configure.add_claim(Claim(repository=named(repository), pattern=pattern), by=SYSTEM)
        else:
            configure.remove_claim(row, by=SYSTEM)
        self.model.claims ^= {(repository, pattern)}

    @rule(virtual=st.sampled_from(VIRTUALS), name=st.sampled_from(NAMES))
    def mark(self, virtual: str, name: str) -> None:
        """A name is taken also from upstream, or no longer."""
        row = AlsoUpstream.objects.filter(virtual__key=virtual, normalized=name).first()
        if row is None:
            mark = AlsoUpstream(virtual=named(virtual), normalized=name)
            configure.mark_also_upstream(mark, by=SYSTEM)
        else:
            configure.unmark_also_upstream(row, by=SYSTEM)
        self.model.marks ^= {(virtual, name)}

    @rule(virtual=st.sampled_from(VIRTUALS), is_first=st.booleans())
    def merge(self, virtual: str, is_first: bool) -> None:
        """A virtual shows the first member that has a name, or all."""
        row = VirtualSettings.objects.filter(repository__key=virtual).first()
        row = row or VirtualSettings(repository=named(virtual))
        row.merge = VirtualSettings.Merge.FIRST if is_first else VirtualSettings.Merge.ALL
        configure.save_virtual(row, by=SYSTEM)
        (self.model.firsts.add if is_first else self.model.firsts.discard)(virtual)

    @rule(repository=st.sampled_from(EVERYTHING), whom=st.sampled_from(["mona", "anyone"]))
    def grant(self, repository: str, whom: str) -> None:
        """A repository may be read, or no longer."""
        wanted = Grant(repository=named(repository), role=Role.READER, subject="anyone")
        if whom == "mona":
            place = self.cast.acme.member.token.membership
            wanted.subject, wanted.membership = Grant.Subject.USER, place
        given = Grant.objects.filter(
            repository=wanted.repository, subject=wanted.subject, membership=wanted.membership
        ).first()
        if given is None:
            configure.save_grant(wanted, by=SYSTEM)
        else:
            configure.end_grant(given, by=SYSTEM)
        self.model.readers.setdefault(repository, set()).symmetric_difference_update({whom})

    @property
    def ada(self) -> Principal:
        """Return who may do everything in acme."""
        return self.cast.acme.admin.principal

    @invariant()
    def what_is_shown_is_what_the_model_says(self) -> None:
        """Both names of the top, for another caller after each step; the others in turn."""
        if not hasattr(self, "cast"):
            return
        callers = {
            "ada": self.ada,
            "mona": self.cast.acme.member.principal,
            "nobody": Principal(),
        }
        for name in NAMES:
            self.turn += 1
            who = ("ada", "mona", "ada", "nobody")[self.turn // 2 % 4]
            for virtual in ("top", VIRTUALS[self.turn % 3]):
                self._look(virtual, name, who, callers[who])

    def _look(self, virtual: str, name: str, who: str, by: Principal) -> None:
        said = self.model.answer(virtual, name, who)
        self.upstreams.asked.clear()
        seen = self._seen(virtual, name, by)
        asked = {key for key, its in self.upstreams.asked if its == name}
        self.model.had |= {
            (each, name) for each in asked & set(PRIVATE) if self.model.has(each, name)
        }
        assert seen == said, (virtual, name, who)
        self._no_stranger_under_a_kept_name(virtual, name, seen, asked)

    def _seen(self, virtual: str, name: str, by: Principal) -> str | Shown:
        """Return what the virtual says; its page is what `explain` says is shown."""
        repository, normalized = named(virtual), parse_name(name)
        try:
            page = self.upstreams.index(repository, by).page(normalized)
        except SignInRequired:
            return "sign in"
        except IndexUnavailable:
            return "unavailable"
        except RoleMissing:
            return "withheld"
        except ProjectNotFound:
            return "absent"
        lines = explain(repository, normalized, by, self.upstreams.open)
        shown = [line for line in lines if line.file is not None and line.cause is None]
        files = {line.file.sha256 for line in shown if line.file is not None}
        assert files == {file.sha256 for file in page.files}
        return sorted(
            (line.file.version, line.source.partition("/")[2])
            for line in shown
            if line.file is not None
        )

    def _no_stranger_under_a_kept_name(
        self, virtual: str, name: str, seen: str | Shown, asked: set[str]
    ) -> None:
        """The one thing that matters, said as bluntly as can be."""
        if any(mark == name for _, mark in self.model.marks):
            return
        beneath = {virtual, *self.model.beneath(virtual)} - set(STRANGERS)
        if any(self.model.keeps(each, name, set(PRIVATE)) for each in beneath - set(REMOTES)):
            assert not asked & set(STRANGERS)
            assert isinstance(seen, str) or not {whose for _, whose in seen} & set(REMOTES)


def named(key: str) -> Repository:
    """Return a repository of acme's by its key."""
    return Repository.objects.select_related("tenant").get(tenant__slug="acme", key=key)


def wheel(name: str, version: str) -> str:
    """Return the file name that everybody gives to this version."""
    return f"{name.replace('-', '_')}-{version}-py3-none-any.whl"


@pytest.mark.hypothesis
def test_a_virtual_shows_what_design_says_through_any_history(db: None) -> None:
    found = settings(examples(12), stateful_step_count=20, phases=[Phase.generate])
    run_state_machine_as_test(History, settings=found)


@pytest.fixture(autouse=True)
def _nothing_held() -> Iterator[None]:
    """End with nothing held."""
    yield
    held.forget()
