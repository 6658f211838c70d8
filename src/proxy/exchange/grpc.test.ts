/** gRPC calls that are answered here, and their deadlines. */
import { connect, createServer, type IncomingHttpHeaders } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../testing/plans.ts';

const address = '127.83.22.1';
const port = 8080;
const front = createFront({ upstream: { responseTimeoutMs: 200 } });
const server = createServer();

beforeAll(async () => {
  // Says what it has to say after half a second.
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    setTimeout(() => {
      if (stream.destroyed) return;
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end('message');
    }, 500);
  });
  await new Promise<void>((resolve) => server.listen(8081, address, resolve));
  await front.endpoints({ app: [endpoint(address, 8081)] });
  const empty = route({
    id: 'empty',
    match: { path: { type: 'prefix', value: '/empty' } },
    action: { type: 'forward', backends: [share('empty')] },
  });
  const refused = route({
    id: 'refused',
    match: { path: { type: 'prefix', value: '/refused' } },
    filters: [{ type: 'ip-access', allow: ['10.0.0.1'], deny: [], status: 403 }],
  });
  const door = listener(address, port, [host('a.example', [empty, refused, route()])]);
  await front.plan(planOf([door], [backend('app', 'h2c'), backend('empty', 'h2c')]));
});

afterAll(async () => {
  await front.close();
  server.close();
});

interface Outcome {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders | undefined;
}

function call(path: string, more: Record<string, string> = {}): Promise<Outcome> {
  const session = connect(`http://${address}:${port}`);
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      ':authority': 'a.example',
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      ...more,
    });
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders | undefined;
    stream.on('response', (one) => {
      headers = one;
    });
    stream.on('trailers', (one) => {
      trailers = one;
    });
    stream.on('error', reject);
    stream.on('close', () => {
      session.close();
      resolve({ headers, trailers });
    });
    stream.resume();
    stream.end('message');
  });
}

describe('a gRPC call', () => {
  it.each([
    ['no endpoints', '/empty/Call', {}, '14', /no ready endpoints/],
    ['no route', '/', { ':authority': 'other.example' }, '12', /no route/],
    ['a refusal', '/refused', {}, '7', /403/],
    ['a bad host', '/', { ':authority': 'a@b' }, '13', /400/],
  ])('that meets %s gets a status of its own', async (_, path, more, status, message) => {
    const { headers, trailers } = await call(path, more);
    expect(headers).toMatchObject({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': status });
    expect(headers['grpc-message']).toMatch(message);
    expect(trailers).toBeUndefined();
  });

  it('may be silent for longer than other requests, and gets its trailers', async () => {
    const { headers, trailers } = await call('/pkg.Service/Call');
    expect(headers[':status']).toBe(200);
    expect(trailers).toMatchObject({ 'grpc-status': '0' });
  });

  it('has the deadline that its client has given it', async () => {
    const began = performance.now();
    const { headers } = await call('/pkg.Service/Call', { 'grpc-timeout': '100m' });
    expect(performance.now() - began).toBeLessThan(450);
    expect(headers).toMatchObject({ ':status': 200, 'grpc-status': '4' });
    expect(front.records.at(-1)).toMatchObject({ status: 504, flag: 'request_timeout' });
  });

  it.each(['100x', '123456789m', 'm', '-1S'])('is not cut short by the timeout %s, which is none', async (value) => {
    const { trailers } = await call('/pkg.Service/Call', { 'grpc-timeout': value });
    expect(trailers).toMatchObject({ 'grpc-status': '0' });
  });
});
