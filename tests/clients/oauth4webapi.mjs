// npm install oauth4webapi; runs in a browser as it runs on a server.
import * as oauth from 'oauth4webapi';

const { ISSUER, CLIENT_ID, REDIRECT_URI, HOME_PAGE } = process.env;
const client = { client_id: CLIENT_ID };
const nobody = oauth.None(); // an app keeps no secret; PKCE protects its code

// Once, when the app starts.
export async function connect(options) {
  const answer = await oauth.discoveryRequest(new URL(ISSUER), options);
  return { as: await oauth.processDiscoveryResponse(new URL(ISSUER), answer), options };
}

// Keep `pending` until the person comes back, and go to `url`.
export async function login({ as }) {
  const pending = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
  };
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid profile email offline_access',
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: 'S256',
    state: pending.state,
    nonce: pending.nonce,
  });
  return { url, pending };
}

// At the redirect URI; checks state, issuer, nonce and the signature of the ID token.
export async function callback({ as, options }, url, { verifier, state, nonce }) {
  const parameters = oauth.validateAuthResponse(as, client, url, state);
  const answer = await oauth.authorizationCodeGrantRequest(
    as, client, nobody, parameters, REDIRECT_URI, verifier, options,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, answer, {
    expectedNonce: nonce, requireIdToken: true,
  });
  await oauth.validateApplicationLevelSignature(as, answer, options);
  return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens) };
}

export async function userinfo({ as, options }, tokens, claims) {
  const answer = await oauth.userInfoRequest(as, client, tokens.access_token, options);
  return oauth.processUserInfoResponse(as, client, claims.sub, answer);
}

// Keep what comes back: a refresh token works once.
export async function refresh({ as, options }, tokens) {
  const answer = await oauth.refreshTokenGrantRequest(as, client, nobody, tokens.refresh_token, options);
  return oauth.processRefreshTokenResponse(as, client, answer);
}

export function logout({ as }, tokens) {
  const url = new URL(as.end_session_endpoint);
  url.search = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: HOME_PAGE });
  return url;
}
