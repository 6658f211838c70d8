/**
 * The names of a cluster, answered from its Services, EndpointSlices, Namespaces and Pods: the records of the
 * Kubernetes DNS specification 1.1.0, with the query semantics of CoreDNS' kubernetes plugin 1.14 where the
 * specification is silent.
 */
import { type Clock, systemClock } from '../../base/clock.ts';
import type { Diagnostic } from '../../base/diagnostics/index.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import { canonicalName, foldCase, parseName } from '../wire/name.ts';
import { recordType } from '../wire/numbers.ts';
import type { Query } from '../wire/query.ts';
import { prepareAnswer, type ReadyAnswer } from '../wire/response.ts';
import { aliasFinding, followAliases } from './external-names.ts';
import { createPodIndex } from './index-of-pods.ts';
import { createServiceIndex, entryKey } from './index-of-services.ts';
import { createReadyAnswers } from './ready.ts';
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
  /** Addresses at which this DNS server answers, for NS and `ns.dns`. Default none. */
  ownAddresses?: () => readonly string[];
  /** Answers kept in wire format. Default 20,000. */
  readyLimit?: number;
  clock?: Clock;
}

export interface Records extends Resolver {
  /** The cluster domain, absolute. */
  readonly zone: string;
  /** An answer made earlier for this very name and type, if it still holds. */
  ready(query: Query): ReadyAnswer | undefined;
  /** Makes a resolution an answer in wire format, kept for the next who asks when it comes from one Service. */
  prepare(query: Query, resolution: Resolution): ReadyAnswer;
  /** Serial of the SOA record: seconds since the epoch of the last change that DNS can show. */
  serial(): number;
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
  const services = createServiceIndex({
    store,
    endpointPodNames: options.endpointPodNames ?? false,
    onChange(entry) {
      ready.drop(entryKey(entry));
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
  });

  return {
    zone,
    zoneOf: resolver.zoneOf,
    resolve(asked) {
      services.refresh();
      return resolver.resolve(asked);
    },
    ready(query) {
      services.refresh();
      return ready.get(query.type, query.key);
    },
    prepare(query, resolution) {
      const { source, answers, authority, additional } = resolution;
      const answer = { rcode: resolution.rcode, authoritative: true, answers, authority, additional };
      const prepared = prepareAnswer(query, answer, answers.length === 0);
      const lasting = source && resolution.rcode === 0 && keptTypes.has(query.type) && query.class === 1;
      const entry = lasting && services.get(source.namespace ?? 'default', source.name);
      // What an alias leads to may change without a change of the alias.
      if (entry && entry.form !== 'externalName') ready.put(entryKey(entry), query.type, query.key, prepared);
      return prepared;
    },
    serial: () => serial,
    diagnostics() {
      services.refresh();
      return [...services.all()].flatMap((entry) => {
        const loop = entry.externalName && aliasFinding(entry, followAliases(entry, zoneLabels, services.get));
        return [...entry.findings, ...(loop ? [loop] : [])];
      });
    },
    close() {
      services.close();
      pods?.close();
    },
  };
}
