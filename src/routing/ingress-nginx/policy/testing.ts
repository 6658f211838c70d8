/** A location of one Ingress among objects of a store, for the tests of policies. */

import { dump } from 'js-yaml';
import type { Diagnostic } from '../../../base/diagnostics/index.ts';
import type { Ingress, KubeObject } from '../../../kube/types/index.ts';
import { readBackendTlsPolicies } from '../../backend-tls.ts';
import { readBackendTrafficPolicies } from '../../backend-traffic.ts';
import { createBackendResolver, type Gathered } from '../../ingress/backends.ts';
import { createContext } from '../../ingress/context.ts';
import { inputOf, loadObjects, storeOf } from '../../ingress/test-helpers.ts';
import { readNginxAnnotations } from '../annotations/read.ts';
import { nginxPrefix } from '../annotations/table.ts';
import { defaultNginxConfig, type NginxConfig } from '../config/config.ts';
import { noTrace } from '../methods.ts';
import {
  asksForCertificates,
  type LocationFacts,
  type LocationPolicy,
  listFilters,
  locationPolicy,
  type PolicyScope,
  serverPolicy,
} from './policy.ts';

export const facts: LocationFacts = {
  ...{ hostname: 'shop.example', path: '/', isPattern: false, groups: 0, rewrites: false },
  ...{ service: 'web', port: 'http' },
};

/** Ingress `shop/web` with these annotations, without the prefix. */
export function ingressWith(annotations: Readonly<Record<string, string>>): Ingress {
  const named = Object.entries(annotations).map(([name, value]) => [`${nginxPrefix}${name}`, value]);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'shop', annotations: Object.fromEntries(named) },
    spec: {},
  };
}

interface Given {
  readonly objects?: readonly object[];
  readonly config?: Partial<NginxConfig>;
  readonly facts?: Partial<LocationFacts>;
}

export type Judged = Gathered<LocationPolicy> & {
  readonly policy: LocationPolicy;
  /** `FW5501 auth-secret`: code and annotation of each. */
  readonly told: readonly string[];
};

/** Services `shop/web`, `shop/pages` and `auth/gate` are there always, each with port 80. */
const services = [
  ['shop', 'web'],
  ['shop', 'pages'],
  ['auth', 'gate'],
].map(([namespace, name]) => ({
  ...{ apiVersion: 'v1', kind: 'Service', metadata: { namespace, name } },
  spec: { ports: [{ name: 'http', port: 80 }] },
}));

/** What becomes of a location, with what was looked up and what was told. */
export function judge(annotations: Readonly<Record<string, string>>, given: Given = {}): Judged {
  const objects = loadObjects([...services, ...(given.objects ?? [])].map((object) => dump(object)).join('---\n'));
  const store = storeOf(objects as readonly KubeObject[]);
  const input = inputOf(store);
  const context = createContext(input);
  const resolver = createBackendResolver(context, readBackendTlsPolicies(store), readBackendTrafficPolicies(store));
  const scope: PolicyScope = { input, findings: context.findings, resolver };
  const ingress = ingressWith(annotations);
  const { asked } = readNginxAnnotations(ingress);
  const config = { ...defaultNginxConfig, ...given.config };
  const gathered = resolver.gather(() => {
    const server = asksForCertificates(ingress) ? serverPolicy(scope, ingress, asked, config) : undefined;
    return locationPolicy(scope, ingress, asked, config, { ...facts, ...(server && { server }), ...given.facts });
  });
  return { ...gathered, policy: gathered.value, told: gathered.findings.map(toldOf) };
}

function toldOf({ code, fieldPath = '' }: Diagnostic): string {
  return `${code} ${fieldPath.replace(`metadata.annotations["${nginxPrefix}`, '').replace('"]', '')}`;
}

/** Filters of one type, in their order among all. */
/** Without the one that every location has. */
export function filtersOf<T extends string>({ policy }: Judged, type: T) {
  return listFilters(policy.filters).filter(
    (filter): filter is Extract<typeof filter, { type: T }> => filter.type === type && filter !== noTrace,
  );
}

export function secret(name: string, data: Readonly<Record<string, string>>, namespace = 'shop'): object {
  const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data: Object.fromEntries(encoded) };
}

export function configMap(name: string, data: Readonly<Record<string, string>>, namespace = 'shop'): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

/** `lovelace` by bcrypt. */
export const hash = '$2y$05$FapbpMzi07PPKpWUtb8ofuCq/fTQ8bzWRnb8mJi3RgLIOKx5/R6Sa';
