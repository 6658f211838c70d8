/**
 * networking.k8s.io/v1 Ingress to plan. The dialect is the API's own: Exact and Prefix as the field's table has them,
 * ImplementationSpecific as Prefix, a wildcard host for exactly one label, the default backend for what no path takes.
 * HTTP is served beside HTTPS and not redirected to it: nothing in the API asks for that. Port 80 answers 404 also when
 * there is no Ingress (any more), as a controller's door does. Every host answers on both ports; port 443 exists once a TLS section has a usable certificate, and clients that ask for another name are
 * refused, since there is no default certificate.
 */
import { addFindings, withoutRepeats } from '../incremental/capture.ts';
import { createFreshness, type Freshness } from '../incremental/freshness.ts';
import { keepEqual } from '../incremental/listeners.ts';
import { type Certificate, type Listener, listenerId, type Provenance, type VirtualHost } from '../plan/plan.ts';
import type { StatusUpdate, Translator } from '../translate.ts';
import { createBackendResolver } from './backends.ts';
import { type ClassMemory, createClassMemory, selectIngresses } from './classes.ts';
import { createContext } from './context.ts';
import { buildHosts, createHostsMemory, type HostsMemory } from './hosts.ts';
import { createIngressRoster, type IngressMember, type IngressRoster, readingOf } from './members.ts';
import { abandonedStatus, servedStatus } from './status.ts';
import { createTlsMemory, type ServedCertificates, type TlsMemory } from './tls.ts';

/** What a translation leaves to the next one with the same cache. */
interface Memory {
  readonly roster: IngressRoster;
  readonly classes: ClassMemory;
  readonly freshness: Freshness;
  readonly hosts: HostsMemory;
  readonly tls: TlsMemory;
  listeners: readonly Listener[];
}

function createMemory(): Memory {
  return {
    roster: createIngressRoster(),
    classes: createClassMemory(),
    freshness: createFreshness(),
    hosts: createHostsMemory(),
    tls: createTlsMemory(),
    listeners: [],
  };
}

/** Translates all Ingresses of a store. */
export const translateIngress: Translator = (input) => {
  const context = createContext(input);
  const memory = input.cache?.of(createMemory) ?? createMemory();
  const { freshness } = memory;
  const resolver = createBackendResolver(context, freshness.begin(input));
  const { taken, others, classes } = selectIngresses(context, memory.roster.update(context), memory.classes);
  const members: IngressMember[] = [];
  const faulty: IngressMember[] = [];
  for (const member of taken) (readingOf(context, member).isFaulty ? faulty : members).push(member);
  for (const { reading } of faulty) addFindings(context, reading!.findings);
  const hosts = buildHosts({ context, members, resolver, freshness, memory: memory.hosts });
  const served = memory.tls.collect(context, members);
  for (const { reading } of members) addFindings(context, reading!.annotations);
  const addresses = input.addresses.ingress();
  const listeners = addresses.flatMap((address) => listenersOn(address, hosts, served, classes));
  memory.listeners = listeners.map((listener) => keepEqual(listener, memory.listeners));
  return {
    listeners: memory.listeners,
    backends: memory.hosts.backends.sorted(),
    certificates: served?.certificates ?? noCertificates,
    statuses: statusesOf(members, [...others, ...faulty], addresses),
    diagnostics: withoutRepeats(context.findings),
  };
};

/** The same list each time, so that who has it knows that nothing changed. */
const noCertificates: readonly Certificate[] = [];

function listenersOn(
  address: string,
  hosts: readonly VirtualHost[],
  served: ServedCertificates | undefined,
  sources: readonly Provenance[],
): Listener[] {
  const http: Listener = { id: listenerId(address, 80, 'HTTP'), address, port: 80, protocol: 'HTTP', hosts, sources };
  if (!served) return [http];
  const id = listenerId(address, 443, 'HTTPS');
  return [http, { id, address, port: 443, protocol: 'HTTPS', tls: served.tls, hosts, sources }];
}

function statusesOf(
  members: readonly IngressMember[],
  others: readonly IngressMember[],
  addresses: readonly string[],
): StatusUpdate[] {
  const list = addresses.join(' ');
  const statuses = members.map((member) => {
    if (member.status?.addresses !== list)
      member.status = { update: servedStatus(member.object, addresses), addresses: list };
    return member.status.update;
  });
  for (const { object } of others) {
    const cleared = abandonedStatus(object, addresses);
    if (cleared) statuses.push(cleared);
  }
  return statuses;
}
