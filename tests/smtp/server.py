"""An SMTP server for the tests: aiosmtpd, which demands STARTTLS and a login.

Each message becomes a file NNNN.json in the folder, read back by Python's own mail parser; each login a line in the
file 'logins'. Without a certificate it offers neither TLS nor mercy: a client that then logs in gave its password away.
"""

import argparse
import asyncio
import json
import logging
import os
import ssl
import sys
import warnings
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

arguments = argparse.ArgumentParser()
arguments.add_argument("--port", type=int, required=True)
arguments.add_argument("--folder", required=True)
arguments.add_argument("--login", required=True, help="USER:PASSWORD")
arguments.add_argument("--certificate")
arguments.add_argument("--key")
options = arguments.parse_args()

# A refused handshake or login is what the tests ask for, and no news.
logging.getLogger("mail").setLevel(logging.CRITICAL)
warnings.simplefilter("ignore")


def authenticate(server, session, envelope, mechanism, data):
    given = f"{data.login.decode()}:{data.password.decode()}" if isinstance(data, LoginPassword) else ""
    success = given == options.login
    with open(os.path.join(options.folder, "logins"), "a") as file:
        print(mechanism, "accepted" if success else "refused", file=file)
    return AuthResult(success=success, handled=False)


class Keep:
    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        kept = {
            "tls": session.ssl is not None,
            "authenticated": session.authenticated,
            "mail_from": envelope.mail_from,
            "rcpt_tos": envelope.rcpt_tos,
            "headers": [[name, str(value)] for name, value in mail.items()],
            "parts": [
                {"type": part.get_content_type(), "charset": part.get_content_charset(), "content": part.get_content()}
                for part in mail.walk()
                if not part.is_multipart()
            ],
            "defects": [type(defect).__name__ for part in mail.walk() for defect in part.defects],
        }
        count = sum(name.endswith(".json") for name in os.listdir(options.folder))
        name = os.path.join(options.folder, f"{count:04}.json")
        with open(name + ".part", "w") as file:
            json.dump(kept, file)
        os.rename(name + ".part", name)
        return "250 2.0.0 kept"


def session():
    context = None
    if options.certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate, options.key)
    return SMTP(
        Keep(),
        hostname="mail.example",
        tls_context=context,
        require_starttls=context is not None,
        auth_require_tls=context is not None,
        auth_required=True,
        authenticator=authenticate,
        enable_SMTPUTF8=False,
    )


async def main():
    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", options.port)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


sys.exit(asyncio.run(main()))
