/**
 * Names of Services as the world outside has them, without `svc`: `service.namespace`, `endpoint.service.namespace` and
 * `_port._protocol.service.namespace`. With the semantics of CoreDNS' k8s_external plugin 1.14.
 */
import { canonicalAddress } from '../wire/address.ts';
import { endpointTargets, matchingPorts, type Target } from './answers.ts';
import type { ServiceEntry } from './entry.ts';
import type { ExternalEntry, ExternalIndex } from './index-of-external.ts';
import type { ServiceIndex } from './index-of-services.ts';

/** What a name leads to. */
export interface ExternalTargets {
  /** Addresses with ports, each with the labels left of the zone that it has of its own. */
  readonly targets: readonly Target[];
  /** Host names with ports (absolute), for load balancers that have no address of their own. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
}

interface ExternalName {
  readonly namespace: string;
  readonly service: string;
  readonly endpoint?: string;
  readonly port?: string;
  readonly protocol?: string;
}

const withoutUnderscore = (label: string): string => (label.startsWith('_') ? label.slice(1) : label);

/** `labels`: those left of the zone, at least two. Undefined when there are too many. */
function parseExternalName(labels: readonly string[]): ExternalName | undefined {
  const [namespace, service, nearest, next, ...more] = labels.toReversed() as [string, string, ...string[]];
  if (more.length > 0) return undefined;
  if (nearest === undefined) return { namespace, service };
  if (next === undefined) return { namespace, service, endpoint: withoutUnderscore(nearest) };
  return { namespace, service, protocol: withoutUnderscore(nearest), port: withoutUnderscore(next) };
}

export interface ExternalServicesOptions {
  readonly services: ServiceIndex;
  readonly external: ExternalIndex;
  readonly namespaceExists: (name: string) => boolean;
  /** Also shows headless Services, by their endpoints. */
  readonly headless: boolean;
  readonly ownAddresses: () => readonly string[];
}

export interface ExternalServices {
  /** What a name leads to (labels left of the zone, in lower case); undefined when it does not exist. */
  find(labels: readonly string[]): ExternalTargets | undefined;
  /** `service.namespace` of Services with an external address (canonical). */
  namesOf(address: string): string[];
  /** Addresses of this server as seen from outside. */
  ownAddresses(): string[];
  /** Services that have names outside, sorted by namespace and name. */
  all(): { readonly entry: ServiceEntry; readonly external: ExternalEntry | undefined }[];
}

const nothing: ExternalTargets = { targets: [], hosts: [] };

export function createExternalServices(options: ExternalServicesOptions): ExternalServices {
  const { services, external, headless } = options;

  function publicTargets(entry: ServiceEntry, outside: ExternalEntry, name: ExternalName): ExternalTargets | undefined {
    const ports = matchingPorts(entry.ports, name);
    if (ports.length === 0) return undefined;
    const owner = `${entry.name}.${entry.namespace}`;
    return {
      targets: outside.addresses.flatMap((address) => ports.map(({ port }) => ({ address, port, owner }))),
      hosts: outside.hostnames.flatMap((host) => ports.map(({ port }) => ({ host, port }))),
    };
  }

  function headlessTargets(entry: ServiceEntry, name: ExternalName): ExternalTargets | undefined {
    if (!headless || (entry.form !== 'headless' && !name.endpoint)) return undefined;
    const endpoints = entry.endpoints.filter(({ label }) => !name.endpoint || label === name.endpoint);
    const targets = endpointTargets(endpoints, name, `${entry.name}.${entry.namespace}`);
    return targets.length > 0 ? { targets, hosts: [] } : undefined;
  }

  return {
    find(labels) {
      const namespace = labels.at(-1);
      if (namespace === undefined || !options.namespaceExists(namespace)) return undefined;
      if (labels.length === 1) return nothing;
      const name = parseExternalName(labels);
      const entry = name && services.get(namespace, name.service);
      if (!entry) return undefined;
      const outside = external.get(namespace, name.service);
      return outside ? publicTargets(entry, outside, name) : headlessTargets(entry, name);
    },
    namesOf: (address) => external.byAddress(address).map(({ name, namespace }) => `${name}.${namespace}`),
    ownAddresses() {
      const own = options.ownAddresses().flatMap((text) => canonicalAddress(text) ?? []);
      const fronts = new Set(own.flatMap((address) => services.byEndpointAddress(address)));
      if (fronts.size === 0) return own;
      const addresses = [...fronts].flatMap((entry) =>
        headless && entry.form === 'headless'
          ? entry.endpoints.map(({ address }) => address)
          : (external.get(entry.namespace, entry.name)?.addresses ?? []),
      );
      return [...new Set(addresses)];
    },
    all() {
      const shown = [...services.all()].flatMap((entry) => {
        const outside = external.get(entry.namespace, entry.name);
        return outside || (headless && entry.form === 'headless') ? [{ entry, external: outside }] : [];
      });
      const keyOf = ({ entry }: (typeof shown)[number]) => `${entry.namespace}/${entry.name}`;
      return shown.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    },
  };
}
