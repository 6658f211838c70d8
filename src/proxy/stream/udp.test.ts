/** UDP through a stream listener, over real sockets on 127.26.1.0/24. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../options.ts';
import { createFront } from '../testing/front.ts';
import { endpoint } from '../testing/plans.ts';
import type { StreamRecord } from './record.ts';
import { share, streamListener, streamPlan, streamRoute } from './testing.ts';

const front = '127.26.1.1';
const backs = '127.26.1.2';
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** Answers each datagram with its own port and the datagram. */
async function backdrop(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (data, from) => socket.send(`${port} ${data}`, from.port, from.address));
  socket.bind(port, backs);
  await once(socket, 'listening');
  let isOpen = true;
  socket.once('close', () => {
    isOpen = false;
  });
  cleanups.push(() => isOpen && socket.close());
  return socket;
}

/** A client with one port of its own. */
function client(port: number) {
  const socket = createSocket('udp4');
  cleanups.push(() => socket.close());
  const answers: string[] = [];
  let look = () => {};
  socket.on('message', (data) => {
    answers.push(data.toString());
    look();
  });
  return {
    answers,
    send: (text: string) => socket.send(text, port, front),
    /** The answer, or `silence`. */
    ask(text: string, timeoutMs = 1_000): Promise<string> {
      socket.send(text, port, front);
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, timeoutMs, 'silence');
        look = () => {
          clearTimeout(timer);
          resolve(answers.at(-1)!);
        };
      });
    },
  };
}

function open(options: ProxyOptions = {}) {
  const streams: StreamRecord[] = [];
  const made = createFront({ ...options, onStream: (record) => streams.push(record) });
  cleanups.push(() => made.close());
  return { ...made, streams };
}

const planFor = (port: number, routes = [streamRoute()]) => streamPlan([streamListener(front, port, 'UDP', routes)]);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('UDP forwarding', () => {
  it('brings answers back to the client that asked, and keeps a client with its endpoint', async () => {
    await Promise.all([backdrop(5001), backdrop(5002)]);
    const proxy = open();
    await proxy.endpoints({ app: [endpoint(backs, 5001), endpoint(backs, 5002)] });
    await proxy.plan(planFor(5000));
    const clients = Array.from({ length: 6 }, () => client(5000));
    const first = await Promise.all(clients.map((one, i) => one.ask(`q${i}`)));
    expect(first.map((answer) => answer.split(' ')[1])).toEqual(clients.map((_, i) => `q${i}`));
    expect(new Set(first.map((answer) => answer.split(' ')[0])).size).toBe(2);
    const again = await Promise.all(clients.map((one, i) => one.ask(`q${i}`)));
    expect(again).toEqual(first);
  });

  it('shares clients out exactly by weight; what falls to an invalid share is dropped, every time', async () => {
    await Promise.all([backdrop(5011), backdrop(5012)]);
    const proxy = open();
    await proxy.endpoints({ one: [endpoint(backs, 5011)], two: [endpoint(backs, 5012)] });
    const invalid = { weight: 1, invalid: 'no such Service', source: streamRoute().source };
    await proxy.plan(planFor(5010, [streamRoute({ backends: [share('one', 2), share('two', 1), invalid] })]));
    const clients = Array.from({ length: 12 }, () => client(5010));
    const answers = await Promise.all(clients.map((one) => one.ask('x', 300)));
    const counts = ['5011 x', '5012 x', 'silence'].map((text) => answers.filter((answer) => answer === text).length);
    expect(counts).toEqual([6, 3, 3]);
    const silent = clients[answers.indexOf('silence')]!;
    expect(await silent.ask('y', 200)).toBe('silence');
  });

  it('goes elsewhere when the endpoint goes or the backend is no longer in the route', async () => {
    await Promise.all([backdrop(5021), backdrop(5022), backdrop(5023)]);
    const proxy = open();
    await proxy.endpoints({ app: [endpoint(backs, 5021)], other: [endpoint(backs, 5023)] });
    await proxy.plan(planFor(5020));
    const one = client(5020);
    expect(await one.ask('a')).toBe('5021 a');
    await proxy.endpoints({ app: [endpoint(backs, 5022)] });
    expect(await one.ask('b')).toBe('5022 b');
    await proxy.plan(planFor(5020, [streamRoute({ backends: [share('app', 1)] })]));
    expect(await one.ask('c')).toBe('5022 c');
    expect(proxy.streams).toHaveLength(1);
    await proxy.plan(planFor(5020, [streamRoute({ backends: [share('other')] })]));
    expect(await one.ask('d')).toBe('5023 d');
    expect(proxy.streams.map(({ flag }) => flag)).toEqual(['removed', 'removed']);
  });

  it('goes elsewhere when the endpoint is not ready any more, but stays with one that terminates', async () => {
    await Promise.all([backdrop(5024), backdrop(5025)]);
    const proxy = open();
    await proxy.endpoints({ app: [endpoint(backs, 5024)] });
    await proxy.plan(planFor(5026));
    const one = client(5026);
    expect(await one.ask('a')).toBe('5024 a');
    const leaving = endpoint(backs, 5024, { ready: false, terminating: true });
    await proxy.endpoints({ app: [leaving, endpoint(backs, 5025)] });
    expect(await one.ask('b')).toBe('5024 b');
    await proxy.endpoints({ app: [{ ...leaving, serving: false }, endpoint(backs, 5025)] });
    expect(await one.ask('c')).toBe('5025 c');
  });

  it('waits for endpoints to come', async () => {
    await backdrop(5031);
    const proxy = open();
    await proxy.plan(planFor(5030));
    const one = client(5030);
    expect(await one.ask('a', 100)).toBe('silence');
    await proxy.endpoints({ app: [endpoint(backs, 5031)] });
    expect(await one.ask('b')).toBe('5031 b');
  });

  it('forgets clients that are silent, and the longest silent one for a new one', async () => {
    await backdrop(5041);
    const proxy = open({ stream: { udpIdleTimeoutMs: 300, maxUdpFlows: 2 } });
    await proxy.endpoints({ app: [endpoint(backs, 5041)] });
    await proxy.plan(planFor(5040));
    const [a, b, c] = [client(5040), client(5040), client(5040)];
    await a.ask('a');
    await b.ask('b');
    await a.ask('a');
    await c.ask('c');
    expect(proxy.streams).toMatchObject([{ flag: 'evicted', receivedBytes: 1, sentBytes: 6, backend: 'app' }]);
    await pause(700);
    expect(proxy.streams.map(({ flag }) => flag)).toEqual(['evicted', 'idle', 'idle']);
    expect(await a.ask('again')).toBe('5041 again');
  });

  it('finds another endpoint when one refuses', async () => {
    await backdrop(5051);
    const proxy = open();
    await proxy.endpoints({ app: [endpoint(backs, 5059), endpoint(backs, 5051)] });
    await proxy.plan(planFor(5050));
    const one = client(5050);
    const first = await one.ask('a', 300);
    const second = await one.ask('b', 300);
    expect([first, second]).toContain(first === 'silence' ? '5051 b' : '5051 a');
  });

  it('shares a port number with TCP, and reports one that is taken', async () => {
    const holder = createSocket('udp4').bind(5061, front);
    await once(holder, 'listening');
    const proxy = open();
    const plan = streamPlan([
      streamListener(front, 5060, 'UDP', []),
      streamListener(front, 5060, 'TCP', []),
      streamListener(front, 5061, 'UDP', []),
    ]);
    const { listeners } = await proxy.plan(plan);
    expect(listeners[`${front}:5060/UDP`]).toEqual({ bound: true });
    expect(listeners[`${front}:5060/TCP`]).toEqual({ bound: true });
    expect(listeners[`${front}:5061/UDP`]).toMatchObject({
      bound: false,
      error: expect.stringContaining('EADDRINUSE'),
    });
    await new Promise<void>((resolve) => holder.close(() => resolve()));
    expect((await proxy.plan(plan)).listeners[`${front}:5061/UDP`]).toEqual({ bound: true });
  });
});
