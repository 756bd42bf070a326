// A certified authorization server on loopback, a small resource server, and a window into both.
//
// Prints one line, `READY {"issuer":…,"control":…}`, once both ports listen. The control port
// counts what the client did: it is how a test knows what really arrived.

import { createServer } from 'node:http';
import { once } from 'node:events';

import Provider from 'oidc-provider';

import { MapAdapter, grantsAlive } from './map_adapter.mjs';
import { signedClients } from './signed_clients.mjs';
import { withOpenid } from './openid.mjs';

// How long access tokens live.
let seconds = 3600;
// How long a token request lies before it is worked on: widens the time in which one can be lost.
const delay = Number(process.env.TOKEN_DELAY_MILLISECONDS ?? 0);

const counts = {
  token_requests: 0,
  refresh_requests: 0,
  rotations: 0,
  spent_tokens_seen: 0,
  unknown_tokens_seen: 0,
  grants_revoked: 0,
  server_errors: [],
  last_authorization: null,
};

// Who waits to hear of the next token request, before it is worked on.
let listeners = [];

const configuration = {
  adapter: MapAdapter,
  clockTolerance: 0,
  clients: [
    {
      client_id: 'confidential',
      client_secret: 'confidential-secret-of-the-test',
      application_type: 'native',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      redirect_uris: ['http://127.0.0.1/callback/certified'],
    },
    {
      client_id: 'public',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['http://127.0.0.1/callback/certified'],
    },
    ...signedClients,
  ],
  scopes: ['openid', 'offline_access', 'orders:read', 'orders:write'],
  pkce: { required: () => true },
  // Strict: every refresh spends its token, and a spent one ends the whole grant.
  rotateRefreshToken: true,
  issueRefreshToken: async (_, client, code) =>
    client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    // Only a client that shows a proof is asked for the server's nonce in it.
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  routes: { authorization: '/authorize', token: '/token', revocation: '/revoke', userinfo: '/userinfo' },
  cookies: { keys: ['only for this test'] },
  ttl: {
    AccessToken: () => seconds,
    ClientCredentials: () => seconds,
    AuthorizationCode: 60,
    RefreshToken: 14 * 24 * 3600,
    Grant: 14 * 24 * 3600,
    Interaction: 600,
    Session: 14 * 24 * 3600,
    IdToken: 3600,
  },
};

// What a test switches on besides: a file here that changes the configuration.
const { FEATURE } = process.env;
if (FEATURE) (await import(`./${FEATURE}.mjs`)).default(configuration);

const front = createServer();
front.listen(0, '127.0.0.1');
await once(front, 'listening');
const issuer = `http://127.0.0.1:${front.address().port}`;

const provider = new Provider(issuer, withOpenid(configuration));
provider.on('grant.revoked', () => { counts.grants_revoked += 1; });
provider.on('server_error', (_, error) => { counts.server_errors.push(String(error)); });
provider.on('grant.success', (ctx) => {
  if (ctx.oidc.params.grant_type === 'refresh_token') counts.rotations += 1;
});
provider.use(async (ctx, next) => {
  if (ctx.path === '/authorize') counts.last_authorization = { ...ctx.query };
  await next();
  if (ctx.oidc?.route === 'token' && ctx.oidc.params?.grant_type === 'refresh_token') {
    counts.refresh_requests += 1;
  }
});
// The client is told less than the server knows: what was wrong stands in `error_detail`.
provider.on('grant.error', (_, error) => {
  if (error.error_detail === 'refresh token already used') counts.spent_tokens_seen += 1;
  if (error.error_detail === 'refresh token not found') counts.unknown_tokens_seen += 1;
});

const oidc = provider.callback();
front.on('request', (request, response) => {
  const path = request.url.split('?')[0];
  if (path === '/me') return me(request, response);
  if (path === '/token') {
    counts.token_requests += 1;
    for (const tell of listeners) tell();
    listeners = [];
    return setTimeout(() => oidc(request, response), delay);
  }
  return oidc(request, response);
});

// The resource server: asks the authorization server's own memory about the bearer token.
async function me(request, response) {
  const bearer = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  const token = bearer && (await provider.AccessToken.find(bearer)
    ?? await provider.ClientCredentials.find(bearer));
  if (!token) {
    response.setHeader('www-authenticate', 'Bearer error="invalid_token"');
    return json(response, 401, { error: 'invalid_token' });
  }
  return json(response, 200, { account: token.accountId ?? null, client: token.clientId, scope: token.scope ?? null });
}

function json(response, status, body) {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}

const control = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, issuer);
  switch (pathname) {
    case '/access-token-seconds':
      seconds = Number(searchParams.get('is'));
      return json(response, 200, {});
    case '/counts':
      return json(response, 200, { ...counts, grants_alive: grantsAlive() });
    case '/token-request': {
      const answer = () => json(response, 200, {});
      return counts.token_requests >= Number(searchParams.get('number')) ? answer() : listeners.push(answer);
    }
    default:
      return json(response, 404, {});
  }
});
control.listen(0, '127.0.0.1');
await once(control, 'listening');

// A test that dies takes its end of our standard input with it.
process.stdin.on('end', () => process.exit(0)).resume();

// Nobody reads our standard output after the one line: what the server says now and then goes to the log.
console.info = console.log = console.error;
const ready = { issuer, control: `http://127.0.0.1:${control.address().port}` };
process.stdout.write(`READY ${JSON.stringify(ready)}\n`);
