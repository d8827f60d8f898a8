// The npm package `oidc-provider` as a peer of the bench: the same clients, keys of the same kinds, passwords of the same
// cost. It keeps everything in memory. Arguments: port, accounts, grants to begin with, and the password of everybody.
import { createHash, generateKeyPairSync } from 'node:crypto';

import { hash, verify } from '@node-rs/argon2';
import Provider from 'oidc-provider';

const [port, accounts, grants] = process.argv.slice(2, 5).map(Number);
const password = process.argv[5];
const issuer = `http://localhost:${port}`;
const { redirectUri, resource, clients } = JSON.parse(process.env.BENCH_CLIENTS);

// The adapter of the package keeps a thousand entries at most; this one keeps them all, and forgets at its leisure.
const kept = new Map();
const members = new Map();
const grantable = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);

class Memory {
  constructor(model) {
    this.model = model;
  }

  key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload) {
    const key = this.key(id);
    kept.set(key, payload);
    if (payload.uid && this.model === 'Session') kept.set(`uid:${payload.uid}`, id);
    if (payload.grantId && grantable.has(this.model)) {
      if (!members.has(payload.grantId)) members.set(payload.grantId, []);
      members.get(payload.grantId).push(key);
    }
  }

  async find(id) {
    return kept.get(this.key(id));
  }

  async findByUid(uid) {
    return this.find(kept.get(`uid:${uid}`));
  }

  async consume(id) {
    kept.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    kept.delete(this.key(id));
  }

  async revokeByGrantId(grantId) {
    for (const key of members.get(grantId) ?? []) kept.delete(key);
    members.delete(grantId);
  }
}

const key = (kind, options, more) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }),
  use: 'sig',
  ...more,
});

// Parameters of RFC 9106 as the bench names them; one hash serves everybody, as with the other providers.
const { memoryCost, timeCost } = JSON.parse(process.env.BENCH_ARGON2);
const passwordHash = await hash(password, { memoryCost, timeCost, parallelism: 1 });
const people = new Map();
for (let number = 0; number < accounts; number += 1) {
  const email = `persoon-${number}@example.nl`;
  const accountId = createHash('sha256').update(email).digest('base64url').slice(0, 22);
  people.set(email, { accountId, passwordHash, claims: async () => ({ sub: accountId }) });
}
const byId = new Map([...people.values()].map((person) => [person.accountId, person]));

const provider = new Provider(issuer, {
  adapter: Memory,
  clients,
  jwks: {
    keys: [
      key('rsa', { modulusLength: 2048 }, { alg: 'RS256', kid: 'rs' }),
      key('ec', { namedCurve: 'P-256' }, { alg: 'ES256', kid: 'es' }),
    ],
  },
  cookies: { keys: ['a-key-that-signs-the-cookies-here'] },
  routes: {
    authorization: '/authorize',
    token: '/token',
    jwks: '/jwks',
    introspection: '/introspect',
  },
  scopes: ['openid', 'offline_access', 'api'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo: (ctx, indicator, client) => {
        if (indicator !== resource) throw new Error(`no resource: ${indicator}`);
        return {
          scope: 'api',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: client.idTokenSignedResponseAlg } },
        };
      },
    },
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => byId.get(id),
  // Clients of one's own are asked for no consent: whoever signs in has granted what these may have.
  loadExistingGrant: async (ctx) => {
    const { client, session, params } = ctx.oidc;
    const known = session.grantIdFor(client.clientId);
    if (known) return provider.Grant.find(known);
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope(params.scope);
    await grant.save();
    return grant;
  },
  // The scope `offline_access` is dropped where no consent is asked for; the clients that want it are named so.
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  ttl: {
    AccessToken: 300,
    AuthorizationCode: 60,
    ClientCredentials: 300,
    Grant: 30 * 86_400,
    IdToken: 300,
    Interaction: 3_600,
    RefreshToken: 30 * 86_400,
    Session: 43_200,
  },
});
// Plain HTTP on loopback.
provider.on('server_error', (ctx, error) => console.error(error));

const page = (uid) => `<!doctype html><title>Inloggen</title>
<form method="post" action="/interaction/${uid}"><input type="hidden" name="csrf" value="${uid}">
<input name="email"><input name="password" type="password"><button>Inloggen</button></form>`;

async function formOf(request) {
  let text = '';
  for await (const piece of request) text += piece;
  return new URLSearchParams(text);
}

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const { uid } = await provider.interactionDetails(ctx.req, ctx.res);
  if (ctx.method === 'GET') {
    ctx.type = 'html';
    ctx.body = page(uid);
    return undefined;
  }
  const form = await formOf(ctx.req);
  const person = people.get(form.get('email'));
  if (form.get('csrf') !== uid || !person || !(await verify(person.passwordHash, form.get('password')))) {
    ctx.status = 401;
    ctx.body = 'wrong';
    return undefined;
  }
  const result = { login: { accountId: person.accountId } };
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false }));
  ctx.status = 303;
  return undefined;
});

// Grants of other people, each with a refresh token.
const holders = [...byId.keys()];
const client = clients.find(({ grant_types: types }) => types.includes('refresh_token'));
for (let number = 0; number < grants; number += 1) {
  const accountId = holders[number % holders.length];
  const grant = new provider.Grant({ accountId, clientId: client.client_id });
  grant.addOIDCScope('openid');
  const grantId = await grant.save();
  await new Memory('RefreshToken').upsert(`filled-${number}`, {
    accountId,
    clientId: client.client_id,
    grantId,
    gty: 'authorization_code',
    iat: grant.iat,
    exp: grant.exp,
    jti: `filled-${number}`,
    kind: 'RefreshToken',
    redirectUri,
    scope: 'openid',
  });
}

provider.listen(port, '127.0.0.1');
