"""What each page of a repository shows around its content: who has come in, and where they may go.

The tabs are in templates/larder/repository_nav.html.
"""

from __future__ import annotations

from repos.access import Admitted


def frame(come_in: Admitted) -> dict[str, object]:
    """Return what the heading and the tabs of a repository's page are made of."""
    return {
        "repository": come_in.repository,
        "may_write": come_in.may_write,
        "is_admin": come_in.is_admin,
        "may_configure": come_in.is_tenant_admin,
    }
