// A portal by the rules of FAPI 2.0 with oauth4webapi: private_key_jwt, request objects, PAR and DPoP.
import * as oauth from 'oauth4webapi';
import { jwks, key } from './fapi-openid-client.mjs';

export { jwks };
const { ISSUER, CLIENT_ID, REDIRECT_URI, HOME_PAGE } = process.env;
const client = { client_id: CLIENT_ID };
const proof = oauth.PrivateKeyJwt(key);

export async function connect(options) {
  const answer = await oauth.discoveryRequest(new URL(ISSUER), options);
  const as = await oauth.processDiscoveryResponse(new URL(ISSUER), answer);
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
  return { as, options, bound: { ...options, DPoP } };
}

export async function login({ as, bound }) {
  const pending = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
  };
  const request = await oauth.issueRequestObject(as, client, {
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid profile email offline_access',
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: 'S256',
    state: pending.state,
    nonce: pending.nonce,
  }, key);
  const answer = await oauth.pushedAuthorizationRequest(as, client, proof, { request }, bound);
  const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, answer);
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({ client_id: CLIENT_ID, request_uri });
  return { url, pending };
}

export async function callback({ as, options, bound }, url, { verifier, state, nonce }) {
  const parameters = oauth.validateAuthResponse(as, client, url, state);
  const answer = await oauth.authorizationCodeGrantRequest(
    as, client, proof, parameters, REDIRECT_URI, verifier, bound,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, answer, {
    expectedNonce: nonce, requireIdToken: true,
  });
  await oauth.validateApplicationLevelSignature(as, answer, options);
  return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens) };
}

export async function userinfo({ as, bound }, tokens, claims) {
  const answer = await oauth.userInfoRequest(as, client, tokens.access_token, bound);
  return oauth.processUserInfoResponse(as, client, claims.sub, answer);
}

export async function refresh({ as, bound }, tokens) {
  const answer = await oauth.refreshTokenGrantRequest(as, client, proof, tokens.refresh_token, bound);
  return oauth.processRefreshTokenResponse(as, client, answer);
}

export function logout({ as }, tokens) {
  const url = new URL(as.end_session_endpoint);
  url.search = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: HOME_PAGE });
  return url;
}

const introspectAs = async ({ as, options }, client, token) => {
  const answer = await oauth.introspectionRequest(as, client, proof, token, options);
  return oauth.processIntrospectionResponse(as, client, answer);
};
export const introspect = (config, token) => introspectAs(config, client, token);

export async function revoke({ as, options }, token) {
  const answer = await oauth.revocationRequest(as, client, proof, token, options);
  await oauth.processRevocationResponse(answer);
}

export async function machine(options) {
  const config = await connect(options);
  const own = { client_id: 'my-machine' };
  const answer = await oauth.clientCredentialsGrantRequest(config.as, own, proof, {}, options);
  const tokens = await oauth.processClientCredentialsResponse(config.as, own, answer);
  return { tokens, about: await introspectAs(config, own, tokens.access_token) };
}
