// The device flow (RFC 8628), for both clients; they are asked for their consent each time.

export default function withDeviceFlow(configuration) {
  // Hints for developers, of which the flow's own pages give some; nobody reads standard output by then.
  console.info = console.error;
  configuration.features.deviceFlow = { enabled: true };
  configuration.routes.device_authorization = '/device_authorization';
  configuration.routes.code_verification = '/device';
  configuration.ttl.DeviceCode = 600;
  for (const client of configuration.clients) {
    client.grant_types.push('urn:ietf:params:oauth:grant-type:device_code');
  }
}
