"""Django's settings, derived from `env`. Nothing here reads the environment itself."""

import gc
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

from ajansops.env import ROOT, ConfigurationError, load
from ajansops.logs import configure_structlog, logging_config
from ajansops.messages import compile_messages
from ajansops.navigation import NAVIGATION

gc.disable()  # until `ajansops.apps` is ready: imports make hundreds of thousands of objects, and no garbage

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
LOCALE_PATHS = [compile_messages(BASE_DIR / "ajansops" / "locale", VAR_DIR / "locale")]
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "UTC"
USE_TZ = True

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "ajansops.admin_apps.AgencyAdminConfig",
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
    "ajansops.api",
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
    "ajansops.pages.PageHeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "ajansops.passing.SessionMiddleware",
    "ajansops.passing.LocaleMiddleware",
    "ajansops.passing.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "ajansops.passing.AuthenticationMiddleware",
    "ajansops.headless.HeadlessBodyMiddleware",
    "ajansops.passing.MessageMiddleware",
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
    """SQLite with WAL and IMMEDIATE (no lock upgrade, no `database is locked`); PostgreSQL, a connection a thread."""
    if not url:
        if sqlite3.sqlite_version_info < (3, 35):  # RETURNING
            raise ConfigurationError(f"SQLite {sqlite3.sqlite_version} is too old: 3.35, or DATABASE_URL, is needed.")
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
        # Pages of one workspace are read through its own index: at PostgreSQL's default, meant for turning disks, the
        # planner walks everybody's rows backwards until it has found enough of a workspace that was quiet for long.
        # And whoever freezes, or vanishes with the network, in the middle of a transaction must not keep its locks.
        tuned = {"options": "-c random_page_cost=1.1 -c idle_in_transaction_session_timeout=60s"}
        settings |= {"ENGINE": "ajansops.postgresql", "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
        settings["OPTIONS"] = tuned | settings.get("OPTIONS", {})
    return settings


DATABASES = {"default": database(ENV.database_url, VAR_DIR)}

# --- cache and broker -------------------------------------------------------------------------------------------------

if ENV.redis_url:
    CACHES = {
        "default": {
            "BACKEND": "ajansops.cache.RedisOrLocalCache",
            "LOCATION": ENV.redis_url,
            "KEY_PREFIX": "ajansops",
            "OPTIONS": {"SOCKET_TIMEOUT": 1, "SOCKET_CONNECT_TIMEOUT": 1},
        }
    }
else:
    CACHES = {"default": {"BACKEND": "ajansops.cache.OwnCache"}}

BROKER_URL = ENV.celery_broker_url or ENV.redis_url or "files://localhost"  # kombu asks for a host, and ignores it

# --- people -----------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["accounts.backends.RoleBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "accounts.forms.SignInForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[AjansOps] "
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_PREVENT_ENUMERATION = "strict"  # a taken address looks like a free one; its owner gets a mail
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",  # the key is the account
    "signup": "20/m/ip",
    "confirm_email": "1/10s/key",
    "manage_email": "10/m/user",
    "change_password": "5/m/user",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = ENV.public_url.partition(":")[0]
ALLAUTH_TRUSTED_PROXY_COUNT = ENV.trusted_proxies
HEADLESS_ONLY = False
HEADLESS_CLIENTS = ("app", "browser")
HEADLESS_FRONTEND_URLS = {  # mails that the headless API causes lead to the same pages
    "account_confirm_email": f"{ENV.public_url.rstrip('/')}/accounts/confirm-email/{{key}}/",
    "account_reset_password": f"{ENV.public_url.rstrip('/')}/accounts/password/reset/",
    "account_reset_password_from_key": f"{ENV.public_url.rstrip('/')}/accounts/password/reset/key/{{key}}/",
    "account_signup": f"{ENV.public_url.rstrip('/')}/accounts/signup/",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "AjansOps"
MFA_TOTP_TOLERANCE = 1  # a clock that is half a minute off, or a slow typist
MFA_RECOVERY_CODE_COUNT = 10
MFA_FORMS = {"add_webauthn": "accounts.forms.AddPasskeyForm", "edit_webauthn": "accounts.forms.RenamePasskeyForm"}
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG
USERSESSIONS_TRACK_ACTIVITY = True
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "account_home"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# --- mail -------------------------------------------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = SERVER_EMAIL = f"AjansOps <noreply@{urlsplit(ENV.public_url).hostname or 'localhost'}>"
EMAIL_TIMEOUT = 10
EMAIL_FILES = VAR_DIR / "outbox"  # where mail goes that must not leave the house
if ENV.email_url:
    _mail = environ.Env.email_url_config(ENV.email_url)
    globals().update(_mail)
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = EMAIL_FILES

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
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True

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

CALLS_WRITTEN_EVERY = 5  # seconds; so much do counts of calls lag
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
    "URL_FORMAT_OVERRIDE": None,  # `format` in a query is a parameter like any other
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
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none"},  # the four surfaces first
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "webhooks.schema.describe",
        "ajansops.api.schema.document.finish",
    ],
    "ENUM_NAME_OVERRIDES": {
        "RoleEnum": "accounts.roles.Role",
        "FeatureEnum": "ajansops.kit.entitlements.Feature",
        "MeterEnum": "billing.features.METER_CHOICES",
        "InvitableRoleEnum": "accounts.roles.INVITABLE",
        "InsightSeverityEnum": "sites.audits.models.InsightSeverity",
        "InsightStatusEnum": "sites.audits.models.InsightStatus",
        "TierEnum": "ajansops.kit.plans.TIER_CHOICES",
        "LeadSourceEnum": "leads.models.Source",
        "IssueSeverityEnum": "sites.models.Severity",
        "JobStatusEnum": "jobs.models.JobStatus",
        "PostStatusEnum": "content.models.PostStatus",
        "VariantStatusEnum": "content.models.VariantStatus",
        "ReportSourceEnum": "sites.models.Source",
        "LeadStatusEnum": "leads.models.LeadStatus",
        "RatePlanEnum": "ajansops.kit.plans.RATE_PLAN_CHOICES",
    },
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
