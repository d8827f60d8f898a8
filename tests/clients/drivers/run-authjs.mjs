// Walks the portal of authjs.mjs through a sign-in and a sign-out. It says where a browser has to go and hears where
// that came out, one JSON object a line.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { createInterface } from 'node:readline';

globalThis.crypto ??= webcrypto;
const portal = await import('./authjs.mjs');

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (told) => console.log(JSON.stringify(told));
const ask = async (told) => {
  say(told);
  return JSON.parse((await lines.next()).value);
};

const origin = new URL(process.env.HOME_PAGE).origin;
const jar = new Map();
const request = (path, form) =>
  new Request(new URL(path, origin), {
    method: form ? 'POST' : 'GET',
    body: form && new URLSearchParams(form),
    headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
  });
async function visit(path, form) {
  const answer = await portal.handle(request(path, form));
  for (const line of answer.headers.getSetCookie()) {
    const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
    jar.set(name, value);
  }
  return answer;
}

const csrf = async () => (await (await visit('/auth/csrf')).json()).csrfToken;
const login = async () =>
  (await visit('/auth/signin/voordeur', { csrfToken: await csrf(), callbackUrl: '/' })).headers.get('location');

// The person cancels: no session, and a page that says so.
const cancelled = await ask({ authorize: await login() });
const refused = await visit(cancelled.callback);
assert.match(refused.headers.get('location'), /\/auth\/(error|signin)/);
assert.equal(await (await visit('/auth/session')).json(), null);

const { callback } = await ask({ authorize: await login() });
assert.equal((await visit(callback)).headers.get('location'), `${origin}/`);
say({ person: (await (await visit('/auth/session')).json()).user });
await ask({ logout: await portal.logout(request('/logout')) });
process.exit(0);
