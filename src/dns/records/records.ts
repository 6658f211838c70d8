/**
 * The names of a cluster, answered from its Services, EndpointSlices, Namespaces and Pods: the records of the
 * Kubernetes DNS specification 1.1.0, with the query semantics of CoreDNS' kubernetes plugin 1.14 where the
 * specification is silent.
 */
import { type Clock, systemClock } from '../../base/clock.ts';
import type { Diagnostic } from '../../base/diagnostics/index.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import { canonicalName, foldCase, parseName } from '../wire/name.ts';
import { createNegativeAnswers, type NegativeAnswers } from '../wire/negative.ts';
import { recordClass, recordType } from '../wire/numbers.ts';
import type { Query } from '../wire/query.ts';
import { type Answer, prepareAnswer, type ReadyAnswer } from '../wire/response.ts';
import type { Grammar } from './cluster-name.ts';
import type { ServiceEntry } from './entry.ts';
import { aliasFinding, followAliases } from './external-names.ts';
import { createPodIndex } from './index-of-pods.ts';
import { createServiceIndex, entryKey, type ServiceIndex, type ServiceIndexOptions } from './index-of-services.ts';
import { createReadyAnswers, type KeptAnswer } from './ready.ts';
import { createResolver, type Resolution, type Resolver } from './resolve.ts';

export type PodMode = 'insecure' | 'verified' | 'disabled';

export interface RecordsOptions {
  store: StoreReader;
  /** `cluster.local`, with or without its trailing dot. */
  clusterDomain: string;
  /** Of all records, seconds. Default 5. */
  ttl?: number;
  /**
   * Names of Pods (`10-0-0-1.ns.pod`): `insecure` answers any address in a namespace that exists, `verified` only when
   * a Pod there has it, `disabled` none.
   */
  podMode: PodMode;
  /** Reverse zones to answer PTR in, absolute and in lower case. Default `in-addr.arpa.` and `ip6.arpa.`. */
  reverseZones?: readonly string[];
  /** Endpoints without a hostname are named after their Pod instead of their address. Default false. */
  endpointPodNames?: boolean;
  /** ClusterIP Services without a ready endpoint do not exist. Default false. */
  ignoreEmptyServices?: boolean;
  /** Names beyond those of the specification. Default none. */
  grammar?: Grammar;
  /** What the Services of this zone are: default those of the store; a clusterset has its imports. */
  createIndex?: (options: ServiceIndexOptions) => ServiceIndex;
  /** Addresses at which this DNS server answers, for NS and `ns.dns`. Default none. */
  ownAddresses?: () => readonly string[];
  /** Answers kept in wire format. Default 20,000. */
  readyLimit?: number;
  /** Names that do not exist, kept like those. Default 10,000. */
  missingLimit?: number;
  clock?: Clock;
}

export interface Records extends Resolver {
  /** The cluster domain, absolute. */
  readonly zone: string;
  /** An answer made earlier for this very name and type, if it still holds. */
  ready(query: Query): KeptAnswer | undefined;
  /** Whether an answer given by `ready` still holds. */
  holds(answer: KeptAnswer): boolean;
  /** Makes a resolution an answer in wire format, kept for the next who asks when it comes from one Service. */
  prepare(query: Query, resolution: Resolution): ReadyAnswer;
  /** Serial of the SOA record: seconds since the epoch of the last change that DNS can show. */
  serial(): number;
  /** TTL of all records, seconds. */
  readonly ttl: number;
  /** The Services that have names here. */
  entries(): readonly ServiceEntry[];
  /** What is wrong with the names of this cluster. */
  diagnostics(): Diagnostic[];
  close(): void;
}

const keptTypes = new Set<number>([recordType.A, recordType.AAAA, recordType.SRV]);

export function createRecords(options: RecordsOptions): Records {
  const { store, podMode, clock = systemClock } = options;
  const zone = canonicalName(options.clusterDomain);
  const zoneLabels = (parseName(zone) ?? []).map(foldCase);
  const seconds = () => Math.floor(clock.now() / 1000) >>> 0;
  let serial = seconds();

  const ready = createReadyAnswers(options.readyLimit ?? 20_000);
  // Apart from those, so that names made up at random push out no others.
  const missing = createReadyAnswers(options.missingLimit ?? 10_000);
  const services = (options.createIndex ?? createServiceIndex)({
    store,
    endpointPodNames: options.endpointPodNames ?? false,
    onChange(entry) {
      ready.drop(entryKey(entry));
      missing.drop(entryKey(entry));
      serial = Math.max(serial, seconds());
    },
  });
  const pods = podMode === 'verified' ? createPodIndex(store) : undefined;

  const namespaceExists = (name: string): boolean =>
    services.hasNamespace(name) || store.get('namespaces', name) !== undefined;

  const resolver = createResolver({
    zone,
    ttl: options.ttl ?? 5,
    serial: () => serial,
    services,
    namespaceExists,
    podNames: podMode !== 'disabled',
    pods,
    ownAddresses: options.ownAddresses ?? (() => []),
    reverseZones: options.reverseZones ?? ['in-addr.arpa.', 'ip6.arpa.'],
    ignoreEmptyServices: options.ignoreEmptyServices ?? false,
    grammar: options.grammar ?? {},
  });

  /** By zone: the cluster's own, and the reverse zones. */
  const negatives = new Map<string, NegativeAnswers | undefined>();

  /** Most queries of Pods are for names that do not exist, since their search lists ask for them. */
  function prepareNegative(query: Query, { rcode, answers, authority, additional }: Answer): ReadyAnswer | undefined {
    const [soa] = authority;
    if (answers.length > 0 || authority.length !== 1 || additional.length > 0 || query.class !== recordClass.IN)
      return undefined;
    const name = foldCase(soa!.name);
    if (!negatives.has(name)) negatives.set(name, createNegativeAnswers(soa!));
    return negatives.get(name)?.(query, rcode);
  }

  return {
    zone,
    zoneOf: resolver.zoneOf,
    resolve(asked) {
      services.refresh();
      return resolver.resolve(asked);
    },
    ready(query) {
      services.refresh();
      if (query.class !== recordClass.IN) return undefined;
      return ready.get(query.type, query.key) ?? missing.get(query.type, query.key);
    },
    holds(answer) {
      services.refresh();
      return answer.holds;
    },
    prepare(query, resolution) {
      const { source, answers, authority, additional } = resolution;
      const answer = { rcode: resolution.rcode, authoritative: true, answers, authority, additional };
      const prepared = prepareNegative(query, answer) ?? prepareAnswer(query, answer, answers.length === 0);
      if (resolution.missing !== undefined && keptTypes.has(query.type) && query.class === recordClass.IN)
        missing.put(resolution.missing, query.type, query.key, prepared);
      const lasting = source && resolution.rcode === 0 && keptTypes.has(query.type) && query.class === recordClass.IN;
      const entry = lasting && services.get(source.namespace ?? 'default', source.name);
      // What an alias leads to may change without a change of the alias.
      if (entry && entry.form !== 'externalName') ready.put(entryKey(entry), query.type, query.key, prepared);
      return prepared;
    },
    serial: () => serial,
    ttl: options.ttl ?? 5,
    entries() {
      services.refresh();
      const empty = (e: ServiceEntry) =>
        options.ignoreEmptyServices && e.form === 'clusterIP' && e.endpoints.length === 0;
      return [...services.all()].filter((entry) => !empty(entry));
    },
    diagnostics() {
      services.refresh();
      const found: Diagnostic[] = [];
      // Asked for after every change, and hardly any of thousands has something to say.
      for (const entry of services.all()) {
        for (const finding of entry.findings) found.push(finding);
        const loop = entry.externalName && aliasFinding(entry, followAliases(entry, zoneLabels, services.get));
        if (loop) found.push(loop);
      }
      return found;
    },
    close() {
      services.close();
      pods?.close();
    },
  };
}
