/** Properties of the parsers: however the bytes are cut, the outcome is the same; whatever the bytes, there is one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createChunkDecoder, decodeChunks, hasFailed, isDone } from './chunked.ts';
import { writeFields } from './fields.ts';
import { createRequestHead, INCOMPLETE, parseRequestHead } from './request.ts';
import { createResponseHead, parseResponseHead } from './response.ts';
import { filterTrailers } from './trailers.ts';

const limits = { maxHeadBytes: 600, maxHeaders: 8, maxTargetBytes: 60 };
const chunkLimits = { maxChunkExtensionBytes: 16, maxTrailerBytes: 64 };

/** Text near enough to HTTP to get past the first check now and then. */
const nearHttp = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom(
          'GET ',
          '/',
          ' HTTP/1.1\r\n',
          'Host: a\r\n',
          '\r\n',
          'X: b\r\n',
          'HTTP/1.1 200 OK\r\n',
        ),
      },
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          'Content-Length: 5\r\n',
          'Transfer-Encoding: chunked\r\n',
          ' ',
          ':',
          '\r',
          '\n',
          '\t',
          '5\r\nhello\r\n',
          '0\r\n',
        ),
      },
      { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 8 }) },
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(''));

const anyBytes = fc.oneof(
  nearHttp,
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);

function requestOutcome(text: string): unknown {
  const head = createRequestHead(limits.maxHeaders);
  const outcome = parseRequestHead(Buffer.from(text, 'latin1'), head, limits);
  if (outcome) return outcome;
  const { method, target, host, path, query, body, contentLength, keepAlive, length } = head;
  return { method, target, host, path, query, body, contentLength, keepAlive, length, lines: writeFields(head.fields) };
}

function responseOutcome(text: string): unknown {
  const head = createResponseHead(limits.maxHeaders);
  const outcome = parseResponseHead(Buffer.from(text, 'latin1'), text.length, head, false, limits.maxHeadBytes);
  if (outcome !== 'complete') return outcome;
  return { status: head.status, body: head.body, length: head.length, lines: writeFields(head.fields) };
}

describe.each([
  ['request', requestOutcome, INCOMPLETE],
  ['response', responseOutcome, 'incomplete'],
])('a %s head', (_, outcomeOf, incomplete) => {
  it('has an outcome for any bytes', () => {
    fc.assert(
      fc.property(anyBytes, (text) => {
        expect(outcomeOf(text)).toBeDefined();
      }),
      { numRuns: 3_000 },
    );
  });

  it('is decided once: no byte that follows changes the outcome', () => {
    fc.assert(
      fc.property(anyBytes, (text) => {
        let decided: unknown;
        for (let length = 0; length <= text.length; length++) {
          const outcome = outcomeOf(text.slice(0, length));
          if (decided !== undefined) expect(outcome).toEqual(decided);
          else if (outcome !== incomplete) decided = outcome;
        }
      }),
      { numRuns: 500 },
    );
  });
});

it('a response line that begins with space is malformed from its first byte on', () => {
  for (const space of [' ', '  ', ' \t']) {
    expect(responseOutcome(`HTTP/1.1 200 OK\r\n${space}`)).toMatchObject({ reason: expect.stringContaining('line') });
  }
});

describe('a request head behind empty lines', () => {
  const large = { maxHeadBytes: 8_192, maxHeaders: 8, maxTargetBytes: 60 };
  const parse = (text: string) => {
    const head = createRequestHead(large.maxHeaders);
    return { head, outcome: parseRequestHead(Buffer.from(text, 'latin1'), head, large) };
  };
  const start = '\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\nX: ';

  it('is read whole however long it is', () => {
    const text = `${start}${'x'.repeat(6_000)}\r\n\r\n`;
    const { outcome, head } = parse(`${text}GET /b`);
    expect(outcome).toBeUndefined();
    expect([head.method, head.target, head.host, head.length]).toEqual(['GET', '/a', 'a', text.length]);
    expect(writeFields(head.fields, head.lineStart)).toBe(text.slice(4, -2));
  });

  it('is refused when it does not come to its end', () => {
    expect(parse(`${start}${'x'.repeat(6_000)}`).outcome).toBe(INCOMPLETE);
    expect(parse(`${start}${'x'.repeat(9_000)}`).outcome).toMatchObject({ status: 431 });
  });
});

/** Decodes in the pieces given; what came of it. */
function decode(pieces: readonly Buffer[]): {
  data: string;
  done: boolean;
  failed: boolean;
  trailer: string;
  rest: number;
} {
  const decoder = createChunkDecoder(chunkLimits);
  let data = '';
  let consumed = 0;
  for (const piece of pieces) {
    if (isDone(decoder) || hasFailed(decoder)) break;
    const runs: number[] = [];
    consumed += decodeChunks(decoder, piece, 0, piece.length, runs);
    for (let i = 0; i < runs.length; i += 2) data += piece.toString('latin1', runs[i], runs[i + 1]);
  }
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return { data, done: isDone(decoder), failed: hasFailed(decoder), trailer: decoder.trailer, rest: total - consumed };
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1))), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}

describe('space that is none in HTTP (RFC 9110 section 5.6.3)', () => {
  it.each(['5\xa0', '\xa05', '5,\xa05', '5 ,5\xa0'])('does not belong into a length: %j', (length) => {
    expect(requestOutcome(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`)).toMatchObject({
      status: 400,
    });
    expect(responseOutcome(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`)).toHaveProperty('reason');
  });

  it('does not hide what a list names', () => {
    const lines = 'Connection: close\xa0\r\n';
    expect(requestOutcome(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`)).toMatchObject({ keepAlive: true });
  });
});

describe('a chunked body', () => {
  const parts = fc.array(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 40 }), { maxLength: 6 });
  const places = fc.array(fc.nat(400), { maxLength: 12 });

  it('gives back what was put in, and nothing of what follows', () => {
    fc.assert(
      fc.property(parts, places, fc.boolean(), (data, cuts, trailer) => {
        const chunks = data.map((text) => `${text.length.toString(16)};x\r\n${text}\r\n`).join('');
        const section = trailer ? 'X-Sum: 1\r\n\r\n' : '\r\n';
        const bytes = Buffer.from(`${chunks}0\r\n${section}GET / next`, 'latin1');
        const outcome = decode(cut(bytes, cuts));
        expect(outcome).toMatchObject({ data: data.join(''), done: true, failed: false, trailer: section });
      }),
    );
  });

  it('has the same outcome however it is cut', () => {
    const wild = fc.array(
      fc.oneof(
        fc.constantFrom('5\r\nhello\r\n', '0\r\n', '\r\n', 'X: a\r\n', ';x', '\r', '\n', 'a'),
        fc.string({ unit: 'binary-ascii', maxLength: 4 }),
      ),
      { maxLength: 10 },
    );
    fc.assert(
      fc.property(wild, places, (text, cuts) => {
        const bytes = Buffer.from(text.join(''), 'latin1');
        const { rest: _, ...whole } = decode([bytes]);
        const { rest: __, ...pieces } = decode(cut(bytes, cuts));
        expect(pieces).toEqual(whole);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('trailers', () => {
  it('cost no more per byte when there are many', () => {
    const section = Buffer.from(`0\r\n${`a: ${'x'.repeat(77)}\r\n`.repeat(3_000)}\r\n`, 'latin1');
    const decoder = createChunkDecoder({ maxChunkExtensionBytes: 256, maxTrailerBytes: section.length });
    const began = performance.now();
    decodeChunks(decoder, section, 0, section.length, []);
    expect(isDone(decoder)).toBe(true);
    // Some 30 ms. Text that is looked at anew for each byte of it makes it ten seconds.
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it('lose what may not come that late', () => {
    expect(
      filterTrailers(
        'X-Sum: 1\r\nContent-Length: 5\r\nHost: b\r\nAuthorization: x\r\nx-forwarded-for: 1\r\nY: 2\r\n\r\n',
      ),
    ).toBe('X-Sum: 1\r\nY: 2\r\n');
    expect(filterTrailers('\r\n')).toBe('');
    expect(filterTrailers('X Sum: 1\r\n\r\n')).toBeUndefined();
  });

  it('are taken or refused whatever they hold', () => {
    fc.assert(fc.property(anyBytes, (text) => ['string', 'undefined'].includes(typeof filterTrailers(text))));
  });
});
