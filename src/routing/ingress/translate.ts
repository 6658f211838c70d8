/**
 * networking.k8s.io/v1 Ingress to plan, in two dialects. That of Fairway is the API's own: Exact and Prefix as the field's
 * table has them, ImplementationSpecific as Prefix, a wildcard host for exactly one label, the default backend for what no
 * path takes; HTTP is served beside HTTPS and not redirected to it, since nothing in the API asks for that, and clients
 * that ask port 443 for a name without a certificate are refused. That of ingress-nginx is in ingress-nginx/. Port 80
 * answers 404 also when there is no Ingress (any more), as a controller's door does; every host answers on both ports.
 */

import { equalJson } from '../../kube/objects.ts';
import type { IngressClass } from '../../kube/types/index.ts';
import { addFindings, withoutRepeats } from '../incremental/capture.ts';
import { createFreshness, type Freshness } from '../incremental/freshness.ts';
import { keepEqual } from '../incremental/listeners.ts';
import { createFilteredList, createMappedList, type FilteredList, type MappedList } from '../incremental/sorted.ts';
import { createSettingsMemory, type NginxSettings, type SettingsMemory } from '../ingress-nginx/config/settings.ts';
import { nginxClass, nginxController } from '../ingress-nginx/flags.ts';
import { createListenerCertificates, type ListenerCertificates } from '../ingress-nginx/listener-tls.ts';
import { passthroughListeners } from '../ingress-nginx/passthrough.ts';
import { createScope, type NginxScope } from '../ingress-nginx/scope.ts';
import { stampOf } from '../ingress-nginx/servers.ts';
import { createNginxTlsMemory, type HostCertificates, type NginxTlsMemory } from '../ingress-nginx/tls.ts';
import {
  type Backend,
  type Certificate,
  type Listener,
  type ListenerTls,
  listenerId,
  type Provenance,
  type StreamListener,
  type VirtualHost,
} from '../plan/plan.ts';
import type { StatusUpdate, TranslateInput, Translator } from '../translate.ts';
import { createBackendResolver } from './backends.ts';
import { createClassBook } from './class-claim.ts';
import { type ClassMemory, createClassMemory, selectIngresses } from './classes.ts';
import { createContext } from './context.ts';
import { dialectOfUnit, type HostUnit } from './host-unit.ts';
import { assignHosts, buildHosts, createHostsMemory, forgetHosts, type HostsInput, type HostsMemory } from './hosts.ts';
import { compareMembers, createIngressRoster, type IngressMember, type IngressRoster, readingOf } from './members.ts';
import { shutMembers } from './shut.ts';
import { abandonedStatus, servedStatus } from './status.ts';
import { createTlsMemory, type ServedCertificates, type TlsMemory } from './tls.ts';

/** What a translation leaves to the next one with the same cache. */
interface Memory {
  readonly roster: IngressRoster;
  readonly classes: ClassMemory;
  readonly freshness: Freshness;
  readonly hosts: HostsMemory;
  readonly tls: TlsMemory;
  readonly nginxTls: NginxTlsMemory;
  readonly served: ListenerCertificates;
  /** What the hosts of ingress-nginx were built with. */
  shared: { readonly flags: unknown; readonly config: unknown; readonly certificates: HostCertificates | undefined };
  readonly settings: SettingsMemory;
  /** Backends of hosts and of streams in one list, and what it was made of. */
  backends: { readonly of: readonly Backend[]; readonly and: readonly Backend[]; readonly all: readonly Backend[] };
  /** Ingresses that are served, those that cannot be, and those of the former whose annotations there is something to say of. */
  readonly members: FilteredList<IngressMember>;
  readonly faulty: FilteredList<IngressMember>;
  /** Those served in the dialect of Fairway. */
  readonly own: FilteredList<IngressMember>;
  readonly annotated: FilteredList<IngressMember>;
  readonly statuses: StatusMemory;
  listeners: readonly Listener[];
  streams: readonly StreamListener[];
}

interface StatusMemory {
  /** Addresses that statuses show. */
  addresses: string;
  list: MappedList<IngressMember, StatusUpdate>;
  /** Of Ingresses with locations that are shut, each with what it says of that. */
  shut: ReadonlyMap<IngressMember, ShutStatus>;
}

interface ShutStatus {
  readonly error: string;
  readonly status: StatusUpdate;
}

function createMemory(): Memory {
  return {
    roster: createIngressRoster(),
    classes: createClassMemory(),
    freshness: createFreshness(),
    hosts: createHostsMemory(),
    tls: createTlsMemory(),
    nginxTls: createNginxTlsMemory(),
    served: createListenerCertificates(),
    shared: { flags: undefined, config: undefined, certificates: undefined },
    settings: createSettingsMemory(),
    backends: { of: [], and: [], all: [] },
    members: createFilteredList(compareMembers),
    faulty: createFilteredList(compareMembers),
    own: createFilteredList(compareMembers),
    annotated: createFilteredList(compareMembers),
    statuses: { addresses: '', list: createMappedList(), shut: new Map() },
    listeners: [],
    streams: [],
  };
}

/** Translates all Ingresses of a store. */
export const translateIngress: Translator = (input) => {
  const context = createContext(input);
  const memory = input.cache?.of(createMemory) ?? createMemory();
  const { freshness } = memory;
  const resolver = createBackendResolver(context, freshness.begin(input), freshness.traffic);
  const book = createClassBook(input.store, input.ingressNginx);
  const all = memory.roster.update(context, book);
  const { taken, others, classes } = selectIngresses(context, book, all, memory.classes);
  const members = memory.members.update(taken, (member) => !readingOf(context, member).isFaulty);
  const faulty = memory.faulty.update(taken, (member) => readingOf(context, member).isFaulty);
  for (const { reading } of faulty) addFindings(context, reading!.findings);
  const hostsInput = { context, members, resolver, freshness, memory: memory.hosts };
  const assigned = assignHosts(hostsInput);
  const isServer = (hostname: string) => isNginx(memory.hosts.units.get(hostname));
  const certificates = memory.nginxTls.collect(context, members, isServer);
  const own = memory.own.update(members, ({ claim }) => claim.dialect === 'fairway');
  const usesNginx = own.length < members.length || book.classes.some((each) => isNginxClass(each, input));
  const settings = memory.settings.update(context, input.ingressNginx ?? noFlags, usesNginx);
  const { config } = settings;
  const scope = createScope(input.ingressNginx, config, certificates, defaultServer(input));
  followShared(memory, hostsInput, scope);
  const hosts = buildHosts(hostsInput, assigned, scope);
  const served = memory.served.update({
    own: memory.tls.collect(context, own),
    servers: certificates,
    otherNames: memory.hosts.others.owners(),
    validations: memory.hosts.validations,
    fallback: own.length < members.length && !config.sslRejectHandshake ? input.selfSigned?.() : undefined,
  });
  const annotated = memory.annotated.update(members, ({ reading }) => reading!.annotations.length > 0);
  for (const { reading } of annotated) addFindings(context, reading!.annotations);
  const addresses = input.addresses.ingress();
  const listeners = addresses.flatMap((address) => listenersOn(address, hosts, served, classes, settings));
  memory.listeners = keepEqual(listeners, memory.listeners);
  const passed = [...memory.hosts.passed.values()].sort((a, b) => (a.serverName < b.serverName ? -1 : 1));
  const passing = passthroughListeners(addresses, passed, listeners, classes);
  memory.streams = keepStreams([...passing, ...settings.carried.streams], memory.streams);
  return {
    listeners: memory.listeners,
    ...(memory.streams.length > 0 && { streams: memory.streams }),
    backends: withStreams(memory, settings),
    certificates: served?.certificates ?? noCertificates,
    statuses: statusesOf(memory.statuses, members, [...others, ...faulty], {
      published: input.addresses.ingressPublished?.() ?? addresses,
      isServed: addresses.length > 0,
      shut: shutMembers(memory.hosts.shut),
    }),
    diagnostics: withoutRepeats(context.findings),
  };
};

const isNginx = (unit: HostUnit | undefined) => unit !== undefined && dialectOfUnit(unit) === 'ingress-nginx';

/** Where the default server of ingress-nginx comes from. */
function defaultServer({ ingressNginx }: TranslateInput): Provenance {
  const name = ingressNginx?.ingressClass ?? nginxClass;
  return { object: { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', name } };
}

/** Hosts of ingress-nginx are to be built anew when what they have in common is another for them. */
function followShared(memory: Memory, input: HostsInput, scope: NginxScope): void {
  const { shared } = memory;
  const now = { flags: input.context.input.ingressNginx, config: scope.config, certificates: scope.certificates };
  memory.shared = now;
  const isOther = shared.flags !== now.flags || shared.config !== now.config;
  if (!isOther && shared.certificates === now.certificates) return;
  forgetHosts(input, (unit) => {
    if (!isNginx(unit)) return false;
    return isOther || !!unit.built?.others?.length || unit.built?.stamp !== stampOf(scope, unit.hostname);
  });
}

/** Streams that are equal to those of before are the same. */
function keepStreams(now: readonly StreamListener[], before: readonly StreamListener[]): readonly StreamListener[] {
  return equalJson(now, before) ? before : now;
}

const noFlags: NonNullable<TranslateInput['ingressNginx']> = {};

/** The same list each time, so that who has it knows that nothing changed. */
const noCertificates: readonly Certificate[] = [];

function listenersOn(
  address: string,
  hosts: readonly VirtualHost[],
  served: ServedCertificates | undefined,
  sources: readonly Provenance[],
  { config: { trustedProxies, tls, logFormat } }: NginxSettings,
): Listener[] {
  const place = (port: number, protocol: Listener['protocol']) => ({
    ...{ id: listenerId(address, port, protocol), address, port, protocol },
    ...(trustedProxies.length > 0 && { trustedProxies }),
    ...(logFormat && { logFormat }),
  });
  const http: Listener = { ...place(80, 'HTTP'), hosts, sources };
  if (!served) return [http];
  return [http, { ...place(443, 'HTTPS'), tls: withTlsSettings(served.tls, tls), hosts, sources }];
}

/** The same one where nothing is said; listeners with thousands of names are told apart by it. */
function withTlsSettings(served: ListenerTls, said: NginxSettings['config']['tls']): ListenerTls {
  if (Object.keys(said).length === 0) return served;
  const known = settled.get(served);
  if (known?.said === said) return known.tls;
  const tls = { ...served, ...said };
  settled.set(served, { said, tls });
  return tls;
}

const settled = new WeakMap<ListenerTls, { readonly said: unknown; readonly tls: ListenerTls }>();

function isNginxClass({ spec }: IngressClass, { ingressNginx }: TranslateInput): boolean {
  return spec?.controller === (ingressNginx?.controllerClass ?? nginxController);
}

/** The same list for as long as both parts are. */
function withStreams(memory: Memory, { carried }: NginxSettings): readonly Backend[] {
  const of = memory.hosts.backends.sorted();
  const and = carried.backends;
  if (and.length === 0) return of;
  if (memory.backends.of !== of || memory.backends.and !== and) memory.backends = { of, and, all: [...of, ...and] };
  return memory.backends.all;
}

interface Publishing {
  readonly published: readonly string[];
  readonly isServed: boolean;
  /** Ingresses with locations that are shut, and the error that their status has. */
  readonly shut: ReadonlyMap<IngressMember, string>;
}

function statusesOf(
  memory: StatusMemory,
  members: readonly IngressMember[],
  others: readonly IngressMember[],
  { published, isServed, shut }: Publishing,
): readonly StatusUpdate[] {
  const shown = isServed ? published : [];
  if (shown.join(' ') !== memory.addresses) {
    memory.addresses = shown.join(' ');
    memory.list = createMappedList();
    memory.shut = new Map();
  }
  memory.shut = new Map(
    [...shut].map(([member, error]) => {
      const known = memory.shut.get(member);
      return [member, known?.error === error ? known : { error, status: servedStatus(member.object, shown, error) }];
    }),
  );
  const open = memory.list.update(members, ({ object }) => servedStatus(object, shown));
  const served = shut.size === 0 ? open : open.map((status, i) => memory.shut.get(members[i]!)?.status ?? status);
  const cleared = others.flatMap(({ object }) => abandonedStatus(object, published) ?? []);
  return cleared.length > 0 ? [...served, ...cleared] : served;
}
