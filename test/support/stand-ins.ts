/** Servers of a test in the place of the Pods of Services, which note what they are asked. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Manifest } from './manifests.ts';

export interface Asked {
  /** Name of the server. */
  readonly at: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** A Service of the namespace `default` without Pods, port 80. */
export const podless = (name: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { ports: [{ port: 80 }] },
});

export interface StandIn {
  readonly name: string;
  readonly port: number;
  readonly server: Server;
}

export async function startStandIn(name: string, asked: Asked[], answer: RequestListener): Promise<StandIn> {
  const server = createServer((request, response) => {
    asked.push({ at: name, url: request.url ?? '', headers: request.headers });
    request.resume();
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { name, port: (server.address() as AddressInfo).port, server };
}
