/** The examples of RFC 7541 appendix C, what must be refused, and round trips with node:http2, which is nghttp2's HPACK. */
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveSettings } from '../../../options.ts';
import { createOutbox, flush } from '../../../outbox.ts';
import { createConnection, createStream } from '../connection.ts';
import { receive } from '../receive.ts';
import { sendHead } from '../send.ts';
import { createDecoder, type Decoder, decodeBlock } from './decoder.ts';
import { createEncoder, encodeHead, setTableSize } from './encoder.ts';
import { decodeHuffman } from './huffman.ts';

const limits = { maxTableBytes: 4_096, maxFields: 200, maxListBytes: 65_536 };

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

function decode(decoder: Decoder, bytes: Buffer): string[] | undefined {
  if (!decodeBlock(decoder, bytes, 0, bytes.length)) return undefined;
  return decoder.fields.slice(0, decoder.count).map(({ name, value }) => `${name.text}: ${value}`);
}

const encoded = (text: string) => Buffer.from(text, 'latin1');

describe('the examples of RFC 7541', () => {
  it.each([
    ['C.2.1 literal with indexing', '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', 55],
    ['C.2.2 literal without indexing', '040c 2f73 616d 706c 652f 7061 7468', 0],
    ['C.2.3 literal never indexed', '1008 7061 7373 776f 7264 0673 6563 7265 74', 0],
    ['C.2.4 indexed', '82', 0],
  ])('%s', (name, block, size) => {
    const decoder = createDecoder(limits);
    const wanted: Record<string, string> = {
      'C.2.1': 'custom-key: custom-header',
      'C.2.2': ':path: /sample/path',
      'C.2.3': 'password: secret',
      'C.2.4': ':method: GET',
    };
    expect(decode(decoder, hex(block))).toEqual([wanted[name.slice(0, 5)]]);
    expect(decoder.size).toBe(size);
  });

  const first = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'];
  const requests = [
    first,
    [...first, 'cache-control: no-cache'],
    [':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com', 'custom-key: custom-value'],
  ];
  it.each([
    [
      'C.3 requests without Huffman code',
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
    ],
    [
      'C.4 requests with Huffman code',
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ],
  ])('%s', (_, blocks) => {
    const decoder = createDecoder(limits);
    expect(blocks.map((block) => decode(decoder, hex(block)))).toEqual(requests);
    expect([decoder.size, decoder.length]).toEqual([164, 3]);
  });

  it('C.6 responses with Huffman code, and a table that is too small for all', () => {
    const decoder = createDecoder({ ...limits, maxTableBytes: 256 });
    const common = ['date: Mon, 21 Oct 2013 20:13:21 GMT', 'location: https://www.example.com'];
    expect(
      decode(
        decoder,
        hex(
          '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
        ),
      ),
    ).toEqual([':status: 302', 'cache-control: private', ...common]);
    expect(decode(decoder, hex('4883 640e ffc1 c0bf'))).toEqual([':status: 307', 'cache-control: private', ...common]);
    expect(
      decode(
        decoder,
        hex(
          '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
        ),
      ),
    ).toEqual([
      ':status: 200',
      'cache-control: private',
      'date: Mon, 21 Oct 2013 20:13:22 GMT',
      'location: https://www.example.com',
      'content-encoding: gzip',
      'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    ]);
    expect([decoder.size, decoder.length]).toEqual([215, 3]);
  });
});

describe('the decoder', () => {
  it.each([
    ['an index beyond the tables', 'be'],
    ['index 0', '80'],
    ['an integer without its end', 'ff'],
    ['an integer of more than 28 bits', 'ff ff ff ff ff 0f'],
    ['a string without its end', '00 05 61'],
    ['a name without a value', '00 01 61'],
    ['Huffman code with EOS', '00 01 61 84 ff ff ff ff'],
    ['Huffman code with padding of zeros', '00 01 61 81 18'],
    ['a larger table than there may be', '3f e2 1f'],
    ['a change of size behind a field', '82 20'],
  ])('refuses %s', (_, block) => {
    expect(decode(createDecoder(limits), hex(block))).toBeUndefined();
  });

  it('never throws, whatever comes, and keeps to its table', () => {
    const decoder = createDecoder(limits);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        decodeBlock(decoder, Buffer.from(bytes), 0, bytes.length);
        const kept = decoder.ring.filter((field) => field !== undefined);
        expect(kept.length).toBe(decoder.length);
        expect(kept.reduce((sum, field) => sum + field.size, 0)).toBe(decoder.size);
        expect(decoder.size).toBeLessThanOrEqual(decoder.tableBytes);
      }),
      { numRuns: 2_000 },
    );
  });

  it('goes on behind fields that are too many, so that its table stays right', () => {
    const decoder = createDecoder({ ...limits, maxFields: 3 });
    const block = Buffer.concat([Buffer.alloc(1_000, 0x82), hex('40 01 61 01 62')]);
    expect(decode(decoder, block)).toEqual([':method: GET', ':method: GET', ':method: GET']);
    expect(decoder.overflow).toBe(true);
    expect(decode(decoder, hex('be'))).toEqual(['a: b']);
    expect(decoder.overflow).toBe(false);
  });

  it('keeps no more than its list may have of a large field that is named again and again', () => {
    const decoder = createDecoder(limits);
    const value = 'v'.repeat(3_000);
    const block = Buffer.concat([
      hex('40 01 61'),
      Buffer.from([0x7f, 0x80 | ((3_000 - 127) & 127), (3_000 - 127) >> 7]),
      Buffer.from(value),
    ]);
    expect(decode(decoder, block)).toEqual([`a: ${value}`]);
    decode(decoder, Buffer.alloc(16_000, 0xbe));
    expect(decoder.overflow).toBe(true);
    expect(decoder.count).toBeLessThanOrEqual(limits.maxListBytes / 3_000);
  });
});

describe('Huffman code', () => {
  it('is read, unless its padding is bad', () => {
    expect(decodeHuffman(hex('f1e3c2e5f23a6ba0ab90f4ff'), 0, 12)).toBe('www.example.com');
    expect(decodeHuffman(hex('ff'), 0, 1)).toBeUndefined();
    expect(decodeHuffman(hex(''), 0, 0)).toBe('');
  });
});

describe('the encoder', () => {
  const head = 'Server: nginx\r\nDate: now\r\nContent-Length: 5\r\n';

  it('is read by the decoder, and writes less the more often lines come', () => {
    const encoder = createEncoder();
    const decoder = createDecoder(limits);
    const sizes = [0, 1, 2, 3].map(() => {
      const block = encoded(encodeHead(encoder, 200, head));
      expect(decode(decoder, block)).toEqual([':status: 200', 'server: nginx', 'date: now', 'content-length: 5']);
      return block.length;
    });
    // Literals, literals for the table, references to it.
    expect(sizes[0]).toBeGreaterThan(15);
    expect(sizes[1]).toBeGreaterThan(15);
    expect(sizes.slice(2)).toEqual([4, 4]);
  });

  it('does not put secrets into the table, and says so', () => {
    const encoder = createEncoder();
    for (let i = 0; i < 3; i++) {
      const block = encoded(encodeHead(encoder, 200, 'Set-Cookie: a=b\r\n'));
      // Index 55 with four bits, never indexed.
      expect(block.subarray(0, 4)).toEqual(hex('88 1f 28 03'));
    }
    expect(encoder.size).toBe(0);
  });

  it('leaves out what belongs to connections of HTTP/1.1', () => {
    const block = encoded(encodeHead(createEncoder(), 204, 'Connection: x\r\nUpgrade: y\r\nX-A: b\r\n'));
    expect(decode(createDecoder(limits), block)).toEqual([':status: 204', 'x-a: b']);
  });

  it('keeps in step with a decoder through changes of the table', () => {
    const line = fc.tuple(fc.constantFrom('A', 'Server', 'X-Long', 'set-cookie', 'etag'), fc.nat({ max: 30 }));
    const step = fc.oneof(
      { arbitrary: fc.array(line, { maxLength: 8 }), weight: 5 },
      { arbitrary: fc.constantFrom(0, 40, 100, 300, 4_096, 100_000), weight: 1 },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const encoder = createEncoder();
        const decoder = createDecoder(limits);
        for (const one of steps) {
          if (typeof one === 'number') {
            setTableSize(encoder, one);
            continue;
          }
          const lines = one.map(([name, n]) => `${name}: ${`${n}`.repeat(name === 'X-Long' ? 60 : 3)}`);
          const block = encoded(encodeHead(encoder, 404, lines.map((each) => `${each}\r\n`).join('')));
          const wanted = lines.map(
            (each) => each.slice(0, each.indexOf(':')).toLowerCase() + each.slice(each.indexOf(':')),
          );
          expect(decode(decoder, block)).toEqual([':status: 404', ...wanted]);
          expect(decoder.size).toBe(encoder.size);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Names and values that node:http2 sends as they are. */
const name = fc
  .string({ unit: fc.constantFrom(...'abcxyz019-_'), minLength: 1, maxLength: 20 })
  .map((text) => `x-${text}`);
const value = fc
  .string({ unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)), maxLength: 120 })
  .map((text) => text.replaceAll(/^\s+|\s+$/g, ''));
const someFields = fc.array(fc.tuple(name, value), { maxLength: 8 });

describe('with node:http2 as the other side', () => {
  let seen: string[] = [];
  let answer = '';
  const server = createServer((socket) => {
    const connection = createConnection(resolveSettings({}), createOutbox(socket), {
      opened({ decoder, streams }, id) {
        seen = decoder.fields.slice(0, decoder.count).map((field) => `${field.name.text}: ${field.value}`);
        const stream = createStream(connection, id);
        stream.remoteClosed = true;
        streams.set(id, stream);
        sendHead(stream, 200, answer, true);
      },
      takes: () => true,
      ended() {},
      drained() {},
      closed() {},
      wake: () => void setImmediate(flush, connection.out),
      failed: () => socket.destroySoon(),
    });
    socket.on('data', (chunk) => receive(connection, chunk));
    socket.on('error', () => {});
  });
  let client: ClientHttp2Session;

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.77.18.2', resolve));
    client = connect(`http://127.77.18.2:${(server.address() as AddressInfo).port}`);
  });
  afterAll(() => {
    client.close();
    server.close();
  });

  function ask(fields: readonly (readonly [string, string])[]): Promise<IncomingHttpHeaders> {
    return new Promise((resolve, reject) => {
      const stream = client.request({ ':path': '/x?y', ...Object.fromEntries(fields) });
      stream.on('response', resolve);
      stream.on('error', reject);
      stream.resume();
    });
  }

  it('requests are read and responses are understood, again and again over one connection', async () => {
    await fc.assert(
      fc.asyncProperty(someFields, someFields, async (request, response) => {
        answer = response.map(([each, text]) => `${each}: ${text}\r\n`).join('');
        for (let i = 0; i < 3; i++) {
          const headers = await ask(request);
          const sent = Object.entries(Object.fromEntries(request)).map(([each, text]) => `${each}: ${text}`);
          expect(seen.filter((line) => line.startsWith('x-')).sort()).toEqual(sent.sort());
          expect(seen).toEqual(expect.arrayContaining([':method: GET', ':path: /x?y', ':scheme: http']));
          for (const [each, text] of response) expect(`, ${headers[each]}, `).toContain(`, ${text}, `);
        }
      }),
      { numRuns: 100 },
    );
  });
});
