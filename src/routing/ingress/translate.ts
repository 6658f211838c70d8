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
import { createFilteredList, createMappedList, type FilteredList, type MappedList } from '../incremental/sorted.ts';
import { type Certificate, type Listener, listenerId, type Provenance, type VirtualHost } from '../plan/plan.ts';
import type { StatusUpdate, Translator } from '../translate.ts';
import { createBackendResolver } from './backends.ts';
import { type ClassMemory, createClassMemory, selectIngresses } from './classes.ts';
import { createContext } from './context.ts';
import { buildHosts, createHostsMemory, type HostsMemory } from './hosts.ts';
import { compareMembers, createIngressRoster, type IngressMember, type IngressRoster, readingOf } from './members.ts';
import { abandonedStatus, servedStatus } from './status.ts';
import { createTlsMemory, type ServedCertificates, type TlsMemory } from './tls.ts';

/** What a translation leaves to the next one with the same cache. */
interface Memory {
  readonly roster: IngressRoster;
  readonly classes: ClassMemory;
  readonly freshness: Freshness;
  readonly hosts: HostsMemory;
  readonly tls: TlsMemory;
  /** Ingresses that are served, those that cannot be, and those of the former whose annotations there is something to say of. */
  readonly members: FilteredList<IngressMember>;
  readonly faulty: FilteredList<IngressMember>;
  readonly annotated: FilteredList<IngressMember>;
  readonly statuses: StatusMemory;
  listeners: readonly Listener[];
}

interface StatusMemory {
  /** Addresses that statuses show. */
  addresses: string;
  list: MappedList<IngressMember, StatusUpdate>;
}

function createMemory(): Memory {
  return {
    roster: createIngressRoster(),
    classes: createClassMemory(),
    freshness: createFreshness(),
    hosts: createHostsMemory(),
    tls: createTlsMemory(),
    members: createFilteredList(compareMembers),
    faulty: createFilteredList(compareMembers),
    annotated: createFilteredList(compareMembers),
    statuses: { addresses: '', list: createMappedList() },
    listeners: [],
  };
}

/** Translates all Ingresses of a store. */
export const translateIngress: Translator = (input) => {
  const context = createContext(input);
  const memory = input.cache?.of(createMemory) ?? createMemory();
  const { freshness } = memory;
  const resolver = createBackendResolver(context, freshness.begin(input), freshness.traffic);
  const { taken, others, classes } = selectIngresses(context, memory.roster.update(context), memory.classes);
  const members = memory.members.update(taken, (member) => !readingOf(context, member).isFaulty);
  const faulty = memory.faulty.update(taken, (member) => readingOf(context, member).isFaulty);
  for (const { reading } of faulty) addFindings(context, reading!.findings);
  const hosts = buildHosts({ context, members, resolver, freshness, memory: memory.hosts });
  const served = memory.tls.collect(context, members);
  const annotated = memory.annotated.update(members, ({ reading }) => reading!.annotations.length > 0);
  for (const { reading } of annotated) addFindings(context, reading!.annotations);
  const addresses = input.addresses.ingress();
  const listeners = addresses.flatMap((address) => listenersOn(address, hosts, served, classes));
  memory.listeners = keepEqual(listeners, memory.listeners);
  return {
    listeners: memory.listeners,
    backends: memory.hosts.backends.sorted(),
    certificates: served?.certificates ?? noCertificates,
    statuses: statusesOf(memory.statuses, members, [...others, ...faulty], {
      published: input.addresses.ingressPublished?.() ?? addresses,
      isServed: addresses.length > 0,
    }),
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
  memory: StatusMemory,
  members: readonly IngressMember[],
  others: readonly IngressMember[],
  { published, isServed }: { readonly published: readonly string[]; readonly isServed: boolean },
): readonly StatusUpdate[] {
  const shown = isServed ? published : [];
  if (shown.join(' ') !== memory.addresses) {
    memory.addresses = shown.join(' ');
    memory.list = createMappedList();
  }
  const served = memory.list.update(members, ({ object }) => servedStatus(object, shown));
  const cleared = others.flatMap(({ object }) => abandonedStatus(object, published) ?? []);
  return cleared.length > 0 ? [...served, ...cleared] : served;
}
