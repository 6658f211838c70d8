/** What goes on through a front door while its routes are edited: nobody who is being served notices. */
import { once } from 'node:events';
import { Agent, createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { apiOf, ask, canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, backendRef, gateway, httpRoute, ingress, path, stream } from '../support/manifests.ts';

const ingresses = '/apis/networking.k8s.io/v1/namespaces/default/ingresses';
const routes = '/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes';
const megabyte = 1 << 20;

/** Bytes of each upload whose client went away in the middle. */
const cutUploads: number[] = [];

/** A process of a developer: counts the bytes of uploads, and sends long downloads at the pace of the reader. */
function startBackend(port = 0): Promise<Server> {
  const server = createServer(async (request, response) => {
    const download = /^\/download\/(\d+)/.exec(request.url ?? '');
    if (download) {
      for (let sent = 0; sent < Number(download[1]); sent += megabyte)
        if (!response.write(Buffer.alloc(megabyte, 'x'))) await once(response, 'drain');
      response.end();
      return;
    }
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('error', () => cutUploads.push(bytes));
    await once(request, 'end').catch(() => undefined);
    if (!request.complete) return;
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
    response.end(JSON.stringify({ bytes, length: length ?? null, coding: coding ?? null }));
  });
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

describe.skipIf(!canBind)('while routes are edited', () => {
  let door: TestDoor;
  let backend: Server;
  let addresses: Record<'Ingress' | 'Gateway', string>;

  beforeAll(async () => {
    backend = await startBackend();
    const { port: targetPort } = backend.address() as AddressInfo;
    const host = (name: string) => ({ hostnames: [`${name}.example.com`] });
    door = await openDoor(14, {
      paths: ['-'],
      stdin: stream(
        ...['one', 'two', 'local'].flatMap((name) => app(name)),
        gateway('gw'),
        ingress('kept', {
          'kept.example.com': [path('/', 'Prefix', 'one')],
          'local.example.com': [path('/', 'Prefix', 'local')],
        }),
        httpRoute('kept', 'gw', [{ backendRefs: [backendRef('one')] }], host('kept')),
        httpRoute('local', 'gw', [{ backendRefs: [backendRef('local')] }], host('local')),
        ingress('moving', { 'moving.example.com': [path('/', 'Prefix', 'one')] }),
        httpRoute('moving', 'gw', [{ backendRefs: [backendRef('one')] }], host('moving')),
      ),
      backends: [{ namespace: 'default', service: 'local', host: '127.0.0.1', targetPort }],
    });
    addresses = { Ingress: door.config.ingressAddress, Gateway: door.summary.gateways[0]!.addresses[0]! };
  });
  afterAll(async () => {
    await door.close(0);
    backend.closeAllConnections();
    backend.close();
  });

  /** Points the host moving.example.com of one world to another Service, and waits until it is so. */
  async function move(world: 'Ingress' | 'Gateway', service: string): Promise<void> {
    const edits = {
      Ingress: [
        `${ingresses}/moving`,
        { spec: ingress('moving', { 'moving.example.com': [path('/', 'Prefix', service)] })['spec'] },
      ],
      Gateway: [`${routes}/moving`, { spec: { rules: [{ backendRefs: [backendRef(service)] }] } }],
    } as const;
    const [key, change] = edits[world];
    await apiOf(door).patch(key, change as object);
    await eventually(
      () => ask({ address: addresses[world], host: 'moving.example.com' }),
      ({ echo }) => echo.pod?.startsWith(`${service}-`),
    );
  }

  describe.each(['Ingress', 'Gateway'] as const)('%s', (world) => {
    it('a WebSocket lives on through fifty edits of another route', async () => {
      const socket = new WebSocket(`ws://${addresses[world]}/chat`, { headers: { host: 'kept.example.com' } });
      const inbox: string[] = [];
      let closed: number | undefined;
      socket.on('message', (data) => inbox.push(String(data)));
      socket.on('close', (code) => {
        closed = code;
      });
      await once(socket, 'open');
      for (let edit = 0; edit < 50; edit++) {
        await move(world, edit % 2 === 0 ? 'two' : 'one');
        socket.send(`after edit ${edit}`);
      }
      await eventually(
        () => inbox.length,
        (count) => count >= 50,
      );
      expect(inbox).toEqual(Array.from({ length: 50 }, (_, edit) => `after edit ${edit}`));
      expect(closed).toBeUndefined();
      socket.close();
      await once(socket, 'close');
    });

    it('a long download in flight arrives complete, even when its own route goes', async () => {
      const size = 64 * megabyte;
      const outgoing = httpRequest({
        host: addresses[world],
        path: `/download/${size}`,
        headers: { host: 'local.example.com' },
        agent: false,
      }).end();
      const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
      incoming.pause();
      await move(world, 'two');
      const [key, name] = world === 'Ingress' ? [ingresses, 'kept'] : [routes, 'local'];
      const stored = await apiOf(door).get(`${key}/${name}`);
      await apiOf(door).remove(`${key}/${name}`);
      await eventually(
        () => ask({ address: addresses[world], host: 'local.example.com' }),
        ({ status }) => status === 404,
      );
      let received = 0;
      for await (const chunk of incoming) received += (chunk as Buffer).length;
      expect(received).toBe(size);
      const { metadata: _, status: __, ...rest } = stored;
      await apiOf(door).create(key, { ...rest, metadata: { name } });
      await eventually(
        () => ask({ address: addresses[world], host: 'local.example.com', method: 'POST' }),
        ({ status }) => status === 200,
      );
    });

    it('a client that keeps its connection sees the new route with its next request', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const ports = new Set<number | undefined>();
      const pod = () =>
        new Promise<string>((resolve, reject) => {
          const options = { host: addresses[world], headers: { host: 'moving.example.com' }, agent };
          httpRequest(options, async (response) => {
            ports.add(response.socket.localPort);
            let text = '';
            for await (const chunk of response) text += chunk;
            resolve((JSON.parse(text) as { pod: string }).pod);
          })
            .on('error', reject)
            .end();
        });
      await move(world, 'one');
      expect(await pod()).toMatch(/^one-/);
      await move(world, 'two');
      expect(await pod()).toMatch(/^two-/);
      await move(world, 'one');
      expect(await pod()).toMatch(/^one-/);
      expect(ports.size).toBe(1);
      agent.destroy();
    });

    it('an upload in chunks arrives complete, and one of known length keeps it', async () => {
      const upload = (headers: Record<string, string>, chunks: readonly Buffer[]) =>
        new Promise<unknown>((resolve, reject) => {
          const outgoing = httpRequest(
            {
              host: addresses[world],
              method: 'PUT',
              path: '/upload',
              headers: { host: 'local.example.com', ...headers },
              agent: false,
            },
            async (response) => {
              let text = '';
              for await (const chunk of response) text += chunk;
              resolve(JSON.parse(text));
            },
          ).on('error', reject);
          for (const chunk of chunks) outgoing.write(chunk);
          outgoing.end();
        });
      const chunks = Array.from({ length: 300 }, (_, i) => Buffer.alloc(1 + i * 97, 'u'));
      const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      expect(await upload({}, chunks)).toEqual({ bytes, length: null, coding: 'chunked' });
      expect(await upload({ 'content-length': String(bytes) }, chunks)).toEqual({
        bytes,
        length: String(bytes),
        coding: null,
      });
    });

    it('no request is lost under load while its route changes back and forth', async () => {
      let running = true;
      const seen = new Map<number | string, number>();
      const client = async () => {
        while (running) {
          const outcome = await ask({ address: addresses[world], host: 'moving.example.com' }).then(
            ({ status }) => status,
            (error: Error) => error.message,
          );
          seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
        }
      };
      const clients = [client(), client(), client()];
      for (let edit = 0; edit < 10; edit++) await move(world, edit % 2 === 0 ? 'two' : 'one');
      running = false;
      await Promise.all(clients);
      expect([...seen.keys()]).toEqual([200]);
      expect(seen.get(200)).toBeGreaterThan(20);
    });
  });

  it('a process named with --backend stands behind the ClusterIP as behind the doors, and its Pods are not asked', async () => {
    const { clusterIP } = door.summary.services.find(({ name }) => name === 'local')!;
    for (const address of [clusterIP!, addresses.Ingress, addresses.Gateway]) {
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => ask({ address, host: 'local.example.com', method: 'POST', body: 'seven b' })),
      );
      expect(answers.map(({ text }) => JSON.parse(text).bytes)).toEqual([7, 7, 7, 7]);
    }
  });

  it('a process that is started again is found at once, and until then the door answers 502 or 503', async () => {
    const post = (address: string) => ask({ address, host: 'local.example.com', method: 'POST', body: 'x' });
    const both = [addresses.Ingress, addresses.Gateway];
    const { port } = backend.address() as AddressInfo;
    for (let round = 0; round < 3; round++) {
      expect((await Promise.all(both.map(post))).map(({ status }) => status)).toEqual([200, 200]);
      const closed = once(backend, 'close');
      backend.close();
      backend.closeAllConnections();
      await closed;
      for (const { status } of await Promise.all(both.map(post))) expect([502, 503]).toContain(status);
      backend = await startBackend(port);
    }
    expect((await Promise.all(both.map(post))).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('a process that closes idle connections costs no request', async () => {
    for (let i = 0; i < 20; i++) {
      for (const address of [addresses.Ingress, addresses.Gateway])
        expect((await ask({ address, host: 'local.example.com', path: '/x' })).status).toBe(200);
      backend.closeIdleConnections();
    }
  });

  it('a request cut in the middle ends at its backend, and harms nobody else', async () => {
    const socket = connect(80, addresses.Ingress);
    await once(socket, 'connect');
    socket.write('POST /upload HTTP/1.1\r\nHost: local.example.com\r\nContent-Length: 1000\r\n\r\nonly this');
    await move('Ingress', 'two');
    socket.destroy();
    await eventually(
      () => cutUploads,
      (cut) => cut.length > 0,
    );
    expect(cutUploads).toEqual(['only this'.length]);
    expect((await ask({ address: addresses.Ingress, host: 'kept.example.com' })).status).toBe(200);
    expect((await ask({ address: addresses.Ingress, host: 'local.example.com', method: 'POST' })).status).toBe(200);
  });
});
