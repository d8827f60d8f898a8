// npm install openid-client
import * as client from 'openid-client';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, HOME_PAGE } = process.env;

// Once, when the portal starts. Checks the signature of every ID token.
export const connect = (...more) =>
  client.discovery(new URL(ISSUER), CLIENT_ID, undefined, client.ClientSecretBasic(CLIENT_SECRET), {
    execute: [client.enableNonRepudiationChecks, ...more],
  });

// GET /login: keep `pending` in the visitor's session and redirect to `url`.
export async function login(config) {
  const pending = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
  };
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: 'openid profile email offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(pending.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: pending.expectedState,
    nonce: pending.expectedNonce,
  });
  return { url, pending };
}

// GET /callback: `url` is the one that was asked for; keep `tokens` in the visitor's session.
export async function callback(config, url, pending) {
  const tokens = await client.authorizationCodeGrant(config, url, { ...pending, idTokenExpected: true });
  return { tokens, claims: tokens.claims() };
}

export const userinfo = (config, tokens, claims) =>
  client.fetchUserInfo(config, tokens.access_token, claims.sub);

// Shortly before `tokens.expires_in` seconds are over. Keep what comes back: a refresh token works once.
export const refresh = (config, tokens) => client.refreshTokenGrant(config, tokens.refresh_token);

// GET /logout: end the visitor's session and redirect here.
export const logout = (config, tokens) =>
  client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: HOME_PAGE });
