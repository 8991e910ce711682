"""Model fields for personal values: sealed texts and sealed bytes; and plain ones beside them.

A model with sealed texts has `business_id` and `public_id`: every value is sealed under a key of
its business, bound to its field's place and its row's public id (see keyring). It travels between
database and instance as a `SealedToken` and is opened when it is first read, so a page that
shows no address opens none, and a value that was not read is written back untouched.

Four weaknesses of django-encrypted-model-fields, whose field classes these are, are mended here:
what cannot be opened raises instead of being shown (and sealed once more); input is never
opened, so a stolen token pasted into a form stays a token; a token moved to another row, field
or business does not open; and AES-256-GCM takes a quarter of Fernet's time.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from cryptography.fernet import InvalidToken
from django import forms
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.functions import Greatest
from encrypted_model_fields import fields as package

from finora import clock, text
from finora.sealing import keyring, many, normal_forms, registry
from finora.sealing.errors import SealError
from finora.sealing.tokens import TOKEN_PREFIX, SealedAttribute, SealedToken, text_of
from finora.sealing.validators import (
    email_shape,
    no_control_characters,
    no_control_characters_but_breaks,
)

_PACKAGE_TOKEN = re.compile(r"gAAAA[\w=-]+\Z")
_MISSING = object()

if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
else:
    _Field = object


class TrimmedCharField(models.CharField):  # type: ignore[type-arg]
    """A text stored without white space around it; a blank one as NULL where that is allowed."""

    default_validators = [no_control_characters]

    def to_python(self, value: Any) -> Any:
        return _tidy(self, super().to_python(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = _tidy(self, getattr(model_instance, self.attname))
        setattr(model_instance, self.attname, value)
        return value

    def pre_save_all(self, rows: Sequence[models.Model]) -> list[Any]:
        """pre_save() of many rows."""
        name = self.attname
        values = [_tidy(self, row.__dict__[name]) for row in rows]
        for row, value in zip(rows, values, strict=True):
            row.__dict__[name] = value
        return values


class ChangedAtField(models.DateTimeField):  # type: ignore[type-arg]
    """When a row last changed. It never goes back when the clock does: the later time stands.

    After a save the instance reads it anew when it is asked for, as the table knows which one won.
    """

    def not_before(self, moment: datetime) -> Greatest:
        """What an UPDATE sets."""
        return Greatest(self.attname, models.Value(moment, output_field=self))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if add:
            return super().pre_save(model_instance, add)
        model_instance.__dict__.pop(self.attname, None)
        return self.not_before(clock.now())

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        # To a migration it is a time like any other.
        name, _, args, kwargs = super().deconstruct()
        return str(name), "django.db.models.DateTimeField", args, kwargs


def _tidy(field: models.Field[Any, Any], value: Any) -> Any:
    if not isinstance(value, str):
        return value
    value = text.trim(value)
    return None if value == "" and field.null else value


class Sealed(_Field):
    """What sealed texts and blobs share.

    `place` is a name for good, and no other field's: what was sealed for it opens for no other.
    Raises SealError when a value cannot be opened.
    """

    descriptor_class = SealedAttribute
    batch = 200  # rows that are sealed anew at once
    context = "public_id"  # the column whose value a value is bound to

    def __init__(self, *args: Any, place: str, **kwargs: Any) -> None:
        self.place = place
        self._place = f"{place}:"
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"place": self.place}

    def contribute_to_class(self, cls: type[models.Model], name: str, *args: Any) -> None:
        super().contribute_to_class(cls, name, *args)
        registry.sealed.add(self)

    # Values: never opened on the way in.

    def tidy(self, value: Any) -> Any:
        """The value as it is stored, before sealing."""
        return value

    def from_db_value(self, value: Any, *_: Any) -> SealedToken | None:
        return None if value is None else SealedToken(value)

    def get_prep_value(self, value: Any) -> Any:
        return value

    def pre_save(self, model_instance: models.Model, add: bool) -> SealedToken | None:
        value = model_instance.__dict__.get(self.attname, _MISSING)
        if value is _MISSING:
            value = getattr(model_instance, self.attname)
        if isinstance(value, SealedToken):
            if add:
                # A copy of another row's instance: its token must be opened there, not moved.
                self.open(value, model_instance)
            return self._of_ours(value, model_instance)
        value = self.tidy(value)
        setattr(model_instance, self.attname, value)
        return None if value is None else self.seal(value, model_instance)

    def _of_ours(self, token: SealedToken, instance: Any) -> SealedToken:
        return token

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if isinstance(value, SealedToken):
            return value.stored
        if value is None:
            return None
        raise TypeError(
            f"{self.place} is sealed for its row: set it on an instance and save() that;"
            " update() and bulk_update() cannot write it."
        )

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return self.get_db_prep_save(value, connection)

    # Sealing and opening.

    def seal(self, value: Any, instance: Any) -> SealedToken:
        """The token of `value` for this field of `instance`."""
        raise NotImplementedError

    def open(self, token: SealedToken, instance: Any) -> Any:
        """The value of this field of `instance`. Raises SealError; never shows a token."""
        return self.open_for(token, instance.business_id, getattr(instance, self.context))

    def open_for(self, token: SealedToken, business_id: int, context: Any) -> Any:
        """The same for a row that was read as bare columns. Raises SealError."""
        raise NotImplementedError

    def key_id(self, token: SealedToken) -> bytes | None:
        """Which key sealed the token; None for one of the package's, or a damaged one."""
        raise NotImplementedError

    def resealed(self, token: SealedToken | None, instance: Any) -> SealedToken | None:
        """The same value under the sealing key; None where it is so already. Raises SealError."""
        if token is None or self.key_id(token) == keyring.sealing_key_id():
            return None
        return self.seal(self.open(token, instance), instance)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(
                f"{self.place} is sealed: '{lookup_name}' would find nothing."
                " Look it up by its blind index."
            )
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        return self.get_lookup(lookup_name)


class SealedMixin(Sealed, package.EncryptedMixin):
    """A sealed text. One that is not null says what stands in it when its row is erased: `erased`,
    with braces for the row's public id.
    """

    default_validators: list[Callable[[str], None]] = [no_control_characters]

    def __init__(self, *args: Any, erased: str | None = None, **kwargs: Any) -> None:
        self.erased = erased
        super().__init__(*args, **kwargs)

    def tidy(self, value: Any) -> Any:
        return _tidy(cast("models.Field[Any, Any]", self), value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, SealedToken):
            return value
        # Past the package's to_python, which decrypts whatever it is given.
        return self.tidy(super(package.EncryptedMixin, self).to_python(value))

    def _of_ours(self, token: SealedToken, instance: Any) -> SealedToken:
        """The same token, or a new one for one of the package's while those are accepted."""
        if token.stored.startswith(TOKEN_PREFIX) or not settings.ACCEPT_PACKAGE_TOKENS:
            return token
        try:
            return self.seal(self.open(token, instance), instance)
        except SealError:
            return token

    def seal(self, value: str, instance: Any) -> SealedToken:
        sealed = keyring.seal(
            value.encode(),
            purpose="field",
            business_id=instance.business_id,
            context=(self._place + instance.public_id).encode(),
        )
        return SealedToken(text_of(sealed))

    def pre_save_all(self, rows: Sequence[Any]) -> list[Any]:
        """pre_save() of many new rows; but what is stored of each, where that can be."""
        name = self.attname
        values = [row.__dict__.get(name, _MISSING) for row in rows]
        if not many.are_new(values, rows):
            return [self.pre_save(row, True) for row in rows]
        values = list(map(self.tidy, values))
        for row, value in zip(rows, values, strict=True):
            row.__dict__[name] = value
        return many.sealed(values, self._place, rows)

    def open_all(
        self, stored: Sequence[str | None], business_ids: Sequence[int], contexts: Sequence[str]
    ) -> list[str | SealedToken | None]:
        """What is stored of many rows, opened; what can't be raises when it is read."""
        return many.opened(stored, self._place, business_ids, contexts)

    def open_for(self, token: SealedToken, business_id: int, context: str) -> str:
        text = token.stored
        if text.startswith(TOKEN_PREFIX):
            try:
                sealed = binascii.a2b_base64(text[len(TOKEN_PREFIX) :])
            except ValueError:
                raise SealError("not base64") from None
            return keyring.unseal(
                sealed,
                purpose="field",
                business_id=business_id,
                context=(self._place + context).encode(),
            ).decode()
        if settings.ACCEPT_PACKAGE_TOKENS and _PACKAGE_TOKEN.match(text):
            try:
                return cast(str, package.decrypt_str(text))
            except InvalidToken:
                raise SealError("not a token of the package's keys") from None
        raise SealError("not a sealed token")

    def key_id(self, token: SealedToken) -> bytes | None:
        text = token.stored
        if not text.startswith(TOKEN_PREFIX):
            return None
        try:
            # Eight letters are six bytes: version, key id, and one of the nonce.
            head = binascii.a2b_base64(text[len(TOKEN_PREFIX) : len(TOKEN_PREFIX) + 8])
        except ValueError:
            return None
        return keyring.key_id_of(head)

    # dumpdata writes the token, so a dump is no plainer than the table.

    def value_to_string(self, obj: models.Model) -> Any:
        value = obj.__dict__.get(self.attname)
        if isinstance(value, str):
            value = self.seal(value, obj)
        return None if value is None else value.stored


class SealedBytesField(Sealed, models.BinaryField):  # type: ignore[type-arg]
    """Sealed bytes of a row that may have no public id: bound to its column named `context`,
    whose value is known before the row is written and stays.

    `rebuilt_by` is the command that makes those anew that cannot be opened, if one can.
    """

    batch = 1  # they may be large
    erased = b""

    def __init__(self, *args: Any, context: str, rebuilt_by: str = "", **kwargs: Any) -> None:
        self.context, self.rebuilt_by = context, rebuilt_by
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"context": self.context}

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, SealedToken) else super().to_python(value)

    def seal(self, value: bytes, instance: Any) -> SealedToken:
        return SealedToken(
            keyring.seal(
                value,
                purpose="blob",
                business_id=instance.business_id,
                context=self._bound(getattr(instance, self.context)),
            )
        )

    def open_for(self, token: SealedToken, business_id: int, context: Any) -> bytes:
        return keyring.unseal(
            token.stored, purpose="blob", business_id=business_id, context=self._bound(context)
        )

    def open_pieces(
        self, pieces: Iterable[bytes], size: int, business_id: int, context: Any
    ) -> bytes:
        """open_for() of a blob of `size` sealed bytes that is read a piece at a time."""
        return keyring.unseal_pieces(
            pieces, size, purpose="blob", business_id=business_id, context=self._bound(context)
        )

    def _bound(self, value: Any) -> bytes:
        if value is None:
            raise TypeError(f"{self.place} is bound to {self.context}, which is not known yet.")
        if isinstance(value, UUID):
            value = value.bytes
        return self._place.encode() + (value.encode() if isinstance(value, str) else bytes(value))

    def key_id(self, token: SealedToken) -> bytes:
        return keyring.key_id_of(token.stored)

    def value_to_string(self, obj: models.Model) -> str:
        value = obj.__dict__.get(self.attname)
        if value is not None and not isinstance(value, SealedToken):
            value = self.seal(value, obj)
        return "" if value is None else b64encode(value.stored).decode("ascii")


class SealedCharField(SealedMixin, package.EncryptedCharField):
    """A sealed text of one line."""


class SealedTextField(SealedMixin, package.EncryptedCharField):
    """A sealed text that may hold line breaks, of limited length."""

    default_validators = [no_control_characters_but_breaks]


class EmailFormField(forms.EmailField):
    """Django's box for an email, with our rule."""

    default_validators = [email_shape]


class SealedEmailField(SealedMixin, package.EncryptedEmailField):
    """A sealed email address, stored trimmed and in lower case."""

    default_validators = [email_shape, no_control_characters]

    def tidy(self, value: Any) -> Any:
        value = super().tidy(value)
        # Without an @ it is no address: loaddata brings tokens, whose letters' case counts.
        return normal_forms.email(value) if isinstance(value, str) and "@" in value else value

    def formfield(self, **kwargs: Any) -> Any:  # type: ignore[override]
        return super().formfield(**{"form_class": EmailFormField, **kwargs})
