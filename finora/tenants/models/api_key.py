from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Case, F, Max, Q, Sum, Value, When

from finora import clock, identifiers
from finora.audit.models import AuditEvent
from finora.limits.windows import parse_limits
from finora.orm.loading import LightlyLoaded
from finora.orm.prepared import Prepared, Slot
from finora.orm.scope import ScopedQuerySet
from finora.tenants.models.business import Business

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX_LENGTH = 12
LAST_FOUR_LENGTH = 4
EXPIRY_WARNING = timedelta(days=14)
NEW_FOR = timedelta(days=14)


def digest_of(key: str) -> bytes:
    """SHA-256 of a key. A key has 192 random bits, so a bare hash cannot be guessed back."""
    return hashlib.sha256(key.encode()).digest()


def default_expiry() -> datetime:
    return clock.now() + timedelta(days=settings.API_KEY_DAYS)


def readable_rate_limits(text: str) -> None:
    """Refuses what is not a list of rate limits. Raises ValidationError."""
    try:
        parse_limits(text)
    except ValueError as error:
        raise ValidationError(str(error)) from None


class Usage(NamedTuple):
    """Calls since the first of the month (UTC), calls ever, and when the last one came."""

    this_month: int
    all_time: int
    last_call_at: datetime | None


def _month(moment: datetime) -> date:
    return moment.date().replace(day=1)


class ApiKeyQuerySet(ScopedQuerySet["ApiKey"]):
    def issue(
        self,
        business: Business,
        name: str,
        *,
        expires_at: datetime | None = None,
        rate_limits: str = "",
        public_id: str = "",
    ) -> tuple[ApiKey, str]:
        """Makes a key of this deployment's environment; answers it and its only plain copy.

        With a `public_id` of identifiers.key_id() it issues once: IntegrityError the second time.
        """
        key = f"{settings.FINORA_ENVIRONMENT}_sk_{secrets.token_hex(24)}"
        made = self.create(
            public_id=public_id or identifiers.key_id(),
            business=business,
            name=name,
            digest=digest_of(key),
            prefix=key[:PREFIX_LENGTH],
            last_four=key[-LAST_FOUR_LENGTH:],
            environment=settings.FINORA_ENVIRONMENT,
            expires_at=expires_at or default_expiry(),
            rate_limits=rate_limits,
        )
        return made, key

    def in_business(self, business_id: int) -> ApiKeyQuerySet:
        return self.filter(business_id=business_id)

    def with_public_id(self, public_id: str) -> ApiKeyQuerySet:
        """The one with this id, or none; also for a text that no id can be."""
        possible = identifiers.is_possible(public_id)
        return self.filter(public_id=public_id) if possible else self.none()

    def usable(self) -> ApiKeyQuerySet:
        """Keys that open the API now: of this environment, not revoked, not expired."""
        return self.filter(
            environment=settings.FINORA_ENVIRONMENT,
            revoked_at=None,
            expires_at__gt=clock.now(),
        )

    def of_open_businesses(self) -> ApiKeyQuerySet:
        """Without those of a suspended business, which open nothing until that ends."""
        return self.filter(business__is_suspended=False)

    def expiring(self) -> ApiKeyQuerySet:
        """Usable keys that somebody should replace by now."""
        return self.usable().filter(expires_at__lte=clock.now() + EXPIRY_WARNING)

    def issued_lately(self, count: int) -> list[ApiKey]:
        """Keys that somebody should look at, the latest first, each with its `issuer`.

        Also what was revoked since: it was open until then.
        """
        keys = self.filter(created_at__gte=clock.now() - NEW_FOR).order_by("-created_at", "-pk")
        found = list(keys[:count])
        # Apart: keys stand on one machine, where events are spread over several.
        names = [(key.business_id, key.public_id) for key in found]
        issued = AuditEvent.objects.with_names(names).filter(action=AuditEvent.Action.KEY_ISSUED)
        rows = issued.values_list("business_id", "subject", "actor_id")
        issuers = {(business_id, subject): by for business_id, subject, by in rows}
        for key in found:
            key.issuer = issuers.get((key.business_id, key.public_id))  # type: ignore[attr-defined]
        return found

    def expired(self) -> ApiKeyQuerySet:
        return self.filter(revoked_at=None, expires_at__lte=clock.now())

    def revoked(self) -> ApiKeyQuerySet:
        return self.filter(revoked_at__isnull=False)

    def with_text(self, key: str) -> ApiKeyQuerySet:
        """The key with this text, usable or not: whose is a key that turned up somewhere?"""
        return self.filter(digest=digest_of(key))

    def revoke(self) -> int:
        """Refuses these keys from the next request on, for good. Answers how many were live."""
        with transaction.atomic():
            live = self.filter(revoked_at=None).select_for_update()
            keys = list(live.values_list("business_id", "public_id"))
            for business_id, public_id in keys:
                AuditEvent.objects.record(AuditEvent.Action.KEY_REVOKED, business_id, [public_id])
            self.filter(revoked_at=None).update(revoked_at=clock.now())
        return len(keys)

    def record_use(self, calls: int) -> int:
        """Adds calls to the counts and notes the time."""
        now = clock.now()
        return self.update(
            last_used_at=now,
            total_calls=F("total_calls") + calls,
            month_calls=Case(
                When(month=_month(now), then=F("month_calls") + calls), default=Value(calls)
            ),
            month=_month(now),
        )

    def usage(self) -> Usage:
        """What these keys were used for, all together."""
        this_month = Q(month=_month(clock.now()))
        sums = self.aggregate(
            this_month=Sum("month_calls", filter=this_month, default=0),
            all_time=Sum("total_calls", default=0),
            last_call_at=Max("last_used_at"),
        )
        return Usage(**sums)


def _by_digest() -> models.QuerySet[ApiKey]:
    return ApiKey.objects.filter(
        environment=Slot("environment", models.CharField()),
        revoked_at=None,
        expires_at__gt=Slot("now", models.DateTimeField()),
        digest=Slot("digest", models.BinaryField()),
    ).select_related("business")


_usable_by_digest = Prepared(_by_digest, planned_once=True)


class ApiKey(LightlyLoaded):
    """Opens the API for one business. The key itself is not kept: only what recognises it."""

    class Environment(models.TextChoices):
        TEST = "test"
        LIVE = "live"

    business = models.ForeignKey(Business, on_delete=models.PROTECT, related_name="api_keys")
    business_id: int
    public_id = models.CharField("id", max_length=40, default=identifiers.key_id, editable=False)
    name = models.CharField(max_length=100, help_text="Where this key is used.")
    digest = models.BinaryField(max_length=32, editable=False)
    prefix = models.CharField(max_length=PREFIX_LENGTH, editable=False)
    last_four = models.CharField(max_length=LAST_FOUR_LENGTH, editable=False)
    environment = models.CharField(max_length=4, choices=Environment.choices, editable=False)
    rate_limits = models.CharField(
        max_length=100,
        blank=True,
        validators=[readable_rate_limits],
        help_text="Of this key alone: 60/minute,1000/hour,10000/day,10 concurrent."
        " Blank: as configured.",
    )
    created_at = models.DateTimeField("created", default=clock.now, editable=False)
    expires_at = models.DateTimeField("expires", default=default_expiry)
    revoked_at = models.DateTimeField("revoked", null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField("last used", null=True, blank=True, editable=False)
    total_calls = models.PositiveBigIntegerField("calls", default=0, editable=False)
    # Calls in the calendar month (UTC) that begins on `month`.
    month = models.DateField(null=True, editable=False)
    month_calls = models.PositiveBigIntegerField(default=0, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        verbose_name_plural = "API keys"
        # A key is revoked, not deleted; and who issues one hands out what reveal and export do.
        default_permissions = ("view", "change")
        permissions = [
            ("issue_apikey", "Can issue API keys, which open every value of their business")
        ]
        constraints = [
            # Authentication finds the one key with a digest, before it knows the business.
            models.UniqueConstraint(fields=["digest"], name="api_key_digest_unique"),
            # Staff and the key endpoints name a key by it.
            models.UniqueConstraint(
                fields=["business", "public_id"], name="api_key_public_id_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…{self.last_four})"

    @classmethod
    def for_request(cls, key: str) -> ApiKey | None:
        """The usable key with this text and its business, in one query; None for any other.

        Not of the manager: every request begins with it, and none needs a queryset for it.
        """
        found = _usable_by_digest.rows(
            environment=settings.FINORA_ENVIRONMENT, now=clock.now(), digest=digest_of(key)
        )
        return found[0] if found else None

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= clock.now()

    @property
    def is_expiring(self) -> bool:
        """Whether its expiry is so near that somebody should replace it."""
        return not self.is_expired and self.expires_at <= clock.now() + EXPIRY_WARNING

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Django's save(), with the audit event in the same transaction."""
        actions = AuditEvent.Action
        action = actions.KEY_ISSUED if self._state.adding else actions.KEY_CHANGED
        with transaction.atomic():
            super().save(*args, update_fields=update_fields, **kwargs)
            AuditEvent.objects.record(
                action, self.business_id, [self.public_id], update_fields or ()
            )

    @property
    def has_no_limits(self) -> bool:
        """Whether its own limits are `off`."""
        return bool(self.rate_limits) and parse_limits(self.rate_limits) is None

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    def is_usable(self) -> bool:
        """Whether it opens the API now."""
        return (
            self.environment == settings.FINORA_ENVIRONMENT
            and not self.is_revoked
            and self.expires_at > clock.now()
        )
