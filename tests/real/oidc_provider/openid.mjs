// What the server knows of the person who signs in, and where it says so.

const person = (id) => ({ sub: id, email: `${id}@example.test`, email_verified: true });

export function withOpenid(configuration) {
  return {
    ...configuration,
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    scopes: [...configuration.scopes, 'email'],
    findAccount: (_, id) => ({ accountId: id, claims: async () => person(id) }),
    // `/me` is the resource server of the other tests.
    routes: { ...configuration.routes, userinfo: '/userinfo', jwks: '/keys', introspection: '/introspect' },
  };
}
