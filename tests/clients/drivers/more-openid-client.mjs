// The portal of fapi-openid-client.mjs, which signs its requests as well, and what else the library can do.
import * as client from 'openid-client';
import * as portal from './fapi-openid-client.mjs';

export * from './fapi-openid-client.mjs';
const { ISSUER, REDIRECT_URI } = process.env;

// A request object inside a pushed request.
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
  const { searchParams } = await client.buildAuthorizationUrlWithJAR(config, request, portal.key);
  return { url: await client.buildAuthorizationUrlWithPAR(config, searchParams, options), pending };
}

export const introspect = ({ config }, token) => client.tokenIntrospection(config, token);
export const revoke = ({ config }, token) => client.tokenRevocation(config, token);

export async function machine(insecure) {
  const config = await client.discovery(
    new URL(ISSUER), 'my-machine', undefined, client.PrivateKeyJwt(portal.key), { execute: [insecure] },
  );
  const tokens = await client.clientCredentialsGrant(config);
  return { tokens, about: await client.tokenIntrospection(config, tokens.access_token) };
}
