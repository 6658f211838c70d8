import { connect, type IncomingHttpHeaders } from 'node:http2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorPagesFilter } from '../../../routing/plan/plan.ts';
import { OK } from '../../testing/backend.ts';
import { endpoint } from '../../testing/plans.ts';
import { dial } from '../../testing/sockets.ts';
import { PORT, type TwoBackends, twoBackends } from '../../testing/two-backends.ts';

const filter = (more: Partial<ErrorPagesFilter> = {}): ErrorPagesFilter => ({
  type: 'error-pages',
  backend: 'helper',
  statuses: [404, 500, 502, 503, 504],
  ownAnswers: false,
  path: '/',
  statusHeader: 'X-Code',
  facts: [['X-Original-URI', 'uri']],
  copyHeaders: [
    ['X-Format', 'accept'],
    ['X-Request-ID', 'x-request-id'],
  ],
  setHeaders: [
    ['X-Namespace', 'shop'],
    ['X-Service-Name', 'web'],
  ],
  ...more,
});

const answer = (status: number, body: string, lines: readonly string[] = []) =>
  `HTTP/1.1 ${status} Whatever\r\n${lines.map((line) => `${line}\r\n`).join('')}Content-Length: ${body.length}\r\n\r\n${body}`;

describe('error pages', () => {
  let place: TwoBackends;
  beforeAll(async () => {
    place = await twoBackends('127.77.14', 50);
  });
  beforeEach(() => {
    place.helper.requests.length = 0;
    place.app.requests.length = 0;
    place.app.answer(OK);
    place.helper.answer(answer(404, '<p>gone</p>', ['Content-Type: text/html', 'X-Page: 1']));
  });
  afterAll(() => place.close());

  it('take the place of a response, with all that is said of it', async () => {
    await place.use([filter(), { type: 'response-headers', set: [['X-By', 'route']], add: [], remove: [] }]);
    place.app.answer(answer(500, 'stack trace'));
    const got = await place.ask({ path: '/a?b', lines: ['Accept: text/html', 'X-Request-ID: r1', 'Cookie: c=1'] });
    expect(got).toMatchObject({ status: 404, body: '<p>gone</p>' });
    expect(got.headers).toMatchObject({ 'content-type': 'text/html', 'x-page': '1', 'x-by': 'route' });
    const [asked] = place.helper.requests;
    expect(asked!.line).toBe('GET / HTTP/1.1');
    const said = ['Host: a.example', 'X-Code: 500', 'X-Original-URI: /a?b', 'X-Format: text/html', 'X-Request-ID: r1'];
    for (const line of [...said, 'X-Namespace: shop', 'X-Service-Name: web']) expect(asked!.lines).toContain(line);
    expect(asked!.lines.join()).not.toMatch(/cookie/i);
    expect(place.front.records.at(-1)).toMatchObject({ status: 404, flag: 'error_page', reason: 'the page for 500' });
  });

  it('are asked for as the request was, body included, where that is said', async () => {
    await place.use([filter({ asAsked: true })]);
    place.app.answer(answer(500, 'stack trace'));
    const lines = ['Content-Length: 3', 'Accept: a/b', 'Cookie: c=1', 'X-Code: 200', 'Connection: X-Hop', 'X-Hop: 1'];
    expect((await place.ask({ path: '/a?b', method: 'POST', lines, body: 'abc' })).status).toBe(404);
    const [asked] = place.helper.requests;
    expect([asked!.line, asked!.body]).toEqual(['POST /?b HTTP/1.1', 'abc']);
    for (const line of ['Cookie: c=1', 'Accept: a/b', 'X-Format: a/b', 'X-Code: 500', 'Content-Length: 3'])
      expect(asked!.lines).toContain(line);
    expect(asked!.lines.join()).not.toMatch(/X-Code: 200|X-Hop/);
  });

  it('stand for refusals where that is said, and keep the challenge of a 401', async () => {
    const respond = { type: 'respond', when: [], status: 403, reason: 'no' } as const;
    const auth = { type: 'basic-auth', realm: 'x', users: [] } as const;
    await place.use([filter({ statuses: [403] }), respond]);
    expect(await place.ask()).toMatchObject({ status: 403 });
    await place.use([filter({ statuses: [403], refusals: true }), respond], { gates: 'as-listed' });
    expect(await place.ask()).toMatchObject({ status: 404, body: '<p>gone</p>' });
    await place.use([filter({ statuses: [401], refusals: true }), auth], { gates: 'as-listed' });
    const asked = await place.ask();
    expect(asked.body).toBe('<p>gone</p>');
    expect(asked.headers['www-authenticate']).toMatch(/^Basic realm="x"/);
    expect(place.app.requests).toEqual([]);
  });

  it('leave other responses alone, and are had with their own status, 200 included', async () => {
    await place.use([filter()]);
    place.app.answer(answer(403, 'no'));
    expect(await place.ask()).toMatchObject({ status: 403, body: 'no' });
    expect(place.helper.requests).toEqual([]);
    place.app.answer(answer(503, 'no'));
    place.helper.answer(answer(200, 'sorry'));
    expect(await place.ask()).toMatchObject({ status: 200, body: 'sorry' });
  });

  it('answer HEAD without a body, and POST', async () => {
    await place.use([filter()]);
    place.app.answer('HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n');
    const client = await dial(place.address, PORT);
    client.send('HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    const text = await client.until('\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 404 [\s\S]*Content-Length: 11\r\n/);
    place.app.answer(answer(404, 'five!'));
    client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nhi');
    await client.until('<p>gone</p>');
    client.socket.destroy();
  });

  describe('that cannot be had leave the response as it was', () => {
    const chunked = 'HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\nX-App: 1\r\n\r\n5\r\nabcde\r\n0\r\n\r\n';

    it.each<[string, (place: TwoBackends) => unknown]>([
      ['because nobody is there', ({ front }) => front.endpoints({ helper: [] })],
      ['because they are too large', ({ helper }) => helper.answer(answer(200, 'x'.repeat(70_000)))],
      ['because they do not come', ({ helper }) => helper.answer(() => {})],
      [
        'because they break off',
        ({ helper }) => helper.answer((_, socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')),
      ],
    ])('%s', async (_, arrange) => {
      await place.use([filter({ timeoutMs: 80 })]);
      await arrange(place);
      place.app.answer(answer(500, 'own', ['X-App: 1']));
      expect(await place.ask()).toMatchObject({ status: 500, body: 'own', headers: { 'x-app': '1' } });
      expect(place.front.records.at(-1)).toMatchObject({ status: 500, responseBytes: 3 });
      expect(place.front.records.at(-1)!.flag).toBeUndefined();
      const client = await dial(place.address, PORT);
      place.app.answer(chunked);
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
      await client.until('\r\n\r\n5\r\nabcde\r\n0\r\n\r\n');
      place.app.answer(OK);
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
      await client.until('\r\n\r\nok');
      client.socket.destroy();
      await place.front.endpoints({ helper: [endpoint('127.77.14.52', PORT)] });
    });

    it('however large it is', async () => {
      await place.use([filter({ timeoutMs: 80 })]);
      place.helper.answer(() => {});
      const body = 'x'.repeat(3_000_000);
      place.app.answer(answer(500, body));
      expect((await place.ask()).body.length).toBe(body.length);
    });
  });

  it('make up for a response that breaks off while they are asked for', async () => {
    await place.use([filter()]);
    place.app.answer((_, socket) => {
      socket.end('HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\nabc');
    });
    place.helper.answer((_, socket) => {
      setTimeout(() => socket.write(answer(500, 'page')), 40);
    });
    expect(await place.ask()).toMatchObject({ status: 500, body: 'page' });
    await place.use([filter({ timeoutMs: 60 })]);
    place.helper.answer(() => {});
    expect((await place.ask()).status).toBe(502);
  });

  it('answer in the backend’s stead only where that is asked for', async () => {
    await place.front.endpoints({ app: [] });
    await place.use([filter()]);
    expect((await place.ask()).status).toBe(503);
    expect(place.helper.requests).toEqual([]);
    await place.use([filter({ ownAnswers: true })]);
    expect(await place.ask()).toMatchObject({ status: 404, body: '<p>gone</p>' });
    expect(place.helper.requests[0]!.lines).toContain('X-Code: 503');
    expect(place.front.records.at(-1)).toMatchObject({ flag: 'no_endpoints', status: 404 });
    place.helper.answer(() => {});
    await place.use([filter({ ownAnswers: true, timeoutMs: 50 })]);
    expect((await place.ask()).status).toBe(503);
    await place.front.endpoints({ app: [endpoint('127.77.14.51', PORT)] });
  });

  it('leave a response as it was when the time of the route is up before there is a page', async () => {
    await place.use([filter()], { timeouts: { requestMs: 100 } });
    place.helper.answer(() => {});
    place.app.answer(answer(500, 'own'));
    expect(await place.ask()).toMatchObject({ status: 500, body: 'own' });
    expect(place.front.records.at(-1)!.durationMs).toBeLessThan(1_000);
    place.app.answer((_, socket) => void socket.write('HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\nabc'));
    expect((await place.ask()).status).toBe(504);
    expect(place.front.records.at(-1)).toMatchObject({ flag: 'request_timeout' });
    expect(place.front.records.at(-1)!.durationMs).toBeLessThan(1_000);
  });

  it('leave gRPC alone, whose clients would not understand them', async () => {
    await place.front.endpoints({ app: [] });
    await place.use([filter({ ownAnswers: true })]);
    place.helper.answer(answer(200, 'page', ['Content-Type: text/html']));
    const session = connect(`http://${place.address}:${PORT}`);
    const stream = session.request({
      ':method': 'POST',
      ':authority': 'a.example',
      'content-type': 'application/grpc',
    });
    const headers = await new Promise<IncomingHttpHeaders>((resolve) => stream.on('response', resolve).end());
    session.destroy();
    expect(headers).toMatchObject({ 'content-type': 'application/grpc', 'grpc-status': '14' });
    expect(place.helper.requests).toEqual([]);
    await place.front.endpoints({ app: [endpoint('127.77.14.51', PORT)] });
  });

  it('answer for time-outs', async () => {
    await place.use([filter({ ownAnswers: true })], { timeouts: { requestMs: 60 } });
    place.app.answer(() => {});
    expect(await place.ask()).toMatchObject({ status: 404, body: '<p>gone</p>' });
    expect(place.helper.requests[0]!.lines).toContain('X-Code: 504');
  });

  it('are given up when the client goes', async () => {
    await place.use([filter()]);
    place.app.answer(answer(500, 'own'));
    let gone = false;
    place.helper.answer((_, socket) => socket.on('close', () => (gone = true)));
    const client = await dial(place.address, PORT);
    client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    for (let i = 0; i < 300 && place.helper.requests.length === 0; i++) await new Promise((go) => setTimeout(go, 10));
    client.socket.resetAndDestroy();
    for (let i = 0; i < 300 && !gone; i++) await new Promise((go) => setTimeout(go, 10));
    expect(gone).toBe(true);
  });

  it('are left out with a finding where they cannot be asked for', async () => {
    await place.use([filter({ backend: 'nobody' })]);
    place.app.answer(answer(500, 'own'));
    expect(await place.ask()).toMatchObject({ status: 500, body: 'own' });
    expect(place.front.findings.at(-1)).toMatch(/^FW5204 .*nobody/);
    await place.use([filter({ statusHeader: 'X Code' })]);
    expect(await place.ask()).toMatchObject({ status: 500, body: 'own' });
    expect(place.front.findings.at(-1)).toMatch(/^FW5204 .*header name/);
  });
});
