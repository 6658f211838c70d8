/** Answers from zones that are read from files. */
import type { ResourceRecord } from '../../wire/message.ts';
import { keyOfName } from '../../wire/name.ts';
import { rcode, recordType } from '../../wire/numbers.ts';
import { nameOf, type Query } from '../../wire/query.ts';
import { type Answer, prepareAnswer, type ReadyAnswer } from '../../wire/response.ts';
import { type Handler, type MaybePromise, type Plugin, type QueryContext, type Reply, unwritten } from '../plugin.ts';
import { over, unchanged } from '../repeat.ts';
import { createZoneMatcher, type Fallthrough } from '../zones.ts';
import { type LookedUp, lookUp, wildcardOf } from './lookup.ts';
import type { ZoneSource } from './source.ts';
import type { Zone } from './zone.ts';

export interface ServedZone {
  readonly source: ZoneSource;
  readonly fallthrough: Fallthrough;
}

export interface FileOptions {
  /** By zone, canonical. */
  readonly zones: ReadonlyMap<string, ServedZone>;
  /** Answers kept in wire format for each zone. Default 20,000. */
  readonly readyLimit?: number;
}

/** SOA aside: the name servers first, then name by name, each set with its signatures. */
export function* recordsOf({ apex, nodes }: Zone): Generator<ResourceRecord> {
  const first = [recordType.SOA, recordType.NS] as const;
  for (const type of first) {
    if (type !== recordType.SOA) yield* apex.sets.get(type) ?? [];
    yield* apex.signatures.get(type) ?? [];
  }
  for (const node of nodes.values()) {
    for (const map of [node.sets, node.signatures])
      for (const [type, records] of map) if (node !== apex || !first.some((sent) => sent === type)) yield* records;
  }
}

/** Whether a query that nobody answered was at least asked of somebody: then that it failed is no answer. */
const asksOthers = ({ scope }: QueryContext) => scope?.plugins.some((plugin) => plugin.upstreams) ?? false;

export function createFile({ zones, readyLimit = 20_000 }: FileOptions): Plugin {
  const matchZone = createZoneMatcher([...zones.keys()]);
  /** Answers that stay what they are as long as their zone, which goes with them. */
  const kept = new WeakMap<Zone, Map<string, ReadyAnswer>>();

  /** The zone of a query; the DS records of a zone are in the one above it. */
  function zoneFor({ key, type }: Query): string | undefined {
    const found = matchZone(key);
    if (found === undefined || type !== recordType.DS || key.length <= 1 || keyOfName(found) !== key) return found;
    return matchZone(key.slice(key.charCodeAt(0) + 1)) ?? found;
  }

  /** An answer that stays what it is until another zone comes. */
  function ready({ source }: ServedZone, zone: Zone, answer: ReadyAnswer): Reply {
    const repeat = { again: () => (source.zone() === zone ? unchanged : over) };
    return { kind: 'ready', by: 'file', ready: answer, serial: zone.serial, repeat };
  }

  function keep(query: Query, zone: Zone, cacheKey: string, answer: Answer): ReadyAnswer {
    const prepared = prepareAnswer(query, answer, false);
    const answers = kept.get(zone) ?? new Map<string, ReadyAnswer>();
    kept.set(zone, answers);
    if (answers.size < readyLimit) answers.set(cacheKey, prepared);
    return prepared;
  }

  /** Adds what others know of the name that an alias leads to; their rcode is that of the whole (RFC 6604). */
  async function followOut(context: QueryContext, found: LookedUp & { continueAt: string }): Promise<Reply> {
    const outside = await context.resolve(found.continueAt, context.query.type);
    const unknown = asksOthers(context) ? rcode.SERVFAIL : rcode.NOERROR;
    const code = outside?.rcode ?? unknown;
    const passed = code === rcode.NXDOMAIN || code === rcode.SERVFAIL ? code : rcode.NOERROR;
    const denied = outside && (passed === rcode.NXDOMAIN || outside.answers.length === 0);
    const answers = [...found.answers, ...(outside?.answers ?? [])];
    const authority = denied ? outside.authority.filter(({ type }) => type === recordType.SOA) : found.authority;
    const { authoritative, additional } = found;
    return { kind: 'answer', by: 'file', answer: { rcode: passed, authoritative, answers, authority, additional } };
  }

  function handle(context: QueryContext, next: Handler): MaybePromise<Reply> {
    const { query, client } = context;
    const name = zoneFor(query);
    if (name === undefined) return next(context);
    if (query.type === recordType.AXFR || query.type === recordType.IXFR)
      return unwritten(rcode.REFUSED, undefined, 'file');
    const served = zones.get(name)!;
    const zone = served.source.zone();
    if (!zone) return unwritten(rcode.SERVFAIL, `the file of zone ${name} could not be read yet`, 'file');
    const dnssec = query.edns?.dnssecOk ?? false;
    const whole = query.type === recordType.ANY && client.protocol !== 'udp';
    const cacheKey = `${query.type} ${dnssec} ${whole} ${query.key}`;
    const known = kept.get(zone)?.get(cacheKey);
    if (known) return ready(served, zone, known);
    const found = lookUp(zone, { key: query.key, name: nameOf(query), type: query.type, dnssec, whole });
    if (found.missing && found.answers.length === 0 && served.fallthrough(query)) return next(context);
    if (found.continueAt !== undefined) return followOut(context, { ...found, continueAt: found.continueAt });
    const { rcode: code, authoritative, answers, authority, additional } = found;
    const answer = { rcode: code, authoritative, answers, authority, additional };
    if (!found.lasting) return { kind: 'answer', by: 'file', answer };
    return ready(served, zone, keep(query, zone, cacheKey, answer));
  }

  function wildcardFor({ query }: QueryContext): string | undefined {
    const zone = zones.get(zoneFor(query) ?? '')?.source.zone();
    return zone && wildcardOf(zone, query.key, query.type);
  }

  return {
    name: 'file',
    handle,
    repeats: true,
    metadata: (context, publish) => publish('zone/wildcard', () => wildcardFor(context) ?? ''),
    why(context) {
      const name = zoneFor(context.query);
      if (name === undefined) return undefined;
      const zone = zones.get(name)?.source.zone();
      const wildcard = wildcardFor(context);
      return zone
        ? `zone ${name} with serial ${zone.serial}${wildcard ? `, ${wildcard}` : ''}`
        : `zone ${name} is not read yet`;
    },
    transferZones: () => [...zones.keys()],
    transfer(name) {
      const served = zones.get(name);
      if (!served) return undefined;
      const zone = served.source.zone();
      if (!zone) return { error: `the file of zone ${name} could not be read yet` };
      return { soa: zone.soa, serial: zone.serial, records: () => recordsOf(zone) };
    },
    close() {
      for (const { source } of zones.values()) source.close();
    },
  };
}
