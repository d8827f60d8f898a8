# pip install mozilla-django-oidc
import os
from urllib.parse import urlencode

import django
from django.conf import settings

ISSUER = os.environ["ISSUER"]

settings.configure(
    SECRET_KEY=os.environ["COOKIE_SECRET"],
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="django_portal",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "mozilla_django_oidc",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["django_portal.Backend"],
    LOGIN_REDIRECT_URL="/",
    LOGOUT_REDIRECT_URL="/",
    LOGIN_REDIRECT_URL_FAILURE="/?cancelled",
    OIDC_RP_CLIENT_ID=os.environ["CLIENT_ID"],
    OIDC_RP_CLIENT_SECRET=os.environ["CLIENT_SECRET"],
    OIDC_RP_SCOPES="openid profile email",
    OIDC_RP_SIGN_ALGO="RS256",
    # The library does neither of these by itself.
    OIDC_USE_PKCE=True,
    OIDC_TOKEN_USE_BASIC_AUTH=True,
    OIDC_OP_AUTHORIZATION_ENDPOINT=f"{ISSUER}/authorize",
    OIDC_OP_TOKEN_ENDPOINT=f"{ISSUER}/token",
    OIDC_OP_USER_ENDPOINT=f"{ISSUER}/userinfo",
    OIDC_OP_JWKS_ENDPOINT=f"{ISSUER}/jwks",
    OIDC_STORE_ID_TOKEN=True,
    OIDC_OP_LOGOUT_URL_METHOD="django_portal.end_session",
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from mozilla_django_oidc.auth import OIDCAuthenticationBackend  # noqa: E402


class Backend(OIDCAuthenticationBackend):
    """Knows people by `sub`. The library's own way is the e-mail address, which people change."""

    def filter_users_by_claims(self, claims):
        return User.objects.filter(username=claims["sub"])

    def create_user(self, claims):
        return User.objects.create_user(claims["sub"], claims["email"], first_name=claims["given_name"])

    def update_user(self, user, claims):
        user.email, user.first_name = claims["email"], claims["given_name"]
        user.save()
        return user


def end_session(request):
    hint = request.session.get("oidc_id_token")
    asked = {"post_logout_redirect_uri": os.environ["HOME_PAGE"], "client_id": os.environ["CLIENT_ID"]}
    return f"{ISSUER}/logout?{urlencode(asked | ({'id_token_hint': hint} if hint else {}))}"


def home(request):
    user = request.user
    return JsonResponse({"sub": user.username, "email": getattr(user, "email", None)})


# A sign-in starts at /oidc/authenticate/ and ends at /oidc/callback/; POST /oidc/logout/ signs out.
urlpatterns = [path("oidc/", include("mozilla_django_oidc.urls")), path("", home)]
