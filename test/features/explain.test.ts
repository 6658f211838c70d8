/** `fairway explain` on files: the path of a request, every loser with its reason, the first broken link and its mending. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { explain } from '../../src/insight/explain/explain.ts';
import { renderMermaid, renderText } from '../../src/insight/explain/render.ts';
import { parseRequest } from '../../src/insight/explain/request.ts';
import type { Explanation } from '../../src/insight/explain/types.ts';
import { openWorld } from '../../src/insight/sources.ts';
import type { World } from '../../src/insight/world.ts';

const plain = { green: String, red: String, yellow: String, dim: String, bold: String };

function asker(world: () => World) {
  return async (
    url: string,
    options: { method?: string; headers?: string[]; from?: string } = {},
  ): Promise<Explanation> => {
    const request = parseRequest({ url, ...options });
    if (!request.ok) throw new Error(request.error);
    return explain(world(), request.value);
  };
}

describe('explain examples/front-door', () => {
  let world: World;
  const ask = asker(() => world);
  beforeAll(async () => {
    world = await openWorld({
      files: [join(packageRoot, 'examples/front-door')],
      nodeResolvConf: 'nameserver 192.0.2.53\nsearch node.example\n',
    });
  });

  it('walks from the public name to the Pod', async () => {
    const found = await ask('https://api.example.com/v1/users');
    expect(found).toMatchObject({
      ok: true,
      answer: null,
      matched: {
        kind: 'Ingress',
        namespace: 'default',
        name: 'front-door',
        rule: 0,
        match: 0,
        hostname: 'api.example.com',
      },
      backend: { namespace: 'default', service: 'api-v1', port: 80, weight: 1, share: 1 },
    });
    expect(found.endpoints.map(({ pod, ready }) => [pod?.slice(0, 15), ready])).toEqual([
      ['default/api-v1-', true],
      ['default/api-v1-', true],
    ]);
    expect(found.steps.map(({ name, status }) => [name, status])).toEqual([
      ['name', 'ok'],
      ['load balancer', 'ok'],
      ['listener and route', 'ok'],
      ['service', 'ok'],
      ['address', 'ok'],
      ['pod', 'ok'],
    ]);
    expect(found.steps[2]!.details.join('\n')).toMatch(/certificate Secret default\/api-tls-cert/);
    expect(found.steps[2]!.details.join('\n')).toMatch(/ingress\.yaml:\d+/);
  });

  it('names every candidate that lost and why', async () => {
    const { rejected } = await ask('http://api.example.com/v1');
    expect(rejected).toContainEqual(
      expect.objectContaining({
        kind: 'Ingress',
        name: 'front-door',
        rule: 0,
        match: 1,
        reason: 'path',
        wanted: 'path under /v2',
        got: '/v1',
      }),
    );
  });

  it('shows weights, filters and named rules of a Gateway', async () => {
    const canary = await ask('http://canary.example.com/');
    expect(canary.backends.map(({ service, share }) => [service, share])).toEqual([
      ['api-v1', 0.9],
      ['api-v2', 0.1],
    ]);
    const legacy = await ask('http://api.example.com/legacy/users');
    expect(legacy.matched).toMatchObject({ kind: 'HTTPRoute', name: 'legacy', ruleName: 'legacy' });
    expect(legacy.matched!.filters).toHaveLength(2);
  });

  it('says what a name that nobody serves might have been', async () => {
    const found = await ask('http://api.exmaple.com/v1');
    expect(found.ok).toBe(false);
    expect(found.steps[0]).toMatchObject({
      status: 'broken',
      details: expect.arrayContaining(['did you mean api.example.com?']),
    });
    expect(found.steps.slice(1).every(({ status }) => status === 'not reached')).toBe(true);
  });

  it('a path without a route is a 404 with the routes that were tried', async () => {
    const found = await ask('http://web.example.com.:81/');
    expect(found.steps[2]).toMatchObject({
      status: 'broken',
      summary: expect.stringContaining('nothing listens on port 81'),
    });
    const missing = await ask('http://api.example.com/v3');
    expect(missing).toMatchObject({ ok: false, answer: { status: 404 } });
  });

  it('follows a Pod that asks for a Service by its short name', async () => {
    const found = await ask('http://api-v1/hello', { from: 'default/dns-cluster-first' });
    expect(found).toMatchObject({ ok: true, backend: { service: 'api-v1', port: 80 } });
    expect(found.steps.map(({ status }) => status)).toEqual(['ok', 'not needed', 'not needed', 'ok', 'ok', 'ok']);
    expect(found.steps[0]!.summary).toContain('api-v1.default.svc.cluster.local');
  });

  it('a Pod whose resolver does not ask the cluster finds no Service', async () => {
    const found = await ask('http://api-v1/hello', { from: 'default/dns-default' });
    expect(found.ok).toBe(false);
    expect(found.steps[0]).toMatchObject({ status: 'broken', fix: expect.stringMatching(/dnsPolicy/) });
  });

  it('renders text and Mermaid', async () => {
    const found = await ask('https://api.example.com/v1/users');
    const text = renderText(found, plain);
    expect(text).toContain('✓ 6 pod');
    expect(text).toContain('The request reaches a Pod.');
    const chart = renderMermaid(found);
    expect(chart).toMatch(/^flowchart LR\n/);
    expect(chart.match(/-->/g)).toHaveLength(6);
  });
});

describe('explain a broken front door', () => {
  let folder: string;
  let world: World;
  const ask = asker(() => world);
  const ingress = (name: string, service: string, port = 80) => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}}
spec:
  ingressClassName: fairway
  rules: [{host: ${name}.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ${service}, port: {number: ${port}}}}}]}}]
---
`;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'explain-'));
    const service = (name: string, selector: string) =>
      `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {selector: ${selector}, ports: [{port: 80, targetPort: 8080}]}\n---\n`;
    const pod = (name: string, ready: boolean) =>
      `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, labels: {app: ${name}, tier: web}, annotations: {fairway.dev/ready: "${ready}"}}\nspec: {containers: [{name: c, image: example.com/c:1, ports: [{containerPort: 8080}]}]}\n---\n`;
    writeFileSync(
      join(folder, 'all.yaml'),
      [
        ingress('nowhere', 'absent'),
        ingress('nobody', 'nobody'),
        service('nobody', '{app: nobody, tier: web}'),
        ingress('asleep', 'asleep'),
        service('asleep', '{app: asleep}'),
        pod('asleep', false),
      ].join(''),
    );
    world = await openWorld({ files: [folder], nodeResolvConf: '' });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['nowhere', 3, /absent/],
    ['nobody', 4, /label the Pods/],
    ['asleep', 4, /ready/],
  ])('%s: the first broken link is marked with what mends it', async (name, index, fix) => {
    const found = await ask(`http://${name}.example.com/`);
    expect(found).toMatchObject({ ok: false, answer: { status: 503 } });
    const broken = found.steps.findIndex(({ status }) => status === 'broken');
    expect([broken, found.steps[broken]?.fix ?? found.steps[broken]?.summary]).toEqual([
      expect.any(Number),
      expect.stringMatching(fix),
    ]);
    expect(broken).toBeGreaterThanOrEqual(2);
    expect(broken).toBeLessThanOrEqual(index);
    expect(
      found.steps.slice(broken + 1).every(({ status }) => status === 'not reached' || status === 'not needed'),
    ).toBe(true);
  });
});

describe('explain a gRPC call', () => {
  let folder: string;
  let world: World;
  const ask = asker(() => world);
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'explain-grpc-'));
    const app = (name: string) =>
      `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {selector: {app: ${name}}, ports: [{port: 80, targetPort: 8080}]}\n---\n` +
      `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, labels: {app: ${name}}}\nspec: {containers: [{name: c, image: example.com/c:1, ports: [{containerPort: 8080}]}]}\n---\n`;
    const head = (kind: string, name: string) =>
      `apiVersion: gateway.networking.k8s.io/v1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec:\n`;
    writeFileSync(
      join(folder, 'all.yaml'),
      `${app('orders') + app('web') + head('Gateway', 'gw')}  gatewayClassName: fairway
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
${head('GRPCRoute', 'orders')}  parentRefs: [{name: gw}]
  hostnames: [api.example.com, calls.example.com]
  rules:
  - {name: list, matches: [{method: {service: shop.Orders, method: List}}], backendRefs: [{name: orders, port: 80}]}
  - {name: nowhere, matches: [{method: {service: shop.Orders}}]}
---
${head('HTTPRoute', 'web')}  parentRefs: [{name: gw}]
  hostnames: [api.example.com]
  rules: [{backendRefs: [{name: web, port: 80}]}]
`,
    );
    world = await openWorld({ files: [folder], nodeResolvConf: 'nameserver 192.0.2.53\n' });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('names the route and its rule, and goes on to the Pod', async () => {
    const found = await ask('grpc://api.example.com/shop.Orders/List');
    expect(found).toMatchObject({
      ok: true,
      matched: { kind: 'GRPCRoute', name: 'orders', rule: 0, ruleName: 'list' },
      backend: { id: 'default/orders:80/gRPC', service: 'orders', port: 80 },
    });
    const text = renderText(found, plain);
    expect(text).toContain('POST grpc://api.example.com/shop.Orders/List');
    expect(text).toContain('(gRPC calls, path = /shop.Orders/List)');
    expect(text).toContain('HTTPRoute default/web rule 0 match 0 on api.example.com: precedence');
  });

  it('is what a POST with the content type of gRPC is, and nothing else', async () => {
    const call = await ask('http://api.example.com/shop.Orders/List', {
      method: 'POST',
      headers: ['Content-Type: application/grpc+proto'],
    });
    expect(call.matched).toMatchObject({ kind: 'GRPCRoute' });
    const post = await ask('http://api.example.com/shop.Orders/List', { method: 'POST' });
    expect(post.matched).toMatchObject({ kind: 'HTTPRoute' });
    expect(post.rejected).toContainEqual(
      expect.objectContaining({ name: 'orders', rule: 0, reason: 'gRPC', detail: 'gRPC is not spoken' }),
    );
  });

  it.each([
    ['calls.example.com/shop.Orders/Create', { status: 503, grpcStatus: 14 }, 'UNAVAILABLE (grpc-status 14)'],
    ['calls.example.com/shop.Other/List', { status: 404, grpcStatus: 12 }, 'UNIMPLEMENTED (grpc-status 12)'],
  ])('tells in terms of gRPC what fails: %s', async (url, answer, told) => {
    const found = await ask(`grpc://${url}`);
    expect(found).toMatchObject({ ok: false, answer });
    expect(renderText(found, plain)).toContain(`The client gets ${told}`);
  });

  it.each([
    [{ url: 'grpc://x/s/m', method: 'PUT' }, 'a gRPC call is sent with POST, not PUT'],
    [{ url: 'ftp://x/s/m' }, 'not a host: ftp:'],
  ])('refuses %o', (options, error) => {
    expect(parseRequest(options)).toEqual({ ok: false, error });
  });
});
