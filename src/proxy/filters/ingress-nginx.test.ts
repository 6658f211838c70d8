/** What annotations of ingress-nginx come down to, on the wire: policies of locations in a data plane. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listFilters } from '../../routing/ingress-nginx/policy/policy.ts';
import { hash, judge, secret } from '../../routing/ingress-nginx/policy/testing.ts';
import { askFront, type PlainRequest } from '../testing/ask.ts';
import { OK, type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { createFront, type Front } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../testing/plans.ts';

const address = '127.79.61.1';
const port = 8080;
const ids = ['shop/web:80', 'auth/gate:80', 'shop/pages:80'] as const;
const backends = new Map<string, RecordingBackend>();
let front: Front;

beforeAll(async () => {
  front = createFront();
  for (const [i, id] of ids.entries()) backends.set(id, await recordingBackend(`127.79.61.${i + 2}`, 8080));
  await front.endpoints(Object.fromEntries(ids.map((id, i) => [id, [endpoint(`127.79.61.${i + 2}`, 8080)]])));
});

beforeEach(() => {
  for (const each of backends.values()) {
    each.requests.length = 0;
    each.answer(OK);
  }
});

afterAll(async () => {
  await front.close();
  for (const each of backends.values()) await each.close();
});

const seen = (id: (typeof ids)[number]) => backends.get(id)!.requests;

/** Puts a location with these annotations in front of `shop/web`, and asks it. */
async function serve(annotations: Readonly<Record<string, string>>, given: Parameters<typeof judge>[1] = {}) {
  const { policy } = judge(annotations, { facts: { hostname: 'a.example' }, ...given });
  const { filters, timeouts, retry, otherwise, refusal } = policy;
  expect(refusal).toBeUndefined();
  const backend0 = { ...share('shop/web:80'), ...(otherwise && { otherwise }) };
  const served = route({
    ...{ filters: listFilters(filters), timeouts, gates: 'as-listed', ...(retry && { retry }) },
    action: { type: 'forward', backends: [backend0] },
  });
  const findings = front.findings.length;
  const all = ids.map((id) => backend(id));
  await front.plan(planOf([listener(address, port, [{ ...host('*', [served]), paths: 'normal' }])], all));
  expect(front.findings.slice(findings)).toEqual([]);
  return (request: PlainRequest = {}) => askFront(address, port, request);
}

/** By lower-case name. */
const linesOf = (lines: readonly string[] = []) =>
  Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );

it('backends are told what ingress-nginx tells them, and clients nothing of Server', async () => {
  backends.get('shop/web:80')!.answer('HTTP/1.1 200 OK\r\nServer: inner\r\nContent-Length: 0\r\n\r\n');
  const ask = await serve({});
  const answer = await ask({
    path: '/a?b=c',
    lines: ['X-Forwarded-For: 192.0.2.9', 'X-Forwarded-Host: evil', 'Proxy: http://evil', 'X_Y: 1', 'X-Request-ID: r1'],
  });
  expect(answer.status).toBe(200);
  expect(answer.headers).not.toHaveProperty('server');
  const [request] = seen('shop/web:80');
  expect(request?.line).toBe('GET /a?b=c HTTP/1.1');
  const lines = linesOf(request?.lines);
  expect(lines).toMatchObject({
    ...{ host: 'a.example', 'x-request-id': 'r1', 'x-real-ip': '127.0.0.1', 'x-forwarded-for': '127.0.0.1' },
    ...{ 'x-forwarded-host': 'a.example', 'x-forwarded-port': '8080', 'x-forwarded-proto': 'http' },
    ...{ 'x-forwarded-scheme': 'http', 'x-scheme': 'http' },
    ...{ 'x-original-forwarded-for': '192.0.2.9', 'x-original-forwarded-host': 'evil' },
  });
  expect(lines).not.toHaveProperty('proxy');
  expect(lines).not.toHaveProperty('x_y');
});

it('another host for the backend, and headers of responses', async () => {
  const ask = await serve({ 'upstream-vhost': '$service_name.inner' });
  await ask();
  expect(linesOf(seen('shop/web:80')[0]?.lines)['host']).toBe('web.inner');
});

describe('CORS', () => {
  const cors = { 'enable-cors': 'true', 'cors-allow-origin': 'https://*.b.example' };

  it('answers preflight requests itself, and marks other responses', async () => {
    const ask = await serve(cors);
    const lines = ['Origin: https://x.b.example'];
    const preflight = await ask({ method: 'OPTIONS', lines });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': 'https://x.b.example',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '1728000',
    });
    expect(seen('shop/web:80')).toHaveLength(0);
    const answer = await ask({ lines });
    expect(answer).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': 'https://x.b.example' } });
  });

  it('leaves requests of others to the backend', async () => {
    const ask = await serve(cors);
    const answer = await ask({ method: 'OPTIONS', lines: ['Origin: https://b.example'] });
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    expect(seen('shop/web:80')).toHaveLength(1);
  });

  it('marks what is refused too, and preflight requests need no password', async () => {
    const objects = [secret('users', { auth: `ada:${hash}` })];
    const annotations = { 'enable-cors': 'true', 'auth-type': 'basic', 'auth-secret': 'users', 'auth-realm': 'Shop' };
    const ask = await serve(annotations, { objects });
    expect((await ask({ method: 'OPTIONS' })).status).toBe(204);
    const refused = await ask();
    expect(refused).toMatchObject({ status: 401, headers: { 'access-control-allow-origin': '*' } });
    expect(refused.headers['www-authenticate']).toMatch('Basic realm="Shop"');
    const authorization = `Authorization: Basic ${Buffer.from('ada:lovelace').toString('base64')}`;
    expect((await ask({ lines: [authorization] })).status).toBe(200);
    expect(linesOf(seen('shop/web:80')[0]?.lines)).not.toHaveProperty('authorization');
  });
});

describe('a service that is asked', () => {
  const annotations = {
    ...{ 'auth-url': 'http://gate.auth.svc.cluster.local/check?from=$http_host', 'auth-response-headers': 'X-User' },
    'auth-signin': 'https://sso.example/start',
  };

  it('gets the question of ingress-nginx, and its answer goes on', async () => {
    backends
      .get('auth/gate:80')!
      .answer('HTTP/1.1 202 Accepted\r\nX-User: ada\r\nSet-Cookie: s=1\r\nContent-Length: 0\r\n\r\n');
    const ask = await serve(annotations);
    const answer = await ask({
      method: 'POST',
      path: '/a?b=c',
      lines: ['X-User: eve', 'Cookie: k=v', 'Content-Length: 2'],
      body: 'hi',
    });
    expect(answer).toMatchObject({ status: 200, headers: { 'set-cookie': 's=1' } });
    const [question] = seen('auth/gate:80');
    expect(question).toMatchObject({ line: 'GET /check?from=a.example HTTP/1.1', body: '' });
    const lines = linesOf(question?.lines);
    expect(lines).toMatchObject({
      ...{
        host: 'gate.auth.svc.cluster.local',
        'x-original-url': 'http://a.example/a?b=c',
        'x-original-method': 'POST',
      },
      ...{ 'x-sent-from': 'nginx-ingress-controller', 'x-real-ip': '127.0.0.1', 'x-forwarded-for': '127.0.0.1' },
      ...{ 'x-auth-request-redirect': '/a?b=c', cookie: 'k=v' },
    });
    expect(lines['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(lines).not.toHaveProperty('x-forwarded-proto');
    const sent = linesOf(seen('shop/web:80')[0]?.lines);
    expect(sent).toMatchObject({ 'x-user': 'ada', 'x-request-id': lines['x-request-id'] });
  });

  it.each([
    [401, 302, 'https://sso.example/start?rd=http://a.example%2Fa%3Fb%3Dc'],
    [403, 403, undefined],
    [500, 500, undefined],
    [302, 500, undefined],
  ])('%i of the service is %i', async (status, given, location) => {
    const secrets = 'X-User: ada\r\nSet-Cookie: session=1\r\nWWW-Authenticate: Bearer\r\n';
    backends.get('auth/gate:80')!.answer(`HTTP/1.1 ${status} X\r\n${secrets}Content-Length: 6\r\n\r\nsecret`);
    const ask = await serve(annotations);
    const answer = await ask({ path: '/a?b=c' });
    expect(answer.status).toBe(given);
    expect(answer.headers['location']).toBe(location);
    expect(answer.headers['x-user'] ?? answer.body.match('secret')).toBeFalsy();
    expect(answer.headers['www-authenticate']).toBe(given === 401 ? 'Bearer' : undefined);
    expect(seen('shop/web:80')).toHaveLength(0);
  });

  it('is not asked again while the outcome is remembered', async () => {
    const ask = await serve({
      ...annotations,
      'auth-cache-key': '$http_authorization',
      'auth-cache-duration': '200 1m',
    });
    for (const token of ['a', 'a', 'b']) expect((await ask({ lines: [`Authorization: ${token}`] })).status).toBe(200);
    expect(seen('auth/gate:80')).toHaveLength(2);
  });
});

it('pages of the default backend take the place of errors', async () => {
  backends.get('shop/web:80')!.answer('HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\nraw');
  backends.get('shop/pages:80')!.answer('HTTP/1.1 418 Page\r\nContent-Length: 4\r\n\r\npage');
  const ask = await serve({ 'custom-http-errors': '503', 'default-backend': 'pages', 'proxy-next-upstream': 'off' });
  expect(await ask({ path: '/x?y', lines: ['Accept: text/html'] })).toMatchObject({ status: 418, body: 'page' });
  const [request] = seen('shop/pages:80');
  expect(request?.line).toBe('GET /?y HTTP/1.1');
  expect(linesOf(request?.lines)).toMatchObject({
    ...{ 'x-code': '503', 'x-format': 'text/html', 'x-original-uri': '/x?y', 'x-namespace': 'shop' },
    ...{ 'x-ingress-name': 'web', 'x-service-name': 'web', 'x-service-port': 'http', host: 'a.example' },
  });
});

it('limits answer 503, before anybody is asked for a password', async () => {
  const objects = [secret('users', { auth: `ada:${hash}` })];
  const annotations = { 'limit-rpm': '1', 'limit-burst-multiplier': '1', 'auth-type': 'basic', 'auth-secret': 'users' };
  const ask = await serve(annotations, { objects });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await ask()).status);
  expect(statuses).toEqual([401, 401, 503, 503]);
});

it('bodies that are too large answer 413, before addresses are looked at', async () => {
  const ask = await serve({ 'proxy-body-size': '1k', 'whitelist-source-range': '192.0.2.1' });
  expect((await ask({ method: 'POST', lines: ['Content-Length: 2000'], body: 'x' })).status).toBe(413);
  expect((await ask()).status).toBe(403);
});
