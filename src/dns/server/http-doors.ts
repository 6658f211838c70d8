/** The small HTTP servers of `health`, `ready` and `prometheus`: one for each address, kept over reloads. */
import { createServer, type Server } from 'node:http';
import { err, ok, type Result } from '../../base/result.ts';
import type { MapAddress, Page, PageAnswer } from '../plugins/setup.ts';
import { type HostPort, listenAddressOf, parseHostPort } from './addresses.ts';

export type Pages = ReadonlyMap<string, ReadonlyMap<string, Page>>;

export interface HttpDoors {
  /** Opens the addresses that are new, replaces the pages of all, closes those that are left. */
  open(pages: Pages): Promise<Result<void, string>>;
  /** Where a wanted address (`:8080`) is bound. */
  bound(address: string): HostPort | undefined;
  close(): Promise<void>;
}

interface Door {
  readonly server: Server;
  pages: ReadonlyMap<string, Page>;
  bound: HostPort;
}

/** A client must send its request and take the answer within this, ms. */
const timeoutMs = 5000;
const maxConnections = 100;

export function createHttpDoors(mapAddress: MapAddress): HttpDoors {
  const doors = new Map<string, Door>();

  function makeDoor(): Door {
    const server = createServer((request, response) => {
      const [path, search] = (request.url ?? '/').split('?', 2);
      const page = door.pages.get(path!);
      const send = ({ status, text, type }: PageAnswer): void => {
        response.writeHead(status, { 'content-type': type ?? 'text/plain; charset=utf-8' });
        response.end(request.method === 'HEAD' ? undefined : text);
      };
      const answer = page?.(new URLSearchParams(search)) ?? { status: 404, text: '404 page not found\n' };
      if (!(answer instanceof Promise)) return send(answer);
      answer.then(send, (error) => send({ status: 500, text: `${error instanceof Error ? error.message : error}\n` }));
    });
    server.headersTimeout = timeoutMs;
    server.requestTimeout = timeoutMs;
    server.keepAliveTimeout = timeoutMs;
    server.maxConnections = maxConnections;
    const door: Door = { server, pages: new Map(), bound: { host: '', port: 0 } };
    return door;
  }

  function listen(address: string): Promise<Result<Door, string>> {
    const wanted = parseHostPort(address);
    if (!wanted) return Promise.resolve(err(`not an address with a port: ${address}`));
    const { host, port } = mapAddress(wanted);
    const door = makeDoor();
    return new Promise((resolve) => {
      door.server.once('error', (error) => resolve(err(`cannot listen on ${address}: ${error.message}`)));
      door.server.listen({ host: listenAddressOf(host).address, port }, () => {
        door.server.removeAllListeners('error');
        // From single accepts, out of descriptors for instance; the door stays open.
        door.server.on('error', () => {});
        const at = door.server.address();
        door.bound = { host, port: at && typeof at === 'object' ? at.port : port };
        resolve(ok(door));
      });
    });
  }

  function shut(door: Door): Promise<void> {
    return new Promise((resolve) => {
      door.server.close(() => resolve());
      door.server.closeAllConnections();
    });
  }

  return {
    async open(pages) {
      const opened = new Map<string, Door>();
      for (const address of pages.keys()) {
        if (doors.has(address)) continue;
        const door = await listen(address);
        if (!door.ok) {
          await Promise.all([...opened.values()].map(shut));
          return door;
        }
        opened.set(address, door.value);
      }
      for (const [address, door] of opened) doors.set(address, door);
      const left = [...doors].filter(([address]) => !pages.has(address));
      for (const [address] of left) doors.delete(address);
      for (const [address, found] of pages) doors.get(address)!.pages = found;
      await Promise.all(left.map(([, door]) => shut(door)));
      return ok(undefined);
    },
    bound: (address) => doors.get(address)?.bound,
    async close() {
      await Promise.all([...doors.values()].map(shut));
      doors.clear();
    },
  };
}
