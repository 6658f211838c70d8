/** What a user does with TCPRoutes, UDPRoutes and TLSRoutes: bytes and datagrams through a Gateway, judged by openssl. */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dial } from '../../src/proxy/testing/sockets.ts';
import { certificateSecret } from '../support/certificates.ts';
import { apiOf, ask, canBind, conditionsOf, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, backendRef, gateway, gatewayVersion, httpRoute, type Manifest, stream } from '../support/manifests.ts';

const route = (
  kind: string,
  name: string,
  parentRef: Manifest,
  backendRefs: readonly Manifest[],
  more: Manifest = {},
) => ({
  apiVersion: gatewayVersion,
  kind,
  metadata: { name, namespace: 'default' },
  spec: { parentRefs: [parentRef], rules: [{ backendRefs }], ...more },
});

/** A Deployment whose Pods echo datagrams, and its Service. */
function udpApp(name: string): Manifest[] {
  const [deployment, service] = app(name) as [Manifest, Manifest];
  const ports = [{ name: 'dns', containerPort: 5353, protocol: 'UDP' }];
  const labels = { app: name };
  const spec = {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'example.com/app:1', ports }] } },
  };
  return [
    { ...deployment, spec },
    { ...service, spec: { selector: labels, ports: [{ name: 'dns', port: 53, targetPort: 'dns', protocol: 'UDP' }] } },
  ];
}

/** A Deployment whose Pods answer TLS with the certificate of the Secret `pods`, and its Service. */
function tlsApp(name: string): Manifest[] {
  const [deployment, service] = app(name) as [Manifest, Manifest];
  const labels = { app: name };
  const container = {
    name: 'main',
    image: 'example.com/app:1',
    ports: [{ name: 'web', containerPort: 8443 }],
    env: [
      { name: 'TLS_SERVER_CERT', value: '/tls/tls.crt' },
      { name: 'TLS_SERVER_PRIVKEY', value: '/tls/tls.key' },
    ],
    volumeMounts: [{ name: 'tls', mountPath: '/tls' }],
  };
  const volumes = [{ name: 'tls', secret: { secretName: 'pods' } }];
  const template = { metadata: { labels }, spec: { containers: [container], volumes } };
  return [{ ...deployment, spec: { selector: { matchLabels: labels }, template } }, service];
}

const tls = (name: string, hostname: string, options: Manifest) => ({
  name,
  port: 443,
  protocol: 'TLS',
  hostname,
  tls: options,
});
const certificate = { certificateRefs: [{ name: 'shown' }] };

const manifests = [
  ...app('one'),
  ...app('two'),
  ...udpApp('names'),
  ...tlsApp('secure'),
  certificateSecret('pods', ['a.through.example.com']),
  certificateSecret('shown', ['*.terminate.example.com', '*.example.com']),
  gateway('l4', [
    { name: 'tcp', port: 9000, protocol: 'TCP' },
    { name: 'weighted', port: 9001, protocol: 'TCP' },
    { name: 'udp', port: 9000, protocol: 'UDP' },
    { name: 'empty', port: 9002, protocol: 'TCP' },
  ]),
  route('TCPRoute', 'echo', { name: 'l4', sectionName: 'tcp' }, [backendRef('one')]),
  route('TCPRoute', 'shares', { name: 'l4', port: 9001 }, [
    backendRef('one', { weight: 3 }),
    backendRef('nobody', { weight: 1 }),
  ]),
  route('UDPRoute', 'names', { name: 'l4' }, [{ name: 'names', port: 53 }]),
  gateway('names', [
    tls('through', '*.through.example.com', { mode: 'Passthrough' }),
    tls('terminated', '*.terminate.example.com', { mode: 'Terminate', ...certificate }),
    { name: 'https', port: 443, protocol: 'HTTPS', hostname: '*.example.com', tls: certificate },
  ]),
  route('TLSRoute', 'through', { name: 'names', sectionName: 'through' }, [backendRef('secure')], {
    hostnames: ['a.through.example.com', '*.b.through.example.com'],
  }),
  route('TLSRoute', 'terminated', { name: 'names', sectionName: 'terminated' }, [backendRef('two')], {
    hostnames: ['*.terminate.example.com'],
  }),
  httpRoute('web', { name: 'names', sectionName: 'https' }, [{ backendRefs: [backendRef('one')] }]),
];

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** What `openssl s_client` gets for a request line with this server name. */
function sClient(address: string, serverName: string, sent: string): Promise<{ code: number | null; text: string }> {
  const name = serverName ? ['-servername', serverName] : ['-noservername'];
  const client = spawn('openssl', ['s_client', '-connect', `${address}:443`, ...name, '-ign_eof', '-nocommands']);
  let text = '';
  for (const output of [client.stdout, client.stderr]) output.on('data', (chunk: Buffer) => (text += chunk));
  // openssl goes before it has read what was to be sent when the connection is refused.
  client.stdin.on('error', () => {});
  client.stdin.write(sent);
  const timer = setTimeout(() => client.kill(), 5_000);
  return new Promise((resolve) => {
    client.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, text });
    });
  });
}

const get = (host: string) => `GET /x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

describe.skipIf(!canBind)('TCP, UDP and TLS through a Gateway', () => {
  let door: TestDoor;
  const addressOf = (name: string) => door.summary.gateways.find((each) => each.name === name)!.addresses[0]!;
  const stored = <T>(resource: string, name: string) =>
    door.store.get(`${resource}.gateway.networking.k8s.io`, `default/${name}`) as T;

  beforeAll(async () => {
    door = await openDoor(26, { paths: ['-'], stdin: stream(...manifests) });
  });
  afterAll(() => door?.close(0));

  it('starts with the one finding there is, and every listener programmed', () => {
    const found = door.summary.diagnostics.filter(({ severity }) => severity !== 'info');
    expect(found.map(({ code, object }) => `${code} ${object?.name}`)).toEqual(['FW3401 shares']);
    for (const name of ['l4', 'names']) {
      const { status } = stored<{ status: { listeners: { name: string; conditions: never[] }[] } }>('gateways', name);
      for (const listener of status.listeners)
        expect(conditionsOf(listener.conditions), listener.name).toContain('Programmed=True(Programmed)');
    }
  });

  it('TCP: bytes come back from the Pod, and the end of one side leaves the other', async () => {
    const client = await dial(addressOf('l4'), 9000);
    client.send('some bytes');
    await client.until('some bytes');
    client.send(', and more');
    client.socket.end();
    expect(await client.closed()).toBe('some bytes, and more');
  });

  it('TCP: a share of connections for a Service that is not there is refused', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, async () => {
        try {
          const client = await dial(addressOf('l4'), 9001);
          client.send('x');
          client.socket.end();
          return await client.closed();
        } catch {
          return '';
        }
      }),
    );
    expect(outcomes.filter((text) => text === 'x')).toHaveLength(30);
    expect(conditionsOf(parentOf('tcproutes', 'shares').conditions)).toEqual([
      'Accepted=True(Accepted)',
      'ResolvedRefs=False(BackendNotFound)',
    ]);
  });

  const parentOf = (resource: string, name: string) =>
    stored<{ status: { parents: { conditions: never[] }[] } }>(resource, name).status.parents[0]!;

  it('TCP: a listener without a route refuses', async () => {
    const text = await dial(addressOf('l4'), 9002).then(
      (client) => client.closed(),
      () => '',
    );
    expect(text).toBe('');
  });

  it('UDP: a datagram comes back, on the port that TCP has too', async () => {
    const socket = createSocket('udp4');
    const answer = new Promise<string>((resolve) => socket.once('message', (data) => resolve(data.toString())));
    socket.send('datagram', 9000, addressOf('l4'));
    expect(await answer).toBe('datagram');
    socket.close();
  });

  it.skipIf(!hasOpenssl)('TLS passthrough: the Pod answers the handshake, by server name', async () => {
    const address = addressOf('names');
    for (const name of ['a.through.example.com', 'x.y.b.through.example.com', 'A.THROUGH.example.com']) {
      const { text } = await sClient(address, name, get(name));
      expect(text).toContain('200 OK');
      expect(text.toLowerCase()).toContain(`"servername": "${name.toLowerCase()}"`);
      expect(text).toContain('"pod": "secure-');
    }
  });

  it.skipIf(!hasOpenssl)(
    'TLS termination: the Gateway shows its certificate, the Pod gets what was inside',
    async () => {
      const { text } = await sClient(addressOf('names'), 'x.terminate.example.com', get('x.terminate.example.com'));
      expect(text).toContain('CN = *.terminate.example.com');
      expect(text).toContain('200 OK');
      expect(text).toContain('"pod": "two-');
      expect(text).not.toContain('"tls"');
    },
  );

  it.skipIf(!hasOpenssl)(
    'TLS: names that nothing routes, and no name at all, are refused in the handshake',
    async () => {
      for (const name of ['other.through.example.com', 'example.org', '']) {
        const { code, text } = await sClient(addressOf('names'), name, get('x'));
        expect(code, name).not.toBe(0);
        expect(text, name).not.toContain('BEGIN CERTIFICATE');
      }
    },
  );

  it('HTTPS shares the port: names that belong to its listener are answered by HTTPRoutes', async () => {
    const { status, echo } = await ask({ address: addressOf('names'), host: 'www.example.com', tls: true });
    expect(status).toBe(200);
    expect(echo.pod).toMatch(/^one-/);
  });

  it('an edit leads new connections elsewhere and leaves open ones alone', async () => {
    const client = await dial(addressOf('l4'), 9000);
    client.send('before');
    await client.until('before');
    const api = apiOf(door);
    const path = '/apis/gateway.networking.k8s.io/v1/namespaces/default/tcproutes';
    await api.patch(`${path}/echo`, { spec: { rules: [{ backendRefs: [backendRef('nobody')] }] } });
    await eventually(
      () =>
        dial(addressOf('l4'), 9000).then(
          (next) => next.closed(200).catch(() => 'open'),
          () => '',
        ),
      (text) => text === '',
    );
    client.send(' after');
    await client.until('before after');
    await api.remove(`${path}/echo`);
    await eventually(
      () =>
        stored<{ status: { listeners: { name: string; attachedRoutes: number }[] } }>('gateways', 'l4')
          .status.listeners.filter(({ attachedRoutes }) => attachedRoutes > 0)
          .map(({ name }) => name)
          .join(),
      (names) => names === 'weighted,udp',
    );
    client.socket.end();
    expect(await client.closed()).toBe('before after');
  });
});
