/**
 * The names that a cluster's DNS serves, with the object that each record comes from: every name that the objects make
 * is asked of the same resolver that answers queries.
 */
import { isIP } from 'node:net';
import type { ObjectRef } from '../../base/diagnostics/index.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { podAddresses } from '../../dns/records/index-of-pods.ts';
import { createRecords, type PodMode, type Records } from '../../dns/records/records.ts';
import type { Resolution } from '../../dns/records/resolve.ts';
import { createSharedIndex } from '../../dns/records/shared-index.ts';
import { clusterZone } from '../../dns/records/transfer.ts';
import { createWhy } from '../../dns/trace/why-kubernetes.ts';
import { addressOfReverse, reverseName } from '../../dns/wire/address.ts';
import { encodeQuery } from '../../dns/wire/ask.ts';
import type { ResourceRecord } from '../../dns/wire/message.ts';
import { canonicalName, foldCase, keyOfName, parseName } from '../../dns/wire/name.ts';
import { recordType, typeName } from '../../dns/wire/numbers.ts';
import { parseQuery } from '../../dns/wire/query.ts';
import { dataText } from '../../dns/wire/records.ts';
import { refOf } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { Pod } from '../../kube/types/index.ts';
import { createEndpointSources, type EndpointSource } from './endpoint-sources.ts';

export interface ServedRecord {
  /** Absolute. */
  readonly name: string;
  readonly type: string;
  /** Seconds. */
  readonly ttl: number;
  /** In the form of a zone file. */
  readonly data: string;
  /** The object that makes the name; absent for names of the zone itself. */
  readonly from?: ObjectRef;
  /** Behind an address of an endpoint. */
  readonly endpoint?: EndpointSource;
}

export interface ServedOptions {
  readonly store: StoreReader;
  /** `cluster.local`. */
  readonly clusterDomain: string;
  /** Seconds. Default 5. */
  readonly ttl?: number;
  /** Default `insecure`, as kubeadm has it. Pods' names are found by name and never listed. */
  readonly podMode?: PodMode;
  readonly endpointPodNames?: boolean;
  readonly ignoreEmptyServices?: boolean;
}

export interface Served {
  /** Records of all Services of a namespace, or of all namespaces. */
  list(namespace?: string): ServedRecord[];
  /** Records of one Service; undefined when there is none of that name. */
  service(namespace: string, name: string): ServedRecord[] | undefined;
  /**
   * Records of one name: absolute, or as a Pod of the namespace would write it; of an address, its names. The error says
   * why there is no such name.
   */
  name(text: string, namespace: string): Result<ServedRecord[], string>;
  close(): void;
}

interface Question {
  readonly name: string;
  readonly type: number;
}

const nameTypes = [
  ...[recordType.A, recordType.AAAA, recordType.CNAME, recordType.SRV, recordType.PTR],
  ...[recordType.NS, recordType.SOA, recordType.TXT],
];

/** Every name and type that a zone transfer would have, once: the questions to which there are answers. */
function questionsOf(records: Records): Question[] {
  const questions = new Map<string, Question>();
  for (const { name, type } of clusterZone(records).records()) questions.set(`${type} ${name}`, { name, type });
  return [...questions.values()];
}

const ownerOf = ({ from }: ServedRecord): string => (from ? foldCase(`${from.namespace}/${from.name}`) : '');

/** What a name may mean, in the order in which a Pod of the namespace would try it. */
function candidates(text: string, namespace: string, zone: string): string[] {
  if (isIP(text) !== 0) return [reverseName(text) ?? ''];
  const bare = text.replace(/\.$/, '');
  if (text.endsWith('.')) return [canonicalName(text)];
  return [`${bare}.${namespace}.svc.${zone}`, `${bare}.svc.${zone}`, `${bare}.${zone}`, `${bare}.`].map(foldCase);
}

export function createServed(options: ServedOptions): Served {
  const { store, clusterDomain, podMode = 'insecure', endpointPodNames = false } = options;
  const shared = createSharedIndex({ store, endpointPodNames });
  const records: Records = createRecords({
    ...{ store, clusterDomain, podMode, endpointPodNames, createIndex: shared.open },
    ...(options.ttl !== undefined && { ttl: options.ttl }),
    ...(options.ignoreEmptyServices !== undefined && { ignoreEmptyServices: options.ignoreEmptyServices }),
  });
  const reverseZones = ['in-addr.arpa.', 'ip6.arpa.'];
  const why = createWhy({
    ...{ zones: [records.zone], reverseZones, services: shared.index, store, everything: store, podMode },
    synced: () => true,
  });
  const sources = createEndpointSources(store);

  const labelsIn = (name: string): string[] => (parseName(name) ?? []).map(foldCase);
  const ask = ({ name, type }: Question): Resolution | undefined =>
    records.resolve({ name, type, labels: labelsIn(name) });

  /** A name of an address is made by what makes the name that it leads to; one of a Pod by the Pod, where it is verified. */
  function makerOf({ name, type, data }: ResourceRecord): ObjectRef | undefined {
    if (data.kind === 'name' && type === recordType.PTR) return ask({ name: data.target, type: recordType.A })?.source;
    if (data.kind !== 'address' || podMode !== 'verified') return undefined;
    const pod = store.list<Pod>('pods', labelsIn(name)[1]).find((one) => podAddresses(one).includes(data.address));
    return pod && refOf(pod);
  }

  function rowsOf(question: Question, resolution: Resolution | undefined): ServedRecord[] {
    const own = (resolution?.answers ?? []).filter(
      (record) => record.type === question.type && foldCase(record.name) === foldCase(question.name),
    );
    return own.map((record) => {
      const from = resolution!.source ?? makerOf(record);
      const address = record.data.kind === 'address' ? record.data.address : addressOfReverse(labelsIn(record.name));
      const endpoint = address === undefined ? undefined : sources.at(from, address);
      return {
        ...{ name: record.name, type: typeName(record.type), ttl: record.ttl, data: dataText(record.data) },
        ...(from && { from }),
        ...(endpoint && { endpoint }),
      };
    });
  }

  /** The name of an address, when it is the one that the record gives to it. */
  function pointer({ name, data, from, endpoint }: ServedRecord): ServedRecord[] {
    const reverse = reverseName(data);
    if (reverse === undefined) return [];
    const question = { name: reverse, type: recordType.PTR };
    return rowsOf(question, ask(question))
      .filter((row) => row.data === name)
      .map((row) => ({ ...row, ...(from && { from }), ...(endpoint && { endpoint }) }));
  }

  /** By owner; first the records of its names, then the names of its addresses. */
  function all(): ServedRecord[] {
    const rows = questionsOf(records)
      .flatMap((question) => rowsOf(question, ask(question)))
      .filter(({ from }) => from !== undefined);
    const pointers = rows.filter(({ type }) => type === 'A' || type === 'AAAA').flatMap(pointer);
    return [...rows, ...pointers].sort((a, b) => (ownerOf(a) < ownerOf(b) ? -1 : ownerOf(a) > ownerOf(b) ? 1 : 0));
  }

  /** The meaning that the form of the name speaks for, to say why it does not exist. */
  function intended(text: string, namespace: string): string {
    const [own, service, inside, whole] = candidates(text, namespace, records.zone) as [
      string,
      string?,
      string?,
      string?,
    ];
    const bare = foldCase(text.replace(/\.$/, ''));
    if (service === undefined || `${bare}.`.endsWith(`.${records.zone}`)) return whole ?? own;
    if (/\.(svc|pod)$/.test(bare)) return inside!;
    const last = bare.slice(bare.lastIndexOf('.') + 1);
    return bare.includes('.') && !shared.index.get(foldCase(namespace), last) ? service : own;
  }

  function whyNot(name: string): string {
    const parsed = parseQuery(encodeQuery(name, recordType.A));
    const client = { address: '127.0.0.1', port: 0, protocol: 'local' } as const;
    const resolve = () => Promise.resolve(undefined);
    return (parsed.ok && why({ query: parsed.query, client, resolve })) || 'no such name';
  }

  return {
    list: (namespace) => all().filter(({ from }) => namespace === undefined || from?.namespace === namespace),
    service(namespace, name) {
      shared.index.refresh();
      if (!shared.index.get(foldCase(namespace), foldCase(name))) return undefined;
      const owner = foldCase(`${namespace}/${name}`);
      return all().filter((row) => ownerOf(row) === owner);
    },
    name(text, namespace) {
      const names = candidates(text, namespace, records.zone).filter((name) => keyOfName(name) !== undefined);
      const found = names.find((name) => ask({ name, type: recordType.A })?.rcode === 0);
      if (found === undefined)
        return err(names.length === 0 ? 'no such name can exist' : whyNot(intended(text, namespace)));
      return ok(nameTypes.flatMap((type) => rowsOf({ name: found, type }, ask({ name: found, type }))));
    },
    close() {
      records.close();
      shared.close();
    },
  };
}
