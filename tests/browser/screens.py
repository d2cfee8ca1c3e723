"""Every screen of the portal: where it is in the furnished house, and who is let in."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.house import EMPTY, EMPTY_REMOTE, LOCAL, REMOTE, VIRTUAL

WHEEL = "acme_billing-2.1-py3-none-any.whl"
SENSOR = "acme_sensor-1.4-cp312-cp312-manylinux_2_28_x86_64.whl"
FILE = f"{LOCAL}/project/acme-billing/2.1/{WHEEL}/"
OWN_CI = f"{LOCAL}/project/acme-billing/2.0.1/acme_billing-2.0.1-py3-none-any.whl/"
PROJECT_TABS = (
    *("readme", "info", "files", "versions", "requirements", "needed-by", "properties"),
    "activity",
)
FILE_TABS = ("general", "info", "properties", "contents", "raw", "security", "activity")

Callers = frozenset[str]
EVERYBODY: Callers = frozenset({"admin", "ada", "wes", "ray", "mona", "gwen", ""})
SIGNED_IN = EVERYBODY - {""}
OF_ACME: Callers = frozenset({"admin", "ada", "wes", "ray", "mona"})
WRITERS: Callers = frozenset({"admin", "ada", "wes"})
ADMINS: Callers = frozenset({"admin", "ada"})


@dataclass(frozen=True)
class Screen:
    """One screen in one state."""

    path: str
    callers: Callers  # "" is who has not signed in
    status: int = 200  # for those callers


SCREENS: dict[str, Screen] = {
    "home": Screen("", EVERYBODY),
    "sign in": Screen("accounts/sign-in/", frozenset({""})),
    "tenant": Screen("acme/", OF_ACME),
    "a local": Screen(f"{LOCAL}/", OF_ACME),
    "a remote": Screen(f"{REMOTE}/", OF_ACME),
    "a virtual": Screen(f"{VIRTUAL}/", OF_ACME),
    "an empty local": Screen(f"{EMPTY}/", OF_ACME),
    "an empty remote": Screen(f"{EMPTY_REMOTE}/", OF_ACME),
    "a filter that nothing meets": Screen(f"{LOCAL}/?filter=nothing", OF_ACME),
    "tree": Screen(f"{LOCAL}/browse/", OF_ACME),
    "tree at a release": Screen(f"{LOCAL}/browse/acme-billing/2.1/", OF_ACME),
    "tree of a virtual": Screen(f"{VIRTUAL}/browse/", OF_ACME),
    **{
        f"project, {tab}": Screen(f"{LOCAL}/project/acme-billing/?tab={tab}", OF_ACME)
        for tab in PROJECT_TABS
    },
    "project, manage": Screen(f"{LOCAL}/project/acme-billing/2.1/?tab=manage", ADMINS),
    "project of a virtual": Screen(f"{VIRTUAL}/project/acme-billing/", OF_ACME),
    "project of a remote": Screen(f"{REMOTE}/project/attrs/", OF_ACME),
    "a quarantined project": Screen(f"{LOCAL}/project/acme-probe/", OF_ACME),
    "a deprecated project": Screen(f"{LOCAL}/project/acme-ledger/", OF_ACME),
    "a yanked release": Screen(f"{LOCAL}/project/acme-billing/2.0/", OF_ACME),
    **{f"file, {tab}": Screen(f"{FILE}?tab={tab}", OF_ACME) for tab in FILE_TABS},
    "file, manage": Screen(f"{FILE}?tab=manage", WRITERS),
    "a deleted file": Screen(
        f"{LOCAL}/project/acme-ledger/0.8/acme_ledger-0.8-py3-none-any.whl/", ADMINS
    ),
    "a quarantined file": Screen(
        f"{LOCAL}/project/acme-probe/0.3/acme_probe-0.3-py3-none-any.whl/", ADMINS
    ),
    "a file with native code": Screen(
        f"{LOCAL}/project/acme-sensor/1.4/{SENSOR}/?tab=security", OF_ACME
    ),
    "file, by CI of one's own": Screen(f"{OWN_CI}?tab=security", OF_ACME),
    "compare": Screen(f"{LOCAL}/-/compare/acme-billing/?from=2.0&to=2.1", OF_ACME),
    "a member": Screen(f"{FILE}?tab=contents&member=acme_billing/tariffs/night.toml", OF_ACME),
    "a member compared": Screen(
        f"{LOCAL}/-/compare/acme-billing/?from=2.0&to=2.1&member=acme_billing.py", OF_ACME
    ),
    "members of a virtual": Screen(f"{VIRTUAL}/-/members/", OF_ACME),
    "known of upstream": Screen(f"{REMOTE}/browse/?known=1", OF_ACME),
    "set me up": Screen(f"{VIRTUAL}/-/set-up/", OF_ACME),
    "search": Screen("search/", EVERYBODY),
    "search of words": Screen("search/?q=billing", SIGNED_IN),
    "search of properties": Screen("search/?q=qa.approved:yes", SIGNED_IN),
    "a search that is refused": Screen("search/?q=pypi.name:", EVERYBODY, 400),
    "upload": Screen(f"{LOCAL}/-/upload/", WRITERS),
    "explain": Screen(f"{VIRTUAL}/-/explain/?project=acme-billing", OF_ACME),
    "extraction": Screen(f"{LOCAL}/-/extraction/", WRITERS),
    "cache of a remote": Screen(f"{REMOTE}/-/cache/", ADMINS),
    "an empty cache": Screen(f"{EMPTY_REMOTE}/-/cache/", ADMINS),
    "access": Screen(f"{LOCAL}/-/access/", OF_ACME),
    "activity": Screen(f"{LOCAL}/-/activity/", ADMINS),
    "audit": Screen("acme/-/audit/", ADMINS),
    "an audit of nobody": Screen("acme/-/audit/?by=nobody", ADMINS),
    "publishers": Screen(f"{LOCAL}/-/publishers/", ADMINS),
    "publishers of a project": Screen(
        f"{LOCAL}/-/publishers/?project=acme-lamp&kind=gitlab", ADMINS
    ),
    "no publishers": Screen(f"{EMPTY}/-/publishers/", ADMINS),
    "a publisher": Screen(f"{LOCAL}/-/publishers/1/", ADMINS),
    "account": Screen("accounts/", SIGNED_IN),
    "tokens": Screen("accounts/tokens/", SIGNED_IN),
    "not there": Screen("acme/nothing/", OF_ACME, 404),
}

_KINDS = ("local", "remote", "virtual")
_REPOSITORIES = "/admin/repos/repository/"
# Where a walk through the admin begins: what is there for each kind of repository, and what no
# link of `led_to` leads to.
ADMIN = (
    *("/admin/", "/admin/repos/", "/admin/password_change/"),
    *(f"{_REPOSITORIES}?kind__exact={kind}" for kind in _KINDS),
    *(f"{_REPOSITORIES}add/?kind={kind}" for kind in _KINDS),
)
# Lists of models, their first rows, the forms that add and those that ask before deleting.
_LINKS = (
    ".dashboard #content-main tbody th a, #result_list tbody tr:first-child th a, "
    ".object-tools .addlink, a.deletelink"
)
_HREFS = "all => all.map((link) => new URL(link.href).pathname)"


def led_to(page: Page) -> list[str]:
    """Return where a page of the admin leads on to: a model that is new is walked by itself."""
    return list(page.locator(_LINKS).evaluate_all(_HREFS))
