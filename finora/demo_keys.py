"""Keys made up once for a test environment that was given none; never for a live one."""

import json
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet


def demo_keys(data_dir: Path) -> dict[str, str]:
    """The keys in `data_dir`/demo-keys.json (mode 0600), made at the first call.

    Processes that start together agree: the file is linked into place whole, and the first
    link wins.
    """
    path = data_dir / "demo-keys.json"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        keys = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "FIELD_ENCRYPTION_KEY": Fernet.generate_key().decode(),
            "BLIND_INDEX_KEY": secrets.token_urlsafe(32),
        }
        # mkstemp makes it 0600 before a byte is in it.
        descriptor, made = tempfile.mkstemp(dir=data_dir, prefix=".demo-keys-")
        with os.fdopen(descriptor, "w") as file:
            json.dump(keys, file, indent=1)
        try:
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(made)
    stored: dict[str, str] = json.loads(path.read_text())
    return stored


def demo_keys_made(data_dir: Path) -> set[str]:
    """The keys that were made up in `data_dir`; none are made."""
    path = data_dir / "demo-keys.json"
    return set(json.loads(path.read_text()).values()) if path.exists() else set()
