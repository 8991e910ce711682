from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import models

from finora import clock
from finora.sealing import blind_index, keyring, registry
from finora.sealing.derived import BlindIndexField
from finora.sealing.errors import SealError

# Of a database from before there were canaries so many rows are tried.
SAMPLE = 20


class WrongKeys(ImproperlyConfigured):
    """The configured keys are not those of this database. Names settings and key ids, no key."""


class KeyCanaryQuerySet(models.QuerySet["KeyCanary"]):
    def trouble(self) -> list[str]:
        """What the configured keys lack for this database: one sentence for each, with key ids.

        Raises ImproperlyConfigured where a setting holds no key, or a malformed one.
        """
        return _trouble(list(self.order_by("setting", "number")))

    def plant(self) -> None:
        """Gives each key that writes from now on its canary; where a setting has none yet, all
        its keys, as rows may have been written with them. To be called before anything is written:
        at the end of a migration, and by a server before its first request.

        Raises WrongKeys, having planted nothing, where the database is in use with a key that is
        not configured: also when another process, with another key, was faster.
        """
        planted = list(self.all())
        settings = {canary.setting for canary in planted}
        wanted = [
            canary
            for setting in KeyCanary.Setting
            for canary in KeyCanary.of_configured(setting)[: 1 if setting in settings else None]
        ]
        while not (trouble := _trouble(planted)):
            there = {(canary.setting, canary.key_id) for canary in planted}
            missing = [new for new in wanted if (new.setting, new.key_id) not in there]
            if not missing:
                return
            new = missing[0]
            # From what was looked at: whoever planted since then has taken this number.
            numbers = [canary.number for canary in planted if canary.setting == new.setting]
            new.number = 1 + max(numbers, default=0)
            self.bulk_create([new], ignore_conflicts=True)
            planted = list(self.all())
        raise WrongKeys(" ".join(trouble))

    def touch(self) -> list[str]:
        """Writes, and commits, a little to the canaries of the keys that write here now.

        Answers a sentence for each that is not there any more. Raises what the database raises
        when it takes no writes.
        """
        said = []
        for setting in KeyCanary.Setting:
            first = KeyCanary.of_configured(setting)[0]
            own = self.filter(setting=setting, key_id=first.key_id)
            if not own.update(checked_at=clock.now()):
                said.append(f"The {first} writes here, but was taken out of use.")
        return said

    def ids_of(self, setting: str) -> set[str]:
        """The ids of the keys of a setting that the database is in use with."""
        return set(self.filter(setting=setting).values_list("key_id", flat=True))

    def retire(self, setting: str, key_ids: list[str]) -> None:
        """Takes out the canaries of keys with which nothing is written any more."""
        self.filter(setting=setting, key_id__in=key_ids).delete()


class KeyCanary(models.Model):
    """What a key that this database was written with makes of a known text.

    A process with other keys sees it at its start, before it reads or writes a wrong value.
    """

    class Setting(models.TextChoices):
        ENCRYPTION = "FIELD_ENCRYPTION_KEY"
        BLIND_INDEX = "BLIND_INDEX_KEY"

    setting = models.CharField(max_length=32, choices=Setting)
    key_id = models.CharField(max_length=8)
    # The first key of a setting is 1, the one it was changed to 2, and so on.
    number = models.PositiveIntegerField()
    proof = models.BinaryField()
    # A server that asks itself whether writing works writes this.
    checked_at = models.DateTimeField(default=clock.now)

    objects = KeyCanaryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "key canaries"
        default_permissions = ()
        constraints = [
            # Two processes that start with the same new key plant one canary.
            models.UniqueConstraint(fields=["setting", "key_id"], name="key_canary_unique"),
            # Of two that start with different new keys only one does: the other then sees the
            # canary of a key that it lacks.
            models.UniqueConstraint(fields=["setting", "number"], name="key_canary_one_each"),
        ]

    def __str__(self) -> str:
        return f"{self.setting} {self.key_id}"

    @classmethod
    def of_configured(cls, setting: str) -> list[KeyCanary]:
        """New canaries of the keys that are configured, the one that writes first."""
        if setting == cls.Setting.ENCRYPTION:
            ids = list(keyring.keys())
            proofs = [keyring.sealed_canary(key_id) for key_id in ids]
        else:
            proofs, ids = blind_index.canaries(), blind_index.key_ids()
        return [
            cls(setting=setting, key_id=key_id.hex(), proof=proof)
            for key_id, proof in zip(ids, proofs, strict=True)
        ]

    def is_met(self) -> bool:
        """Whether a configured key made the proof."""
        proof = bytes(self.proof)
        if self.setting == self.Setting.ENCRYPTION:
            return keyring.opens_canary(proof)
        return proof in blind_index.canaries()


def _trouble(canaries: list[KeyCanary]) -> list[str]:
    planted = {canary.setting for canary in canaries}
    return [
        f"The database is in use with the {canary}, which is not configured."
        for canary in canaries
        if not canary.is_met()
    ] + [
        f"The {setting} is not the one that the database was written with."
        for setting in KeyCanary.Setting
        if setting not in planted and not _meets_rows(setting)
    ]


def _meets_rows(setting: str) -> bool:
    """Whether the keys open, or hash as stored, any of the latest rows; if there are any."""
    met = [
        _meets(setting, row, field)
        for field in registry.blind_indexes
        for row in field.model._base_manager.filter(**{f"{field.name}__isnull": False})
        .only("business_id", "public_id", field.of, field.name)
        .order_by("-pk")[:SAMPLE]
    ]
    return any(met) or not met


def _meets(setting: str, row: Any, field: BlindIndexField) -> bool:
    stored = bytes(row.__dict__[field.attname])
    try:
        hashes = field.digests(row.business_id, getattr(row, field.of))
    except SealError:
        # Nothing to hash: that is trouble of the other setting.
        return setting == KeyCanary.Setting.BLIND_INDEX
    return setting == KeyCanary.Setting.ENCRYPTION or stored in hashes
