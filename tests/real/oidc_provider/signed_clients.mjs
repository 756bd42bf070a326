// Clients that sign instead of showing a secret; the keys sign nothing anywhere else.

import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

const keys = new URL('../../../src/authorization_server/jose/test_keys/', import.meta.url);

function publicKey(file) {
  return createPublicKey(readFileSync(new URL(file, keys))).export({ format: 'jwk' });
}

function client(id, more) {
  return {
    client_id: id,
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    redirect_uris: ['http://127.0.0.1/callback/certified'],
    ...more,
  };
}

function signed(algorithm, file) {
  return client(`signed-${algorithm}`, {
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: algorithm,
    jwks: { keys: [publicKey(file)] },
  });
}

export const signedClients = [
  signed('RS256', 'rsa_pkcs8.pem'),
  signed('PS256', 'rsa_pkcs8.pem'),
  signed('ES256', 'p256_pkcs8.pem'),
  signed('EdDSA', 'ed25519_pkcs8.pem'),
  client('signed-HS256', {
    token_endpoint_auth_method: 'client_secret_jwt',
    token_endpoint_auth_signing_alg: 'HS256',
    client_secret: 'a-secret-of-the-test-that-is-long-enough-for-HS256',
  }),
];
