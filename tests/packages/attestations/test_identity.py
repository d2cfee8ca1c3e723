"""Which publisher signed, by what certificates of each kind of CI say."""

from __future__ import annotations

from typing import Any

import pytest

from packages.attestations.identity import (
    NotExpected,
    Signer,
    path_of_workflow,
    publisher_of,
    repository_of,
)
from packages.attestations.values import Expected
from tests.packages.attestations.conftest import expected

COMMIT = "5" * 40
GITHUB = "https://token.actions.githubusercontent.com"


def github(*, home: str = "https://github.com", issuer: str = GITHUB, **other: Any) -> Signer:
    source = f"{home}/Octo/frog"
    usual = {
        "issuer": issuer,
        "email": "",
        "source": source,
        "commit": COMMIT,
        "ref": "refs/tags/v1",
        "owner_id": "4711",
        "source_id": "815",
        "build_config": f"{source}/.github/workflows/release.yml@refs/tags/v1",
        "trigger": "push",
        "run": f"{source}/actions/runs/9/attempts/1",
        "environment": "",
    }
    return Signer(**(usual | other))


def gitlab(home: str = "https://gitlab.com", **other: Any) -> Signer:
    source = f"{home}/Acme/tools/frog"
    config = f"{source}//.gitlab-ci.yml@refs/heads/main"
    usual = {"ref": "refs/heads/main", "owner_id": "12", "build_config": config}
    return github(issuer=home, source=source, **(usual | other))


def on_github(**other: Any) -> Expected:
    return expected(**({"issuer": GITHUB} | other))


def on_gitlab(**other: Any) -> Expected:
    usual = {"kind": "gitlab", "issuer": "https://gitlab.com", "source": "acme/tools/frog"}
    return expected(**(usual | {"workflow": ".gitlab-ci.yml"} | other))


def is_by(signer: Signer, publisher: Expected) -> bool:
    try:
        return publisher_of(signer, [publisher]) is publisher
    except NotExpected:
        return False


ENTERPRISE = "https://git.acme.example"
FILES = "https://github.com/Octo/frog/.github/workflows"


@pytest.mark.parametrize(
    ("signer", "publisher"),
    [
        (github(), on_github()),
        (github(), on_github(ref="refs/tags/*")),
        (github(build_config=f"{FILES}/release.yml@{COMMIT}"), on_github()),
        (github(), on_github(owner_id="4711")),
        (github(), on_github(owner_id="4711", source_id="815")),
        (github(), on_github(environment="release")),  # the certificate does not say
        (github(environment="Release"), on_github(environment="release")),
        (github(environment="release"), on_github()),
        (
            github(home=ENTERPRISE, issuer=f"{ENTERPRISE}/_services/token"),
            on_github(issuer=f"{ENTERPRISE}/_services/token"),
        ),
        (
            github(
                home="https://acme.ghe.example", issuer="https://token.actions.acme.ghe.example"
            ),
            on_github(issuer="https://token.actions.acme.ghe.example"),
        ),
        (github(issuer=f"{GITHUB}/acme"), on_github(issuer=f"{GITHUB}/acme")),
        (gitlab(), on_gitlab()),
        (gitlab(ENTERPRISE), on_gitlab(issuer=ENTERPRISE)),
        (gitlab(environment="prod"), on_gitlab(environment="prod")),
    ],
)
def test_a_publisher_is_known_by_its_certificate(signer: Signer, publisher: Expected) -> None:
    assert is_by(signer, publisher)


@pytest.mark.parametrize(
    ("signer", "publisher"),
    [
        (github(issuer="https://github.com/login/oauth"), on_github()),
        (github(issuer=f"{GITHUB}/"), on_github()),
        (github(issuer=""), on_github()),
        (github(), on_github(source="octo/toad")),
        (github(source="https://github.com/Octo/frog2"), on_github()),
        (github(source="https://github.example/Octo/frog"), on_github()),
        (github(home=ENTERPRISE), on_github()),
        (github(), on_github(workflow="test.yml")),
        (github(), on_github(workflow="Release.yml")),
        (github(build_config=""), on_github()),
        (github(build_config=f"{FILES}/release.yml"), on_github()),
        (github(build_config=f"{FILES}/release.yml@refs/heads/other"), on_github()),
        (github(build_config=f"{FILES}/release.yml@x.yml@refs/tags/v1"), on_github()),
        (github(build_config=f"{FILES}/more/release.yml@refs/tags/v1"), on_github()),
        # The file of another repository, which this one only calls.
        (
            github(build_config=f"{FILES.replace('frog', 'x')}/release.yml@refs/tags/v1"),
            on_github(),
        ),
        (github(commit="", ref=""), on_github()),
        (github(), on_github(ref="refs/heads/*")),
        (github(ref=""), on_github(ref="refs/*")),
        (github(environment="test"), on_github(environment="release")),
        (github(owner_id=""), on_github()),
        (github(source_id=""), on_github()),
        (github(source_id="9" * 101), on_github()),
        (github(), on_github(source_id="816")),
        (github(owner_id=""), on_github(owner_id="4711")),
        (gitlab(), on_gitlab(source="acme/tools")),
        (gitlab(), on_gitlab(workflow="ci.yml")),
        (gitlab(owner_id=""), on_gitlab()),
        (gitlab(environment="Prod"), on_gitlab(environment="prod")),
        (gitlab(ENTERPRISE), on_gitlab()),
    ],
)
def test_what_its_certificate_does_not_say_is_another(signer: Signer, publisher: Expected) -> None:
    assert not is_by(signer, publisher)


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
def test_what_strangers_can_start_attests_nothing(event: str) -> None:
    assert publisher_of(github(), [on_github()])
    with pytest.raises(NotExpected, match="which may not publish this project"):
        publisher_of(github(trigger=event), [on_github()])


def test_a_machine_is_known_by_its_address_alone() -> None:
    google = "https://accounts.google.com"
    publisher = expected(kind="google", issuer=google, source="bot@acme.example", workflow="")
    nothing = {"source": "", "build_config": "", "owner_id": "", "source_id": "", "issuer": google}
    assert is_by(github(email="Bot@acme.example", **nothing), publisher)
    for signer in (
        github(email="bob@acme.example", **nothing),
        github(email="", **nothing),
        github(email="bot@acme.example", **(nothing | {"issuer": GITHUB})),
    ):
        with pytest.raises(NotExpected):
            publisher_of(signer, [publisher])


def test_who_was_trusted_has_to_be_its_owner_still() -> None:
    new, old = on_github(key=1, owner_id="4712"), on_github(key=2, owner_id="4711")
    unknown = on_github(key=3)
    assert publisher_of(github(), [new, old, unknown]) is old
    assert publisher_of(github(), [new, unknown]) is unknown
    with pytest.raises(NotExpected) as refused:
        publisher_of(github(), [new])
    assert str(refused.value) == (
        f"was signed by '{FILES}/release.yml@refs/tags/v1', "
        "which has another owner than the one that was trusted."
    )


def test_nobody_is_expected_where_there_is_no_publisher() -> None:
    with pytest.raises(NotExpected) as refused:
        publisher_of(github(), [])
    assert str(refused.value) == (
        f"was signed by '{FILES}/release.yml@refs/tags/v1', which may not publish this project."
    )


def test_a_workflow_is_a_path_in_its_repository() -> None:
    assert path_of_workflow(github(), "github") == ".github/workflows/release.yml"
    assert path_of_workflow(gitlab(), "gitlab") == ".gitlab-ci.yml"
    assert path_of_workflow(github(build_config=""), "github") == ""
    assert repository_of(github(), on_github()) == "Octo/frog"
    assert repository_of(gitlab(), on_gitlab()) == "Acme/tools/frog"
