// Walks one of the portals through its life. It says where a browser has to go and hears where that came out,
// one JSON object a line.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { createInterface } from 'node:readline';

globalThis.crypto ??= webcrypto;
const { createRemoteJWKSet, jwtVerify } = await import('jose');
const { endedSession } = await import('./logout-token.mjs');
const { allowInsecureRequests } = await import(process.argv[3]);
const portal = await import(process.argv[2]);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (told) => console.log(JSON.stringify(told));
const ask = async (told) => {
  say(told);
  return JSON.parse((await lines.next()).value);
};

// Both libraries refuse plain http unless they are told that this is meant.
const insecure =
  typeof allowInsecureRequests === 'function' ? allowInsecureRequests : { [allowInsecureRequests]: true };
const { ISSUER, CLIENT_ID, ALGORITHM, ROTATES } = process.env;
if (portal.jwks) await ask({ jwks: portal.jwks });

const config = await portal.connect(insecure);
const { url, pending } = await portal.login(config);
const { callback } = await ask({ authorize: url });
const { tokens, claims } = await portal.callback(config, new URL(callback), pending);
const person = await portal.userinfo(config, tokens, claims);

// A library that had no part in the sign-in reads the same from the ID token.
const keys = createRemoteJWKSet(new URL(`${ISSUER}/jwks`));
const expected = { issuer: ISSUER, audience: CLIENT_ID, algorithms: [ALGORITHM] };
const { payload } = await jwtVerify(tokens.id_token, keys, expected);
assert.deepEqual(payload, claims);
say({ claims, person });

const answer = await portal.refresh(config, tokens);
assert.notEqual(answer.access_token, tokens.access_token);
assert.equal(Boolean(answer.refresh_token), ROTATES === 'yes');
assert.notEqual(answer.refresh_token, tokens.refresh_token);
const fresh = { ...tokens, ...answer };
const renewed = (await jwtVerify(fresh.id_token, keys, expected)).payload;
assert.deepEqual([renewed.sid, renewed.auth_time], [claims.sid, claims.auth_time]);
say({ refreshed: await portal.userinfo(config, fresh, claims) });

if (portal.machine) {
  const bound = await fetch(`${ISSUER}/userinfo`, { headers: { authorization: `Bearer ${fresh.access_token}` } });
  const about = await portal.introspect(config, fresh.access_token);
  const machine = await portal.machine(insecure);
  say({ about, token_type: tokens.token_type, as_bearer: bound.status, machine });
}

const { logout_token } = await ask({ logout: portal.logout(config, fresh) });
const ended = logout_token && (await endedSession(logout_token));
if (logout_token) await assert.rejects(endedSession(fresh.id_token), 'an ID token is no logout token');
const refused = await portal.refresh(config, fresh).catch((error) => error.error);
say({ ended, refused });

if (portal.revoke) {
  // A second sign-in, whose tokens are given back.
  const second = await portal.login(config);
  const { callback } = await ask({ authorize: second.url });
  const { tokens } = await portal.callback(config, new URL(callback), second.pending);
  const before = await portal.introspect(config, tokens.refresh_token);
  await portal.revoke(config, tokens.refresh_token);
  const after = [
    await portal.introspect(config, tokens.refresh_token),
    await portal.introspect(config, tokens.access_token),
  ];
  say({ before, after });
}
process.exit(0);
