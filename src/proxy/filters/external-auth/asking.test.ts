import type { ServerResponse } from 'node:http';
import { connect as connectH2, createServer as createH2Server } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../../routing/plan/plan.ts';
import { askFront } from '../../testing/ask.ts';
import { OK, recordingBackend } from '../../testing/backend.ts';
import { hasOpenssl, selfSigned } from '../../testing/certificates.ts';
import { createFront } from '../../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, source } from '../../testing/plans.ts';
import { PORT, twoBackends } from '../../testing/two-backends.ts';
import { answer, filter, until } from './testing.ts';

describe('limits of requests made here', () => {
  it('asks only so many at once, and recovers', async () => {
    const place = await twoBackends('127.77.14', 11, { filters: { maxSubrequests: 2 } });
    await place.use([filter()]);
    const held: (() => void)[] = [];
    place.helper.answer((_, socket) => {
      held.push(() => socket.write(OK));
    });
    const first = [place.ask(), place.ask()];
    await until(() => held.length === 2);
    expect((await place.ask()).status).toBe(503);
    for (const letIn of held) letIn();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
    place.helper.answer(OK);
    expect((await place.ask()).status).toBe(200);
    await place.close();
  });

  it('asks once more when an idle connection was closed under a POST', async () => {
    const place = await twoBackends('127.77.14', 14);
    await place.use([filter({ method: 'POST' })]);
    expect((await place.ask()).status).toBe(200);
    const [old] = place.helper.sockets;
    place.helper.answer((request, socket) => {
      if (request.connection === 0) socket.resetAndDestroy();
      else socket.write(OK);
    });
    expect(old!.destroyed).toBe(false);
    expect((await place.ask()).status).toBe(200);
    expect(place.helper.requests.map(({ connection }) => connection)).toEqual([0, 0, 1]);
    await place.close();
  });

  it('cuts requests that are held when it is closed', async () => {
    const place = await twoBackends('127.77.14', 17);
    await place.use([filter()]);
    place.helper.answer(() => {});
    const asked = place.ask().catch((error: Error) => error.message);
    await until(() => place.helper.requests.length === 1);
    await place.close();
    expect(await asked).toMatch(/closed/);
    expect(place.front.records.at(-1)).toMatchObject({ flag: 'shutdown' });
  });
});

describe('a service that is spoken to', () => {
  const secured = hasOpenssl() ? selfSigned('auth', 'auth.example') : undefined;
  if (!secured) console.warn('skipped: external auth over TLS, because there is no openssl');
  const place = { address: '127.77.14.23', app: '127.77.14.24', helper: '127.77.14.25' };
  const serve = (request: { headers: Record<string, unknown> }, response: ServerResponse) => {
    const right = request.headers['authorization'] === 'Bearer good';
    response.writeHead(right ? 200 : 401, { 'x-user': 'anna' }).end(right ? '' : 'who are you?');
  };

  async function judge(server: Server, more: Partial<Backend>): Promise<void> {
    await new Promise<void>((resolve) => server.listen(PORT, place.helper, resolve));
    const app = await recordingBackend(place.app, PORT);
    const front = createFront();
    await front.endpoints({ app: [endpoint(place.app, PORT)], helper: [endpoint(place.helper, PORT)] });
    const hosts = [host('*', [route({ filters: [filter()] })])];
    const backends = [backend('app'), { ...backend('helper'), ...more }];
    await front.plan(planOf([listener(place.address, PORT, hosts)], backends));
    const lines = ['Authorization: Bearer good'];
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await askFront(place.address, PORT, { lines })).status);
    const denied = await askFront(place.address, PORT);
    await front.close();
    await app.close();
    await new Promise((resolve) => server.close(resolve));
    expect(statuses).toEqual([200, 200, 200]);
    expect(app.requests[2]!.lines.join().toLowerCase()).toContain('x-user: anna');
    expect(denied).toMatchObject({ status: 401, body: 'who are you?' });
  }

  it('over HTTP/2', () => judge(createH2Server(serve as never), { protocol: 'h2c' }));

  it.skipIf(!secured)('over TLS', async () => {
    const { chain, key } = secured!;
    const tls = { serverName: 'auth.example', verify: true, ca: chain, subjectAltNames: [], source };
    await judge(createTlsServer({ cert: chain, key }, serve as never), { protocol: 'https', tls });
  });
});

describe('clients that speak HTTP/2', () => {
  it('wait likewise', async () => {
    const place = await twoBackends('127.77.14', 20);
    await place.use([filter({ method: undefined, body: { maxBytes: 1_000 } })]);
    place.helper.answer(answer(204, ['X-User: anna']));
    const session = connectH2(`http://${place.address}:${PORT}`);
    const stream = session.request({ ':method': 'POST', ':path': '/h2', ':authority': 'a.example', 'x-user': 'root' });
    stream.end('hello');
    const status = await new Promise((resolve, reject) => {
      stream.on('response', (headers) => resolve(headers[':status']));
      stream.on('error', reject);
    });
    expect(status).toBe(200);
    expect(place.helper.requests[0]!.body).toBe('hello');
    expect(place.app.requests[0]!.lines.filter((line) => /^x-user/i.test(line))).toEqual(['X-User: anna']);
    session.destroy();
    await place.close();
  });
});
