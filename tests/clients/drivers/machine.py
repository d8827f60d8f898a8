"""Lets the machine of authlib_machine.py get a token, ask about it and give it back."""

import json

import authlib_machine as own

print(json.dumps({"jwks": own.jwks}), flush=True)
assert json.loads(input())["published"]
token = own.access_token()
auth = own.machine.client_auth(own.machine.token_endpoint_auth_method)
about = own.machine.introspect_token(own.provider["introspection_endpoint"], token["access_token"], auth=auth)
given_back = own.machine.revoke_token(own.provider["revocation_endpoint"], token["access_token"], auth=auth)
after = own.machine.introspect_token(own.provider["introspection_endpoint"], token["access_token"], auth=auth)
told = {"token": token, "about": about.json(), "revoked": given_back.status_code, "after": after.json()}
print(json.dumps(told), flush=True)
