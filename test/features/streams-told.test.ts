/** What is told of streams under `fairway up`: to backends by the PROXY protocol, to people by access log and metrics. */
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backdrop, dial, listenRaw } from '../../src/proxy/testing/sockets.ts';
import { canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, backendRef, gateway, gatewayVersion, type Manifest, stream } from '../support/manifests.ts';

const told = { 'fairway.dev/proxy-protocol': 'v1' };
const [deployment, service] = app('db') as [Manifest, Manifest & { metadata: Manifest }];
const manifests = [
  deployment,
  { ...service, metadata: { ...service.metadata, annotations: told } },
  gateway('l4', [{ name: 'tcp', port: 9000, protocol: 'TCP' }]),
  {
    apiVersion: gatewayVersion,
    kind: 'TCPRoute',
    metadata: { name: 'db' },
    spec: { parentRefs: [{ name: 'l4' }], rules: [{ backendRefs: [backendRef('db')] }] },
  },
];

if (!canBind) console.log('skipped: addresses of 127/8 cannot be bound');

describe.skipIf(!canBind)('a TCPRoute whose Service asks for the PROXY protocol', () => {
  const log = join(tmpdir(), `fairway-streams-${process.pid}.log`);
  let real: Backdrop;
  let door: TestDoor;
  let address = '';
  beforeAll(async () => {
    real = await listenRaw('127.77.11.41', 9400, (socket) => socket.once('data', (chunk) => socket.end(chunk)));
    door = await openDoor(34, {
      paths: ['-'],
      stdin: stream(...manifests),
      backends: [{ namespace: 'default', service: 'db', host: '127.77.11.41', targetPort: 9400 }],
      telemetry: { accessLog: { path: log, format: 'json', sampleRate: 1 }, metrics: { host: '127.0.0.1', port: 0 } },
    });
    const [found] = door.store.list<{
      kind: string;
      apiVersion: string;
      metadata: { name: string };
      status: { addresses: { value: string }[] };
    }>('gateways.gateway.networking.k8s.io');
    address = found!.status.addresses[0]!.value;
  });
  afterAll(async () => {
    await door.close();
    await real.close();
    rmSync(log, { force: true });
  });

  it('tells the backend, the access log and the metrics of the connection', async () => {
    const client = await dial(address, 9000);
    const text = await client.closed();
    client.socket.end();
    expect(text).toMatch(new RegExp(`^PROXY TCP4 127\\.0\\.0\\.1 ${address.replaceAll('.', '\\.')} \\d+ 9000\r\n$`));
    const line = await eventually(
      () => readFileSync(log, 'utf8'),
      (text) => text.endsWith('\n'),
    );
    expect(JSON.parse(line)).toMatchObject({
      ...{
        protocol: 'TCP',
        listener: `${address}:9000/TCP`,
        route: 'TCPRoute/default/db/rules/0',
        client: '127.0.0.1',
      },
      ...{ backend: 'default/db:80/TCP', endpoint: '127.77.11.41:9400', sentBytes: text.length, receivedBytes: 0 },
    });
    const page = await (await fetch(door.summary.metrics!)).text();
    expect(page).toContain(
      `fairway_proxy_streams_total{route="TCPRoute/default/db/rules/0",listener="${address}:9000/TCP"} 1\n`,
    );
  });
});
