import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Filter } from '../../../routing/plan/plan.ts';
import { dechunk, OK, type RecordingBackend, recordingBackend } from '../../testing/backend.ts';
import { createFront, type Front } from '../../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../../testing/plans.ts';
import { type Backdrop, dial, listenRaw } from '../../testing/sockets.ts';
import { createChoice } from './mirror.ts';

const address = '127.83.2.1';
const port = 8080;
const mirror = (id: string, numerator = 1, denominator = 1): Filter => ({
  type: 'mirror',
  backend: id,
  fraction: { numerator, denominator },
});
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`;

async function eventually(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
}

describe('choosing a fraction', () => {
  it('is exact over any run of as many requests as the denominator, wherever it begins', () => {
    fc.assert(
      fc.property(
        fc.nat(50),
        fc.integer({ min: 1, max: 50 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (a, b, start) => {
          const [numerator, denominator] = [Math.min(a, b), b];
          if (numerator === 0) return;
          const chosen = createChoice(numerator, denominator, () => start);
          for (let run = 0; run < 3; run++) {
            const hits = Array.from({ length: denominator }, chosen).filter(Boolean).length;
            expect(hits).toBe(numerator);
          }
        },
      ),
    );
  });

  it('favours no answer when plans change after every request', () => {
    let seed = 0.31;
    const random = () => {
      seed = (seed * 997 + 0.123) % 1;
      return seed;
    };
    const hits = Array.from({ length: 10_000 }, () => createChoice(1, 5, random)()).filter(Boolean).length;
    expect(hits).toBeGreaterThan(1_800);
    expect(hits).toBeLessThan(2_200);
  });
});

describe('a mirror', () => {
  let front: Front;
  let app: RecordingBackend;
  let one: RecordingBackend;
  let two: RecordingBackend;
  let hole: Backdrop;
  const ids = ['app', 'one', 'two', 'hole', 'nobody'];

  const use = (filters: readonly Filter[], more: readonly Filter[] = []) =>
    front.plan(
      planOf(
        [
          listener(address, port, [
            host('*', [route({ filters, action: { type: 'forward', backends: [share('app', 1, more)] } })]),
          ]),
        ],
        ids.map((id) => backend(id)),
      ),
    );
  const request = async (bytes: string, end = 'ok') => {
    const client = await dial(address, port);
    client.send(bytes);
    const text = await client.until(end);
    client.socket.destroy();
    return text;
  };

  beforeAll(async () => {
    [app, one, two] = (await Promise.all(
      ['127.83.2.2', '127.83.2.3', '127.83.2.4'].map((each) => recordingBackend(each, port)),
    )) as [RecordingBackend, RecordingBackend, RecordingBackend];
    hole = await listenRaw('127.83.2.5', port, () => {});
    front = createFront({ filters: { mirrorBufferBytes: 10_000, mirrorTimeoutMs: 500, maxMirrorCopies: 3 } });
    await front.endpoints({
      app: [endpoint('127.83.2.2', port)],
      one: [endpoint('127.83.2.3', port)],
      two: [endpoint('127.83.2.4', port)],
      hole: [endpoint('127.83.2.5', port)],
      nobody: [],
    });
  });
  beforeEach(() => {
    for (const each of [app, one, two]) {
      each.requests.length = 0;
      each.answer(OK);
    }
    front.findings.length = 0;
  });
  afterAll(async () => {
    await front.close();
    await Promise.all([app, one, two, hole].map((each) => each.close()));
  });

  it('gets what the backend gets, and so does a second one; connections are used again', async () => {
    await use(
      [mirror('one'), { type: 'request-headers', set: [['X-A', '1']], add: [], remove: [] }, mirror('two')],
      [{ type: 'rewrite', hostname: 'b.example' }],
    );
    for (let i = 0; i < 3; i++) {
      expect(await request(get(`/${i}`))).toContain('200 OK');
      await eventually(() => one.requests.length === i + 1 && two.requests.length === i + 1);
    }
    const seen = (each: RecordingBackend) => each.requests.map(({ line, lines, body }) => ({ line, lines, body }));
    expect(seen(one)).toEqual(seen(app));
    expect(seen(two)).toEqual(seen(app));
    expect(app.requests[0]!.lines).toContain('Host: b.example');
    expect(app.requests[0]!.lines).toContain('X-A: 1');
    expect(one.accepted()).toBe(1);
    expect(front.findings).toEqual([]);
  });

  it('is sent again when the connection kept for it was closed', async () => {
    await use([mirror('one')]);
    await request(get('/'));
    await eventually(() => one.requests.length === 1);
    one.answer((_request, socket) => {
      socket.destroy();
      one.answer(OK);
    });
    await request(get('/again'));
    await eventually(() => one.requests.length === 3);
    expect(one.requests[2]!.line).toBe('GET /again HTTP/1.1');
    expect(front.findings).toEqual([]);
  });

  it('gets bodies with a length, and chunked ones in pieces with trailers', async () => {
    await use([mirror('one')]);
    await request('POST /l HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
    const client = await dial(address, port);
    client.send('POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await new Promise((resolve) => setTimeout(resolve, 30));
    client.send('2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n');
    await client.until('ok');
    client.socket.destroy();
    await eventually(() => one.requests.length === 2);
    const [first, second] = one.requests.toSorted((a, b) => b.line.localeCompare(a.line));
    expect(first!.body).toBe('hello');
    expect(dechunk(second!.body)).toEqual({ data: 'abcde', trailer: 'X-Sum: 1\r\n\r\n' });
  });

  it('gets exactly its fraction', async () => {
    await use([mirror('one', 1, 4), mirror('two', 0, 4)]);
    for (let i = 0; i < 40; i++) await request(get('/'));
    await eventually(() => one.requests.length >= 10);
    expect(one.requests.length).toBe(10);
    expect(two.requests).toEqual([]);
  });

  it('gets no more copies at once than the front makes', async () => {
    await use([mirror('hole')]);
    await Promise.all(Array.from({ length: 8 }, () => request(get('/'))));
    expect(app.requests.length).toBe(8);
    expect(hole.sockets.size).toBe(3);
    await eventually(() => hole.sockets.size === 0);
    expect(front.findings).toEqual([
      expect.stringMatching(/FW5220 .*hole: 3 are under way already/),
      expect.stringMatching(/FW5220 .*hole: it took longer than 500 ms/),
    ]);
  });

  it('that never answers, is slow to take a body or is not there changes nothing but a finding', async () => {
    await use([mirror('hole'), mirror('nobody')]);
    const started = performance.now();
    expect(await request(get('/'))).toContain('200 OK');
    const length = 4_000_000;
    const client = await dial(address, port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(length)}`);
    await client.until('ok');
    client.socket.destroy();
    expect(app.requests.at(-1)!.body.length).toBe(length);
    expect(performance.now() - started).toBeLessThan(4_000);
    await eventually(() => front.findings.length >= 2);
    expect(front.findings.join('\n')).toMatch(/hole: the mirror does not take the body as fast as it comes/);
    expect(front.findings.join('\n')).toMatch(
      /FW5220 copies for the mirror nobody: the backend has no ready endpoints/,
    );
    await eventually(() => hole.sockets.size === 0);
  });

  it('that answers nonsense, closes at once or refuses changes nothing', async () => {
    await use([mirror('one')]);
    for (const answer of [
      'nonsense\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc',
      'HTTP/1.1 101 Up\r\n\r\n',
    ]) {
      one.answer(answer);
      expect(await request(get('/'))).toContain('200 OK');
    }
    one.answer((_request, socket) => socket.resetAndDestroy());
    expect(await request(get('/'))).toContain('200 OK');
    await eventually(() => one.sockets.size === 0);
    one.answer('HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n');
    const before = one.accepted();
    for (let i = 0; i < 3; i++) {
      const seen = one.requests.length;
      await request(get('/'));
      await eventually(() => one.requests.length > seen);
    }
    expect(one.accepted()).toBe(before + 1);
  });

  it('that sends more 1xx than a backend may is given up: its connection is not used again', async () => {
    await use([mirror('one')]);
    const early = 'HTTP/1.1 103 Early\r\n\r\n';
    one.answer(`${early.repeat(16)}${OK}`);
    expect(await request(get('/'))).toContain('200 OK');
    await eventually(() => one.requests.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(one.sockets.size).toBe(1);
    one.answer(`${early.repeat(17)}${OK}`);
    expect(await request(get('/'))).toContain('200 OK');
    await eventually(() => one.sockets.size === 0);
    one.answer(OK);
  });

  it('gets no request to switch protocols, and none that the client gives up', async () => {
    await use([mirror('one')]);
    await request('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
    const client = await dial(address, port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
    await new Promise((resolve) => setTimeout(resolve, 30));
    client.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(one.requests).toEqual([]);
  });

  it('that the plan does not hold is said', async () => {
    await use([mirror('other'), mirror('one', 3, 2)]);
    expect(await request(get('/'))).toContain('200 OK');
    expect(front.findings.join('\n')).toMatch(
      /FW5204.*the mirror other cannot be sent to|the mirror other is not in the plan/,
    );
    expect(front.findings.join('\n')).toMatch(/FW5204.*3 of 2 requests/);
  });
});
