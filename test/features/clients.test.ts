/**
 * What common clients get through an Ingress and a Gateway, over HTTP and HTTPS: curl and WebSocket clients; and what
 * `fairway explain` says of a running front door, which must be what a client gets.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { explain } from '../../src/insight/explain/explain.ts';
import { parseRequest } from '../../src/insight/explain/request.ts';
import { openWorld } from '../../src/insight/sources.ts';
import type { World } from '../../src/insight/world.ts';
import { certificateSecret } from '../support/certificates.ts';
import { ask, canBind, openDoor, type TestDoor } from '../support/door.ts';
import { app, backendRef, gateway, httpRoute, ingress, path, stream } from '../support/manifests.ts';

const run = promisify(execFile);
const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);
if (!hasCurl) console.log('skipped: curl is not installed');

/** Answers of a developer's process that an echo Pod does not give. */
function startBackend(): Promise<Server> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answers: Record<string, () => void> = {
      '/empty': () => response.writeHead(204).end(),
      '/unchanged': () => response.writeHead(304, { etag: '"1"' }).end(),
      '/head': () => response.writeHead(200, { 'content-length': '12345' }).end(),
      '/cookies': () => response.writeHead(200, { 'set-cookie': ['a=1', 'b=2'] }).end('two'),
      '/stream': () => {
        response.write('first ');
        setTimeout(() => response.end('second'), 100);
      },
    };
    const answer = answers[request.url ?? ''];
    if (answer) answer();
    else response.end(JSON.stringify({ url: request.url, bytes: Buffer.concat(chunks).length, ...request.headers }));
  });
  server.on('checkContinue', (request, response) => {
    response.writeContinue();
    server.emit('request', request, response);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

/** For node:tls, which the WebSocket client hands them to. */
const verifyNothing = { servername: 'app.example.com', rejectUnauthorized: false };

const doors = ['Ingress', 'Gateway'] as const;
type DoorKind = (typeof doors)[number];

describe.skipIf(!canBind)('clients', () => {
  let door: TestDoor;
  let backend: Server;
  let folder: string;
  let addresses: Record<DoorKind, string>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'clients-'));
    writeFileSync(join(folder, 'upload'), Buffer.alloc(3_000_000, 'u'));
    backend = await startBackend();
    const { port: targetPort } = backend.address() as AddressInfo;
    const https = { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'cert' }] } };
    door = await openDoor(17, {
      paths: ['-'],
      stdin: stream(
        ...['one', 'two', 'local'].flatMap((name) => app(name)),
        ...app('empty', { replicas: 0 }),
        certificateSecret('cert', ['app.example.com', '*.example.com']),
        gateway('gw', [{ name: 'http', port: 80, protocol: 'HTTP' }, https]),
        ingress(
          'app',
          {
            'app.example.com': [path('/', 'Prefix', 'one'), path('/two', 'Exact', 'two'), path('/none', 'Prefix', 'absent'), path('/empty', 'Prefix', 'empty')], // biome-ignore format: one line
            'local.example.com': [path('/', 'Prefix', 'local')],
          },
          { tls: [{ hosts: ['app.example.com', 'local.example.com'], secretName: 'cert' }] },
        ),
        httpRoute('local', 'gw', [{ backendRefs: [backendRef('local')] }], { hostnames: ['local.example.com'] }),
        httpRoute(
          'app',
          'gw',
          [
            { backendRefs: [backendRef('one')] },
            { matches: [{ path: { type: 'Exact', value: '/two' } }], backendRefs: [backendRef('two')] },
            { matches: [{ method: 'DELETE' }], backendRefs: [backendRef('two')] },
            { matches: [{ headers: [{ name: 'x-canary', value: 'yes' }] }], backendRefs: [backendRef('two')] },
            { matches: [{ path: { type: 'PathPrefix', value: '/none' } }], backendRefs: [backendRef('absent')] },
            { matches: [{ path: { type: 'PathPrefix', value: '/empty' } }], backendRefs: [backendRef('empty')] },
            {
              matches: [{ path: { type: 'PathPrefix', value: '/moved' } }],
              filters: [
                {
                  type: 'RequestRedirect',
                  requestRedirect: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/two' } },
                },
              ],
            },
          ],
          { hostnames: ['app.example.com', '*.wild.example.com'] },
        ),
      ),
      backends: [{ namespace: 'default', service: 'local', host: '127.0.0.1', targetPort }],
    });
    addresses = { Ingress: door.config.ingressAddress, Gateway: door.summary.gateways[0]!.addresses[0]! };
  });
  afterAll(async () => {
    await door.close(0);
    backend.closeAllConnections();
    backend.close();
    rmSync(folder, { recursive: true });
  });

  describe.each(doors.flatMap((kind) => (['http', 'https'] as const).map((scheme) => ({ kind, scheme }))))(
    '$kind over $scheme',
    ({ kind, scheme }) => {
      async function curl(url: string, ...flags: string[]): Promise<string> {
        const port = scheme === 'https' ? 443 : 80;
        const resolve = ['app', 'local'].flatMap((name) => [
          '--resolve',
          `${name}.example.com:${port}:${addresses[kind]}`,
        ]);
        return (await run('curl', ['-sk', '-m', '5', ...resolve, ...flags, `${scheme}://${url}`])).stdout;
      }

      it.skipIf(!hasCurl)('curl uploads a file, of known length, in chunks and after 100 Continue', async () => {
        const file = join(folder, 'upload');
        const put = JSON.parse(await curl('local.example.com/put', '-T', file));
        expect(put).toMatchObject({ bytes: 3_000_000, 'content-length': '3000000' });
        const chunked = JSON.parse(await curl('local.example.com/put', '-T', file, '-H', 'Transfer-Encoding: chunked'));
        expect(chunked).toMatchObject({ bytes: 3_000_000, 'transfer-encoding': 'chunked' });
        const start = performance.now();
        const posted = JSON.parse(
          await curl('local.example.com/post', '-H', 'Expect: 100-continue', '--data-binary', `@${file}`),
        );
        expect(posted).toMatchObject({ bytes: 3_000_000 });
        // curl waits a second for a 100 Continue that does not come.
        expect(performance.now() - start).toBeLessThan(900);
      });

      it.skipIf(!hasCurl)('curl gets answers without a body as they are', async () => {
        const head = await curl('local.example.com/head', '-I');
        expect(head).toMatch(/^HTTP\/(?:1\.1|2) 200/);
        expect(head).toMatch(/content-length: 12345/i);
        expect(await curl('local.example.com/empty', '-i')).toMatch(/^HTTP\/(?:1\.1|2) 204 .*\r\n\r\n$/s);
        expect(await curl('local.example.com/unchanged', '-i')).toMatch(
          /^HTTP\/(?:1\.1|2) 304 .*etag: "1".*\r\n\r\n$/is,
        );
      });

      it.skipIf(!hasCurl)('curl keeps one connection for several requests, bodiless ones between', async () => {
        const url = `${scheme}://local.example.com`;
        const flags = ['-w', '%{http_code} %{num_connects}\\n', '-o', '/dev/null'];
        const output = await curl('local.example.com/empty', ...flags, ...[`${url}/x`, '-o', '/dev/null'], ...[`${url}/stream`, '-o', '/dev/null']); // biome-ignore format: one line
        expect(output.trim().split('\n')).toEqual(['200 1', '200 0', '204 0']);
      });

      it.skipIf(!hasCurl)('curl gets several cookies, and a stream as it comes', async () => {
        const cookies = await curl('local.example.com/cookies', '-i');
        expect(cookies.match(/set-cookie: \w=\d/gi)).toHaveLength(2);
        expect(await curl('local.example.com/stream', '-N')).toBe('first second');
      });

      it.skipIf(!hasCurl)('the backend is told of the client, the scheme and the host', async () => {
        const { echo } = await ask({
          address: addresses[kind],
          host: 'app.example.com',
          tls: scheme === 'https',
          headers: { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'gopher' },
        });
        expect(echo.headers['X-Forwarded-Proto']).toEqual([scheme]);
        expect(echo.headers['X-Forwarded-For']?.join()).toMatch(/127\.0\.0\.1$/);
        expect(echo.host).toBe('app.example.com');
      });

      it('a WebSocket carries text and bytes, and ends with the code that was given', async () => {
        const socket = new WebSocket(`${scheme === 'https' ? 'wss' : 'ws'}://${addresses[kind]}/chat`, {
          headers: { host: 'app.example.com' },
          ...verifyNothing,
        });
        await once(socket, 'open');
        for (const sent of [Buffer.from('text'), Buffer.alloc(200_000, 7)]) {
          socket.send(sent);
          const [received] = (await once(socket, 'message')) as [Buffer];
          expect(received.equals(sent)).toBe(true);
        }
        socket.close(1000, 'bye');
        expect((await once(socket, 'close'))[0]).toBe(1000);
      });
    },
  );

  describe('explain', () => {
    let world: World;
    beforeAll(async () => {
      world = await openWorld({ server: door.summary.api });
    });

    it.each<[url: string, options: { method?: string; headers?: string[] }]>([
      ['http://app.example.com/', {}],
      ['http://app.example.com/two', {}],
      ['http://app.example.com/two/more', {}],
      ['https://app.example.com/two', {}],
      ['http://app.example.com/none/x', {}],
      ['http://app.example.com/empty', {}],
      ['http://a.wild.example.com/two', {}],
      ['http://a.wild.example.com/', { method: 'DELETE' }],
      ['http://a.wild.example.com/x', { headers: ['X-Canary: yes'] }],
      ['http://a.wild.example.com/x', { headers: ['X-Canary: no'] }],
      ['http://a.wild.example.com/none', {}],
      ['http://a.wild.example.com/empty/x', {}],
      ['http://a.wild.example.com/moved/on?x=1', {}],
      ['http://b.a.wild.example.com/', {}],
    ])('%s %j: a client gets what explain says', async (url, options) => {
      const request = parseRequest({ url, ...options });
      if (!request.ok) throw new Error(request.error);
      const said = await explain(world, request.value);
      const { hostname, path: requestPath, query, scheme, headers, method } = request.value;
      const address = hostname.includes('wild') ? addresses.Gateway : addresses.Ingress;
      const got = await ask({
        address,
        host: hostname,
        path: `${requestPath}${query ? `?${query}` : ''}`,
        tls: scheme === 'https',
        method,
        headers: Object.fromEntries(headers.map(([name, value]) => [name, value])),
      });
      if (said.answer) {
        expect([got.status, got.headers.location]).toEqual([said.answer.status, said.answer.location]);
        return;
      }
      expect(got.status).toBe(said.ok ? 200 : 503);
      if (said.ok) expect(got.echo.pod.startsWith(`${said.backend?.service}-`)).toBe(true);
    });

    it.each(['unknown.example.org', 'wild.example.com'])('%s leads nowhere: a broken name, and 404', async (host) => {
      const request = parseRequest({ url: `http://${host}/` });
      if (!request.ok) throw new Error(request.error);
      const { ok, steps, matched } = await explain(world, request.value);
      expect([ok, matched, steps[0]?.name, steps[0]?.status]).toEqual([false, null, 'name', 'broken']);
      for (const kind of doors) expect((await ask({ address: addresses[kind], host })).status).toBe(404);
    });
  });
});
