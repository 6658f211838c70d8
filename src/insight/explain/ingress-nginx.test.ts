/** Requests to hosts of ingress-nginx, explained in the words of nginx and of its annotations. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../kube/types/index.ts';
import { estate, worseFile } from '../ingress-nginx/testing.ts';
import { openWorld } from '../sources.ts';
import type { World } from '../world.ts';
import { explain } from './explain.ts';
import { renderText } from './render.ts';
import { parseRequest, type RequestOptions } from './request.ts';
import type { Explanation } from './types.ts';

const plain = (text: string) => text;
const paint = { green: plain, red: plain, yellow: plain, dim: plain, bold: plain };

let world: World;
beforeAll(async () => {
  world = await openWorld({ files: [estate, worseFile()], ingressNginx: { sslPassthrough: true } });
});

async function ask(url: string, more: Partial<RequestOptions> = {}): Promise<Explanation> {
  const request = parseRequest({ url, ...more });
  if (!request.ok) throw new Error(request.error);
  return explain(world, request.value);
}

const thirdOf = ({ steps }: Explanation) => steps[2]!;
const gateOf = ({ gates }: Explanation, type: string) => gates.find((gate) => gate.type === type);

describe('the location', () => {
  it('is a pattern where one Ingress of the host asks for them, and the others lose by the length of what is written', async () => {
    const explanation = await ask('http://patterns.example.com/HEALTHY');
    const { summary, details } = thirdOf(explanation);
    expect(summary).toMatch(
      /Ingress shop\/beside rule 0 match 0 \(location ~\* "\^\/Health" of patterns\.example\.com\)$/,
    );
    expect(details[0]).toMatch(
      /^all paths of patterns\.example\.com are patterns, in any case .*: rewrite-target of Ingress shop\/patterns$/,
    );
    expect(explanation.rejected.map(({ name, reason, wanted }) => `${name} ${reason} ${wanted}`)).toEqual([
      'patterns path location ~* "^/old/(\\w+)/(.*)"',
      expect.stringMatching(/precedence location ~\* "\^\/"$/),
    ]);
    expect(explanation.rejected[1]?.detail).toContain('the longest pattern is tried first');
  });

  it('belongs to the oldest Ingress that has it; who comes late is named', async () => {
    const explanation = await ask('http://api.example.com/api/x');
    expect(explanation.matched).toMatchObject({ namespace: 'shop', name: 'api' });
    expect(explanation.diagnostics).toContainEqual(
      expect.objectContaining({ code: 'FW2011', object: expect.objectContaining({ name: 'late' }) }),
    );
  });

  it.each([
    ['http://hooks.tools.example.com/github', 'location = /github', 'nginx looks for an equal path first'],
    [
      'http://hooks.tools.example.com/gitlab/a',
      'location /gitlab/',
      'the longest path that the request begins with wins',
    ],
  ])('%s: %s', async (url, location, rule) => {
    const explanation = await ask(url);
    expect(thirdOf(explanation).summary).toContain(`(${location} of hooks.tools.example.com)`);
    expect(explanation.rejected.at(-1)).toMatchObject({ wanted: 'location /', detail: expect.stringContaining(rule) });
  });

  it('has what is said for all of its host, and an alias has it of its server', async () => {
    expect(thirdOf(await ask('https://partner.example.com/handbook')).details[0]).toMatch(
      /^for all of partner\.example\.com: auth-tls-.*auth-tls-verify-depth of Ingress partners\/orders$/,
    );
    const { details } = thirdOf(await ask('https://uptime.tools.example.com/x'));
    expect(details.slice(0, 2)).toEqual([
      'uptime.tools.example.com is an alias of status.tools.example.com: server-alias of Ingress tools/status',
      'for all of status.tools.example.com: app-root, server-alias of Ingress tools/status',
    ]);
  });

  it('is nobody’s where no Ingress has the host or the path', async () => {
    const unknown = await ask('http://shpo.example.com/');
    expect(unknown.steps[0]?.details).toContain('did you mean shop.example.com?');
    expect(thirdOf(unknown)).toMatchObject({
      status: 'broken',
      fix: 'add a rule for the host to an Ingress: none has it',
    });
    expect(unknown).toMatchObject({ ok: false, answer: { status: 404 }, rejected: [] });
    const missing = await ask('https://login.tools.example.com/other');
    expect(thirdOf(missing).fix).toBe('add a path that takes the request to an Ingress of the host');
  });

  it('that is shut names the annotation, what is wrong with it, and the finding', async () => {
    const explanation = await ask('http://digest.example.com/in/x');
    expect(explanation.answer).toMatchObject({
      status: 503,
      reason: expect.stringContaining('auth-type cannot be honoured'),
    });
    expect(thirdOf(explanation)).toMatchObject({
      status: 'broken',
      fix: expect.stringContaining('digest is not spoken'),
    });
    expect(explanation.diagnostics.map(({ code }) => code)).toContain('FW5501');
  });

  it('is none where TLS goes past it', async () => {
    const explanation = await ask('https://vault.example.com/any');
    expect(thirdOf(explanation).details[0]).toContain('TLS goes to the backend as it comes');
    expect(explanation).toMatchObject({ ok: true, backend: { service: 'vault', port: 8200 }, answer: null });
  });
});

describe('filters', () => {
  it('say what depends on a client that nobody has named', async () => {
    const unsure = await ask('https://checkout.example.com/');
    expect(gateOf(unsure, 'ip-access')).toMatchObject({ says: 'depends', why: expect.stringContaining('--client') });
    expect(unsure.ok).toBe(true);
    expect(renderText(unsure, paint)).toMatch(/The request reaches a Pod\.\n {2}if it passes: ip access: deny/);
    const inside = await ask('https://checkout.example.com/', { client: '10.1.2.3' });
    expect(gateOf(inside, 'ip-access')).toMatchObject({ says: 'passes', why: '10.1.2.3 is let in' });
    const outside = await ask('https://checkout.example.com/', { client: '10.66.2.3' });
    expect(outside).toMatchObject({ ok: false, answer: { status: 403, reason: '10.66.2.3 is not let in' } });
    expect(thirdOf(outside).fix).toContain('whitelist-source-range, denylist-source-range of Ingress shop/checkout');
  });

  it('know the address of a Pod that asks', async () => {
    const pod = world.store.list<KubeObject>('pods')[0]!;
    const explanation = await ask('http://office.example.com/', {
      from: `${pod.metadata.namespace}/${pod.metadata.name}`,
    });
    expect(gateOf(explanation, 'ip-access')).toMatchObject({
      says: 'answers',
      why: expect.stringMatching(/^127\.244\./),
    });
  });

  it('tell whom they ask, and where its refusal leads to', async () => {
    const explanation = await ask('https://dashboard.tools.example.com/x?y=1');
    expect(gateOf(explanation, 'external-auth')).toMatchObject({
      says: 'depends',
      filter: expect.stringContaining('ask tools/oauth2-proxy:4180 with GET /oauth2/auth'),
      why: expect.stringMatching(
        /401 gives clients 302 to https:\/\/login\.tools\.example\.com\/oauth2\/start\?rd=.*%2Fx%3Fy%3D1$/,
      ),
    });
  });

  it('may be met by any one of several', async () => {
    const inside = await ask('https://prometheus.tools.example.com/', { client: '10.0.0.1' });
    expect(gateOf(inside, 'any-of')).toMatchObject({ says: 'passes', why: '10.0.0.1 is let in' });
    const outside = await ask('https://prometheus.tools.example.com/', { client: '192.0.2.1' });
    expect(outside.answer).toMatchObject({ status: 401 });
    expect(gateOf(outside, 'any-of')?.why).toMatch(/192\.0\.2\.1 is not let in; a name and a password are needed/);
  });

  it('leave open what certificates decide, over TLS only', async () => {
    const secure = await ask('https://partner.example.com/orders/1');
    expect(gateOf(secure, 'client-certificate')).toMatchObject({ says: 'depends' });
    expect(secure.outgoing?.headers.map(([name]) => name)).not.toContain('ssl-client-verify');
    const clear = await ask('http://partner.example.com/orders/1');
    expect(gateOf(clear, 'client-certificate')).toMatchObject({ says: 'passes' });
  });

  it('do not count some clients', async () => {
    const counted = await ask('https://hooks.tools.example.com/github', { client: '192.0.2.1' });
    expect(gateOf(counted, 'rate-limit')?.why).toBe('until the limit is reached, then 503');
    const exempt = await ask('https://hooks.tools.example.com/github', { client: '10.2.3.4' });
    expect(gateOf(exempt, 'rate-limit')?.why).toBe('10.2.3.4 is not counted');
  });
});

describe('the backend', () => {
  it('gets the rewritten path, the host that is asked for, and the prefix', async () => {
    const { outgoing, steps } = await ask('http://patterns.example.com/old/ab/c%26d?q=1');
    expect(outgoing).toMatchObject({ target: '/new/ab?from=c%26d&q=1', host: 'inner.example' });
    expect(steps[3]?.details.slice(0, 2)).toEqual(['gets GET /new/ab?from=c%26d&q=1', 'gets Host: inner.example']);
    expect((await ask('http://api.example.com/api/users')).outgoing).toMatchObject({
      target: '/users',
      headers: expect.arrayContaining([['x-forwarded-prefix', '/api']]),
    });
  });

  it.each([
    ['X-Release: next', 'web-next', 'the request goes to the canary: header x-release is next'],
    ['Cookie: next-release=always', 'web-next', 'the request goes to the canary: cookie next-release says so'],
    ['Cookie: next-release=never', 'web', 'the request goes not to the canary: cookie next-release says so'],
    [
      'X-Release: other',
      'web',
      'the canary’s weight decides: header x-release is not next, cookie next-release says neither always nor never',
    ],
  ])('is chosen by %s: %s', async (header, service, why) => {
    const { backend, steps } = await ask('https://shop.example.com/', { headers: [header] });
    expect(backend?.service).toBe(service);
    expect(steps[3]?.details).toContainEqual(expect.stringContaining(why));
  });

  it('is another one while there is no endpoint', async () => {
    const { backend, steps, ok } = await ask('http://empty.example.com/');
    expect([backend?.service, ok]).toEqual(['errors', true]);
    expect(steps[3]?.details[0]).toBe('shop/nobody:80 has no endpoint: its default backend gets the request');
  });
});

it('refuses a client that is no address', () => {
  expect(parseRequest({ url: 'http://a', client: 'me' })).toEqual({
    ok: false,
    error: '--client takes an address, not me',
  });
});
