/** What is spoken to in different ways is known by different ids, whichever annotations and locations led there. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readBackendTlsPolicies } from '../../backend-tls.ts';
import { readBackendTrafficPolicies } from '../../backend-traffic.ts';
import { createBackendResolver } from '../../ingress/backends.ts';
import { createContext } from '../../ingress/context.ts';
import { inputOf, storeOf } from '../../ingress/test-helpers.ts';
import type { Backend } from '../../plan/plan.ts';
import { readNginxAnnotations } from '../annotations/read.ts';
import { defaultNginxConfig } from '../config/config.ts';
import { backendVariant } from './backend-variant.ts';
import { createLocationDesk } from './desk.ts';
import { facts, ingressWith } from './testing.ts';

const store = storeOf([
  { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'shop', name: 'plain' }, data: {} },
  { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'team', name: 'plain' }, data: {} },
] as object[] as Parameters<typeof storeOf>[0]);
const context = createContext(inputOf(store));
const resolver = createBackendResolver(context, readBackendTlsPolicies(store), readBackendTrafficPolicies(store));
const scope = { input: context.input, findings: context.findings, resolver };

const valuesOf: Readonly<Record<string, readonly string[]>> = {
  'backend-protocol': ['HTTP', 'HTTPS', 'GRPC', 'GRPCS', 'AUTO_HTTP'],
  'proxy-connect-timeout': ['5', '7'],
  'load-balance': ['ewma', 'round_robin'],
  'upstream-hash-by': [
    ...['$remote_addr', '$host$request_uri', '$location_path$arg_a', '$server_name$arg_a', '$service_port$remote_addr'],
    ...['$1$remote_addr', '$proxy_upstream_name$arg_b', '$namespace$ingress_name$arg_c'],
  ],
  'proxy-ssl-secret': ['shop/plain', 'team/plain'],
  'proxy-ssl-name': ['a.example', 'b.example'],
  'proxy-ssl-server-name': ['on', 'off'],
  'proxy-ssl-protocols': ['TLSv1.2', 'TLSv1.3'],
  'proxy-ssl-ciphers': ['DEFAULT', 'ECDHE-RSA-AES128-GCM-SHA256'],
};

const annotations = fc.record(
  Object.fromEntries(Object.entries(valuesOf).map(([name, values]) => [name, fc.constantFrom(...values)])),
  { requiredKeys: [] },
);

const place = fc.record({
  ingress: fc.nat(3),
  hostname: fc.constantFrom('a.example', 'b.example', '*'),
  path: fc.constantFrom('/', '/x', '/y(/|$)'),
  groups: fc.constantFrom(0, 1),
  port: fc.constantFrom('80', 'http'),
  /** As where TLS of the host is passed through. */
  overTls: fc.boolean(),
});

const names = [
  ['shop', 'web'],
  ['shop', 'api'],
  ['team', 'web'],
  ['team', 'api'],
] as const;

it('gives one id to one way of speaking to a Service', () => {
  const property = fc.property(
    fc.array(annotations, { minLength: 4, maxLength: 4 }),
    fc.array(place, { minLength: 2, maxLength: 12 }),
    fc.constantFrom('round_robin' as const, 'ewma' as const),
    (saying, places, loadBalance) => {
      const config = { ...defaultNginxConfig, loadBalance, allowCrossNamespaceResources: true };
      const ingresses = names.map(([namespace, name], i) => {
        const made = ingressWith(saying[i] as Record<string, string>);
        return { ...made, metadata: { ...made.metadata, namespace, name } };
      });
      const known = new Map<string, Backend>();
      for (const { ingress: at, overTls, ...where } of places) {
        const ingress = ingresses[at]!;
        const { asked } = readNginxAnnotations(ingress);
        const now =
          overTls && asked['backend-protocol'] !== 'GRPCS' ? { ...asked, 'backend-protocol': 'HTTPS' as const } : asked;
        const desk = createLocationDesk(scope, ingress, now, config, { ...facts, ...where });
        // A default backend of the operator's, or that of a canary, may be of another namespace.
        for (const namespace of ['shop', 'team']) {
          const plain: Backend = {
            ...{ id: `${namespace}/web:80`, namespace, service: 'web', port: 80, protocol: 'http1' },
            source: { object: { apiVersion: 'v1', kind: 'Service', namespace, name: 'web' } },
          };
          const made = backendVariant(desk)?.(plain) ?? plain;
          expect(known.get(made.id) ?? made).toEqual(made);
          known.set(made.id, made);
        }
      }
    },
  );
  fc.assert(property, { numRuns: 300 });
});
