"""All settings, read from the environment. Every variable is explained in .env.example."""

from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from leadgen.lib import backends, env, postgresql
from leadgen.lib.net.addresses import allowed_networks
from leadgen.workspace.theme import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = (BASE_DIR / "CHANGELOG.md").read_text(encoding="utf-8").split("## ")[1].split()[0]

DEBUG = env.boolean("DEBUG", False)

# -- Safety: nothing insecure by omission ----------------------------------------------------------

_MUST_BE_SET = {
    "SECRET_KEY": "a long random string; make one with: openssl rand -base64 48",
    "ALLOWED_HOSTS": "the host names this deployment answers to, comma-separated",
    "PUBLIC_URL": "the address visitors use, such as https://forms.example.com",
    "DATABASE_URL": "postgresql://user:password@host:5432/name",
    "BROKER_URL": "amqp://user:password@host:5672/vhost",
    "STORAGE_URL": "s3://bucket?region=… or file:///path",
}
_missing = [f"  {name}: {hint}" for name, hint in _MUST_BE_SET.items() if not env.is_set(name)]
if _missing and not DEBUG:
    raise ImproperlyConfigured(
        "With DEBUG off these must be set (or NAME_FILE):\n" + "\n".join(_missing)
    )

SECRET_KEY = env.string("SECRET_KEY", "development-only-not-a-secret")
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
PUBLIC_URL = env.string("PUBLIC_URL", "http://localhost:8000").rstrip("/")
_HTTPS = urlsplit(PUBLIC_URL).scheme == "https"

if not DEBUG and len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("SECRET_KEY must have at least 32 characters.")
if not DEBUG and "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name hosts; * lets anyone poison links.")
if urlsplit(PUBLIC_URL).scheme not in ("http", "https") or not urlsplit(PUBLIC_URL).netloc:
    raise ImproperlyConfigured(f"PUBLIC_URL must be http(s)://host, not {PUBLIC_URL!r}.")

# -- Backends --------------------------------------------------------------------------------------

DATABASE_URL = env.string("DATABASE_URL", "postgresql://leadgen@127.0.0.1:5432/leadgen")
# Workers and commands keep one connection each. asgi.py makes it a pool in the web role (ADR 0004).
DATABASES = {
    "default": dj_database_url.parse(DATABASE_URL, conn_max_age=None, conn_health_checks=True)
}
if "postgresql" not in DATABASES["default"]["ENGINE"]:
    raise ImproperlyConfigured("DATABASE_URL must be postgresql://…; no other database is used.")
DATABASES["default"]["ENGINE"] = postgresql.ENGINE
DATABASES["default"].setdefault("OPTIONS", {})["application_name"] = (
    f"leadgen {postgresql.process_name()}"
)
DATABASE_POOL_SIZE = env.integer("DATABASE_POOL_SIZE", 8)
if DATABASE_POOL_SIZE < 1:
    raise ImproperlyConfigured("DATABASE_POOL_SIZE must be at least 1.")
DATABASE_STATEMENT_SECONDS = env.integer("DATABASE_STATEMENT_SECONDS", 30)

STORAGE_URL = env.string("STORAGE_URL", f"file://{BASE_DIR}/var/storage")
STORAGES = {
    "default": backends.storage(STORAGE_URL),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

BROKER_URL = env.string("BROKER_URL", f"filesystem://{BASE_DIR}/var/broker")
CACHES = {"default": backends.cache(env.string("CACHE_URL", "database://"))}
_EMAIL = backends.email(env.string("EMAIL_URL", "console://"), prints=DEBUG)
EMAIL_BACKEND: str = _EMAIL["EMAIL_BACKEND"]
EMAIL_HOST: str = _EMAIL["EMAIL_HOST"]
EMAIL_PORT: int = _EMAIL["EMAIL_PORT"]
EMAIL_HOST_USER: str = _EMAIL["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD: str = _EMAIL["EMAIL_HOST_PASSWORD"]
EMAIL_USE_SSL: bool = _EMAIL["EMAIL_USE_SSL"]
EMAIL_USE_TLS: bool = _EMAIL["EMAIL_USE_TLS"]
EMAIL_TIMEOUT: int = _EMAIL["EMAIL_TIMEOUT"]
DEFAULT_FROM_EMAIL = env.string("EMAIL_FROM", "Leadgen <leadgen@localhost>")

OUTBOUND_ALLOWED_NETWORKS = allowed_networks(env.listing("OUTBOUND_ALLOWED_NETWORKS"))

BACKUP_URL = env.string("BACKUP_URL")
BACKUP_RECIPIENTS = env.listing("BACKUP_RECIPIENTS")

# -- Capture and intake ----------------------------------------------------------------------------

CAPTURE_MAX_BODY_BYTES = env.integer("CAPTURE_MAX_BODY_BYTES", 1_048_576)
CAPTURE_POOL_SIZE = env.integer("CAPTURE_POOL_SIZE", 8)
CAPTURE_FLOOD_PER_MINUTE = env.integer("CAPTURE_FLOOD_PER_MINUTE", 20)
CAPTURE_LIMIT_PER_MINUTE = env.integer("CAPTURE_LIMIT_PER_MINUTE", 600)
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0)
INTAKE_TASK = "leadgen.leads.tasks.intake"
INTAKE_BATCH_ROWS = env.integer("INTAKE_BATCH_ROWS", 500)
INTAKE_MAX_PARALLEL = env.integer("INTAKE_MAX_PARALLEL", 0)
if INTAKE_MAX_PARALLEL < 0:
    raise ImproperlyConfigured("INTAKE_MAX_PARALLEL must be 0 (no limit) or a number of batches.")
EVENT_PIPELINE = "leadgen.pipeline.HANDLERS"
NOTIFICATION_BUILDERS = "leadgen.pipeline.NOTIFICATION_BUILDERS"

# -- Django ----------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth.account",
    "leadgen.events",
    "leadgen.accounts",
    "leadgen.forms",
    "leadgen.capture",
    "leadgen.leads",
    "leadgen.operations",
    "leadgen.workspace",  # last: it replaces registrations of other apps
    "leadgen.demo",
]
MIDDLEWARE = [
    "leadgen.operations.middleware.RequestLogMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "leadgen.operations.middleware.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "leadgen.workspace.login.refusals.RefusalMiddleware",
    "leadgen.accounts.middleware.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "leadgen.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "leadgen" / "workspace" / "templates"],
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
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = env.string("TIME_ZONE", "UTC")
USE_TZ = True

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "leadgen.accounts.login.hashers.Argon2Hasher",
    "leadgen.accounts.login.hashers.PBKDF2Hasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "leadgen.accounts.login.validators.ProductNameValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
# Log-in and reset by django-allauth (ADR 0023). Django's ModelBackend stays the one backend: it
# knows addresses from our table of people only, and sessions from before go on.
ACCOUNT_ADAPTER = "leadgen.accounts.login.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "leadgen.workspace.login.forms.LoginForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_ENABLED = False
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
# No mail to addresses that a stranger types in.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = True
# Failed log-ins are counted by leadgen/accounts/login/limits.py; the others are allauth's. Its five
# resets a minute would let a stranger with many addresses mail one person 300 links an hour.
ACCOUNT_RATE_LIMITS = {
    "login": None,
    "login_failed": None,
    "reset_password": "20/15m/ip,5/15m/key",
    "reset_password_from_key": "20/15m/ip",
}
# allauth's own writes rows of email addresses, which would still log in after a change of address.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
# HSTS, nosniff and others are in leadgen/processes/security_headers.py, for the edge too. There is
# no redirect to https: the gateway in front redirects, and probes come over plain HTTP.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_ENGINE = "leadgen.accounts.sessions"
# A browser takes a __Host- cookie over https only, without a Domain and for the whole site.
_COOKIE_PREFIX = "__Host-" if _HTTPS else ""
SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{_COOKIE_PREFIX}csrftoken"
SESSION_COOKIE_AGE = 14 * 24 * 3600
# A session that was not used for so long is over (ASVS 7.3.1).
SESSION_IDLE_SECONDS = env.integer("SESSION_IDLE_HOURS", 12) * 3600
# In the session, since a cookie of messages would need a name of its own under https.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_FAILURE_VIEW = "leadgen.operations.error_page.csrf_failure"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
X_FRAME_OPTIONS = "DENY"
# The page of a form with 100 fields sends about 33 inputs for each: 16 values, and those it showed.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
SILENCED_SYSTEM_CHECKS: list[str] = []

METRICS_TOKEN = env.string("METRICS_TOKEN")
LOG_FORMAT = env.string("LOG_FORMAT", "json")
LOG_LEVEL = env.string("LOG_LEVEL", "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "leadgen.operations.logs.JsonFormatter"},
        "console": {"()": "leadgen.operations.logs.ConsoleFormatter"},
    },
    "filters": {
        "refused": {"()": "leadgen.operations.logs.Refused"},
        "unanswered": {"()": "leadgen.operations.logs.Unanswered"},
    },
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": LOG_FORMAT,
            "filters": ["refused"],
        }
    },
    "root": {"handlers": ["stdout"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": []},
        "django.server": {"handlers": []},
        # The access line reports a 404 or 503 already.
        "django.request": {"level": "ERROR", "filters": ["unanswered"]},
        # Its warning about a malformed header holds the URL, whose path may be a webhook's secret.
        "urllib3.connection": {"level": "ERROR"},
    },
}
