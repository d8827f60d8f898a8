// npm install @auth/core (or next-auth, @auth/sveltekit, @auth/express, which take the same settings)
import { Auth } from '@auth/core';
import { getToken } from '@auth/core/jwt';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, COOKIE_SECRET, HOME_PAGE } = process.env;

const settings = {
  basePath: '/auth',
  secret: COOKIE_SECRET,
  trustHost: true,
  providers: [
    {
      id: 'voordeur',
      name: 'Voordeur',
      type: 'oidc',
      issuer: ISSUER,
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      checks: ['pkce', 'state', 'nonce'],
      authorization: { params: { scope: 'openid profile email' } },
    },
  ],
  callbacks: {
    // The ID token stays in the encrypted cookie, to sign out with.
    jwt: ({ token, account }) => (account ? { ...token, idToken: account.id_token } : token),
  },
};

// Every request below /auth.
export const handle = (request) => Auth(request, settings);

// GET /logout: let Auth.js end its own session, and redirect here to end that of the provider.
export async function logout(request) {
  const secureCookie = request.url.startsWith('https:');
  const token = await getToken({ req: request, secret: COOKIE_SECRET, secureCookie });
  const url = new URL(`${ISSUER}/logout`);
  url.search = new URLSearchParams({ client_id: CLIENT_ID, post_logout_redirect_uri: HOME_PAGE });
  if (token?.idToken) url.searchParams.set('id_token_hint', token.idToken);
  return url;
}
