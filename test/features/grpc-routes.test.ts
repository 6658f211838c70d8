/** What a user does with GRPCRoutes, with @grpc/grpc-js on both sides: matches, weights, mirrors, filters, what fails and how. */
import { connect } from 'node:http2';
import {
  Client,
  credentials,
  type handleBidiStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gateway, GRPCRoute } from '../../src/kube/types/index.ts';
import { selfSigned } from '../../src/proxy/testing/certificates.ts';
import { ask, canBind, conditionsOf, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, backendRef, gateway, gatewayVersion, httpRoute, type Manifest, stream } from '../support/manifests.ts';

const same = (value: Buffer) => value;
const serialized = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same }; // biome-ignore format: one line

/** Calls of one message each way, and `Chat` of any number. */
const paths = ['foo.Bar/Get', 'foo.Bar/List', 'foo.Bar/Chat', 'foo.v1.Bar/Get', 'other.Service/Get'];

interface Seen {
  readonly server: string;
  readonly path: string;
  readonly metadata: Record<string, unknown>;
}

interface Backend {
  readonly port: number;
  readonly seen: Seen[];
  close(): void;
}

/** A server that tells its name, the method that was called, and the metadata. */
async function startServer(name: string, secure?: { chain: string; key: string }): Promise<Backend> {
  const server = new Server();
  const seen: Seen[] = [];
  for (const path of paths) {
    const noted = (metadata: Metadata): Seen => {
      const told = { server: name, path, metadata: metadata.getMap() };
      seen.push(told);
      return told;
    };
    const unary: handleUnaryCall<Buffer, Buffer> = ({ metadata }, callback) =>
      callback(null, Buffer.from(JSON.stringify(noted(metadata))));
    const chat: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
      noted(call.metadata);
      call.on('data', (message: Buffer) => call.write(Buffer.from(`${name}: ${message}`)));
      call.on('end', () => call.end());
    };
    const isChat = path.endsWith('/Chat');
    const call = { path: `/${path}`, requestStream: isChat, responseStream: isChat, ...serialized };
    server.addService({ call }, { call: isChat ? chat : unary });
  }
  const shown = secure
    ? ServerCredentials.createSsl(null, [
        { cert_chain: Buffer.from(secure.chain), private_key: Buffer.from(secure.key) },
      ])
    : ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', shown, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { port, seen, close: () => server.forceShutdown() };
}

const grpcRoute = (name: string, rules: readonly Manifest[], hostname: string): Manifest => ({
  ...httpRoute(name, 'calls', rules, { hostnames: [hostname] }),
  kind: 'GRPCRoute',
});
const method = (service?: string, name?: string, type?: string) => ({
  method: { ...(type && { type }), ...(service && { service }), ...(name && { method: name }) },
});
const to = (...names: string[]) => ({ backendRefs: names.map((name) => backendRef(name)) });
const header = (type: string, set: string) => ({ type: `${type}HeaderModifier`, [`${type[0]!.toLowerCase()}${type.slice(1)}HeaderModifier`]: { set: [{ name: set, value: 'filter' }] } }); // biome-ignore format: one line

const routes: Manifest[] = [
  grpcRoute(
    'matches',
    [
      { name: 'by-service', matches: [method('foo.Bar')], ...to('one') },
      { name: 'by-method', matches: [method('foo.Bar', 'List')], ...to('two') },
      { matches: [{ ...method('foo.Bar'), headers: [{ name: 'x-version', value: 'two' }] }], ...to('two') },
      { matches: [method('foo\\.v[0-9]+\\..*', 'G.t', 'RegularExpression')], ...to('two') },
    ],
    'match.example.com',
  ),
  grpcRoute('any-service', [{ matches: [method(undefined, 'Get')], ...to('one') }], 'get.example.com'),
  grpcRoute(
    'weights',
    [{ backendRefs: [backendRef('one', { weight: 7 }), backendRef('two', { weight: 2 }), backendRef('absent', { weight: 1 })] }], // biome-ignore format: one line
    'weights.example.com',
  ),
  grpcRoute(
    'filters',
    [
      {
        filters: [
          header('Request', 'x-asked'),
          header('Response', 'x-answered'),
          { type: 'RequestMirror', requestMirror: { backendRef: backendRef('shadow') } },
        ],
        backendRefs: [backendRef('one', { filters: [header('Request', 'x-share')] })],
      },
    ],
    'filters.example.com',
  ),
  grpcRoute('nowhere', [{ matches: [method('foo.Bar')] }, { matches: [method('other.Service')], ...to('absent') }], 'nowhere.example.com'), // biome-ignore format: one line
  grpcRoute(
    'invalid',
    [
      { matches: [method('foo.Bar')], filters: [{ type: 'ExtensionRef', extensionRef: { group: 'example.com', kind: 'Thing', name: 'one' } }], ...to('one') }, // biome-ignore format: one line
      { matches: [method('other.Service')], ...to('one') },
    ],
    'invalid.example.com',
  ),
  grpcRoute('secure', [to('secure')], 'secure.example.com'),
  // One Service port for both kinds.
  grpcRoute('shared-calls', [{ matches: [method('grpc.health.v1.Health')], ...to('echo') }], 'shared.example.com'),
  httpRoute('shared-web', 'calls', [to('echo')], { hostnames: ['shared.example.com'] }),
];

describe.skipIf(!canBind)('GRPCRoute', () => {
  const servers: Record<'one' | 'two' | 'shadow' | 'secure', Backend> = {} as never;
  const clients = new Map<string, Client>();
  let door: TestDoor;
  let address = '';

  beforeAll(async () => {
    const certificate = selfSigned('grpc-routes', 'calls.internal');
    for (const name of ['one', 'two', 'shadow'] as const) servers[name] = await startServer(name);
    servers.secure = await startServer('secure', certificate);
    door = await openDoor(7, {
      paths: ['-'],
      stdin: stream(
        ...['one', 'two', 'shadow', 'secure', 'echo'].flatMap((name) => app(name)),
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ca' }, data: { 'ca.crt': certificate.chain } },
        {
          apiVersion: gatewayVersion,
          kind: 'BackendTLSPolicy',
          metadata: { name: 'secure' },
          spec: {
            targetRefs: [{ group: '', kind: 'Service', name: 'secure' }],
            validation: {
              hostname: 'calls.internal',
              caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }],
            },
          },
        },
        gateway('calls'),
        ...routes,
      ),
      backends: Object.entries(servers).map(([service, { port }]) => ({
        ...{ namespace: 'default', service, host: '127.0.0.1', targetPort: port },
      })),
    });
    address = door.summary.gateways[0]!.addresses[0]!;
  });
  afterAll(async () => {
    for (const client of clients.values()) client.close();
    await door?.close(0);
    for (const server of Object.values(servers)) server.close();
  });

  function clientOf(host: string): Client {
    const known = clients.get(host);
    if (known) return known;
    const client = new Client(`${address}:80`, credentials.createInsecure(), { 'grpc.default_authority': host });
    clients.set(host, client);
    return client;
  }

  interface Told {
    readonly seen: Seen | undefined;
    readonly error: ServiceError | undefined;
    readonly initial: Record<string, unknown>;
  }

  function call(host: string, path: string, headers: Record<string, string> = {}): Promise<Told> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    return new Promise((resolve) => {
      let initial = {};
      const made = clientOf(host).makeUnaryRequest(
        `/${path}`,
        same,
        same,
        Buffer.from('hello'),
        metadata,
        {},
        (error, answer) =>
        setImmediate(() => resolve({ error: error ?? undefined, seen: answer && JSON.parse(String(answer)), initial })), // biome-ignore format: one line
      );
      made.on('metadata', (lines: Metadata) => {
        initial = lines.getMap();
      });
    });
  }

  /** The name of the server that answered, or the status of gRPC. */
  async function answered(host: string, path: string, headers: Record<string, string> = {}): Promise<string> {
    const { seen, error } = await call(host, path, headers);
    return seen?.server ?? status[error!.code]!;
  }

  it.each<[string, string, string, Record<string, string>, string]>([
    ['a service', 'match.example.com', 'foo.Bar/Get', {}, 'one'],
    ['a method of it goes before', 'match.example.com', 'foo.Bar/List', {}, 'two'],
    ['a header goes before none', 'match.example.com', 'foo.Bar/Get', { 'x-version': 'two' }, 'two'],
    ['a header of another value is no match', 'match.example.com', 'foo.Bar/Get', { 'x-version': 'Two' }, 'one'],
    ['a pattern', 'match.example.com', 'foo.v1.Bar/Get', {}, 'two'],
    ['a method of any service', 'get.example.com', 'other.Service/Get', {}, 'one'],
    ['another service is unimplemented', 'match.example.com', 'other.Service/Get', {}, 'UNIMPLEMENTED'],
    ['names are case-sensitive', 'match.example.com', 'foo.bar/Get', {}, 'UNIMPLEMENTED'],
    ['another method is unimplemented', 'get.example.com', 'foo.Bar/List', {}, 'UNIMPLEMENTED'],
    ['another host is unimplemented', 'unknown.example.com', 'foo.Bar/Get', {}, 'UNIMPLEMENTED'],
    ['a rule without backends is unavailable', 'nowhere.example.com', 'foo.Bar/Get', {}, 'UNAVAILABLE'],
    ['a rule whose backend is not there is unavailable', 'nowhere.example.com', 'other.Service/Get', {}, 'UNAVAILABLE'],
    ['a rule that cannot be followed fails', 'invalid.example.com', 'foo.Bar/Get', {}, 'INTERNAL'],
    ['a rule beside it is followed', 'invalid.example.com', 'other.Service/Get', {}, 'one'],
    ['a backend behind a BackendTLSPolicy', 'secure.example.com', 'foo.Bar/Get', {}, 'secure'],
  ])('%s', async (_name, host, path, headers, expected) => {
    expect(await answered(host, path, headers)).toBe(expected);
  });

  it.each([
    ['match.example.com', '/other.Service/Get', '12'],
    ['unknown.example.com', '/foo.Bar/Get', '12'],
    ['nowhere.example.com', '/foo.Bar/Get', '14'],
    ['nowhere.example.com', '/other.Service/Get', '14'],
    ['invalid.example.com', '/foo.Bar/Get', '13'],
  ])('what fails here is one header section: %s%s is %s', async (host, path, expected) => {
    const session = connect(`http://${address}:80`);
    const head = {
      ':method': 'POST',
      ':authority': host,
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    };
    const request = session.request(head);
    request.end(Buffer.alloc(5));
    const parts: string[] = [];
    for (const event of ['data', 'trailers'] as const) request.on(event, () => parts.push(event));
    const headers = await new Promise((resolve) => request.once('response', resolve));
    await new Promise((resolve) => request.once('close', resolve));
    session.close();
    expect(headers).toMatchObject({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': expected });
    expect(parts).toEqual([]);
  });

  it('takes calls only', async () => {
    const answer = await ask({ address, host: 'get.example.com', path: '/foo.Bar/Get', method: 'POST' });
    expect(answer.status).toBe(404);
    const claimed = await ask({ address, host: 'get.example.com', path: '/foo.Bar/Get', method: 'POST', headers: { 'content-type': 'application/grpc' } }); // biome-ignore format: one line
    expect(claimed.status).toBe(404);
  });

  it('carries streams both ways', async () => {
    const chat = clientOf('match.example.com').makeBidiStreamRequest('/foo.Bar/Chat', same, same);
    const answers = chat[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    for (const said of ['hello', 'again']) {
      chat.write(Buffer.from(said));
      expect(String((await answers.next()).value)).toBe(`one: ${said}`);
    }
    chat.end();
    expect((await answers.next()).done).toBe(true);
  });

  it('shares calls of one connection out by weight, and those of an invalid reference fail', async () => {
    const counts: Record<string, number> = {};
    for (let batch = 0; batch < 5; batch++) {
      const all = Array.from({ length: 40 }, () => answered('weights.example.com', 'foo.Bar/Get'));
      for (const name of await Promise.all(all)) counts[name] = (counts[name] ?? 0) + 1;
    }
    expect(counts).toEqual({ one: 140, two: 40, UNAVAILABLE: 20 });
  });

  it('changes metadata both ways, and mirrors calls', async () => {
    const { seen, initial } = await call('filters.example.com', 'foo.Bar/Get', { 'x-asked': 'mine' });
    expect(seen).toMatchObject({ server: 'one', metadata: { 'x-asked': 'filter', 'x-share': 'filter' } });
    expect(initial).toMatchObject({ 'x-answered': 'filter' });
    const mirrored = await eventually(
      () => servers.shadow.seen.map(({ path }) => path),
      (found) => found.length > 0,
    );
    expect(mirrored).toEqual(['foo.Bar/Get']);
  });

  it('speaks HTTP/2 for calls and HTTP/1.1 for the rest to one port of a Service', async () => {
    const [code, web] = await Promise.all([
      new Promise<number>((resolve) => {
        clientOf('shared.example.com').makeUnaryRequest(
          '/grpc.health.v1.Health/Check',
          same,
          same,
          Buffer.alloc(0),
          (error) =>
          resolve(error?.code ?? status.OK), // biome-ignore format: one line
        );
      }),
      ask({ address, host: 'shared.example.com', path: '/' }),
    ]);
    expect([code, web.status, web.echo.proto]).toEqual([status.OK, 200, 'HTTP/1.1']);
  });

  it('tells of each route how it fares', () => {
    const conditions = (name: string) =>
      conditionsOf(
        door.store.get<GRPCRoute>('grpcroutes.gateway.networking.k8s.io', `default/${name}`)?.status?.parents[0]
          ?.conditions,
      );
    const accepted = 'Accepted=True(Accepted)';
    const resolved = 'ResolvedRefs=True(ResolvedRefs)';
    expect(conditions('matches')).toEqual([accepted, resolved]);
    expect(conditions('nowhere')).toEqual([accepted, 'ResolvedRefs=False(BackendNotFound)']);
    expect(conditions('invalid')).toEqual([accepted, 'PartiallyInvalid=True(UnsupportedValue)', resolved]);
    const calls = door.store.get<Gateway>('gateways.gateway.networking.k8s.io', 'default/calls');
    expect(calls?.status?.listeners?.[0]).toMatchObject({
      attachedRoutes: routes.length,
      supportedKinds: [{ kind: 'HTTPRoute' }, { kind: 'GRPCRoute' }],
    });
  });
});
