"""Django's settings, derived from `env`. Nothing here reads the environment itself."""

from pathlib import Path
from typing import Any

import environ

from ajansops.env import ROOT, ConfigurationError, load
from ajansops.logs import configure_structlog, logging_config
from ajansops.navigation import NAVIGATION

ENV = load()
BASE_DIR = ROOT
VAR_DIR = ENV.var_dir
for folder in ("outbox", "broker/queue", "broker/control", "broker/processed"):
    (VAR_DIR / folder).mkdir(parents=True, exist_ok=True)

SECRET_KEY = ENV.django_secret_key
DEBUG = ENV.django_debug
ALLOWED_HOSTS = list(ENV.allowed_hosts)
ROOT_URLCONF = "ajansops.urls"
APPEND_SLASH = False  # a redirect loses the POST
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("tr", "Türkçe"), ("hu", "Magyar")]
LOCALE_PATHS = [BASE_DIR / "ajansops" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
    "billing",
    "jobs",
    "sites",
    "content",
    "leads",
    "webhooks",
    "ajansops",  # last: its ready() sees what the others registered
]

MIDDLEWARE = [
    "ajansops.api.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "ajansops" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- database ---------------------------------------------------------------------------------------------------------


def database(url: str, var_dir: Path) -> dict[str, Any]:
    """SQLite with WAL and IMMEDIATE (no lock upgrade, so no `database is locked`), or pooled PostgreSQL."""
    if not url:
        pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728;"
        options = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": pragmas}
        # A file also under test: threads of one process cannot share an in-memory database without shared-cache locks.
        test = {"NAME": var_dir / "test.sqlite3"}
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": var_dir / "db.sqlite3",
            "OPTIONS": options,
            "TEST": test,
            "CONN_MAX_AGE": None,
        }
    settings: dict[str, Any] = environ.Env.db_url_config(url)
    if not settings.get("ENGINE"):
        raise ConfigurationError("DATABASE_URL is no database address. Use postgres://user:password@host:port/name.")
    if "postgresql" in settings["ENGINE"]:
        pool = {"min_size": 1, "max_size": 20, "timeout": 10}
        settings["OPTIONS"] = settings.get("OPTIONS", {}) | {"pool": pool}
        settings["CONN_HEALTH_CHECKS"] = True
    return settings


DATABASES = {"default": database(ENV.database_url, VAR_DIR)}

# --- cache and broker -------------------------------------------------------------------------------------------------

if ENV.redis_url:
    CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": ENV.redis_url,
            "KEY_PREFIX": "ajansops",
            "OPTIONS": {"IGNORE_EXCEPTIONS": True, "SOCKET_TIMEOUT": 1, "SOCKET_CONNECT_TIMEOUT": 1},
        }
    }
    DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

BROKER_URL = ENV.celery_broker_url or ENV.redis_url or "files://localhost"  # kombu asks for a host, and ignores it

# --- people -----------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "accounts.backends.RoleBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = ENV.public_url.partition(":")[0]
ALLAUTH_TRUSTED_PROXY_COUNT = ENV.trusted_proxies
HEADLESS_ONLY = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG
USERSESSIONS_TRACK_ACTIVITY = True
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/admin/"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# --- mail -------------------------------------------------------------------------------------------------------------

if ENV.email_url:
    _mail = environ.Env.email_url_config(ENV.email_url)
    globals().update(_mail)
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR_DIR / "outbox"

# --- security ---------------------------------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [ENV.public_url]
if not DEBUG:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.trusted_proxies else None
    SECURE_SSL_REDIRECT = ENV.public_url.startswith("https://")
    SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]  # probes come over plain http from inside
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

# --- files ------------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 2**20  # a product file; JSON bodies are bounded by the parser

# --- API --------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "ajansops.api.authentication.KeyAuthentication",
        "ajansops.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["ajansops.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "ajansops.api.errors.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "ajansops.api.schema.SurfaceSchema",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS is 405 like any method that is not there
    "UNAUTHENTICATED_USER": None,
    "UNICODE_JSON": True,
    "NUM_PROXIES": ENV.trusted_proxies,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AjansOps",
    "VERSION": "1.0",
    "DESCRIPTION": "Four surfaces over one model: core, studio, app and insight.",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {},
}

# --- logs -------------------------------------------------------------------------------------------------------------

LOGGING = logging_config(json=not DEBUG)
configure_structlog()

# --- admin ------------------------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "AjansOps",
    "SITE_HEADER": "AjansOps",
    "SITE_SUBHEADER": "Clients' work, in one place",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {"show_search": True, "navigation": NAVIGATION},
}
