"""The keys of both references: those of the product's demo, which lie in its data directory."""

import json
import os
from pathlib import Path

_keys = json.loads(Path(os.environ["FINORA_DATA_DIR"], "demo-keys.json").read_text())
SECRET_KEY: str = _keys["SECRET_KEY"]
FIELD_ENCRYPTION_KEY: str = _keys["FIELD_ENCRYPTION_KEY"]
HASH_KEY: bytes = _keys["BLIND_INDEX_KEY"].encode()
