"""Model fields for personal values: sealed texts, their blind indexes, and the sort key.

A model with sealed fields has `business_id` and `public_id`: every value is sealed under a key of
its business, bound to its field and its row's public id (see keyring). It travels between
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
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from cryptography.fernet import InvalidToken
from django import forms
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.functions import Greatest
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import post_save, pre_save
from encrypted_model_fields import fields as package

from finora import clock, text
from finora.sealing import blind_index, keyring, normal_forms
from finora.sealing.errors import SealError
from finora.sealing.validators import (
    email_shape,
    no_control_characters,
    no_control_characters_but_breaks,
)

TOKEN_PREFIX = "s1."  # noqa: S105 - a format mark, not a secret
_PACKAGE_TOKEN = re.compile(r"gAAAA[\w=-]+\Z")
_MISSING = object()


class SealedToken:
    """A sealed value as the database holds it, not opened yet."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return "<SealedToken>"


class TrimmedCharField(models.CharField):  # type: ignore[type-arg]
    """A text stored without white space around it; a blank one as NULL where that is allowed."""

    default_validators = [no_control_characters]

    def to_python(self, value: Any) -> Any:
        return _tidy(self, super().to_python(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = _tidy(self, getattr(model_instance, self.attname))
        setattr(model_instance, self.attname, value)
        return value


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


class SealedAttribute(DeferredAttribute):
    """Opens a field's token at the first read and keeps the value on the instance."""

    field: SealedMixin

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        data = instance.__dict__
        name = self.field.attname
        value = data.get(name, _MISSING)
        if value is _MISSING:
            super().__get__(instance, cls)  # a deferred field: fetches it
            value = data[name]
        if type(value) is SealedToken:
            try:
                value = data[name] = self.field.open_for(
                    value, instance.business_id, instance.public_id
                )
            except SealError as error:
                error.row = instance.public_id
                raise
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedMixin(package.EncryptedMixin):
    """What the sealed field classes share. Raises SealError when a value cannot be opened."""

    descriptor_class = SealedAttribute
    default_validators: list[Callable[[str], None]] = [no_control_characters]
    attname: str
    null: bool

    def contribute_to_class(self, cls: type[models.Model], name: str, **kwargs: Any) -> None:
        super().contribute_to_class(cls, name, **kwargs)
        self._place = f"{cls._meta.label_lower}.{name}:"
        if not cls._meta.abstract:
            pre_save.connect(_take_back_dumped_tokens, sender=cls, dispatch_uid="sealed tokens")
            post_save.connect(_have_taken_back, sender=cls, dispatch_uid="sealed tokens")

    # Values: never opened on the way in.

    def tidy(self, value: Any) -> Any:
        """The value as it is stored, before sealing."""
        return _tidy(cast("models.Field[Any, Any]", self), value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, SealedToken):
            return value
        # Past the package's to_python, which decrypts whatever it is given.
        return self.tidy(super(package.EncryptedMixin, self).to_python(value))

    def from_db_value(self, value: str | None, *_: Any) -> SealedToken | None:
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
        """The same token, or a new one for one of the package's while those are accepted."""
        if token.text.startswith(TOKEN_PREFIX) or not settings.ACCEPT_PACKAGE_TOKENS:
            return token
        try:
            return self.seal(self.open(token, instance), instance)
        except SealError:
            return token

    def get_db_prep_save(self, value: Any, connection: Any) -> str | None:
        if isinstance(value, SealedToken):
            return value.text
        if value is None:
            return None
        raise TypeError(
            f"{self._place[:-1]} is sealed for its row: set it on an instance and save() that;"
            " update() and bulk_update() cannot write it."
        )

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return self.get_db_prep_save(value, connection)

    # Sealing and opening.

    def seal(self, value: str, instance: Any) -> SealedToken:
        """The token of `value` for this field of `instance`."""
        sealed = keyring.seal(
            value.encode(),
            purpose="field",
            business_id=instance.business_id,
            context=(self._place + instance.public_id).encode(),
        )
        return SealedToken(TOKEN_PREFIX + binascii.b2a_base64(sealed, newline=False).decode())

    def open(self, token: SealedToken, instance: Any) -> str:
        """The value of this field of `instance`. Raises SealError; never shows a token."""
        return self.open_for(token, instance.business_id, instance.public_id)

    def open_for(self, token: SealedToken, business_id: int, public_id: str) -> str:
        """The same for a row that was read as bare columns. Raises SealError."""
        text = token.text
        if text.startswith(TOKEN_PREFIX):
            try:
                sealed = binascii.a2b_base64(text[len(TOKEN_PREFIX) :])
            except ValueError:
                raise SealError("not base64") from None
            return keyring.unseal(
                sealed,
                purpose="field",
                business_id=business_id,
                context=(self._place + public_id).encode(),
            ).decode()
        if settings.ACCEPT_PACKAGE_TOKENS and _PACKAGE_TOKEN.match(text):
            try:
                return cast(str, package.decrypt_str(text))
            except InvalidToken:
                raise SealError("not a token of the package's keys") from None
        raise SealError("not a sealed token")

    def key_id(self, token: SealedToken) -> bytes | None:
        """Which key sealed the token; None for one of the package's, or a damaged one."""
        text = token.text
        if not text.startswith(TOKEN_PREFIX):
            return None
        try:
            # Eight letters are six bytes: version, key id, and one of the nonce.
            head = binascii.a2b_base64(text[len(TOKEN_PREFIX) : len(TOKEN_PREFIX) + 8])
        except ValueError:
            return None
        return keyring.key_id_of(head)

    def resealed(self, token: SealedToken | None, instance: Any) -> SealedToken | None:
        """The same value under the sealing key; None where it is so already. Raises SealError."""
        if token is None or self.key_id(token) == keyring.sealing_key_id():
            return None
        return self.seal(self.open(token, instance), instance)

    # dumpdata writes the token, so a dump is no plainer than the table; loaddata takes it back.

    def value_to_string(self, obj: models.Model) -> str | None:
        value = obj.__dict__.get(self.attname)
        if isinstance(value, str):
            value = self.seal(value, obj)
        return None if value is None else value.text

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(
                f"{self._place[:-1]} is sealed: '{lookup_name}' would find nothing."
                " Look it up by its blind index."
            )
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        return self.get_lookup(lookup_name)


class _DumpedToken(SealedToken):
    """A token on its way from a dump into the table: loaddata reads it, and it stays shut."""

    __slots__ = ()


def _take_back_dumped_tokens(
    sender: type[models.Model], instance: models.Model, raw: bool, **_: Any
) -> None:
    """For loaddata: what a dump holds is a token; it is checked in its place, not sealed again.

    Its blind index is computed here: the dump's may be of another key or an older normal form.
    """
    if not raw:
        return
    for field in sender._meta.concrete_fields:
        value = instance.__dict__.get(field.attname)
        if isinstance(field, SealedMixin) and isinstance(value, str):
            token = _DumpedToken(value)
            source = field.open(token, instance)
            setattr(instance, field.attname, token)
            for derived in derived_from(sender, field.name):
                setattr(instance, derived.attname, derived.derive(source, instance))


def _have_taken_back(
    sender: type[models.Model], instance: models.Model, raw: bool, **_: Any
) -> None:
    """Such an instance is then like any other that was loaded."""
    if not raw:
        return
    for field in sender._meta.concrete_fields:
        value = instance.__dict__.get(field.attname)
        if isinstance(value, _DumpedToken):
            setattr(instance, field.attname, SealedToken(value.text))


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

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": EmailFormField, **kwargs})


class DerivedAttribute(DeferredAttribute):
    """A column that follows another field: read, validated and saved, it is always its true form.

    While a source that was loaded with it is still sealed, it has not changed, and the stored form
    stands. A stored form that was not loaded may be of a later source: so that one is opened.
    """

    field: BlindIndexField | SortKeyField

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        source = instance.__dict__.get(self.field.of, _MISSING)
        if type(source) is SealedToken and self.field.attname not in instance.__dict__:
            source = getattr(instance, self.field.of)
        if source is None or isinstance(source, str):
            return None if source is None else self.field.derive(source, instance)
        return super().__get__(instance, cls)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class DerivedField(models.BinaryField):  # type: ignore[type-arg]
    """A binary column computed from the field named `of`; never edited, never shown."""

    descriptor_class = DerivedAttribute

    def __init__(self, *args: Any, of: str, **kwargs: Any) -> None:
        self.of = of
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        kwargs["of"] = self.of
        return str(name), path, args, kwargs

    def derive(self, source: str, instance: Any) -> bytes | None:
        """The column's value for a source text."""
        raise TypeError(f"{type(self).__name__} says how it is derived")


def derived_from(model: type[models.Model], source: str) -> list[DerivedField]:
    """The columns of `model` that follow its field named `source`."""
    fields = model._meta.concrete_fields
    return [f for f in fields if isinstance(f, DerivedField) and f.of == source]


class BlindIndexField(DerivedField):
    """The blind index (see blind_index) of a sealed field: for exact match and uniqueness."""

    def derive(self, source: str, instance: Any) -> bytes | None:
        return blind_index.digest(self.of, instance.business_id, source)


class SortKeyField(DerivedField):
    """The folded form of a name as bytes: the order of lists, on every database alike."""

    def derive(self, source: str, instance: Any) -> bytes:
        return text.name_key(source)
