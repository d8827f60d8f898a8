"""Walks the portal of authlib_portal.py through its life. It says where a browser has to go and hears where that
came out, one JSON object a line."""

import json
import sys
from urllib.parse import urlsplit

from authlib.integrations.base_client import OAuthError

import authlib_portal as portal


def say(**told):
    print(json.dumps(told), flush=True)


def ask(**told):
    say(**told)
    return json.loads(sys.stdin.readline())


visitor = portal.app.test_client()
assert visitor.get("/").location == "/login"
cancelled = visitor.get("/callback?error=access_denied&state=x")
assert cancelled.status_code == 403 and b"/login" in cancelled.data, "a cancel is no fault of the portal"
back = urlsplit(ask(authorize=visitor.get("/login").location)["callback"])
assert visitor.get(f"{back.path}?{back.query}").location == "/"
((sid, first),) = portal.signed_in.items()
say(claims=first["userinfo"], person=visitor.get("/").json)

first["expires_at"] = 1
person = visitor.get("/").json
fresh = portal.signed_in[sid]
assert fresh["access_token"] != first["access_token"]
say(refreshed=person)

logout_token = ask(logout=visitor.get("/logout").location)["logout_token"]
assert visitor.get("/").location == "/login"
portal.signed_in[sid] = fresh
assert visitor.post("/backchannel-logout", data={"logout_token": fresh["id_token"]}).status_code == 400
assert sid in portal.signed_in, "an ID token is no logout token"
assert visitor.post("/backchannel-logout", data={"logout_token": logout_token}).status_code == 200
ended = None if sid in portal.signed_in else sid
try:
    with portal.app.test_request_context():
        portal.idp.fetch_access_token(grant_type="refresh_token", refresh_token=fresh["refresh_token"])
    refused = None
except OAuthError as error:
    refused = error.error
say(ended=ended, refused=refused)
