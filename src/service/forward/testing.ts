/** A forwarder with backends and clients for tests. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Store } from '../../kube/store/store.ts';
import type { ServiceSpec } from '../../kube/types/index.ts';
import { createBindPolicy } from '../bind.ts';
import { endpointSliceResource } from '../endpoints.ts';
import { service, slice } from '../testing.ts';
import { createServiceForwarder, type ServiceForwarderOptions } from './forwarder.ts';

export const cleanups: (() => void)[] = [];

/** For afterEach: closes what the helpers opened. */
export function cleanUp(): void {
  for (const cleanup of cleanups.splice(0)) cleanup();
}

export async function forward(store: Store, options: Partial<ServiceForwarderOptions> = {}) {
  const forwarder = createServiceForwarder({
    store,
    policy: createBindPolicy('native'),
    nodeAddresses: ['127.78.2.250'],
    ...options,
  });
  cleanups.push(() => forwarder.stop());
  await forwarder.start();
  return forwarder;
}

/** A TCP server that handles each connection; half-open allowed, so that tests decide who ends first. */
export async function backend(address: string, port: number, handle: (socket: Socket) => void): Promise<Server> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    handle(socket);
  });
  server.listen(port, address);
  await once(server, 'listening');
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return server;
}

export const greet = (name: string) => (socket: Socket) => socket.end(name);

export async function fetchText(address: string, port: number, localAddress?: string): Promise<string> {
  const socket = connect({ host: address, port, ...(localAddress !== undefined && { localAddress }) });
  cleanups.push(() => socket.destroy());
  return await text(socket);
}

export async function udpClient(address = '127.0.0.1') {
  const socket = dgram.createSocket('udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  cleanups.push(() => socket.close());
  return {
    async ask(port: number, host: string, data = 'hello', wait = 500): Promise<string | undefined> {
      socket.send(data, port, host);
      const answer = once(socket, 'message') as Promise<[Buffer, dgram.RemoteInfo]>;
      const result = await Promise.race([answer, delay(wait)]);
      if (!result) return undefined;
      const [body, from] = result;
      // An answer from anywhere else would not reach a client that connected its socket.
      return from.address === host && from.port === port ? body.toString() : `from ${from.address}:${from.port}`;
    },
  };
}

export async function udpBackend(address: string, port: number, answer: string): Promise<() => void> {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (data, from) => socket.send(`${answer} ${data}`, from.port, from.address));
  socket.bind(port, address);
  await once(socket, 'listening');
  let open = true;
  const close = () => {
    if (open) socket.close();
    open = false;
  };
  cleanups.push(close);
  return close;
}

export function put(
  store: Store,
  name: string,
  spec: ServiceSpec,
  endpoints: Parameters<typeof slice>[1],
  port = 8080,
) {
  store.put('services', service(name, spec));
  const slicePorts = (spec.ports ?? []).map((p) => ({ name: p.name, protocol: p.protocol, port }));
  store.put(endpointSliceResource, slice(name, endpoints, slicePorts));
}
