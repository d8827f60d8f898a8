"""Walks the portal of django_portal.py through a sign-in and a sign-out. It says where a browser has to go and hears
where that came out, one JSON object a line."""

import json
import os
import sys
from urllib.parse import urlsplit

import django_portal  # noqa: F401
from django.core.management import call_command
from django.test import Client


def ask(**told):
    print(json.dumps(told), flush=True)
    return json.loads(sys.stdin.readline())


def come_back(asked):
    back = urlsplit(asked["callback"])
    return visitor.get(f"{back.path}?{back.query}")


call_command("migrate", verbosity=0)
visitor = Client(headers={"host": urlsplit(os.environ["HOME_PAGE"]).netloc})

# The person cancels: nobody is signed in, and a page of the portal says so.
cancelled = come_back(ask(authorize=visitor.get("/oidc/authenticate/").headers["location"]))
assert cancelled.headers["location"] == "/?cancelled", cancelled.headers
assert visitor.get("/").json()["sub"] == ""

asked = ask(authorize=visitor.get("/oidc/authenticate/").headers["location"])
assert come_back(asked).headers["location"] == "/"
print(json.dumps({"person": visitor.get("/").json()}), flush=True)
ask(logout=visitor.post("/oidc/logout/").headers["location"])
assert visitor.get("/").json()["sub"] == ""
