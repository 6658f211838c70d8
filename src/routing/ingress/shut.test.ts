/** What the status of an Ingress says of locations that are shut. */
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../kube/types/index.ts';
import { createTranslationCache } from '../incremental/cache.ts';
import { nginxIngress, services } from '../ingress-nginx/testing.ts';
import type { DeliveryReport, StatusUpdate, TranslateOutput } from '../translate.ts';
import { portError } from './shut.ts';
import { inputOf, storeOf, testAddress } from './test-helpers.ts';
import { translateIngress } from './translate.ts';

/** `IngressPortStatus.error` in the OpenAPI schema of networking.k8s.io/v1. */
const permitted =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/;

it.each([
  [
    'the annotation nginx.ingress.kubernetes.io/auth-tls-secret cannot be honoured',
    'fairway.dev/CannotHonourAuthTlsSecret',
  ],
  ['the annotation fairway.dev/basic-auth cannot be honoured', 'fairway.dev/CannotHonourBasicAuth'],
  [
    'the key enable-modsecurity of the ConfigMap cannot be honoured',
    'fairway.dev/CannotHonourConfigMapKeyEnableModsecurity',
  ],
  ['the path cannot be served', 'fairway.dev/CannotServePath'],
  [`the annotation a.b/${'x-'.repeat(300)}x cannot be honoured`, `fairway.dev/CannotHonour${'X'.repeat(292)}`],
])('%.60s', (reason, error) => {
  expect(portError(reason)).toBe(error);
  expect(error).toMatch(permitted);
  expect(error.length).toBeLessThanOrEqual(316);
});

const noReport: DeliveryReport = { listener: () => undefined };
const web = (name: string, host: string, annotations = {}) =>
  nginxIngress(name, [[host, 'Prefix', '/', 'web']], { annotations }) as KubeObject;
const statusOf = ({ statuses }: TranslateOutput, name: string): StatusUpdate =>
  statuses.find(({ ref }) => ref.name === name)!;
const entry = (update: StatusUpdate) =>
  (update.build({} as KubeObject, noReport) as { loadBalancer: { ingress: unknown[] } }).loadBalancer.ingress[0];

describe('the status of an Ingress', () => {
  const guarded = { 'auth-type': 'basic', 'auth-secret': 'users' };
  const error = 'fairway.dev/CannotHonourAuthSecret';
  const ports = [80, 443].map((port) => ({ port, protocol: 'TCP', error }));
  const users = {
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'users', namespace: 'default' } },
    data: { auth: Buffer.from('a:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=').toString('base64') },
  };

  it('says which annotation has shut it, for as long as it has, and leaves those of others alone', () => {
    const objects = [...services('web'), web('in', 'a.example.com', guarded), web('out', 'b.example.com')];
    const store = storeOf(objects as KubeObject[]);
    const input = { ...inputOf(store), cache: createTranslationCache() };
    const first = translateIngress(input);
    expect(entry(statusOf(first, 'in'))).toEqual({ ip: testAddress, ports });
    expect(entry(statusOf(first, 'out'))).toEqual({ ip: testAddress });
    const again = translateIngress(input);
    expect(again.statuses.every((update, i) => update === first.statuses[i])).toBe(true);
    store.put('secrets', users as KubeObject);
    const mended = translateIngress(input);
    expect(entry(statusOf(mended, 'in'))).toEqual({ ip: testAddress });
    expect(statusOf(mended, 'out')).toBe(statusOf(first, 'out'));
    store.remove('secrets', 'default/users');
    expect(entry(statusOf(translateIngress(input), 'in'))).toEqual({ ip: testAddress, ports });
    store.remove('ingresses.networking.k8s.io', 'default/in');
    expect(translateIngress(input).statuses.map(({ ref }) => ref.name)).toEqual(['out']);
  });

  it('says so of every Ingress of a host whose certificates of clients cannot be had', () => {
    const asking = web('asking', 'a.example.com', { 'auth-tls-secret': 'default/absent' });
    const beside = nginxIngress('beside', [['a.example.com', 'Prefix', '/b', 'web']], { age: 5 }) as KubeObject;
    const output = translateIngress(inputOf(storeOf([...(services('web') as KubeObject[]), asking, beside])));
    for (const name of ['asking', 'beside'])
      expect(entry(statusOf(output, name))).toMatchObject({
        ports: [{ error: 'fairway.dev/CannotHonourAuthTlsSecret' }, {}],
      });
  });
});
