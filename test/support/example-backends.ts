/** What the examples of the Gateway API lead to, as processes and Pods of a test: each tells its name. */
import { createServer as createHttp2Server } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import type { BackendOverride } from '../../src/local/cluster.ts';
import { app, type Manifest } from './manifests.ts';

export interface Named {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly protocol: 'HTTP' | 'gRPC' | 'TCP' | 'UDP' | 'TLS';
}

interface Route {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
  readonly spec: { readonly rules?: readonly Rule[] };
}
interface Ref {
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
  readonly kind?: string;
}
interface Rule {
  readonly backendRefs?: readonly Ref[];
  readonly filters?: readonly { readonly requestMirror?: { readonly backendRef: Ref } }[];
}

const spokenBy: Readonly<Record<string, Named['protocol']>> = {
  HTTPRoute: 'HTTP',
  GRPCRoute: 'gRPC',
  TCPRoute: 'TCP',
  UDPRoute: 'UDP',
  TLSRoute: 'TLS',
};

/** The port of HTTPS is TLS, whoever asks; what a TLSRoute terminates is plain. */
function protocolOf(spoken: Named['protocol'], port: number): Named['protocol'] {
  if (spoken === 'HTTP' || spoken === 'TLS') return port === 443 ? 'TLS' : spoken === 'TLS' ? 'TCP' : 'HTTP';
  return spoken;
}

/** Every Service that routes among these documents lead to, each port once. */
export function backendsOf(documents: readonly Manifest[]): Named[] {
  const found = new Map<string, Named>();
  for (const { kind, metadata, spec } of documents as unknown as Route[]) {
    const spoken = spokenBy[kind];
    if (!spoken) continue;
    for (const { backendRefs = [], filters = [] } of spec.rules ?? []) {
      const mirrors = filters.flatMap(({ requestMirror }) => (requestMirror ? [requestMirror.backendRef] : []));
      for (const { name, namespace = metadata.namespace ?? 'default', port = 80, kind: of = 'Service' } of [
        ...backendRefs,
        ...mirrors,
      ]) {
        const protocol = protocolOf(spoken, port);
        if (of === 'Service')
          found.set(`${namespace}/${name}:${port}/${protocol === 'UDP'}`, { namespace, name, port, protocol });
      }
    }
  }
  return [...found.values()];
}

/** A Deployment and a Service for each name, with all of its ports. */
export function podsOf(backends: readonly Named[]): Manifest[] {
  const byName = new Map<string, Named[]>();
  for (const each of backends) {
    const key = `${each.namespace}/${each.name}`;
    byName.set(key, [...(byName.get(key) ?? []), each]);
  }
  return [...byName.values()].flatMap((ports) => {
    const { name, namespace } = ports[0]!;
    const [deployment] = app(name, { namespace }) as [Manifest];
    const labels = { app: name };
    const container = {
      name: 'main',
      image: 'example.com/app:1',
      ports: [
        { name: 'web', containerPort: 8080 },
        { name: 'datagrams', containerPort: 8080, protocol: 'UDP' },
      ],
    };
    const template = { metadata: { labels }, spec: { containers: [container] } };
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: {
        selector: labels,
        ports: ports.map(({ port, protocol }) => {
          const isUdp = protocol === 'UDP';
          return { name: `${isUdp ? 'udp' : 'tcp'}-${port}`, port, targetPort: 8080, protocol: isUdp ? 'UDP' : 'TCP' };
        }),
      },
    };
    return [{ ...deployment, spec: { selector: { matchLabels: labels }, template } }, service];
  });
}

/** A server of HTTP/2 that answers every call with its name, and the method in `x-path`. */
function grpcServer(name: string): Server {
  const server = createHttp2Server();
  server.on('stream', (stream, headers) => {
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'x-served-by': name, 'x-path': String(headers[':path']) },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.on('error', () => {});
    stream.end();
  });
  return server;
}

/** A server of HTTPS that answers with its name in `x-served-by`. */
function httpsServer(name: string, shown: { cert: string; key: string }): Server {
  return createHttpsServer(shown, (_request, response) => response.setHeader('x-served-by', name).end('secure'));
}

/** Servers for those that Pods do not do: gRPC of any method, and TLS. */
export async function standInsFor(
  backends: readonly Named[],
  shown: { cert: string; key: string },
): Promise<{ overrides: BackendOverride[]; close(): void }> {
  const servers: Server[] = [];
  const overrides: BackendOverride[] = [];
  for (const { namespace, name, port, protocol } of backends) {
    if (protocol !== 'gRPC' && protocol !== 'TLS') continue;
    const server = protocol === 'gRPC' ? grpcServer(name) : httpsServer(name, shown);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    const { port: targetPort } = server.address() as AddressInfo;
    overrides.push({ namespace, service: name, port, host: '127.0.0.1', targetPort });
  }
  return { overrides, close: () => servers.forEach((server) => void server.close()) };
}
