"""Django's settings, made from Larder's own (`portal.config`), which come from the environment."""

from __future__ import annotations

import os

import django_stubs_ext

from portal import broker, config, logs

django_stubs_ext.monkeypatch()  # ModelAdmin[Repository] and the like, as they are typed

CONFIG = config.read(os.environ)
BASE_DIR = config.project_root()

DEBUG = False
SECRET_KEY = CONFIG.secret_key
SECRET_KEY_FALLBACKS = list(CONFIG.secret_key_fallbacks)

# What the apps ask for, under names that say what they are.
BASE_URL = CONFIG.base_url
DEFAULT_TENANT = CONFIG.default_tenant
DEFAULT_REPOSITORY = CONFIG.default_repository
ACCEL_PREFIX = CONFIG.accel_prefix
TRUSTED_PROXIES = CONFIG.trusted_proxies
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1", CONFIG.bind.rpartition(":")[0].strip("[]"))
SPOOL_FOLDER = CONFIG.spool
PRIVATE_UPSTREAMS_ALLOWED = CONFIG.private_upstreams_allowed
# Where another process is asked after this one (portal.edge), that one counts.
WRONG_TOKENS_ARE_COUNTED = True
# How many threads of a process may wait for upstreams; the others go on serving.
UPSTREAM_WAITERS = max(1, CONFIG.web_threads // 2)
# How many files a process fetches at once; a fetch goes on when its callers have left.
UPSTREAM_TRANSFERS = 2 * UPSTREAM_WAITERS

# What attestations are verified by; None: what came with sigstore.
SIGSTORE_TRUST_ROOT = CONFIG.sigstore_trust_root

INSTALLED_APPS = [
    "portal.apps.LarderAdminConfig",
    # Before Django's auth, whose commands about users ours replace.
    "accounts.apps.AccountsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "lucide",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "base.apps.BaseConfig",
    "repos.apps.ReposConfig",
    "packages.apps.PackagesConfig",
    "portal.apps.PortalConfig",
]

MIDDLEWARE = [
    "portal.middleware.numbered_requests",
    "portal.middleware.bodies_read_to_their_end",
    # Before whatever answers, so that every answer has them, static files and refusals too.
    "portal.middleware.safe_headers",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.middleware.trusted_proxies",
    "portal.middleware.known_hosts",
    "portal.middleware.https_only",
    "portal.middleware.answers_after_the_lease",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "portal.middleware.forms_read_in_time",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "portal.middleware.ended_sessions",
    "portal.middleware.refusals_as_pages",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
# Every URL is routed in the spellings it takes; a redirected POST would lose its body.
APPEND_SLASH = False
# portal.middleware.known_hosts decides, because tenants may own host names.
ALLOWED_HOSTS = ["*"]

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

DATABASES = {"default": CONFIG.database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.authentication.PasswordBackend"]
PASSWORD_HASHERS = ["accounts.hashers.ModestArgon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

if CONFIG.storage.folder is not None:
    _blobs = {
        "BACKEND": "packages.storage.DurableFileSystemStorage",
        "OPTIONS": {"location": CONFIG.storage.folder},
    }
else:
    _blobs = {
        "BACKEND": "packages.buckets.BucketStorage",
        "OPTIONS": {
            "bucket_name": CONFIG.storage.bucket,
            "location": CONFIG.storage.prefix,
            "endpoint_url": CONFIG.storage.endpoint or None,
            "region_name": CONFIG.storage.region or None,
        },
    }
STORAGES = {
    "blobs": _blobs,
    "default": _blobs,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = CONFIG.static
STATICFILES_DIRS = [BASE_DIR / "static"]

# Not among INSTALLED_APPS: it needs no tables, and its own pages are not ours.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.rest.callers.ByCredentials"],
    # Who may see what is decided by what is asked (repos.access), not by a class at the door.
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.rest.bodies.BoundedJson"],
    "EXCEPTION_HANDLER": "portal.rest.problem",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Larder",
    "DESCRIPTION": "Repositories of Python packages, who may use them, and what is in them.",
    "VERSION": "v1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVE_PERMISSIONS": [],
    "SERVERS": [{"url": CONFIG.base_url}],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "PREPROCESSING_HOOKS": [],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "portal.openapi.finished",
    ],
    "ENUM_NAME_OVERRIDES": {
        "RepositoryKind": "repos.models.Kind",
        "MemberStanding": "accounts.models.Membership.Kind",
        "FileKind": "packages.filenames.Kind",
        "IssuerKind": "accounts.models.Issuer.Kind",
    },
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

CELERY = broker.celery_settings(CONFIG.broker_url)

SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
# Not "no-referrer": by https Django asks a form where it comes from, and a page under that policy
# says "null". To other sites nothing is said either way.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if CONFIG.is_https:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-larder"
    CSRF_COOKIE_NAME = "__Host-larder-csrf"
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
CSRF_FAILURE_VIEW = "portal.pages.csrf_failure"
CSRF_TRUSTED_ORIGINS = [CONFIG.base_url]
SILENCED_SYSTEM_CHECKS = [
    # Subdomains in HSTS: of the names below and beside this host others decide.
    "security.W005",
    # SSL redirect: Django would redirect POSTs too, and flit would take that for a success with
    # nothing uploaded. portal.middleware.https_only redirects reads and refuses the rest.
    "security.W008",
    # Browsers' preload lists: as for subdomains, and nobody gets off them within months.
    "security.W021",
]

LOGGING_CONFIG = None
logs.configure()
