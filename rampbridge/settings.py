"""Django's settings. What differs between machines comes from `rampbridge.environment`."""

import logging
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF
from psycopg.conninfo import conninfo_to_dict

from rampbridge import logs
from rampbridge.environment import LOOPBACK, read_environment
from rampbridge.lib import failpoints

BASE_DIR = Path(__file__).resolve().parent.parent

env = read_environment()

SECRET_KEY = env.secret_key.get_secret_value()
DEBUG = False
ALLOWED_HOSTS = env.allowed_hosts
ROOT_URLCONF = "rampbridge.urls"
WSGI_APPLICATION = "rampbridge.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

# Ours ------------------------------------------------------------------------------------------

PUBLIC_URL = env.public_url
WEBHOOK_BASE_URL = env.webhook_base_url or env.public_url
RAMP_API_URL = env.ramp_api_url
RAMP_EGRESS = env.ramp_egress
RECEIPT_HOSTS = tuple(env.receipt_hosts)
ERP_PRIVATE_HOSTS = frozenset(env.erp_private_hosts) | (frozenset() if env.is_https else LOOPBACK)
PRETEND_ERPS_OFFERED = not env.is_https
POLL_INTERVAL_SECONDS = env.poll_interval_seconds
CHART_READ_SECONDS = env.chart_read_seconds
CHART_UPLOAD_SECONDS = env.chart_upload_seconds
INCIDENT_CUSTOMERS = env.incident_customers
ALERT_HOSTS = tuple(env.alert_hosts)
ALERT_PRIVATE_HOSTS = frozenset() if env.is_https else LOOPBACK
ALERT_HEARTBEAT_URL = env.alert_heartbeat_url.get_secret_value() if env.alert_heartbeat_url else ""
OUTSIDE_LIMIT = env.outside_limit
SUPPORT_CONTACT = env.support_contact
RELEASE = env.release
METRICS_HOST, METRICS_PORT = env.metrics_host, env.metrics_port
SENTRY_DSN = env.sentry_dsn.get_secret_value() if env.sentry_dsn else ""
SENTRY_ENVIRONMENT = env.sentry_environment
TRACE_OTHERS = env.trace_others
# Name to key, 32 bytes in base64. The first encrypts, all of them decrypt.
ENCRYPTION_KEYS = {name: key.get_secret_value() for name, key in env.encryption_keys.items()}
failpoints.arm(env.rampbridge_failpoint, log=env.rampbridge_failpoint_log)

# Apps ------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django_htmx",
    "django_structlog",
    "pgtrigger",
    "pghistory",
    "rampbridge",
    "connections",
    "syncing",
    "migrations_tool",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "rampbridge.web_watch.WebWatchMiddleware",  # below it: files are not worth a figure
    "django.middleware.gzip.GZipMiddleware",  # pages only: static files are compressed already
    "csp.middleware.CSPMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "rampbridge.sessions.SessionLifetimeMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "rampbridge.policy.PolicyMiddleware",
    "rampbridge.plain_text.PlainTextMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "pghistory.middleware.HistoryMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": [
                "rampbridge.lib.template_tags",
                "rampbridge.lib.url_tag",
                "rampbridge.lib.row_templates",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "rampbridge.page_context.shell",
            ],
        },
    }
]

# Database and cache ----------------------------------------------------------------------------

_database = conninfo_to_dict(env.database_url.get_secret_value())
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.pop("dbname"),
        "USER": _database.pop("user", ""),
        "PASSWORD": _database.pop("password", ""),
        "HOST": _database.pop("host", ""),
        "PORT": _database.pop("port", ""),
        "OPTIONS": {"connect_timeout": 5, **_database},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
# The limits on sign-in attempts count here, so it must be one for all processes. The broker may be
# emptied at any time and a file belongs to one machine; this table is made by a migration.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "rampbridge_cache",
    }
}

# Static files ----------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Security --------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "connect-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CSRF_TRUSTED_ORIGINS = [env.public_url]
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SESSION_ENGINE = "rampbridge.session_store"
SESSION_COOKIE_AGE = 12 * 60 * 60  # the absolute end; `rampbridge.sessions` ends idle ones earlier
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
if env.is_https:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]  # probes come from inside, without TLS
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
# The preload list is a public promise for a whole domain: its owner's to make, not this program's.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

# Sign-in ---------------------------------------------------------------------------------------

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
AUTHENTICATION_BACKENDS = [
    "rampbridge.sign_in.PasswordBackend",
    "rampbridge.sign_in.ProviderBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{validator}", "OPTIONS": options}
    for validator, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
ACCOUNT_ADAPTER = "rampbridge.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are made by admins, with addresses they know
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ALLAUTH_TRUSTED_PROXY_COUNT = env.trusted_proxy_count
SOCIALACCOUNT_ADAPTER = "rampbridge.sign_in.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if env.oidc_server_url and env.oidc_client_secret:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": env.oidc_name,
                "client_id": env.oidc_client_id,
                "secret": env.oidc_client_secret.get_secret_value(),
                "settings": {"server_url": env.oidc_server_url},
            }
        ],
    }

# Mail: to reset a password, and about alerts. Without a server nothing is sent -------------------

DEFAULT_FROM_EMAIL = env.email_from
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
if env.email_url:
    _mail = urlsplit(env.email_url.get_secret_value())
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _mail.hostname or ""
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    EMAIL_USE_TLS = not EMAIL_USE_SSL
    EMAIL_PORT = _mail.port or (465 if EMAIL_USE_SSL else 587)
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_TIMEOUT = 10
    if _mail.scheme == "file":
        EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        EMAIL_FILE_PATH = unquote(_mail.path)

# Celery: doorbells only, so that losing any message costs seconds and no work -------------------

CELERY_BROKER_URL = env.redis_url.get_secret_value()
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,  # longer than any task
    "unacked_restore_interval": 15,
    "unacked_restore_throttle": 1,
    "socket_keepalive": True,
    "socket_connect_timeout": 2,
    "socket_timeout": 30,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_DEFAULT_QUEUE = "export"
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# Logs ------------------------------------------------------------------------------------------

LOGGING = logs.configuration(level=env.log_level, format_name=env.log_format)
LOGGING_CONFIG = "rampbridge.logs.configure"
logs.remember_secrets(env.secrets())
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG  # the finished request says it all
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # it would believe any forwarded-for header

# The history of what people changed can be added to, never edited: triggers refuse it.
PGHISTORY_APPEND_ONLY = True
# Who changed something is told to the database with each statement; who only reads changes nothing.
PGHISTORY_MIDDLEWARE_METHODS = ("POST", "PUT", "PATCH", "DELETE")
