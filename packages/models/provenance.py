"""Where a distribution comes from, as far as others vouch for it."""

from __future__ import annotations

from django.db import models

from packages.models.contents import Distribution
from repos.models import Repository


class Provenance(models.Model):
    """What CI's issuer said at the upload of a distribution, and what its attestations prove.

    Apart from the distribution, so that listing files does not read it; there is one only where
    somebody vouches. A copy of the file in another repository has a copy of it: it is of the bytes.
    """

    distribution = models.OneToOneField(
        Distribution, on_delete=models.CASCADE, primary_key=True, related_name="provenance"
    )
    # `accounts.identities.Identity.facts`; empty: it was not published by trusted publishing.
    said = models.JSONField(default=dict)
    # Each as `packages.provenance` writes it; empty: none were sent, or nobody expected any.
    attested = models.JSONField(default=list)
    document = models.BinaryField(default=bytes)  # PEP 740: the provenance object, as it is served
    # Where and when it was uploaded, and this was checked.
    uploaded_to = models.ForeignKey(Repository, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return f"provenance of {self.distribution_id}"
