"""Environment → settings, in this one file. Names and meanings: docs/configuration.md.

A variable that is set wrongly stops the start with its name; every secret can be given as
NAME_FILE, the path of a file that holds it. What only makes sense together (keys that are
missing, weak or reused, a deployment that is not safe) is a system check: finora/checks.py.
"""

import logging
import os
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography.fernet import Fernet
from environs import EnvError, FileAwareEnv, validate

from finora.demo_keys import demo_keys
from finora.orm.sqlite import PrivateConnection

BASE_DIR = Path(__file__).resolve().parent.parent

env = FileAwareEnv(strip_whitespace=True)
_env_file = os.environ.get("ENV_FILE", BASE_DIR / ".env")
if not env.read_env(_env_file, recurse=False) and "ENV_FILE" in os.environ:
    # Without it this would be a test environment, with keys made up.
    raise EnvError(f"ENV_FILE: there is no file {_env_file}.")


def is_time_zone(name: str) -> None:
    """Refuses what is no zone of the tz database. Raises EnvError."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; no relative path; a folder
        raise EnvError("STAFF_TIME_ZONE is not a time zone, such as Africa/Lagos.") from None


FINORA_ENVIRONMENT: str = env.str(
    "FINORA_ENVIRONMENT", "test", validate=validate.OneOf(["test", "live"])
)
FINORA_DATA_DIR = Path(env.str("FINORA_DATA_DIR", str(BASE_DIR / "var"))).resolve()
DEBUG: bool = env.bool("DEBUG", False)

# --- keys -----------------------------------------------------------------------------------

SECRET_KEY: str = env.str("SECRET_KEY", "")
# Named FIELD_… in the environment, as the package has it. The first one seals.
ENCRYPTION_KEYS: list[str] = env.list("FIELD_ENCRYPTION_KEY", [])
# The first one is written; the others are still looked up while a rotation runs.
BLIND_INDEX_KEYS: list[str] = env.list("BLIND_INDEX_KEY", [])

DEMO_KEYS: dict[str, str] = {}
if FINORA_ENVIRONMENT == "test" and not (SECRET_KEY or ENCRYPTION_KEYS or BLIND_INDEX_KEYS):
    DEMO_KEYS = demo_keys(FINORA_DATA_DIR)
    SECRET_KEY = DEMO_KEYS["SECRET_KEY"]
    ENCRYPTION_KEYS = [DEMO_KEYS["FIELD_ENCRYPTION_KEY"]]
    BLIND_INDEX_KEYS = [DEMO_KEYS["BLIND_INDEX_KEY"]]

# django-encrypted-model-fields builds its cipher when it is imported, before any check can
# speak. Keys it cannot use are kept from it, so that the check can name them; nothing is ever
# sealed with this stand-in: the keyring reads ENCRYPTION_KEYS and refuses.
FIELD_ENCRYPTION_KEY: list[str] = []
for _key in ENCRYPTION_KEYS:
    try:
        Fernet(_key)
    except ValueError:
        continue
    FIELD_ENCRYPTION_KEY.append(_key)
FIELD_ENCRYPTION_KEY = FIELD_ENCRYPTION_KEY or [Fernet.generate_key().decode()]

# Open the Fernet tokens that django-encrypted-model-fields itself wrote: for moving an existing
# table here, and for no longer, as such a token is not tied to its row.
ACCEPT_PACKAGE_TOKENS: bool = env.bool("ACCEPT_PACKAGE_TOKENS", False)

# --- the site -------------------------------------------------------------------------------

ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "finora.staff.admin_app.DirectoryConfig",  # django.contrib.admin, with the front page of ours
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "finora.staff.admin_app.LoginsConfig",  # axes
    "encrypted_model_fields",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_tasks",
    "django_tasks_db",
    "finora",
    "finora.sealing",
    "finora.tenants",
    "finora.audit",
    "finora.tasks",
    "finora.api",
    "finora.staff",
    "sales",  # ahead of customers, whose seed_customers its own extends
    "customers",
    "customers.transfer",
]

# Sessions, messages, CSRF and framing rules serve the pages; the API answers without them.
MIDDLEWARE = [
    "finora.http.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "finora.http.middleware.PagesStaticMiddleware",
    "finora.http.middleware.PagesSessionMiddleware",
    "finora.http.middleware.PagesCommonMiddleware",
    "finora.http.middleware.PagesCsrfMiddleware",
    "finora.http.middleware.PagesAuthenticationMiddleware",
    "finora.http.middleware.PagesBodyMiddleware",
    "finora.http.middleware.PagesActorMiddleware",
    "finora.http.middleware.PagesTimeZoneMiddleware",
    "finora.http.middleware.PagesMessageMiddleware",
    "finora.http.middleware.PagesFrameMiddleware",
    "finora.http.middleware.PagesPolicyMiddleware",
    "finora.http.middleware.PagesLoginMiddleware",
]

ROOT_URLCONF = "finora.urls"
WSGI_APPLICATION = "finora.wsgi.application"
# Both spellings of a path are routed; a redirect would cost an integration its POST body.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- server (manage.py serve) ---------------------------------------------------------------

HOST: str = env.str("HOST", "127.0.0.1")
PORT: int = env.int("PORT", 8000, validate=validate.Range(min=1, max=65535))
# Asked for by /metrics, which is there where this is set.
METRICS_TOKEN: str = env.str("METRICS_TOKEN", "")
WORKERS: int = env.int("WORKERS", 1, validate=validate.Range(min=1, max=256))
# Processes for long work beside these: 0 where `manage.py work` runs elsewhere.
TASK_WORKERS: int = env.int("TASK_WORKERS", 1, validate=validate.Range(min=0, max=16))
TASKS = {"default": {"BACKEND": "finora.tasks.backend.Backend"}}

# --- database -------------------------------------------------------------------------------

# The database is reached through PgBouncer or the like, which lends a session for one transaction:
# nothing may be left in it for the next statement. finora/orm/statements.py prepares nothing then.
DATABASE_BOUNCER: bool = env.bool("DATABASE_BOUNCER", False)
DATABASES = {
    "default": env.dj_db_url("DATABASE_URL", f"sqlite:///{FINORA_DATA_DIR / 'finora.sqlite3'}")
}
_database = DATABASES["default"]
_options = _database.setdefault("OPTIONS", {})
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # Readers beside one writer; a writer takes its lock at BEGIN and waits its turn, or two
    # that read first and write later would meet "database is locked".
    _options.setdefault("transaction_mode", "IMMEDIATE")
    _options.setdefault("factory", PrivateConnection)
    _options.setdefault("timeout", 5)  # seconds, then 503
    # The file is mapped as far as SQLite maps any: reading a million customers' search segments
    # takes a fifth of the time.
    _options.setdefault(
        "init_command",
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
        " PRAGMA mmap_size=2147418112; PRAGMA temp_store=MEMORY",
    )
    _database["CONN_MAX_AGE"] = None
    # Tests with threads need a file: an in-memory database is one connection's own.
    _database["TEST"] = {"NAME": FINORA_DATA_DIR / "test.sqlite3"}
elif _database["ENGINE"] == "django.db.backends.postgresql":
    # Parameters travel apart from the statement. It is planned for the business at hand: a plan
    # for the average one reads all of the largest one's index. finora/orm/prepared.py says which
    # plans are kept.
    _options.setdefault("server_side_binding", True)
    _options.setdefault("prepare_threshold", None)
    _options.setdefault("connect_timeout", 3)
    # A connection of its own for each request would cost more than the request.
    _database["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 600)  # seconds
    _database["CONN_HEALTH_CHECKS"] = True
    _database["DISABLE_SERVER_SIDE_CURSORS"] = DATABASE_BOUNCER
DEFAULT_AUTO_FIELD = "finora.orm.keys.SequenceField"

# --- API ------------------------------------------------------------------------------------

RATE_LIMITS: str = env.str("RATE_LIMITS", "60/minute,1000/hour,10000/day,10 concurrent")
# Calls without a valid key, for each address.
STRANGER_LIMITS: str = env.str("STRANGER_LIMITS", "60/minute")
LOGIN_LIMITS: str = env.str("LOGIN_LIMITS", "20/minute,200/hour")
REDIS_URL: str = env.str("REDIS_URL", "")
# What a process keeps of opened search segments: about 90 bytes a customer searched.
SEARCH_CACHE_BYTES: int = env.int(
    "SEARCH_CACHE_BYTES", 256 * 1024 * 1024, validate=validate.Range(min=0)
)
API_KEY_DAYS: int = env.int("API_KEY_DAYS", 90, validate=validate.Range(min=1, max=3650))

# A body arrives whole within these bounds, or Django's thread does not hear of it: finora/http.
BODY_SECONDS = 10
MAX_BODY_BYTES = 64 * 1024  # of the API
# But of these addresses, for whoever has a key; so many at once in a process.
LARGE_BODIES = {"/v1/customers/import": 10 * 1024 * 1024}
LARGE_BODIES_AT_ONCE = 4
MAX_STRANGER_BODY_BYTES = 8 * 1024  # of a page, from whoever is not logged in: the login form
MAX_PAGE_BODY_BYTES = 256 * 1024
MAX_IMPORT_BYTES = 500 * 1024 * 1024  # of a file that staff send in pieces
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = MAX_PAGE_BODY_BYTES
FILE_UPLOAD_HANDLERS = ["finora.http.uploads.StaffUploadHandler"]

REST_FRAMEWORK: dict[str, object] = {
    "EXCEPTION_HANDLER": "finora.api.envelope.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "finora.api.schema.EnvelopeSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}

# --- pages ----------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = FINORA_DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = False

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Counts failed logins by user name and address, in the database; a success clears them. While one
# is locked, further attempts are refused unread and do not lengthen it.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "finora.request.client_address"
AXES_LOCKOUT_TEMPLATE = "admin/locked.html"
AXES_VERBOSE = False
# It stores what a failed attempt posted, never under these names.
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "password1", "password2"]
AXES_ENABLE_ADMIN = False  # its lists are registered closed, as all are: finora/staff/accounts.py
SILENCED_SYSTEM_CHECKS = [
    # They look for a middleware by name; ours are those, for the pages only: finora.E015 sees them.
    *("axes.W002", "security.W002", "security.W003"),
    # A host that is not meant to bind all of its domain is no mistake: see HSTS.
    *("security.W005", "security.W021"),
]

# Staff are logged out when they did nothing for so long.
ADMIN_IDLE_MINUTES: int = env.int(
    "ADMIN_IDLE_MINUTES", 30, validate=validate.Range(min=1, max=24 * 60)
)
SESSION_COOKIE_AGE = ADMIN_IDLE_MINUTES * 60
# And so long after they logged in, whatever they do.
ADMIN_SESSION_AGE = timedelta(
    hours=env.int("ADMIN_SESSION_HOURS", 12, validate=validate.Range(min=1, max=7 * 24))
)
# The password is asked for again before values are shown or taken out, when it was last given
# longer ago than this.
ADMIN_REAUTHENTICATION_AGE = timedelta(
    minutes=env.int("ADMIN_REAUTHENTICATION_MINUTES", 15, validate=validate.Range(1, 24 * 60))
)
SESSION_ENGINE = "finora.staff.sessions"
# The row says when a session ends. The browser keeps its name until it is closed, so that the login
# can say why there is no session any more.
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_FAILURE_VIEW = "finora.staff.refused.csrf_failure"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = ["finora.staff.formats"]
TIME_ZONE = "UTC"  # of what is stored and what the API answers
# Of what the staff's pages show.
STAFF_TIME_ZONE: str = env.str("STAFF_TIME_ZONE", "Africa/Lagos", validate=is_time_zone)
USE_TZ = True
USE_I18N = True

# --- safety ---------------------------------------------------------------------------------

# Behind TLS in production; `make run` on a laptop speaks plain HTTP.
HTTPS_ONLY: bool = env.bool("HTTPS_ONLY", FINORA_ENVIRONMENT == "live")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
# Browsers hold to it for a year and to a preload list for longer, and other hosts of the domain
# may be without TLS: so the wider scopes are chosen. The list takes no host without its subdomains.
HSTS: str = env.str("HSTS", "host", validate=validate.OneOf(["host", "subdomains", "preload"]))
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY and HSTS in ("subdomains", "preload")
SECURE_HSTS_PRELOAD = HTTPS_ONLY and HSTS == "preload"
# Probes and scrapes come from inside, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
BEHIND_PROXY: bool = env.bool("BEHIND_PROXY", False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "finora.http.logging.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "finora": {"level": env.log_level("LOG_LEVEL", logging.INFO)},
        # Its handlers would mail or print what a request held.
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        # The access line already says it, with the request id.
        "django.request": {"level": "CRITICAL"},
        # finora.tasks says it, without the exception's message.
        "django_tasks": {"level": "CRITICAL"},
        "django.server": {"level": "CRITICAL"},
    },
}

# The API pages write styles into the document (Swagger UI, ReDoc) and ReDoc searches in a worker;
# scripts come from here alone.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "worker-src": ["'self'", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Finora customers API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "CONTACT": {"name": "Finora support"},
    "LICENSE": {"name": "Proprietary", "identifier": "LicenseRef-Proprietary"},
    "SERVERS": [{"url": "/"}],  # as served, it names the address: finora/api/docs.py
    "PREPROCESSING_HOOKS": ["finora.api.schema.only_endpoints"],
    "POSTPROCESSING_HOOKS": ["finora.api.schema.with_components"],
}
