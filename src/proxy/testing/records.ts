/** Records of requests and streams for tests of the access log. */
import type { AccessRecord } from '../access.ts';
import type { StreamRecord } from '../stream/record.ts';

export function recordOf(more: Partial<AccessRecord> = {}): AccessRecord {
  return {
    time: Date.UTC(2026, 10, 2, 3, 4, 5, 678),
    listener: '127.250.0.1:80/HTTP',
    client: '127.0.0.1',
    method: 'GET',
    host: 'a.example',
    target: '/p?q=1',
    protocol: 'HTTP/1.1',
    referer: undefined,
    userAgent: 'curl/8',
    status: 200,
    requestBytes: 0,
    responseBytes: 12,
    durationMs: 1.23456,
    upstreamMs: 0.98765,
    route: 'HTTPRoute/shop/web/rules/0',
    backend: 'shop/web:80',
    endpoint: '127.244.0.9:8080',
    attempts: 1,
    flag: undefined,
    reason: undefined,
    traceId: undefined,
    line: undefined,
    ...more,
  };
}

export function streamRecordOf(more: Partial<StreamRecord> = {}): StreamRecord {
  return {
    time: Date.UTC(2026, 10, 2, 3, 4, 5, 678),
    listener: '127.250.0.1:5432/TLS',
    protocol: 'TLS',
    client: '203.0.113.7',
    clientPort: 4_321,
    serverName: 'db.example.com',
    route: 'TLSRoute/shop/db/rules/0',
    backend: 'shop/db:5432/TCP',
    endpoint: '127.244.0.9:5432',
    receivedBytes: 40,
    sentBytes: 512,
    durationMs: 1.23456,
    attempts: 1,
    ...more,
  };
}
