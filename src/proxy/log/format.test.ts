import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordOf } from '../testing/records.ts';
import { accessLogFormats, formatters } from './format.ts';

describe('the access log as JSON', () => {
  it('is one object per line, with times in milliseconds and without what is not there', () => {
    const line = formatters.json(recordOf());
    expect(line.endsWith('}\n')).toBe(true);
    expect(JSON.parse(line)).toEqual({
      ...{ time: '2026-11-02T03:04:05.678Z', listener: '127.250.0.1:80/HTTP', client: '127.0.0.1', method: 'GET' },
      ...{ host: 'a.example', target: '/p?q=1', protocol: 'HTTP/1.1', userAgent: 'curl/8', status: 200 },
      ...{ requestBytes: 0, responseBytes: 12, durationMs: 1.235, upstreamMs: 0.988, attempts: 1 },
      ...{ route: 'HTTPRoute/shop/web/rules/0', backend: 'shop/web:80', endpoint: '127.244.0.9:8080' },
    });
  });

  it('gives back what was sent, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (target) => {
        expect(JSON.parse(formatters.json(recordOf({ target }))).target).toBe(target);
      }),
    );
  });
});

describe('the access log in combined format', () => {
  it('is what Apache and nginx write, and more after it', () => {
    expect(formatters.combined(recordOf({ flag: 'upstream_truncated', traceId: 'ab' }))).toBe(
      '127.0.0.1 - - [02/Nov/2026:03:04:05 +0000] "GET /p?q=1 HTTP/1.1" 200 12 "-" "curl/8" ms=1.235 host="a.example" ' +
        'route="HTTPRoute/shop/web/rules/0" backend="shop/web:80" endpoint="127.244.0.9:8080" ' +
        'flag="upstream_truncated" trace="ab"\n',
    );
  });

  it('writes - for a request that could not be read and a body that is empty', () => {
    const line = formatters.combined(recordOf({ method: '', target: '', host: '', status: 400, responseBytes: 0 }));
    expect(line).toContain('] "-" 400 - "-" "curl/8" ms=');
  });

  it('escapes quotes, backslashes, control bytes and bytes beyond ASCII', () => {
    const userAgent = 'a"b\\c\nd\x1b[2J\x9b\xe9';
    expect(formatters.combined(recordOf({ userAgent }))).toContain('"a\\x22b\\x5Cc\\x0Ad\\x1B[2J\\x9B\\xE9"');
  });
});

describe('the access log in a format of nginx', () => {
  it('has the line that was made where the request was served', () => {
    expect(formatters.nginx(recordOf({ line: 'a b' }))).toBe('a b\n');
  });
});

describe.each(accessLogFormats)('%s lines', (format) => {
  it('hold printable ASCII and one line feed, whatever clients send', () => {
    const bytes = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(bytes, bytes, bytes, bytes, (method, target, host, userAgent) => {
        const line = formatters[format](recordOf({ method, target, host, userAgent, referer: target }));
        expect(line).toMatch(/^[\x20-\x7e]*\n$/);
      }),
    );
  });
});
