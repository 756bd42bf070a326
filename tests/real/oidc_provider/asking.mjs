// A certified authorization server that takes pushed authorization requests alone, and gives tokens
// for the resources that were asked for.
//
// Prints one line, `READY {"issuer":…,"control":…}`, once both ports listen. `/seen` at the control
// port tells what came to the endpoints.

import { createServer } from 'node:http';
import { once } from 'node:events';

import Provider, { errors } from 'oidc-provider';

import { MapAdapter } from './map_adapter.mjs';

const RESOURCES = ['https://api.example/orders', 'urn:example:billing'];

const seen = { pushed: [], authorization: [], token: [], server_errors: [] };

const configuration = {
  adapter: MapAdapter,
  clients: [
    {
      client_id: 'confidential',
      client_secret: 'confidential-secret-of-the-test',
      application_type: 'native',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['http://127.0.0.1/callback/certified'],
    },
  ],
  scopes: ['openid', 'offline_access', 'orders:read'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (_, client, code) => code.scopes.has('offline_access'),
  findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  acrValues: ['urn:example:strong'],
  features: {
    devInteractions: { enabled: true },
    revocation: { enabled: true },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => false,
      getResourceServerInfo: (_, resource) => {
        if (!RESOURCES.includes(resource)) throw new errors.InvalidTarget();
        return { scope: 'orders:read', audience: resource, accessTokenFormat: 'opaque' };
      },
    },
  },
  routes: {
    authorization: '/authorize', token: '/token', revocation: '/revoke', pushed_authorization_request: '/par',
  },
  cookies: { keys: ['only for this test'] },
  ttl: {
    AccessToken: 3600,
    AuthorizationCode: 60,
    RefreshToken: 3600,
    Grant: 3600,
    Interaction: 600,
    Session: 3600,
    IdToken: 3600,
  },
};

const front = createServer();
front.listen(0, '127.0.0.1');
await once(front, 'listening');
const issuer = `http://127.0.0.1:${front.address().port}`;

const provider = new Provider(issuer, configuration);
provider.on('server_error', (_, error) => { seen.server_errors.push(String(error)); });
provider.use(async (ctx, next) => {
  if (ctx.path === '/authorize') seen.authorization.push({ ...ctx.query });
  await next();
  if (ctx.path === '/par') seen.pushed.push({ status: ctx.status, ...ctx.oidc?.body });
  if (ctx.path === '/token') seen.token.push({ status: ctx.status, ...ctx.oidc?.body });
});
front.on('request', provider.callback());

const control = createServer(async (request, response) => {
  const token = new URL(request.url, issuer).searchParams.get('token');
  const access = token && await provider.AccessToken.find(token);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ ...seen, audience: access?.aud ?? null }));
});
control.listen(0, '127.0.0.1');
await once(control, 'listening');

// A test that dies takes its end of our standard input with it.
process.stdin.on('end', () => process.exit(0)).resume();

const ready = { issuer, control: `http://127.0.0.1:${control.address().port}` };
process.stdout.write(`READY ${JSON.stringify(ready)}\n`);
