/** TCP through a stream listener, over real sockets on 127.26.0.0/24. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../options.ts';
import { createFront, type Front } from '../testing/front.ts';
import { endpoint } from '../testing/plans.ts';
import { type Backdrop, dial, listenRaw } from '../testing/sockets.ts';
import type { StreamRecord } from './record.ts';
import { share, streamListener, streamPlan, streamRoute } from './testing.ts';

const front = '127.26.0.1';
const backs = '127.26.0.2';
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function backdrop(port: number, serve: (socket: Socket) => void): Promise<Backdrop> {
  const backend = await listenRaw(backs, port, serve);
  cleanups.push(() => backend.close());
  return backend;
}

function open(
  options: ProxyOptions = {},
): Front & { streams: StreamRecord[]; stream(n: number): Promise<StreamRecord> } {
  const streams: StreamRecord[] = [];
  const made = createFront({ ...options, onStream: (record) => streams.push(record) });
  cleanups.push(() => made.close());
  const stream = async (count: number) => {
    for (let i = 0; i < 300 && streams.length < count; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(streams.length).toBeGreaterThanOrEqual(count);
    return streams[count - 1]!;
  };
  return { ...made, streams, stream };
}

/** What a connection got until it was closed; a reset, even of the connecting, is nothing. */
const answerOf = async (port: number): Promise<string> => {
  const client = await dial(front, port).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET') return undefined;
    throw error;
  });
  if (!client) return '';
  const answer = await client.closed();
  client.socket.end();
  return answer;
};

const planFor = (port: number, routes = [streamRoute()]) => streamPlan([streamListener(front, port, 'TCP', routes)]);
const echo = (socket: Socket) => void socket.on('data', (chunk) => socket.write(chunk));

describe('TCP forwarding', () => {
  it('carries bytes both ways, and the record counts them', async () => {
    await backdrop(9001, (socket) => {
      socket.write('hello\n');
      echo(socket);
    });
    const proxy = open();
    await proxy.endpoints({ app: [endpoint(backs, 9001)] });
    await proxy.plan(planFor(9001));
    const client = await dial(front, 9001);
    await client.until('hello\n');
    client.send('ping');
    await client.until('ping');
    client.socket.end();
    await client.closed();
    expect(await proxy.stream(1)).toMatchObject({
      listener: `${front}:9001/TCP`,
      route: 'Test/test/rules/0',
      backend: 'app',
      endpoint: `${backs}:9001`,
      receivedBytes: 4,
      sentBytes: 10,
      attempts: 1,
    });
    expect(proxy.streams[0]).not.toHaveProperty('flag');
  });

  it('lets either side finish first', async () => {
    await backdrop(9002, (socket) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.removeAllListeners('end');
      socket.on('end', () => setTimeout(() => socket.end(`got ${text.length}`), 50));
    });
    await backdrop(9003, (socket) => {
      socket.removeAllListeners('end');
      socket.end('bye');
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('end', () => late.push(text));
    });
    const late: string[] = [];
    const proxy = open();
    await proxy.endpoints({ one: [endpoint(backs, 9002)], two: [endpoint(backs, 9003)] });
    await proxy.plan(
      streamPlan([
        streamListener(front, 9002, 'TCP', [streamRoute({ backends: [share('one')] })]),
        streamListener(front, 9003, 'TCP', [streamRoute({ backends: [share('two')] })]),
      ]),
    );
    const first = await dial(front, 9002);
    first.send('12345');
    first.socket.end();
    expect(await first.closed()).toBe('got 5');
    const second = await dial(front, 9003);
    await second.until('bye');
    second.send('still here');
    second.socket.end();
    await proxy.stream(2);
    expect(late).toEqual(['still here']);
  });

  it('shares connections out exactly by weight, invalid shares being refused', async () => {
    const backends = await Promise.all(
      [9004, 9005].map((port) => backdrop(port, (socket) => socket.end(String(port)))),
    );
    const proxy = open();
    await proxy.endpoints({ one: [endpoint(backs, 9004)], two: [endpoint(backs, 9005)] });
    const routes = [
      streamRoute({
        backends: [
          share('one', 6),
          share('two', 3),
          { ...share('gone', 1), backend: undefined, invalid: 'no such' } as never,
        ],
      }),
    ];
    await proxy.plan(planFor(9004, routes));
    const answers = await Promise.all(Array.from({ length: 100 }, () => answerOf(9004)));
    expect(answers.filter((answer) => answer === '9004')).toHaveLength(60);
    expect(answers.filter((answer) => answer === '9005')).toHaveLength(30);
    expect(answers.filter((answer) => answer === '')).toHaveLength(10);
    expect(backends.map((backend) => backend.accepted())).toEqual([60, 30]);
    expect(proxy.streams.filter(({ flag, reason }) => flag === 'invalid_backend' && reason === 'no such')).toHaveLength(
      10,
    );
  });

  it('shares them out exactly while plans come and go', async () => {
    await Promise.all([9030, 9031].map((port) => backdrop(port, (socket) => socket.end(String(port)))));
    const proxy = open();
    await proxy.endpoints({ one: [endpoint(backs, 9030)], two: [endpoint(backs, 9031)] });
    const answers: string[] = [];
    for (let i = 0; i < 40; i++) {
      await proxy.plan(planFor(9030, [streamRoute({ backends: [share('one', 3), share('two', 1)] })]));
      answers.push(await answerOf(9030));
    }
    expect(answers.filter((answer) => answer === '9031')).toHaveLength(10);
  });

  it('holds back a sender whose receiver does not read', async () => {
    let taken = 0;
    await backdrop(9006, (socket) => {
      socket.removeAllListeners('data');
      socket.pause();
      setTimeout(() => socket.on('data', (chunk) => (taken += chunk.length)).resume(), 300);
    });
    const proxy = open();
    await proxy.endpoints({ app: [endpoint(backs, 9006)] });
    await proxy.plan(planFor(9006));
    const client = connect({ host: front, port: 9006 });
    await once(client, 'connect');
    const block = Buffer.alloc(1 << 20, 'x');
    let written = 0;
    while (written < 64 && client.write(block)) written++;
    for (; written < 63; written++) client.write(block);
    client.end();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(client.writableLength).toBeGreaterThan(16 << 20);
    const record = await proxy.stream(1);
    expect(taken).toBe(64 << 20);
    expect(record.receivedBytes).toBe(64 << 20);
  });

  it('tries the next endpoint, refuses when none answers, and when there is none', async () => {
    await backdrop(9007, (socket) => socket.end('ok'));
    const proxy = open();
    await proxy.endpoints({ app: [endpoint(backs, 9999), endpoint(backs, 9998), endpoint(backs, 9007)] });
    await proxy.plan(planFor(9007));
    for (let i = 0; i < 3; i++) expect(await answerOf(9007)).toBe('ok');
    await proxy.endpoints({ app: [endpoint(backs, 9999)] });
    expect(await answerOf(9007)).toBe('');
    await proxy.endpoints({ app: [] });
    expect(await answerOf(9007)).toBe('');
    await proxy.stream(5);
    expect(proxy.streams.map(({ flag = 'none' }) => flag).sort()).toEqual([
      'no_endpoints',
      'none',
      'none',
      'none',
      'upstream_connect_failed',
    ]);
  });

  it('closes what is idle, and refuses more connections than it may have', async () => {
    await backdrop(9008, echo);
    const proxy = open({ stream: { idleTimeoutMs: 200, maxConnections: 1 } });
    await proxy.endpoints({ app: [endpoint(backs, 9008)] });
    await proxy.plan(planFor(9008));
    const client = await dial(front, 9008);
    client.send('a');
    await client.until('a');
    expect(await answerOf(9008)).toBe('');
    await client.closed(1_000);
    expect(proxy.streams.map(({ flag }) => flag)).toEqual(['overflow', 'idle']);
  });

  it('gives an endpoint no more connections than it may have', async () => {
    const backend = await backdrop(9013, echo);
    const proxy = open({ upstream: { maxConnectionsPerEndpoint: 1 } });
    await proxy.endpoints({ app: [endpoint(backs, 9013)] });
    await proxy.plan(planFor(9013));
    const client = await dial(front, 9013);
    client.send('a');
    await client.until('a');
    expect(await answerOf(9013)).toBe('');
    expect(backend.accepted()).toBe(1);
    client.socket.end();
    await proxy.stream(2);
    expect(proxy.streams.map(({ flag = 'none' }) => flag)).toEqual(['upstream_overflow', 'none']);
  });

  it('finds the one endpoint of many that has room, however many it passes over', async () => {
    const ports = [9032, 9033, 9034, 9035, 9036];
    await Promise.all(ports.map((port) => backdrop(port, (socket) => void socket.write(`${port}\n`))));
    const proxy = open({ upstream: { maxConnectionsPerEndpoint: 1, maxConnectAttempts: 2 } });
    await proxy.endpoints({ app: ports.map((port) => endpoint(backs, port)) });
    await proxy.plan(planFor(9037));
    for (const _ of ports) await (await dial(front, 9037)).until('\n');
    const more = [...ports, 9038];
    await backdrop(9038, (socket) => void socket.write('9038\n'));
    await proxy.endpoints({ app: more.map((port) => endpoint(backs, port)) });
    expect(await (await dial(front, 9037)).until('\n')).toBe('9038\n');
    expect(await answerOf(9037)).toBe('');
    expect(await proxy.stream(1)).toMatchObject({ flag: 'upstream_overflow', attempts: 0 });
  });

  it('passes resets on', async () => {
    const backend = await backdrop(9009, echo);
    const proxy = open();
    await proxy.endpoints({ app: [endpoint(backs, 9009)] });
    await proxy.plan(planFor(9009));
    const client = await dial(front, 9009);
    client.send('a');
    await client.until('a');
    const [server] = [...backend.sockets];
    const closed = new Promise((resolve) => server!.once('close', resolve));
    client.socket.resetAndDestroy();
    await closed;
    expect((await proxy.stream(1)).flag).toBe('client_reset');
  });

  it('touches no connection when the plan changes, or even goes', async () => {
    await backdrop(9010, echo);
    await backdrop(9011, (socket) => socket.end('new'));
    const proxy = open();
    await proxy.endpoints({ app: [endpoint(backs, 9010)], other: [endpoint(backs, 9011)] });
    await proxy.plan(planFor(9010));
    const client = await dial(front, 9010);
    client.send('a');
    await client.until('a');
    await proxy.plan(planFor(9010, [streamRoute({ backends: [share('other')] })]));
    expect(await answerOf(9010)).toBe('new');
    client.send('b');
    await client.until('ab');
    await proxy.plan(streamPlan([]));
    await expect(dial(front, 9010)).rejects.toThrow('ECONNREFUSED');
    client.send('c');
    await client.until('abc');
  });

  it('reports a port that it cannot have, and takes it when it is free', async () => {
    const holder = await listenRaw(front, 9012, () => {});
    const proxy = open();
    const report = await proxy.plan(planFor(9012));
    expect(report.listeners[`${front}:9012/TCP`]).toMatchObject({ bound: false });
    expect(proxy.findings.join()).toContain('FW5201');
    await holder.close();
    expect((await proxy.plan(planFor(9012))).listeners[`${front}:9012/TCP`]).toEqual({ bound: true });
  });
});
