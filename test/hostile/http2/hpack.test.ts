/** The frame tool against node:http2, which is nghttp2's HPACK: what either writes, the other reads. */

import { createServer, type Http2Server, type IncomingHttpHeaders } from 'node:http2';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { END, pseudo } from './case.ts';
import { headers } from './frames.ts';
import {
  block,
  createDecoder,
  FIRST_DYNAMIC,
  type Field,
  indexed,
  integer,
  literal,
  remembered,
  tableSize,
} from './hpack.ts';
import { bitsOf, EOS, huffman, packed, unhuffman } from './huffman.ts';
import { connectPeer, laneAddress } from './run.ts';
import type { Peer } from './wire.ts';

const place = { address: '127.77.12.4', port: 8080, secure: false };
const seen: IncomingHttpHeaders[] = [];
let server: Http2Server;
let respond: Record<string, string> = {};
let peer: Peer;
let next = 1;

beforeAll(async () => {
  server = createServer();
  server.on('stream', (stream, fields) => {
    seen.push(fields);
    stream.respond({ ':status': 200, ...respond });
    stream.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(place.port, place.address, resolve));
  peer = await connectPeer(laneAddress(90), place);
});

afterAll(async () => {
  peer.leave();
  await new Promise((resolve) => server.close(resolve));
});

async function exchange(fieldBlock: Buffer): Promise<IncomingHttpHeaders> {
  const id = next;
  next += 2;
  peer.send(headers(id, fieldBlock, END));
  expect(await peer.until(() => peer.stream(id).ended), peer.summary()).toBe(true);
  return seen.at(-1)!;
}

const visible = fc.string({
  unit: fc.integer({ min: 33, max: 126 }).map((one) => String.fromCharCode(one)),
  minLength: 1,
  maxLength: 200,
});

describe('the encoder is read by node:http2', () => {
  it.each<[string, (value: string) => Buffer]>([
    ['literals', (value) => literal('x-a', value)],
    ['literals in Huffman code', (value) => literal('x-a', value, 'huffman')],
    ['what it is to remember', (value) => remembered('x-a', value)],
  ])('%s', async (_, encode) => {
    await fc.assert(
      fc.asyncProperty(visible, async (value) => {
        const fields = await exchange(Buffer.concat([block(pseudo()), encode(value)]));
        expect(fields['x-a']).toBe(value);
      }),
      { numRuns: 15 },
    );
  });

  it('what it has been told to remember', async () => {
    await exchange(Buffer.concat([block(pseudo()), remembered('x-a', 'kept')]));
    expect((await exchange(Buffer.concat([block(pseudo()), indexed(FIRST_DYNAMIC)])))['x-a']).toBe('kept');
  });

  it('after a change of the size of its table', async () => {
    expect(
      (await exchange(Buffer.concat([tableSize(0), tableSize(4_096), block(pseudo()), literal('x-a', 'b')])))['x-a'],
    ).toBe('b');
  });
});

describe('the decoder reads what node:http2 writes', () => {
  it('in Huffman code and out of the dynamic table, again and again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(visible, { minLength: 1, maxLength: 5 }), async (values) => {
        respond = Object.fromEntries(values.map((value, i) => [`x-${i}`, value]));
        for (const _ of [0, 1]) {
          await exchange(block(pseudo()));
          const got = Object.fromEntries(peer.stream(next - 2).fields);
          expect(got).toMatchObject(respond);
          expect(peer.faults).toEqual([]);
        }
      }),
      { numRuns: 30 },
    );
    respond = {};
  });
});

describe('Huffman code', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((one) => String.fromCharCode(one)) }),
        (text) => {
          expect(unhuffman(huffman(text))).toBe(text);
        },
      ),
    );
  });

  it('is that of RFC 7541 appendix C.4 and C.6', () => {
    expect(huffman('www.example.com').toString('hex')).toBe('f1e3c2e5f23a6ba0ab90f4ff');
    expect(huffman('Mon, 21 Oct 2013 20:13:21 GMT').toString('hex')).toBe(
      'd07abe941054d444a8200595040b8166e082a62d1bff',
    );
  });

  it('is refused where it is bad', () => {
    expect(() => unhuffman(packed(`${bitsOf([EOS])}11`))).toThrow('EOS');
    expect(() => unhuffman(Buffer.from([0xff]))).toThrow('padding');
  });
});

describe('the decoder', () => {
  it('reads the integers of RFC 7541 appendix C.1', () => {
    expect([...integer(10, 5)]).toEqual([10]);
    expect([...integer(1_337, 5)]).toEqual([31, 154, 10]);
    expect([...integer(42, 8)]).toEqual([42]);
  });

  it('forgets what does not fit its table', () => {
    const decode = createDecoder(64);
    const field: Field = ['x-a', 'b'];
    expect(decode(remembered(...field))).toEqual([field]);
    expect(decode(indexed(FIRST_DYNAMIC))).toEqual([field]);
    expect(decode(remembered('x-c', 'd'))).toEqual([['x-c', 'd']]);
    expect(() => decode(indexed(FIRST_DYNAMIC + 1))).toThrow('index');
    expect(() => decode(tableSize(65))).toThrow('65');
    expect(() => decode(Buffer.from([0x40, 0x05]))).toThrow('ends inside');
  });
});
