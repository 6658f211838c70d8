import { createServer } from 'node:http2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GrpcAuthFilter } from '../../../routing/plan/plan.ts';
import { askFront, type PlainRequest } from '../../testing/ask.ts';
import { type AuthorizationServer, authorizationServer } from '../../testing/authorization-server.ts';
import { OK, type RecordingBackend, recordingBackend } from '../../testing/backend.ts';
import { createFront, type Front } from '../../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route } from '../../testing/plans.ts';

const PORT = 8080;
const [ADDRESS, APP, AUTH] = ['127.77.14.33', '127.77.14.34', '127.77.14.35'];

const filter = (more: Partial<GrpcAuthFilter> = {}): GrpcAuthFilter => ({
  type: 'external-auth',
  protocol: 'grpc',
  backend: 'auth',
  host: 'auth.example',
  requestHeaders: 'all',
  ...more,
});

const header = (key: string, value: string, more: object = {}) => ({ header: { key, value }, ...more });

describe('ext_authz over gRPC', () => {
  let auth: AuthorizationServer;
  let app: RecordingBackend;
  let front: Front;
  const use = (more: Partial<GrpcAuthFilter> = {}, timeouts = {}) =>
    front.plan(
      planOf(
        [listener(ADDRESS, PORT, [host('*', [route({ filters: [filter(more)], timeouts })])])],
        [backend('app'), { ...backend('auth'), protocol: 'h2c' }],
      ),
    );
  const ask = (request: PlainRequest = {}) => askFront(ADDRESS, PORT, request);
  const ok = (response: object = {}) => ({ status: { code: 0 }, ok_response: response });

  beforeAll(async () => {
    auth = await authorizationServer(AUTH, PORT);
    app = await recordingBackend(APP, PORT);
    front = createFront();
    await front.endpoints({ app: [endpoint(APP, PORT)], auth: [endpoint(AUTH, PORT)] });
  });
  beforeEach(async () => {
    auth.asked.length = 0;
    app.requests.length = 0;
    app.answer(OK);
    auth.answer(ok());
    await use();
  });
  afterAll(async () => {
    await front.close();
    await app.close();
    auth.close();
  });

  it('tells the service of the request, and lets it in', async () => {
    const lines = ['X-A: 1', 'X-A: 2', 'Cookie: a=1', 'Cookie: b=2', 'Connection: X-Hop', 'X-Hop: no', 'X-Bad: \xff'];
    expect((await ask({ method: 'DELETE', path: '/a%20b?q=1', lines })).status).toBe(200);
    const [{ request, source, destination }] = auth.asked as [(typeof auth.asked)[0]];
    expect(request.http).toMatchObject({
      method: 'DELETE',
      path: '/a%20b?q=1',
      host: 'a.example',
      scheme: 'http',
      protocol: 'HTTP/1.1',
      headers: {
        ':method': 'DELETE',
        ':path': '/a%20b?q=1',
        ':authority': 'a.example',
        'x-a': '1,2',
        'x-bad': '\ufffd',
      },
    });
    expect(request.http.headers).toMatchObject({ cookie: 'a=1; b=2' });
    expect(Object.keys(request.http.headers!)).not.toContain('x-hop');
    expect(request.http.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(Math.abs(request.time!.seconds - Date.now() / 1_000)).toBeLessThan(60);
    expect(source!.address.socket_address.address).toMatch(/^127\./);
    expect(source!.address.socket_address.port_value).toBeGreaterThan(0);
    expect(destination!.address.socket_address).toEqual({ address: ADDRESS, port_value: PORT });
    expect(app.requests[0]!.line).toBe('DELETE /a%20b?q=1 HTTP/1.1');
  });

  it('sends only the headers that are listed', async () => {
    await use({ requestHeaders: ['authorization'] });
    await ask({ lines: ['Authorization: Basic eA==', 'X-A: 1'] });
    expect(auth.asked[0]!.request.http.headers).toEqual({ authorization: 'Basic eA==' });
  });

  it('changes the headers of the request as the answer says', async () => {
    auth.answer(
      ok({
        headers: [
          header('X-User', 'anna'),
          header('X-Role', 'a'),
          header('X-Role', 'b'),
          header('X-More', '2', { append: { value: true } }),
          header('X-Kept', 'other', { append_action: 1 }),
          header('X-New', 'n', { append_action: 1 }),
          header('X-There', 'now', { append_action: 3 }),
          header('X-Absent', 'no', { append_action: 3 }),
        ],
        headers_to_remove: ['Authorization', 'Host', ':path'],
      }),
    );
    const lines = ['X-User: root', 'X_User: root', 'Authorization: x', 'X-More: 1', 'X-Kept: mine', 'X-There: before'];
    expect((await ask({ lines: [...lines, 'Connection: X-User, X-More'] })).status).toBe(200);
    const seen = app.requests[0]!.lines.filter((line) =>
      /^(x[-_](user|role|more|kept|new|there|absent)|auth|host)/i.test(line),
    );
    expect(seen.sort()).toEqual([
      'Host: a.example',
      'X-Kept: mine',
      'X-More: 1',
      'X-More: 2',
      'X-New: n',
      'X-Role: a',
      'X-Role: b',
      'X-There: now',
      'X-User: anna',
    ]);
  });

  it('changes the headers of the response, whoever makes it', async () => {
    auth.answer(ok({ response_headers_to_add: [header('X-Told', 'yes'), header('Content-Length', '0')] }));
    expect((await ask()).headers).toMatchObject({ 'x-told': 'yes', 'content-length': '2' });
    await front.endpoints({ app: [] });
    expect(await ask()).toMatchObject({ status: 503, headers: { 'x-told': 'yes' } });
    await front.endpoints({ app: [endpoint(APP, PORT)] });
  });

  it('changes the query, and nothing else of the target', async () => {
    auth.answer(
      ok({ query_parameters_to_set: [{ key: 'user', value: 'a&b' }], query_parameters_to_remove: ['token', 'ü'] }),
    );
    await ask({ path: '/a/../%7e?token=1&x=%20&%75ser=root&%C3%BC=1&y' });
    await ask({ path: '/plain' });
    expect(app.requests.map(({ line }) => line)).toEqual([
      'GET /a/../%7e?x=%20&y&user=a%26b HTTP/1.1',
      'GET /plain?user=a%26b HTTP/1.1',
    ]);
  });

  it('denies with what the service says', async () => {
    auth.answer({
      status: { code: 16 },
      denied_response: { status: { code: 401 }, headers: [header('WWW-Authenticate', 'Bearer')], body: 'whö?' },
    });
    const got = await ask();
    expect(got).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
    expect(Buffer.from(got.body, 'latin1').toString()).toMatch(/^wh/);
    auth.answer({ status: { code: 7 } });
    expect((await ask()).status).toBe(403);
    auth.answer({ status: { code: 7 }, denied_response: {} });
    expect((await ask()).status).toBe(403);
    expect(app.requests).toEqual([]);
    expect(front.records.at(-1)).toMatchObject({ flag: 'auth_denied', attempts: 0 });
  });

  it('sends the body along, as text where it is text', async () => {
    await use({ body: { maxBytes: 100 } });
    await ask({ method: 'POST', lines: ['Content-Length: 2'], body: 'hi' });
    await ask({ method: 'POST', lines: ['Content-Length: 1'], body: '\xff' });
    expect(auth.asked[0]!.request.http).toMatchObject({ body: 'hi', size: 2 });
    expect(auth.asked[1]!.request.http.body).toBeUndefined();
    expect([...auth.asked[1]!.request.http.raw_body!]).toEqual([0xff]);
    expect(app.requests.map(({ body }) => body)).toEqual(['hi', '\xff']);
    expect((await ask({ method: 'POST', lines: ['Content-Length: 101'], body: 'x'.repeat(101) })).status).toBe(413);
    expect(auth.asked).toHaveLength(2);
  });

  it('sends no body that it is not to send', async () => {
    await ask({ method: 'POST', lines: ['Content-Length: 2'], body: 'hi' });
    expect(auth.asked[0]!.request.http).toMatchObject({ size: 2 });
    expect(auth.asked[0]!.request.http.body).toBeUndefined();
    await ask({ method: 'POST', lines: ['Transfer-Encoding: chunked'], body: '0\r\n\r\n' });
    expect(auth.asked[1]!.request.http.size).toBe(-1);
  });

  it.each<[string, object | undefined, RegExp]>([
    ['fails the call', { code: 13, details: 'no' }, /grpc-status 13/],
    ['is not there for the call', { code: 12 }, /grpc-status 12/],
    ['wants to change :path', ok({ headers: [header(':path', '/admin')] }), /":path"/],
    ['wants to change the framing', ok({ headers: [header('Content-Length', '0')] }), /Content-Length/],
    ['would split a header', ok({ headers: [header('X-A', 'b\r\nX-C: d')] }), /X-A/],
    ['would split a header of the response', ok({ response_headers_to_add: [header('X-A', 'b\n')] }), /X-A/],
    ['knows an action that nobody knows', ok({ headers: [header('X-A', 'b', { append_action: 9 })] }), /CheckResponse/],
    ['denies with a status that is none', { status: { code: 7 }, denied_response: { status: { code: 99 } } }, /99/],
  ])('lets nobody in when the service %s', async (_, answer, reason) => {
    auth.answer(answer);
    expect((await ask()).status).toBe(503);
    expect(front.records.at(-1)!.reason).toMatch(reason);
    expect(app.requests).toEqual([]);
  });

  it('lets nobody in when the service is silent, or not there', async () => {
    await use({ timeoutMs: 50, failureStatus: 500 });
    auth.answer(undefined);
    expect((await ask()).status).toBe(500);
    await front.endpoints({ auth: [endpoint(AUTH, PORT + 1)] });
    expect((await ask()).status).toBe(500);
    await front.endpoints({ auth: [] });
    expect((await ask()).status).toBe(500);
    await front.endpoints({ auth: [endpoint(AUTH, PORT)] });
    expect(app.requests).toEqual([]);
  });

  it('lets nobody in for answers that are no gRPC', async () => {
    const frame = (bytes: string) =>
      Buffer.concat([Buffer.from([0, 0, 0, 0, bytes.length]), Buffer.from(bytes, 'latin1')]);
    const answers: readonly (readonly [number, Buffer, Record<string, string> | undefined])[] = [
      [200, frame('\x0a\x00'), undefined],
      [500, frame('\x0a\x00'), { 'grpc-status': '0' }],
      [200, Buffer.alloc(0), { 'grpc-status': '0' }],
      [200, frame('\x0a\x05'), { 'grpc-status': '0' }],
      [200, Buffer.concat([frame('\x0a\x00'), frame('\x0a\x00')]), { 'grpc-status': '0' }],
      [200, Buffer.concat([Buffer.from([1]), frame('\x0a\x00').subarray(1)]), { 'grpc-status': '0' }],
      [200, frame('x'.repeat(100)), { 'grpc-status': '0' }],
      [200, frame(''), { 'grpc-status': '0' }],
    ];
    let next = 0;
    const server = createServer();
    server.on('stream', (stream) => {
      const [status, body, trailers] = answers[next++]!;
      stream.respond({ ':status': status, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => (trailers ? stream.sendTrailers(trailers) : stream.close()));
      stream.end(body);
    });
    await new Promise<void>((resolve) => server.listen(PORT + 1, AUTH, resolve));
    await front.endpoints({ auth: [endpoint(AUTH, PORT + 1)] });
    for (const _ of answers) expect((await ask()).status).toBe(503);
    expect(app.requests).toEqual([]);
    await front.endpoints({ auth: [endpoint(AUTH, PORT)] });
    expect((await ask()).status).toBe(200);
    server.close();
  });

  it('lets nobody in where the plan asks for what cannot be', async () => {
    for (const more of [{ backend: 'nobody' }, { host: 'a b' }, { failureStatus: 200 }, { body: { maxBytes: -1 } }]) {
      await use(more);
      expect((await ask()).status).toBe(500);
    }
    expect(app.requests).toEqual([]);
  });
});
