/** The sockets: what a well-behaved client gets, and what any other one can do at worst. */
import { createSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { exchangeTcp, exchangeUdp } from '../plugins/forward/exchange.ts';
import { type Handler, unwritten } from '../plugins/plugin.ts';
import { encodeQuery } from '../wire/ask.ts';
import { decodeMessage } from '../wire/decode.ts';
import { rcode } from '../wire/numbers.ts';
import { labelsOf, nameOf, parseQuery } from '../wire/query.ts';
import { addressRecord } from '../wire/records.ts';
import { emptyAnswer } from '../wire/response.ts';
import { createResponder } from './responder.ts';
import { createDnsServer, type DnsLimits } from './server.ts';

const address = '127.80.2.1';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Waits for what must come, however slow the machine is; the test's own time limit ends it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

/** `many.` has 100 addresses, `slow.` takes 60 ms, `throw.` and `reject.` fail; all others have one address. */
const chain: Handler = (context) => {
  const name = nameOf(context.query);
  const [first] = labelsOf(context.query);
  const answer = (count: number) => ({
    kind: 'answer' as const,
    answer: {
      ...emptyAnswer(rcode.NOERROR),
      answers: Array.from({ length: count }, (_, i) => addressRecord(name, 5, `10.0.0.${i}`)),
    },
  });
  if (first === 'throw') throw new Error('as asked');
  if (first === 'reject') return Promise.reject(new Error('as asked'));
  if (first === 'refuse') return unwritten(rcode.REFUSED);
  if (first === 'slow') return sleep(60).then(() => answer(1));
  return answer(first === 'many' ? 100 : 1);
};

async function serve(limits: DnsLimits = {}) {
  const errors: unknown[] = [];
  let waiting = 0;
  let peak = 0;
  const counted: Handler = (context) => {
    const reply = chain(context);
    if (!(reply instanceof Promise)) return reply;
    peak = Math.max(peak, ++waiting);
    return reply.finally(() => waiting--);
  };
  const responder = createResponder({
    chain: counted,
    recursionAvailable: true,
    onError: (error) => errors.push(error),
  });
  const server = createDnsServer({ handler: responder.handle, listen: [{ address, port: 0 }], limits });
  const [bound] = await server.start();
  if (bound!.error) throw new Error(bound!.error.message);
  closers.push(() => server.close());
  return { port: bound!.port, errors, metrics: responder.metrics, peak: () => peak };
}

async function exchange(how: typeof exchangeUdp, port: number, name: string, edns?: number, type = 1) {
  const options = edns === undefined ? {} : { edns: { udpSize: edns, version: 0, dnssecOk: false, options: [] } };
  const parsed = parseQuery(encodeQuery(name, type, options));
  if (!parsed.ok) throw new Error('not a query');
  const result = await how(parsed.query, { address, port }, { timeoutMs: 2000 });
  if (!result.ok) throw new Error(result.error);
  const decoded = decodeMessage(result.value);
  if (!decoded.ok) throw new Error(decoded.error);
  return { ...decoded.value, size: result.value.length };
}

/** As stub resolvers do: the kernel may drop a packet while the server's receive buffer is full. */
async function exchangeRetrying(port: number, name: string) {
  for (let attempt = 1; attempt < 4; attempt++) {
    try {
      return await exchange(exchangeUdp, port, name);
    } catch (error) {
      console.warn(`attempt ${attempt}: ${error}`);
    }
  }
  return exchange(exchangeUdp, port, name);
}

async function connection(port: number): Promise<{ socket: Socket; received: () => Buffer; closed: Promise<void> }> {
  const chunks: Buffer[] = [];
  const socket = connect({ host: address, port });
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => socket.destroy());
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  closers.push(() => socket.destroy());
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return { socket, received: () => Buffer.concat(chunks), closed };
}

function framed(packet: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(packet.length);
  return Buffer.concat([length, packet]);
}

/** Ids of the whole messages in a stream, in order. */
function idsIn(stream: Buffer): number[] {
  const ids: number[] = [];
  for (let at = 0; at + 4 <= stream.length; at += 2 + stream.readUInt16BE(at)) ids.push(stream.readUInt16BE(at + 2));
  return ids;
}

describe('UDP', () => {
  it('answers within what the client takes, with TC, and TCP has the rest', async () => {
    const { port } = await serve();
    const [bare, small, large] = [
      await exchange(exchangeUdp, port, 'many.'),
      await exchange(exchangeUdp, port, 'many.', 700),
      await exchange(exchangeUdp, port, 'many.', 65_535),
    ];
    expect([bare.truncated, small.truncated, large.truncated]).toEqual([true, true, true]);
    expect(bare.size).toBeLessThanOrEqual(512);
    expect(small.size).toBeLessThanOrEqual(700);
    expect(large.size).toBeLessThanOrEqual(1232);
    expect((await exchange(exchangeTcp, port, 'many.')).answers).toHaveLength(100);
  });

  it('answers SERVFAIL when the chain fails, REFUSED for other classes, and counts', async () => {
    const { port, errors, metrics } = await serve();
    expect((await exchange(exchangeUdp, port, 'throw.')).rcode).toBe(rcode.SERVFAIL);
    expect((await exchange(exchangeUdp, port, 'reject.')).rcode).toBe(rcode.SERVFAIL);
    expect((await exchange(exchangeUdp, port, 'refuse.')).rcode).toBe(rcode.REFUSED);
    await exchange(exchangeTcp, port, 'a.', undefined, 28);
    await exchange(exchangeUdp, port, 'a.', undefined, 4711);
    expect(errors).toHaveLength(2);
    expect(metrics()).toEqual({
      queries: { udp: 4, tcp: 1 },
      types: { A: 3, AAAA: 1, other: 1 },
      rcodes: { SERVFAIL: 2, REFUSED: 1, NOERROR: 2 },
      dropped: 0,
      failures: 2,
    });
  });

  it('drops queries beyond those that may wait', async () => {
    const { port } = await serve({ maxPendingUdp: 1 });
    const socket = createSocket('udp4');
    closers.push(() => socket.close());
    let answers = 0;
    socket.on('message', () => answers++);
    for (const id of [1, 2, 3]) socket.send(encodeQuery('slow.', 1, { id }), port, address);
    await sleep(250);
    expect(answers).toBe(1);
  });

  it('stays up under random packets, and answers the next good one', async () => {
    const { port } = await serve();
    const socket = createSocket('udp4');
    closers.push(() => socket.close());
    const seeds = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 300 }), 300);
    const good = encodeQuery('a.', 1, { edns: { udpSize: 900, version: 0, dnssecOk: true, options: [] } });
    for (const [i, seed] of seeds.entries()) {
      const packet =
        i % 2 === 0 ? Buffer.from(seed) : Buffer.from(good).fill(seed[0]!, i % good.length, (i % good.length) + 1);
      socket.send(packet, port, address);
    }
    await sleep(50);
    expect((await exchangeRetrying(port, 'a.')).answers).toHaveLength(1);
  });
});

describe('TCP', () => {
  it('answers pipelined queries in the order in which they are ready', async () => {
    const { port } = await serve();
    const { socket, received } = await connection(port);
    const stream = Buffer.concat([
      framed(encodeQuery('slow.', 1, { id: 1 })),
      framed(encodeQuery('a.', 1, { id: 2 })),
      framed(encodeQuery('b.', 1, { id: 3 })),
    ]);
    socket.write(stream);
    await until(() => idsIn(received()).length === 3);
    expect(idsIn(received())).toEqual([2, 3, 1]);
  });

  it('takes queries in pieces of any size, and answers after the client has said that it is done', async () => {
    const { port } = await serve();
    const { socket, received, closed } = await connection(port);
    const stream = Buffer.concat([1, 2, 3].map((id) => framed(encodeQuery(id === 1 ? 'slow.' : 'a.', 1, { id }))));
    for (let at = 0; at < stream.length; at += 7) {
      socket.write(stream.subarray(at, at + 7));
      await sleep(1);
    }
    socket.end();
    await closed;
    expect(idsIn(received()).sort()).toEqual([1, 2, 3]);
  });

  it('does no more at once than it may have under way, and comes to the rest', async () => {
    const { port, peak } = await serve({ maxPipelined: 2 });
    const { socket, received } = await connection(port);
    socket.write(Buffer.concat([1, 2, 3, 4, 5].map((id) => framed(encodeQuery('slow.', 1, { id })))));
    await until(() => idsIn(received()).length === 5);
    expect(idsIn(received()).sort()).toEqual([1, 2, 3, 4, 5]);
    expect(peak()).toBe(2);
  });

  it('closes idle connections, slow queries and those with too many queries', async () => {
    const { port } = await serve({ idleTimeoutMs: 80, readTimeoutMs: 120, maxQueriesPerConnection: 2 });
    const started = performance.now();
    const idle = await connection(port);
    await idle.closed;
    expect(performance.now() - started).toBeLessThan(4000);

    const slow = await connection(port);
    const drip = setInterval(() => slow.socket.writable && slow.socket.write('\0'), 30);
    slow.socket.write(Buffer.from([0x10, 0x00]));
    const slowStarted = performance.now();
    await slow.closed;
    clearInterval(drip);
    expect(performance.now() - slowStarted).toBeGreaterThan(100);
    expect(performance.now() - slowStarted).toBeLessThan(4000);

    const eager = await connection(port);
    eager.socket.write(Buffer.concat([1, 2, 3, 4].map((id) => framed(encodeQuery('a.', 1, { id })))));
    await eager.closed;
    expect(idsIn(eager.received())).toEqual([1, 2]);
  });

  it('keeps a busy connection open past the time of one transfer', async () => {
    const { port } = await serve({ idleTimeoutMs: 400, readTimeoutMs: 400 });
    const { socket, received } = await connection(port);
    for (let id = 1; id <= 8; id++) {
      const packet = framed(encodeQuery('a.', 1, { id }));
      socket.write(packet.subarray(0, 5));
      await sleep(75);
      socket.write(packet.subarray(5));
    }
    await until(() => idsIn(received()).length === 8);
    expect(idsIn(received())).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('holds no more than its share for a client that does not read', async () => {
    const { port } = await serve({ writeTimeoutMs: 200 });
    const { socket, closed } = await connection(port);
    socket.pause();
    const many = Buffer.concat(Array.from({ length: 200 }, () => framed(encodeQuery('many.', 1))));
    const pump = setInterval(() => socket.writable && socket.writableLength < 1_000_000 && socket.write(many), 1);
    await Promise.race([closed, sleep(5000).then(() => Promise.reject(new Error('still open')))]);
    clearInterval(pump);
  });

  it('takes no more connections than allowed', async () => {
    const { port } = await serve({ maxConnections: 1 });
    const first = await connection(port);
    const second = await connection(port);
    await second.closed;
    first.socket.write(framed(encodeQuery('a.', 1, { id: 9 })));
    await until(() => first.received().length > 0);
    expect(idsIn(first.received())).toEqual([9]);
  });

  it('stays up under random bytes', async () => {
    const { port } = await serve({ idleTimeoutMs: 100, readTimeoutMs: 100 });
    const streams = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 400 }), 40);
    const connections = await Promise.all(
      streams.map(async (bytes) => {
        const { socket, closed } = await connection(port);
        socket.write(bytes);
        return closed;
      }),
    );
    await Promise.all(connections);
    expect((await exchange(exchangeTcp, port, 'a.')).answers).toHaveLength(1);
  });
});

describe('binding', () => {
  it('says per address what is wrong, and serves the others', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.80.2.2', resolve));
    closers.push(() => new Promise((resolve) => taken.close(resolve)));
    const bound = taken.address();
    const port = bound && typeof bound === 'object' ? bound.port : 0;
    const responder = createResponder({ chain, recursionAvailable: false, onError: () => {} });
    const server = createDnsServer({
      handler: responder.handle,
      listen: [
        { address: '127.80.2.2', port },
        { address: '192.0.2.1', port: 0 },
        { address, port: 0 },
      ],
    });
    closers.push(() => server.close());
    const [busy, foreign, good] = await server.start();
    expect(busy).toMatchObject({ address: '127.80.2.2', port, error: { code: 'FW4003' } });
    expect(busy!.error!.message).toContain('already in use');
    expect(foreign!.error!.message).toContain('no such address');
    expect(good!.error).toBeUndefined();
    expect((await exchange(exchangeUdp, good!.port, 'a.')).answers).toHaveLength(1);
    await server.close();
    await expect(exchange(exchangeUdp, good!.port, 'a.')).rejects.toThrow();
  });
});
