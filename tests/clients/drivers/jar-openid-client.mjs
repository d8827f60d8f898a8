// The portal of openid-client.mjs with a signed request object in the authorization request.
import * as client from 'openid-client';
import { jwks, key } from './fapi-openid-client.mjs';

export * from './openid-client.mjs';
export { jwks };

export async function login(config) {
  const pending = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    maxAge: 600,
  };
  const request = {
    redirect_uri: process.env.REDIRECT_URI,
    scope: 'openid profile email offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(pending.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: pending.expectedState,
    nonce: pending.expectedNonce,
    max_age: '600',
  };
  return { url: await client.buildAuthorizationUrlWithJAR(config, request, key), pending };
}
