"""The rows that belong to no single app: audit events and the installation's access stamp."""

from __future__ import annotations

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class AuditEvent(models.Model):
    """One change: who, with which token, from where, what, before and after.

    Everything is text on purpose: an event outlives the rows that it speaks of.
    """

    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=255)
    token = models.CharField(max_length=255, blank=True)
    address = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=64)
    tenant = models.CharField(max_length=100, blank=True, db_index=True)
    # `tenant/key` where the event is about a repository or what is in it.
    repository = models.CharField(max_length=201, blank=True)
    subject = models.CharField(max_length=512)
    before = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        verbose_name = "audit event"
        # A repository's and a tenant's events, the latest first: all, and by person, act or object.
        indexes: ClassVar = [
            models.Index(fields=["repository", "-at", "-id"], name="audit_of_a_repository"),
            models.Index(fields=["tenant", "-at", "-id"], name="audit_of_tenant"),
            models.Index(fields=["tenant", "actor", "-at", "-id"], name="audit_by_actor"),
            models.Index(fields=["tenant", "action", "-at", "-id"], name="audit_by_action"),
            models.Index(
                fields=["tenant", "subject"],
                name="audit_by_subject",
                opclasses=["varchar_pattern_ops", "varchar_pattern_ops"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor}: {self.action} {self.subject}"


class AccessStamp(models.Model):
    """The installation's one access stamp: moved by every change to who may read.

    Whoever remembers an access decision remembers this stamp with it, and forgets both when it
    has moved.
    """

    epoch = models.BigIntegerField(default=0)
    nonce = models.CharField(max_length=16, default="")

    def __str__(self) -> str:
        return f"access stamp {self.epoch}-{self.nonce}"
