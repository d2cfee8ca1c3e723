"""What each page of a repository shows around its content: who has come in, and where they may go.

The tabs are in templates/larder/repository_nav.html.
"""

from __future__ import annotations

from django.conf import settings

from repos.access import Admitted
from repos.targets import takes_uploads


def frame(come_in: Admitted) -> dict[str, object]:
    """Return what the tabs of a repository's page are made of."""
    return {
        "repository": come_in.repository,
        "may_write": come_in.may_write,
        "is_admin": come_in.is_admin,
        "may_configure": come_in.is_tenant_admin,
    }


def heading(come_in: Admitted) -> dict[str, object]:
    """Return the same, and what templates/packages/repository_heading.html shows above them."""
    repository = come_in.repository
    return frame(come_in) | {
        "url": f"{settings.BASE_URL}/{repository}/",
        "takes_uploads": come_in.may_write and takes_uploads(repository),
    }
