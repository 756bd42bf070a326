// A certified authorization server where clients register themselves, and an API beside it that
// says which server it trusts.
//
// Prints one line, `READY {"issuer":…,"api":…}`, once both ports listen. `GET {api}/clients` counts
// the clients that registered and are still there.

import { createServer } from 'node:http';
import { once } from 'node:events';

import Provider from 'oidc-provider';

import { MapAdapter } from './map_adapter.mjs';

// The library tells news on standard output, which nobody reads after the first line.
console.info = console.error;
console.log = console.error;

const scopes = ['openid', 'offline_access', 'files:read'];
const clients = { registered: 0, alive: 0, updated: 0 };

async function listening(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}`;
}

const front = createServer();
const issuer = await listening(front);
const back = createServer();
const api = await listening(back);
const resource = `${api}/mcp`;

const provider = new Provider(issuer, {
  adapter: MapAdapter,
  scopes,
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
  findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  features: {
    devInteractions: { enabled: true },
    revocation: { enabled: true },
    clientCredentials: { enabled: true },
    registration: { enabled: true, initialAccessToken: process.env.INITIAL_ACCESS_TOKEN ?? false },
    registrationManagement: { enabled: true, rotateRegistrationAccessToken: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, asked) => {
        if (asked !== resource) throw new Error(`no such resource: ${asked}`);
        return { scope: 'files:read', accessTokenFormat: 'opaque', accessTokenTTL: 3600 };
      },
    },
  },
  cookies: { keys: ['only for this test'] },
});
provider.on('registration_create.success', () => { clients.registered += 1; clients.alive += 1; });
provider.on('registration_update.success', () => { clients.updated += 1; });
provider.on('registration_delete.success', () => { clients.alive -= 1; });
front.on('request', provider.callback());

back.on('request', async (request, response) => {
  switch (request.url) {
    case '/clients':
      return json(response, 200, clients);
    case '/.well-known/oauth-protected-resource/mcp':
      return json(response, 200, { resource, authorization_servers: [issuer], scopes_supported: ['files:read'] });
    case '/mcp/files': {
      const bearer = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
      const token = bearer && await provider.AccessToken.find(bearer);
      if (token?.aud === resource) return json(response, 200, { scope: token.scope, client: token.clientId });
      response.setHeader('www-authenticate', `Bearer resource_metadata="${api}/.well-known/oauth-protected-resource/mcp"`);
      return json(response, 401, { error: 'invalid_token' });
    }
    default:
      return json(response, 404, {});
  }
});

function json(response, status, body) {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}

// A test that dies takes its end of our standard input with it.
process.stdin.on('end', () => process.exit(0)).resume();
process.stdout.write(`READY ${JSON.stringify({ issuer, api })}\n`);
