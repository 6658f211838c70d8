import { describe, expect, it } from 'vitest';
import { compile } from '../../control/compile.ts';
import { gatewayApiVersion, resources, routeResources } from '../gateway/kinds.ts';
import { fairwayClass, ingressYaml, inputOf, loadObjects, storeOf, translateYaml } from '../ingress/test-helpers.ts';
import type { BackendPolicy } from '../plan/backend-policy.ts';
import type { Backend } from '../plan/plan.ts';
import { backendPolicy } from './policy.ts';

function serviceWith(annotations: Record<string, string>, spec = '', name = 'web'): string {
  const lines = Object.entries(annotations).map(([key, value]) => `    fairway.dev/${key}: ${JSON.stringify(value)}`);
  return `---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
  annotations:
    other.example/balance: whatever
${lines.join('\n')}
spec: { ports: [{ name: http, port: 80 }]${spec} }
`;
}

const ingress = ingressYaml('web', [
  ['a.example', 'Prefix', '/', 'web'],
  ['b.example', 'Prefix', '/', 'web'],
]);

/** The policy that a Service gets, and what is found wrong with it. */
function policyOf(annotations: Record<string, string>, spec = '', protocol: Backend['protocol'] = 'http1') {
  const [service] = loadObjects(serviceWith(annotations, spec));
  const findings: Parameters<typeof backendPolicy>[0]['findings'] = [];
  const { policy } = backendPolicy({ input: { position: () => undefined }, findings }, service as never, protocol);
  return { policy, findings };
}

const usualCheck = { intervalMs: 5_000, timeoutMs: 2_000, healthyThreshold: 2, unhealthyThreshold: 3 };

describe('annotations of a Service', () => {
  const usualEjection = { baseEjectionMs: 30_000, maxEjectionMs: 300_000, maxEjectionPercent: 50, panicPercent: 30 };

  it.each<[string, Record<string, string>, BackendPolicy | undefined]>([
    ['none', {}, undefined],
    ['the defaults', { balance: 'round-robin', 'slow-start': '0s', 'warm-connections': '0' }, undefined],
    ['balance', { balance: ' least-request ' }, { balance: { type: 'least-request' } }],
    ['hash', { balance: 'hash' }, { balance: { type: 'hash', by: [{ by: 'address' }] } }],
    [
      'hash by several',
      { balance: 'hash', 'hash-by': 'cookie:SID, header:X-User,address' },
      {
        balance: {
          type: 'hash',
          by: [{ by: 'cookie', name: 'SID' }, { by: 'header', name: 'x-user' }, { by: 'address' }],
        },
      },
    ],
    ['times', { 'slow-start': '1m30s', 'connect-timeout': '500ms' }, { slowStartMs: 90_000, connectTimeoutMs: 500 }],
    [
      'a check by HTTP',
      { 'health-check': 'http:/healthz?full=1' },
      { healthCheck: { type: 'http', path: '/healthz?full=1', statuses: [[200, 399]], ...usualCheck } },
    ],
    [
      'a check of a host',
      { 'health-check': 'http://a.example:81/up', 'health-check-interval': '10s', 'health-check-timeout': '1s' },
      {
        healthCheck: {
          ...{ type: 'http', path: '/up', host: 'a.example:81', statuses: [[200, 399]] },
          ...{ ...usualCheck, intervalMs: 10_000, timeoutMs: 1_000 },
        },
      },
    ],
    ['a check by TCP', { 'health-check': 'tcp' }, { healthCheck: { type: 'tcp', ...usualCheck } }],
    [
      'ejection',
      { 'outlier-ejection': 'on' },
      { outlierEjection: { consecutive5xx: 5, consecutiveGatewayFailures: 5, ...usualEjection } },
    ],
    [
      'ejection after a number',
      { 'outlier-ejection': '3' },
      { outlierEjection: { consecutive5xx: 3, consecutiveGatewayFailures: 3, ...usualEjection } },
    ],
    [
      'limits',
      { 'max-connections': '100', 'max-requests': '200', 'max-pending': '50', 'warm-connections': '2' },
      { limits: { maxConnections: 100, maxRequests: 200, maxPending: 50 }, warmConnections: 2 },
    ],
  ])('%s', (_, annotations, expected) => {
    const { policy, findings } = policyOf(annotations);
    expect(findings).toEqual([]);
    expect(policy).toEqual(expected);
  });

  it.each([
    ['balance', 'roundrobin', 'one of round-robin, least-request, random, hash'],
    ['hash-by', 'header', 'address, header:NAME or cookie:NAME'],
    ['hash-by', 'header:a b', 'address, header:NAME or cookie:NAME'],
    ['hash-by', '', 'address, header:NAME or cookie:NAME'],
    ['slow-start', '10', 'a duration'],
    ['health-check', '/healthz', 'tcp, http:/path, or http://host/path'],
    ['health-check', 'http:/a b', 'tcp, http:/path, or http://host/path'],
    ['health-check', 'https:/healthz', 'tcp, http:/path, or http://host/path'],
    ['health-check-interval', '10ms', 'a duration from 100ms to 596h'],
    ['outlier-ejection', '0', 'on, or how many failures'],
    ['outlier-ejection', 'true', 'on, or how many failures'],
    ['max-connections', '0', 'a whole number from 1'],
    ['max-requests', '1e3', 'a whole number from 1'],
    ['max-pending', '-1', 'a whole number from 0'],
    ['connect-timeout', '0s', 'a duration from 1ms to 596h'],
    ['warm-connections', '1000', 'a whole number from 0 to 100'],
  ])('%s: %j is a finding, and the rest is in force', (name, value, expected) => {
    const other: Record<string, string> = name === 'balance' ? { 'slow-start': '1s' } : { balance: 'random' };
    const { policy, findings } = policyOf({ [name]: value, ...other });
    expect(policy).toEqual(name === 'balance' ? { slowStartMs: 1_000 } : { balance: { type: 'random' } });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      code: 'FW5301',
      severity: 'error',
      object: { kind: 'Service', name: 'web' },
      fieldPath: `metadata.annotations["fairway.dev/${name}"]`,
    });
    expect(findings[0]!.message).toContain(JSON.stringify(value));
    expect(findings[0]!.message).toContain(expected);
  });

  it.each([
    [{ balence: 'hash' }, 'FW5302', 'balence'],
    [{ 'health-check-interval': '1s' }, 'FW5303', 'health-check-interval'],
    [{ 'health-check-timeout': '1s' }, 'FW5303', 'health-check-timeout'],
    [{ 'hash-by': 'address' }, 'FW5303', 'hash-by'],
    [{ 'hash-by': 'address', balance: 'random' }, 'FW5303', 'hash-by'],
    [{ 'slow-start': '1s', balance: 'hash' }, 'FW5303', 'slow-start'],
    [{ 'max-pending': '1' }, 'FW5303', 'max-pending'],
    [{ 'warm-connections': '1', 'proxy-protocol': 'v1' }, 'FW5303', 'warm-connections'],
  ] as [Record<string, string>, string, string][])('%j is %s', (annotations, code, name) => {
    const { findings } = policyOf(annotations);
    expect(findings.map((finding) => [finding.code, finding.fieldPath])).toEqual([
      [code, `metadata.annotations["fairway.dev/${name}"]`],
    ]);
  });

  it('that the local cluster writes are nobody’s mistake', () => {
    expect(policyOf({ 'requested-cluster-ips': '10.0.0.1' }).findings).toEqual([]);
  });
});

describe('the policy of a backend', () => {
  it.each(['PreferClose', 'PreferSameZone', 'PreferSameNode'])('follows trafficDistribution %s', (value) => {
    expect(policyOf({}, `, trafficDistribution: ${value}`).policy).toEqual({ zones: 'same' });
  });

  it('holds what means something to streams', () => {
    const all = {
      ...{ balance: 'least-request', 'slow-start': '1s', 'max-connections': '5', 'max-requests': '5' },
      ...{ 'health-check': 'tcp', 'outlier-ejection': 'on', 'connect-timeout': '1s', 'warm-connections': '1' },
    };
    const shared = { balance: { type: 'least-request' }, slowStartMs: 1_000 };
    expect(policyOf(all, '', 'tcp').policy).toEqual({
      ...shared,
      healthCheck: { type: 'tcp', ...usualCheck },
      limits: { maxConnections: 5 },
      connectTimeoutMs: 1_000,
    });
    expect(policyOf(all, '', 'udp').policy).toEqual(shared);
    expect(policyOf({ 'health-check': 'http:/' }, '', 'tcp').policy).toBeUndefined();
  });

  it('asks for a PROXY header on connections, and says that it has no effect on datagrams', () => {
    const [service] = loadObjects(serviceWith({ 'proxy-protocol': 'v2' }));
    const read = (protocol: Backend['protocol']) => {
      const findings: Parameters<typeof backendPolicy>[0]['findings'] = [];
      const found = backendPolicy({ input: { position: () => undefined }, findings }, service as never, protocol);
      return [found, findings.map(({ code }) => code)];
    };
    for (const protocol of ['tcp', 'http1', 'https', 'h2c', 'h2'] as const)
      expect(read(protocol)).toEqual([{ proxyProtocol: 'v2' }, []]);
    expect(read('udp')).toEqual([{}, ['FW5303']]);
    expect(policyOf({ 'proxy-protocol': 'v3' }, '', 'tcp').findings.map(({ code }) => code)).toEqual(['FW5301']);
  });

  it('is in the plan of Ingresses, with one finding however many paths lead there', () => {
    const yaml = fairwayClass + serviceWith({ balance: 'random', 'max-requests': 'many' }) + ingress;
    const { backends } = translateYaml(yaml);
    expect(backends.map(({ policy }) => policy)).toEqual([{ balance: { type: 'random' } }]);
    const { plan, diagnostics } = compile(inputOf(storeOf(loadObjects(yaml))));
    expect(plan.backends['default/web:80']?.policy).toEqual({ balance: { type: 'random' } });
    expect(diagnostics.filter(({ code }) => code === 'FW5301')).toHaveLength(1);
  });

  it('is in the plan of HTTPRoutes as well, and both agree', () => {
    const services = serviceWith({ balance: 'hash', wrong: 'x' }) + serviceWith({ 'slow-start': '2s' }, '', 'api');
    const store = storeOf(loadObjects(services + fairwayClass + ingress));
    const put = (resource: string, kind: string, name: string, spec: Record<string, unknown>) =>
      store.put(resource, {
        apiVersion: gatewayApiVersion,
        kind,
        metadata: { name, namespace: 'default' },
        spec,
      } as never);
    put(resources.gatewayClass, 'GatewayClass', 'fairway', { controllerName: 'fairway.dev/gateway' });
    put(resources.gateway, 'Gateway', 'gw', {
      gatewayClassName: 'fairway',
      listeners: [{ name: 'http', port: 8080, protocol: 'HTTP' }],
    });
    const backendRefs = ['web', 'api'].map((name) => ({ name, port: 80 }));
    put(routeResources.HTTPRoute, 'HTTPRoute', 'web', { parentRefs: [{ name: 'gw' }], rules: [{ backendRefs }] });
    const { plan, diagnostics } = compile(inputOf(store));
    expect(plan.backends['default/web:80']?.policy).toEqual({ balance: { type: 'hash', by: [{ by: 'address' }] } });
    expect(plan.backends['default/api:80']?.policy).toEqual({ slowStartMs: 2_000 });
    expect(diagnostics.filter(({ code }) => code === 'FW5302')).toHaveLength(1);
  });
});
