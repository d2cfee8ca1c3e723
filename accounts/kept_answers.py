"""How long answers are kept for clients that send a request again; docs/decisions/0012."""

from __future__ import annotations

from datetime import timedelta

from accounts.models import KeptAnswer
from base import clock

KEPT_FOR = timedelta(hours=24)


def forget() -> int:
    """Remove the answers that are kept no longer, and say how many they were."""
    return KeptAnswer.objects.filter(made_at__lt=clock.now() - KEPT_FOR).delete()[0]
