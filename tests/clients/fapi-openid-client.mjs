// npm install openid-client jose
// openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out portal-key.pem
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { exportJWK, importPKCS8 } from 'jose';
import * as client from 'openid-client';

const { ISSUER, CLIENT_ID, CLIENT_KEY, REDIRECT_URI, HOME_PAGE } = process.env;
const pem = await readFile(CLIENT_KEY, 'utf8');
export const key = { key: await importPKCS8(pem, 'ES256'), kid: 'portal-1' };

// GET /jwks.json, which is the client's `jwks_uri`: the public half of the key.
const publicKey = await exportJWK(createPublicKey(pem));
export const jwks = { keys: [{ ...publicKey, kid: key.kid, alg: 'ES256', use: 'sig' }] };

// Once, when the portal starts. Tokens are bound to a second key (DPoP); portals on several machines share it.
export async function connect(...more) {
  const config = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, client.PrivateKeyJwt(key), {
    execute: [client.enableNonRepudiationChecks, ...more],
  });
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  return { config, options: { DPoP } };
}

// GET /login: what is asked for goes to the provider directly (PAR); the browser carries a reference to it.
export async function login({ config, options }) {
  const pending = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
  };
  const request = {
    redirect_uri: REDIRECT_URI,
    scope: 'openid profile email offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(pending.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: pending.expectedState,
    nonce: pending.expectedNonce,
  };
  return { url: await client.buildAuthorizationUrlWithPAR(config, request, options), pending };
}

// GET /callback
export async function callback({ config, options }, url, pending) {
  const checks = { ...pending, idTokenExpected: true };
  const tokens = await client.authorizationCodeGrant(config, url, checks, undefined, options);
  return { tokens, claims: tokens.claims() };
}

export const userinfo = ({ config, options }, tokens, claims) =>
  client.fetchUserInfo(config, tokens.access_token, claims.sub, options);

// The refresh token stays the same: it is bound to the portal's key.
export const refresh = ({ config, options }, tokens) =>
  client.refreshTokenGrant(config, tokens.refresh_token, undefined, options);

export const logout = ({ config }, tokens) =>
  client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: HOME_PAGE });
