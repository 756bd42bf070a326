// A certified authorization server over TLS where clients register themselves, and are known by the
// certificate that they show (RFC 8705 section 2): METHOD says how, TLS_CA, TLS_CERTIFICATE and TLS_KEY
// are files.
//
// Prints one line, `READY {"issuer":…,"control":…}`, once both ports listen. `GET {control}/` tells what
// was registered and how many token requests were let in or refused.

import { createServer as createControl } from 'node:http';
import { createServer } from 'node:https';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

import Provider from 'oidc-provider';

import { MapAdapter } from './map_adapter.mjs';

// The library tells news on standard output, which nobody reads after the first line.
console.info = console.error;
console.log = console.error;

const method = process.env.METHOD;
const seen = { registered: [], updated: 0, alive: 0, let_in: 0, refused: 0 };

async function listening(server, scheme) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `${scheme}://127.0.0.1:${server.address().port}`;
}

const front = createServer({
  ca: readFileSync(process.env.TLS_CA),
  cert: readFileSync(process.env.TLS_CERTIFICATE),
  key: readFileSync(process.env.TLS_KEY),
  requestCert: true,
  // A certificate that the client signed itself is for the method to judge.
  rejectUnauthorized: false,
});
const issuer = await listening(front, 'https');

const shown = (ctx) => ctx.socket.getPeerX509Certificate();

const provider = new Provider(issuer, {
  adapter: MapAdapter,
  scopes: ['files:read'],
  clientAuthMethods: [method],
  features: {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    clientCredentials: { enabled: true },
    registration: { enabled: true },
    registrationManagement: { enabled: true, rotateRegistrationAccessToken: true },
    mTLS: {
      enabled: true,
      tlsClientAuth: true,
      selfSignedTlsClientAuth: true,
      getCertificate: shown,
      certificateAuthorized: (ctx) => ctx.socket.authorized,
      // The last name first (RFC 4514); node has one a line, the first one first.
      certificateSubjectMatches: (ctx, property, expected) => property === 'tls_client_auth_subject_dn'
        && shown(ctx).subject.split('\n').reverse().join(',') === expected,
    },
  },
  cookies: { keys: ['only for this test'] },
});
provider.on('registration_create.success', (ctx, client) => {
  seen.alive += 1;
  seen.registered.push(client.metadata());
});
provider.on('registration_update.success', () => { seen.updated += 1; });
provider.on('registration_delete.success', () => { seen.alive -= 1; });
provider.on('grant.success', () => { seen.let_in += 1; });
provider.on('grant.error', () => { seen.refused += 1; });
front.on('request', provider.callback());

const back = createControl((_, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(seen));
});
const control = await listening(back, 'http');

// A test that dies takes its end of our standard input with it.
process.stdin.on('end', () => process.exit(0)).resume();
process.stdout.write(`READY ${JSON.stringify({ issuer, control })}\n`);
