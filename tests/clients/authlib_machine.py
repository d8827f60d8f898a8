# pip install authlib requests
# openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out machine-key.pem
import os

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey

with open(os.environ["CLIENT_KEY"]) as pem:
    key = ECKey.import_key(pem.read(), {"kid": "machine-1", "alg": "ES256", "use": "sig"})

# What the machine's `jwks_uri` answers: the public half of the key.
jwks = {"keys": [key.as_dict(private=False)]}

provider = requests.get(f"{os.environ['ISSUER']}/.well-known/openid-configuration", timeout=10).json()
machine = OAuth2Session(
    os.environ["CLIENT_ID"],
    key,
    token_endpoint_auth_method=PrivateKeyJWT(
        provider["token_endpoint"], headers={"kid": "machine-1"}, alg="ES256"
    ),
)


def access_token():
    """Good for `expires_in` seconds; ask again then."""
    return machine.fetch_token(provider["token_endpoint"], grant_type="client_credentials")
