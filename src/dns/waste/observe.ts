/** Hears of the queries of a server block and counts those that search lists sent in vain. */
import type { Pod } from '../../kube/types/index.ts';
import type { Exchange } from '../plugins/plugin.ts';
import { type CountRepetition, notCounted } from '../plugins/repeat.ts';
import { foldCase, labelText, parseName } from '../wire/name.ts';
import { rcode } from '../wire/numbers.ts';
import { labelsOf, type Query } from '../wire/query.ts';
import type { WasteEvent, WasteLedger } from './ledger.ts';
import { groupId } from './page.ts';
import { type ClusterNames, searchMissOf } from './search-miss.ts';
import { workloadOf } from './workload.ts';

export interface WasteObserverOptions {
  /** Cluster domains, canonical. */
  readonly zones: readonly string[];
  readonly names: ClusterNames;
  /** The Pod that asks from an address, where Pods are known. */
  podAt(address: string): Pod | undefined;
  readonly ledger: WasteLedger;
}

/** The first labels of the name asked for, as an absolute name in lower case. */
function firstLabels({ packet }: Query, count: number): string {
  let name = '';
  let at = 12;
  for (let i = 0; i < count; i++) {
    const end = at + 1 + packet[at]!;
    name += `${labelText(packet, at + 1, end)}.`;
    at = end;
  }
  return foldCase(name);
}

/** Judgements that are remembered, and for how long, ms: Services come and go. */
const maxRemembered = 4096;
const rememberMs = 1000;
/** Names between two looks at the clock. */
const clockEvery = 64;

/** What a query of a client is; `event`: undefined when it is no waste. */
interface Judgement {
  readonly pod: Pod | undefined;
  readonly event: WasteEvent | undefined;
}

export interface WasteObserver {
  /** Costs one comparison for an answer that is not NXDOMAIN. */
  observe(exchange: Exchange): void;
  /** Counts repetitions of an answer, by the client of each. */
  repeated(exchange: Exchange): CountRepetition;
}

export function createWasteObserver(options: WasteObserverOptions): WasteObserver {
  const domains = options.zones.map((zone) => (parseName(zone) ?? []).map(foldCase));
  /** What was made of a query of a client: programs ask the same in vain again and again. */
  const remembered = new Map<string, Judgement>();
  let forgetAt = 0;
  let noted = 0;

  function forget(): void {
    const now = performance.now();
    if (now < forgetAt && remembered.size < maxRemembered) return;
    remembered.clear();
    forgetAt = now + rememberMs;
  }

  function judge(
    { query, client: { address } }: Pick<Exchange['context'], 'query' | 'client'>,
    pod: Pod | undefined,
  ): WasteEvent | undefined {
    const labels = labelsOf(query);
    const namespace = pod && (pod.metadata.namespace ?? 'default');
    for (const domain of domains) {
      const miss = searchMissOf(labels, domain, namespace, options.names);
      if (!miss) continue;
      const { stage, kind } = miss;
      const who = { address, namespace: namespace ?? miss.namespace, workload: pod ? workloadOf(pod) : '' };
      const what = { stage, kind, dots: miss.labels - 1, name: firstLabels(query, miss.labels) };
      return { ...who, ...what, group: groupId(who) };
    }
    return undefined;
  }

  function note({ query, client }: Pick<Exchange['context'], 'query' | 'client'>): void {
    if (++noted % clockEvery === 1 || remembered.size >= maxRemembered) forget();
    const id = client.address + query.key;
    const pod = options.podAt(client.address);
    let judgement = remembered.get(id);
    if (!judgement || judgement.pod !== pod) {
      judgement = { pod, event: judge({ query, client }, pod) };
      remembered.set(id, judgement);
    }
    if (judgement.event) options.ledger.count(judgement.event);
  }

  return {
    observe({ rcode: code, context }) {
      if (code === rcode.NXDOMAIN) note(context);
    },
    repeated({ rcode: code, context: { query, client } }) {
      if (code !== rcode.NXDOMAIN) return notCounted;
      return (_elapsed, address) => note({ query, client: { ...client, address } });
    },
  };
}
