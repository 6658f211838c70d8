import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHelloReader, type HelloOutcome } from './client-hello.ts';

const vector = (size: 1 | 2, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(size);
  length.writeUIntBE(body.length, 0, size);
  return Buffer.concat([length, body]);
};
const alpn = (...names: string[]) => extension(16, vector(2, ...names.map((name) => vector(1, Buffer.from(name)))));
const number16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const extension = (type: number, ...parts: Buffer[]) => Buffer.concat([number16(type), vector(2, ...parts)]);
const hostName = (name: string) => Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name, 'latin1'))]);
const sni = (...names: string[]) => extension(0, vector(2, ...names.map(hostName)));

interface Shape {
  readonly extensions?: readonly Buffer[];
  readonly sessionId?: number;
  readonly padding?: number;
}

/** The handshake message. */
function helloOf({ extensions, sessionId = 32, padding = 0 }: Shape): Buffer {
  const body = Buffer.concat([
    number16(0x0303),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(sessionId)),
    vector(2, number16(0x1301)),
    vector(1, Buffer.alloc(1)),
    ...(extensions ? [vector(2, ...extensions, ...(padding ? [extension(21, Buffer.alloc(padding))] : []))] : []),
  ]);
  const length = Buffer.alloc(3);
  length.writeUIntBE(body.length, 0, 3);
  return Buffer.concat([Buffer.from([1]), length, body]);
}

const record = (fragment: Buffer, type = 22) =>
  Buffer.concat([Buffer.from([type, 3, 1]), number16(fragment.length), fragment]);

/** A message in records that end at these places. */
function inRecords(message: Buffer, cuts: readonly number[] = []): Buffer {
  const places = [...new Set([0, ...cuts.map((cut) => cut % message.length), message.length])].sort((a, b) => a - b);
  return Buffer.concat(places.slice(1).map((end, i) => record(message.subarray(places[i], end))));
}

function readWhole(bytes: Buffer, max = 16_384): HelloOutcome {
  return createHelloReader(max).push(bytes);
}

const named = (name: string) => inRecords(helloOf({ extensions: [extension(10, number16(29)), sni(name)] }));

describe('reading a ClientHello', () => {
  it('finds the server name in lower case, without the last dot', () => {
    expect(readWhole(named('WWW.Example.com.'))).toMatchObject({ kind: 'hello', serverName: 'www.example.com' });
  });

  it.each([
    ['no extensions', inRecords(helloOf({}))],
    ['no server_name', inRecords(helloOf({ extensions: [extension(10, number16(29))] }))],
    [
      'names of other types only',
      inRecords(helloOf({ extensions: [extension(0, vector(2, Buffer.from([9, 0, 1, 65])))] })),
    ],
  ])('finds none in a ClientHello with %s', (_what, bytes) => {
    expect(readWhole(bytes)).toMatchObject({ kind: 'hello', serverName: undefined });
  });

  it('gives back all bytes, those that came after it too', () => {
    const bytes = Buffer.concat([named('a.example.com'), record(Buffer.from([1]), 20), Buffer.from('early data')]);
    expect(readWhole(bytes)).toMatchObject({ kind: 'hello', serverName: 'a.example.com', bytes });
  });

  it.each<[string, Buffer]>([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['SSL 2', Buffer.from([0x80, 0x2e, 1, 0, 2])],
    ['another record type', record(Buffer.from([1]), 21)],
    ['a record version of the future', Buffer.from([22, 4, 0, 0, 1])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 1])],
    ['a ServerHello', record(Buffer.from([2, 0, 0, 0]))],
    ['a session id of 33 bytes', inRecords(helloOf({ sessionId: 33 }))],
    ['two server_name extensions', inRecords(helloOf({ extensions: [sni('a.com'), sni('b.com')] }))],
    ['two host names', inRecords(helloOf({ extensions: [sni('a.com', 'b.com')] }))],
    ['an empty list of names', inRecords(helloOf({ extensions: [extension(0, vector(2))] }))],
    ['an empty name', inRecords(helloOf({ extensions: [sni('')] }))],
    ['a name with a zero byte', inRecords(helloOf({ extensions: [sni('a.com\0.b.com')] }))],
    ['a name with empty labels', inRecords(helloOf({ extensions: [sni('a..com')] }))],
    ['a name that is too long', inRecords(helloOf({ extensions: [sni('a'.repeat(256))] }))],
    [
      'bytes after the list of names',
      inRecords(helloOf({ extensions: [extension(0, vector(2, hostName('a')), Buffer.alloc(1))] })),
    ],
    [
      'bytes after the extensions',
      inRecords(Buffer.concat([helloOf({ extensions: [] }), Buffer.alloc(1)]).fill(0x2e, 3, 4)),
    ],
  ])('refuses %s', (_what, bytes) => {
    expect(readWhole(bytes)).toMatchObject({ kind: 'malformed' });
  });

  it('refuses what is larger than it may be, as soon as that is known', () => {
    const large = helloOf({ extensions: [sni('a.example.com')], padding: 2_000 });
    expect(readWhole(inRecords(large), 4_096)).toMatchObject({ kind: 'hello' });
    expect(readWhole(inRecords(large).subarray(0, 9), 1_024)).toMatchObject({ kind: 'malformed' });
    const dripping = createHelloReader(1_024);
    let outcome: HelloOutcome;
    for (const byte of inRecords(large, [500, 900, 1_300])) outcome ??= dripping.push(Buffer.from([byte]));
    expect(outcome!).toMatchObject({ kind: 'malformed' });
  });

  it('costs no more than its length in very small records', () => {
    const body = Buffer.concat([Buffer.from([1, 0, 0x0a, 0x90]), Buffer.alloc(2_600)]);
    const best = (records: number) => {
      const bytes = Buffer.concat([...body.subarray(0, records)].map((byte) => Buffer.from([22, 3, 1, 0, 1, byte])));
      const times = Array.from({ length: 8 }, () => {
        const began = performance.now();
        expect(createHelloReader(16_384).push(bytes)).toBeUndefined();
        return performance.now() - began;
      });
      return Math.min(...times);
    };
    best(2_600);
    // With a cost that grows by the square, it would be 64 times as much.
    expect(best(2_600) / best(325)).toBeLessThan(25);
  });

  it('reads the same however it is cut into records and segments', () => {
    const cuts = fc.array(fc.nat(4_000), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, cuts, fc.nat(900), (recordCuts, segmentCuts, padding) => {
        const bytes = inRecords(
          helloOf({ extensions: [alpn('h2', 'http/1.1'), sni('x.example.com')], padding }),
          recordCuts,
        );
        const places = [...segmentCuts.map((cut) => cut % bytes.length), bytes.length].sort((a, b) => a - b);
        const reader = createHelloReader(16_384);
        let outcome: HelloOutcome;
        places.forEach((end, i) => {
          expect(outcome).toBeUndefined();
          outcome = reader.push(bytes.subarray(i === 0 ? 0 : places[i - 1], end));
        });
        expect(outcome).toEqual({ kind: 'hello', serverName: 'x.example.com', protocols: ['h2', 'http/1.1'], bytes });
      }),
      { numRuns: 200 },
    );
  });

  it('never throws, nor takes a broken message for a whole one that says something else', () => {
    const good = named('x.example.com');
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const bytes = Buffer.from(good);
        bytes[at] = byte;
        expect(['hello', 'malformed', undefined]).toContain(readWhole(bytes)?.kind);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        const outcome = readWhole(Buffer.concat([Buffer.from([22, 3, 1, 0, 200, 1, 0, 0, 196]), noise]));
        expect(['hello', 'malformed', undefined]).toContain(outcome?.kind);
      }),
      { numRuns: 500 },
    );
  });

  it('reads what Node’s own client sends', async () => {
    const server = createServer().listen(0, '127.26.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    const { port } = server.address() as AddressInfo;
    const client = connect({ host: '127.26.0.1', port, servername: 'Real.Example.com', ALPNProtocols: ['h2'] });
    client.on('error', () => {});
    const [socket] = await accepted;
    const [bytes] = await once(socket, 'data');
    expect(readWhole(bytes)).toMatchObject({ kind: 'hello', serverName: 'real.example.com' });
    client.destroy();
    socket.destroy();
    server.close();
  });
});
