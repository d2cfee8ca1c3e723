"""What CI is, read from the claims of each kind of issuer."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.assertions import AssertionRefused
from accounts.identities import identity_in
from tests.signing import GITHUB

GITLAB = {
    "sub": "project_path:Acme/tools/frog:ref_type:branch:ref:main",
    "namespace_path": "Acme/tools",
    "namespace_id": "72",
    "project_path": "Acme/tools/frog",
    "project_id": "9",
    "ci_config_ref_uri": "gitlab.example/Acme/tools/frog//ci/release.yml@refs/heads/main",
    "ref_path": "refs/heads/main",
    "environment": "Release",
}
GOOGLE = {"sub": "1234", "email": "Robot@acme.example", "email_verified": True}


def test_a_workflow_of_github() -> None:
    found = identity_in("github", GITHUB | {"environment": "Release"})
    assert (found.source, found.owner_id, found.source_id) == ("octo/frog", "4711", "815")
    assert (found.workflow, found.environment, found.ref) == (
        "release.yml",
        "release",
        "refs/heads/main",
    )
    assert found.name == "GitHub: octo/frog, release.yml, release"


def test_a_pipeline_of_gitlab() -> None:
    found = identity_in("gitlab", GITLAB)
    assert (found.source, found.owner_id, found.source_id) == ("acme/tools/frog", "72", "9")
    assert (found.workflow, found.environment, found.ref) == (
        "ci/release.yml",
        "Release",
        "refs/heads/main",
    )


def test_what_is_kept_of_a_run_leads_to_it() -> None:
    told = {"iss": "https://token.actions.githubusercontent.com", "sha": "a" * 40, "run_id": "12"}
    facts = identity_in("github", GITHUB | told | {"environment": "Release"}).facts
    assert facts == {
        "kind": "github",
        "issuer": told["iss"],
        "source": "Octo/frog",
        "source_url": "https://github.com/Octo/frog",
        "workflow": ".github/workflows/release.yml",
        "environment": "release",
        "ref": "refs/heads/main",
        "commit": "a" * 40,
        "run": "https://github.com/Octo/frog/actions/runs/12/attempts/1",
    }
    at_work = GITHUB | {"iss": "https://github.acme.example/_services/token"}
    assert identity_in("github", at_work).source_url == "https://github.acme.example/Octo/frog"
    assert identity_in("github", at_work).name.startswith("GitHub at github.acme.example: octo/")
    assert identity_in("github", GITHUB | told).name.startswith("GitHub: octo/frog, ")
    theirs = GITLAB | {"iss": "https://gitlab.example/", "sha": "b" * 40, "job_id": 7}
    facts = identity_in("gitlab", theirs).facts
    assert (facts["source_url"], facts["workflow"]) == (
        "https://gitlab.example/Acme/tools/frog",
        "ci/release.yml",
    )
    assert facts["run"] == "https://gitlab.example/Acme/tools/frog/-/jobs/7"


@pytest.mark.parametrize("odd", [{"sha": "main"}, {"run_id": "1/../../evil"}, {"run_id": "١٢"}])
def test_what_is_no_commit_or_number_leads_nowhere(odd: dict[str, str]) -> None:
    facts = identity_in("github", GITHUB | odd).facts
    assert (facts["commit"], facts["run"]) == ("", "")


def test_an_account_of_google_and_a_subject_of_others() -> None:
    assert identity_in("google", GOOGLE).source == "robot@acme.example"
    found = identity_in("other", {"sub": "system:Frog"})
    assert (found.source, found.name) == ("system:Frog", "OpenID Connect: system:Frog")


@pytest.mark.parametrize(
    "workflow_ref",
    [
        "evil/frog/.github/workflows/release.yml@refs/heads/main",
        "octo/frog-evil/.github/workflows/release.yml@refs/heads/main",
        "octo/frog/release.yml@refs/heads/main",
        "octo/frog/.github/workflows/release.yml",
        "octo/frog/.github/workflows/release.yml@refs/heads/other",
    ],
)
def test_a_workflow_of_another_repository_is_none(workflow_ref: str) -> None:
    assert not identity_in("github", GITHUB | {"workflow_ref": workflow_ref}).workflow


@pytest.mark.parametrize("name", ["release.yml@2.yml", "@.yml", "release.yml@refs.yml"])
def test_a_file_with_an_at_in_its_name_is_no_other(name: str) -> None:
    of_github = {"workflow_ref": f"octo/frog/.github/workflows/{name}@refs/heads/main"}
    assert identity_in("github", GITHUB | of_github).workflow == name
    of_gitlab = {"ci_config_ref_uri": f"gitlab.example/acme/tools/frog//{name}@refs/heads/main"}
    assert identity_in("gitlab", GITLAB | of_gitlab).workflow == name


def test_a_workflow_may_be_at_a_commit_instead_of_a_ref() -> None:
    at_commit = {"workflow_ref": "octo/frog/.github/workflows/release.yml@c0ffee", "sha": "c0ffee"}
    assert identity_in("github", GITHUB | at_commit).workflow == "release.yml"


def test_a_reusable_workflow_counts_where_it_is_the_repositorys_own() -> None:
    own = "octo/frog/.github/workflows/shared.yml@refs/heads/main"
    assert identity_in("github", GITHUB | {"job_workflow_ref": own}).workflow == "release.yml"
    for other in (own.replace("octo/", "evil/"), own.replace("frog/", "frog-evil/")):
        assert not identity_in("github", GITHUB | {"job_workflow_ref": other}).workflow


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "gitlab.example/evil/frog//.gitlab-ci.yml@refs/heads/main",
        "gitlab.example/x/acme/tools/frog//.gitlab-ci.yml@refs/heads/main",
        ".gitlab-ci.yml",
    ],
)
def test_a_configuration_of_another_project_is_none(uri: str | None) -> None:
    assert not identity_in("gitlab", GITLAB | {"ci_config_ref_uri": uri}).workflow


@pytest.mark.parametrize(
    ("kind", "claims", "reason"),
    [
        ("github", {"repository": None}, "lacks the claim repository"),
        ("github", {"repository_owner_id": ""}, "lacks the claim repository_owner_id"),
        ("github", {"repository_id": ""}, "lacks the claim repository_id"),
        ("github", {"repository_id": "1" * 101}, "claim repository_id is too long"),
        ("gitlab", {"project_id": None}, "lacks the claim project_id"),
        ("github", {"workflow_ref": None}, "lacks the claim workflow_ref"),
        ("github", {"repository": ["octo/frog"]}, "repository is no text"),
        ("github", {"environment": "a\nb"}, "environment is no text"),
        ("gitlab", {"namespace_id": None}, "lacks the claim namespace_id"),
        ("gitlab", {"namespace_path": "acme/too"}, "not in its namespace_path"),
        ("google", {"email_verified": False}, "was verified"),
        ("google", {"email_verified": "true"}, "was verified"),
        ("google", {"email": None}, "lacks the claim email"),
        ("other", {"sub": None}, "lacks the claim sub"),
    ],
)
def test_claims_that_do_not_say_who_are_refused(
    kind: str, claims: dict[str, Any], reason: str
) -> None:
    usual: dict[str, dict[str, Any]] = {"github": GITHUB, "gitlab": GITLAB, "google": GOOGLE}
    with pytest.raises(AssertionRefused) as refusal:
        identity_in(kind, usual.get(kind, {"sub": "x"}) | claims)
    assert reason in refusal.value.sentence


def test_a_number_may_be_an_id() -> None:
    assert identity_in("github", GITHUB | {"repository_owner_id": 4711}).owner_id == "4711"
