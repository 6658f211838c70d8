import { expect, it } from 'vitest';
import type { Filter, Plan } from './plan.ts';
import { redactPlan } from './redact.ts';

it('keeps keys and hashes of passwords from being printed, on routes and on backends', () => {
  const source = { object: { apiVersion: 'v1', kind: 'Test', name: 'test' } };
  const auth: Filter = { type: 'basic-auth', realm: 'r', users: [{ name: 'anna', hash: 'SECRET' }] };
  const either: Filter = { type: 'any-of', filters: [auth] };
  const otherwise = { backend: 'b', filters: [auth] };
  const action = { type: 'forward', backends: [{ weight: 1, filters: [either], otherwise, source }] } as const;
  const route = { id: 'r', match: {}, filters: [auth], action, source };
  const host = { hostname: '*', wildcard: 'any-depth', routes: [route], sources: [] } as const;
  const plan: Plan = {
    listeners: [{ id: 'l', address: '127.0.0.1', port: 80, protocol: 'HTTP', hosts: [host], sources: [] }],
    backends: {},
    certificates: { c: { id: 'c', chain: 'chain', key: 'SECRET', source } },
  };
  const printed = JSON.stringify(redactPlan(plan));
  expect(printed).not.toContain('SECRET');
  expect(printed.match(/"anna","hash":"\(redacted\)"/g)).toHaveLength(3);
  expect(JSON.stringify(plan)).toContain('SECRET');
});

it('keeps keys of backends from being printed', () => {
  const source = { object: { apiVersion: 'v1', kind: 'Test', name: 'test' } };
  const clientCertificate = { id: 'c', chain: 'chain', key: 'SECRET', source };
  const tls = { serverName: 'a', verify: true, ca: 'system', subjectAltNames: [], clientCertificate, source } as const;
  const backend = { id: 'b', namespace: 'n', service: 's', port: 1, protocol: 'https', tls, source } as const;
  const printed = JSON.stringify(redactPlan({ listeners: [], backends: { b: backend }, certificates: {} }));
  expect(printed).toContain('"chain":"chain","key":"(redacted)"');
});

it('keeps what services are told in confidence from being printed', () => {
  const source = { object: { apiVersion: 'v1', kind: 'Test', name: 'test' } };
  const ask: Filter = {
    type: 'external-auth',
    backend: 'a/b:80',
    protocol: 'http',
    path: { type: 'fixed', value: '/' },
    requestHeaders: 'all',
    facts: [],
    setHeaders: [['X-Api-Key', 'SECRET']],
    values: [['X-Who', ['SECRET', { of: 'fact', fact: 'host' }]]],
    admits: '200',
    responseHeaders: 'all',
    clientHeaders: { names: [] },
    denials: 'all',
  };
  const route = {
    id: 'r',
    match: {},
    filters: [ask],
    action: { type: 'respond', status: 200, reason: 'r' },
    source,
  } as const;
  const host = { hostname: '*', wildcard: 'any-depth', routes: [route], sources: [] } as const;
  const printed = JSON.stringify(
    redactPlan({
      listeners: [{ id: 'l', address: '127.0.0.1', port: 80, protocol: 'HTTP', hosts: [host], sources: [] }],
      backends: {},
      certificates: {},
    }),
  );
  expect(printed).toContain('["X-Api-Key","(redacted)"]');
  expect(printed).not.toContain('SECRET');
});
