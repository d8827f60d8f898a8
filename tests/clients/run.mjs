// Walks one of the portals of this folder through its life. It says where a browser has to go and hears where
// that came out, one JSON object a line.
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
const { ISSUER, CLIENT_ID } = process.env;

const config = await portal.connect(insecure);
const { url, pending } = await portal.login(config);
const { callback } = await ask({ authorize: url });
const { tokens, claims } = await portal.callback(config, new URL(callback), pending);
const person = await portal.userinfo(config, tokens, claims);

// A library that had no part in the sign-in reads the same from the ID token.
const keys = createRemoteJWKSet(new URL(`${ISSUER}/jwks`));
const expected = { issuer: ISSUER, audience: CLIENT_ID };
const { payload } = await jwtVerify(tokens.id_token, keys, { ...expected, algorithms: ['RS256'] });
assert.deepEqual(payload, claims);
say({ claims, person });

const fresh = await portal.refresh(config, tokens);
assert.notEqual(fresh.access_token, tokens.access_token);
assert.notEqual(fresh.refresh_token, tokens.refresh_token);
const renewed = (await jwtVerify(fresh.id_token, keys, expected)).payload;
assert.deepEqual([renewed.sid, renewed.auth_time], [claims.sid, claims.auth_time]);
say({ refreshed: await portal.userinfo(config, fresh, claims) });

const { logout_token } = await ask({ logout: portal.logout(config, fresh) });
const ended = logout_token && (await endedSession(logout_token));
if (logout_token) await assert.rejects(endedSession(fresh.id_token), 'an ID token is no logout token');
const refused = await portal.refresh(config, fresh).catch((error) => error.error);
say({ ended, refused });
process.exit(0);
