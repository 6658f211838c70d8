import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessFlag, AccessRecord } from '../../access.ts';
import { recordOf } from '../../testing/records.ts';
import type { SpanContext, SpanRecord } from '../span.ts';
import { encodeSpans } from './encode.ts';
import { readExport } from './testing.ts';

function spanOf(request: Partial<AccessRecord> = {}, context: Partial<SpanContext> = {}, cut = false): SpanRecord {
  return {
    context: {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      parentId: undefined,
      flags: 1,
      traceState: undefined,
      scheme: 'http',
      port: 80,
      client: '203.0.113.7',
      ...context,
    },
    request: recordOf(request),
    cut,
  };
}

const read = (...spans: SpanRecord[]) => readExport(encodeSpans(spans, '1.2.3'));

describe('spans in OTLP', () => {
  it('have the names and attributes of the semantic conventions for HTTP servers', () => {
    const [span] = read(spanOf({ host: 'a.example:8080', target: '/p?secret=1', route: 'HTTPRoute/shop/web/rules/0' }));
    expect(span).toEqual({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      parentSpanId: undefined,
      traceState: undefined,
      flags: 0x101,
      name: 'GET HTTPRoute/shop/web/rules/0',
      kind: 2,
      startTimeUnixNano: '1793588645678000000',
      endTimeUnixNano: '1793588645679235000',
      attributes: {
        'http.request.method': 'GET',
        'url.path': '/p',
        'url.scheme': 'http',
        'server.address': 'a.example',
        'server.port': '8080',
        'client.address': '203.0.113.7',
        'network.peer.address': '127.0.0.1',
        'network.protocol.version': '1.1',
        'http.response.status_code': '200',
        'http.route': 'HTTPRoute/shop/web/rules/0',
        'user_agent.original': 'curl/8',
        'fairway.listener': '127.250.0.1:80/HTTP',
        'fairway.attempts': '1',
        'fairway.backend': 'shop/web:80',
        'fairway.endpoint': '127.244.0.9:8080',
      },
      status: 0,
    });
  });

  it('name their parent, its state and where it is', () => {
    const context = { parentId: '00f067aa0ba902b7', traceState: 'congo=t61', flags: 3 };
    expect(read(spanOf({}, context))[0]).toMatchObject({
      parentSpanId: '00f067aa0ba902b7',
      traceState: 'congo=t61',
      flags: 0x303,
    });
  });

  it.each<[{ status: number; flag?: AccessFlag }, boolean, string | undefined]>([
    [{ status: 200 }, false, undefined],
    [{ status: 404, flag: 'no_route' }, false, undefined],
    [{ status: 503 }, false, '503'],
    [{ status: 503, flag: 'no_endpoints' }, false, 'no_endpoints'],
    [{ status: 200, flag: 'upstream_truncated' }, true, 'upstream_truncated'],
    [{ status: 0, flag: 'client_closed' }, true, undefined],
  ])('%j, cut: %s, has the error type %s', (request, cut, type) => {
    const [span] = read(spanOf(request, {}, cut));
    expect(span!.attributes['error.type']).toBe(type);
    expect(span!.status).toBe(type === undefined ? 0 : 2);
    expect(span!.attributes['fairway.flag']).toBe(request.flag);
    expect('http.response.status_code' in span!.attributes).toBe(request.status > 0);
  });

  it('keep methods that nobody knows out of their names', () => {
    const [span] = read(spanOf({ method: 'BREW', route: undefined, protocol: 'HTTP/2.0', host: '[::1]' }));
    expect(span).toMatchObject({
      name: 'HTTP',
      attributes: {
        'http.request.method': '_OTHER',
        'http.request.method_original': 'BREW',
        'network.protocol.version': '2',
        'server.address': '::1',
        'server.port': '80',
      },
    });
  });

  it('are OTLP whatever the client sends', () => {
    const bytes = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
    const long = fc.constant('\xe9'.repeat(5_000));
    const wild = fc.oneof(bytes, long);
    fc.assert(
      fc.property(wild, wild, wild, fc.double({ min: 0, max: 1e9, noNaN: true }), (host, target, userAgent, ms) => {
        const [span] = read(spanOf({ host, target, userAgent, durationMs: ms }));
        expect(span!.attributes['url.path']!.length).toBeLessThanOrEqual(1_024);
        expect(BigInt(span!.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span!.startTimeUnixNano));
      }),
    );
  });
});
