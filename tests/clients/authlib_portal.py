# pip install authlib flask requests
import os

from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask, abort, redirect, request, session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ISSUER, CLIENT_ID = os.environ["ISSUER"], os.environ["CLIENT_ID"]
signed_in = {}  # by the session id of the ID token; use your database

app = Flask(__name__)
app.secret_key = os.environ["COOKIE_SECRET"]
idp = OAuth(app).register(
    "idp",
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_id=CLIENT_ID,
    client_secret=os.environ["CLIENT_SECRET"],
    client_kwargs={"scope": "openid profile email offline_access", "code_challenge_method": "S256"},
)


@app.get("/login")
def login():
    return idp.authorize_redirect(os.environ["REDIRECT_URI"])


@app.get("/callback")
def callback():
    token = idp.authorize_access_token()  # checks state, nonce, signature, issuer, audience and time
    session["sid"] = token["userinfo"]["sid"]
    signed_in[session["sid"]] = token
    return redirect("/")


@app.get("/")
def home():
    token = signed_in.get(session.get("sid"))
    if not token:
        return redirect("/login")
    if token.is_expired():
        # A refresh token works once: keep the new one.
        old = token["refresh_token"]
        token = idp.fetch_access_token(grant_type="refresh_token", refresh_token=old)
        signed_in[session["sid"]] = token
    return idp.userinfo(token=token)


@app.get("/logout")
def logout():
    token = signed_in.pop(session.pop("sid", None), {})
    return idp.logout_redirect(os.environ["HOME_PAGE"], id_token_hint=token.get("id_token"))


@app.post("/backchannel-logout")
def backchannel_logout():
    keys = KeySet.import_key_set(idp.fetch_jwk_set(force=True))
    token = jwt.decode(request.form["logout_token"], keys, algorithms=["RS256"])
    jwt.JWTClaimsRegistry(
        leeway=10,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": CLIENT_ID},
        exp={"essential": True},
        sid={"essential": True},
    ).validate(token.claims)
    if token.header.get("typ") != "logout+jwt" or "nonce" in token.claims:
        abort(400)
    event = "http://schemas.openid.net/event/backchannel-logout"
    if event not in token.claims.get("events", {}):
        abort(400)
    signed_in.pop(token.claims["sid"], None)
    return ""


@app.errorhandler(OAuthError)
def not_signed_in(error):
    # The person cancelled (access_denied), or the session ended (invalid_grant).
    return 'You are not signed in. <a href="/login">Sign in</a>', 403


@app.errorhandler(JoseError)
def refused(error):
    return "this token does not hold", 400
