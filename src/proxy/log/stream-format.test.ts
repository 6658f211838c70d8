import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { streamRecordOf } from '../testing/records.ts';
import { accessLogFormats } from './format.ts';
import { streamFormatters } from './stream-format.ts';

describe('a stream in the access log', () => {
  it('is one JSON object, without what is not there', () => {
    expect(JSON.parse(streamFormatters.json(streamRecordOf()))).toEqual({
      ...{ time: '2026-11-02T03:04:05.678Z', listener: '127.250.0.1:5432/TLS', protocol: 'TLS' },
      ...{ client: '203.0.113.7', clientPort: 4_321, serverName: 'db.example.com', attempts: 1 },
      ...{ receivedBytes: 40, sentBytes: 512, durationMs: 1.235, endpoint: '127.244.0.9:5432' },
      ...{ route: 'TLSRoute/shop/db/rules/0', backend: 'shop/db:5432/TCP' },
    });
  });

  it('has the fields of the combined format', () => {
    const line = streamFormatters.combined(streamRecordOf({ flag: 'idle' }));
    expect(line).toBe(
      '203.0.113.7 - - [02/Nov/2026:03:04:05 +0000] "TLS db.example.com -" - 512 "-" "-" ms=1.235 received=40 ' +
        'listener="127.250.0.1:5432/TLS" route="TLSRoute/shop/db/rules/0" backend="shop/db:5432/TCP" ' +
        'endpoint="127.244.0.9:5432" flag="idle"\n',
    );
    const { serverName: _, ...nameless } = streamRecordOf({ protocol: 'TCP', sentBytes: 0 });
    expect(streamFormatters.combined(nameless)).toContain('] "TCP 127.250.0.1:5432 -" - - "-" "-" ms=');
  });
});

describe('a stream in the format of ingress-nginx', () => {
  it('is its default line', () => {
    const record = streamRecordOf();
    expect(streamFormatters.nginx(record)).toBe('[203.0.113.7] [02/Nov/2026:03:04:05 +0000] TCP 200 512 40 0.001\n');
    const broken = streamFormatters.nginx(streamRecordOf({ protocol: 'UDP', flag: 'no_endpoints', durationMs: 2_000 }));
    expect(broken).toBe('[203.0.113.7] [02/Nov/2026:03:04:07 +0000] UDP 502 512 40 2.000\n');
  });
});

it.each(accessLogFormats)('a stream as %s is printable ASCII and one line, whatever its names', (format) => {
  const bytes = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(bytes, bytes, (serverName, reason) => {
      expect(streamFormatters[format](streamRecordOf({ serverName, reason }))).toMatch(/^[\x20-\x7e]*\n$/);
    }),
    { numRuns: 50 },
  );
});
