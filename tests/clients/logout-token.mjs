// npm install jose
import { createRemoteJWKSet, jwtVerify } from 'jose';

const { ISSUER, CLIENT_ID } = process.env;
const keys = createRemoteJWKSet(new URL(`${ISSUER}/jwks`));
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

// POST /backchannel-logout: end every session of the portal that began with this `sid`, then answer 200.
export async function endedSession(logoutToken) {
  const { payload } = await jwtVerify(logoutToken, keys, {
    issuer: ISSUER,
    audience: CLIENT_ID,
    typ: 'logout+jwt',
    requiredClaims: ['iat', 'exp', 'jti', 'sid', 'events'],
  });
  if (!payload.events[EVENT] || 'nonce' in payload) throw new Error('not a logout token');
  return payload.sid;
}
