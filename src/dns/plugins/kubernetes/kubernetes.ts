/** Answers for the names of the cluster from `records`, and passes on what it does not own. */
import type { Records } from '../../records/records.ts';
import type { Resolution } from '../../records/resolve.ts';
import { clusterZone } from '../../records/transfer.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { rcode, recordType } from '../../wire/numbers.ts';
import { labelsOf, nameOf, type Query } from '../../wire/query.ts';
import { emptyAnswer, prepareAnswer } from '../../wire/response.ts';
import { type Handler, type MaybePromise, type Plugin, type QueryContext, type Reply, unwritten } from '../plugin.ts';
import { over, unchanged } from '../repeat.ts';
import { createZoneMatcher, type Fallthrough } from '../zones.ts';

export interface KubernetesOptions {
  /** One for each zone. */
  records: Records | readonly Records[];
  /** Queries whose unknown names are passed on instead of answered NXDOMAIN. Default: those in the reverse zones. */
  fallthrough?: Fallthrough;
  /** All objects are known; until then a name that is not known may exist: SERVFAIL. Default: always. */
  synced?: () => boolean;
}

const reverse = createZoneMatcher(['in-addr.arpa.', 'ip6.arpa.']);

export function createKubernetes(options: KubernetesOptions): Plugin {
  const all: readonly Records[] = 'zone' in options.records ? [options.records] : options.records;
  const { fallthrough = (query) => reverse(query.key) !== undefined, synced = () => true } = options;

  const finish = (query: Query, records: Records, resolution: Resolution): Reply => ({
    kind: 'ready',
    by: 'kubernetes',
    ready: records.prepare(query, resolution),
    serial: records.serial(),
  });

  /** The records whose zone a name is in: the longest when zones are nested. */
  function recordsFor(labels: readonly string[]): Records | undefined {
    if (all.length === 1) return all[0]!.zoneOf(labels) === undefined ? undefined : all[0];
    const matching = all.flatMap((records) => ({ records, zone: records.zoneOf(labels) ?? '' }));
    return matching.filter(({ zone }) => zone !== '').sort((a, b) => b.zone.length - a.zone.length)[0]?.records;
  }

  /** Adds the records of a name outside to the aliases that lead there. */
  async function followOut(
    context: QueryContext,
    records: Records,
    aliases: readonly ResourceRecord[],
    { name, otherwise }: NonNullable<Resolution['continueAt']>,
  ): Promise<Reply> {
    const found = await context.resolve(name, context.query.type);
    if (!found || (found.rcode !== rcode.NOERROR && found.rcode !== rcode.NXDOMAIN))
      return finish(context.query, records, otherwise);
    const answers = [...aliases, ...found.answers];
    return {
      kind: 'answer',
      by: 'kubernetes',
      answer: { ...emptyAnswer(rcode.NOERROR), authoritative: true, answers, truncated: found.truncated },
    };
  }

  /** A name that is not known may exist while objects are still being read. Not kept by caches, for it soon is known. */
  function notYet(query: Query, records: Records, { authority }: Resolution): Reply {
    const answer = { ...emptyAnswer(rcode.SERVFAIL), authoritative: true, authority };
    return { kind: 'ready', by: 'kubernetes', ready: prepareAnswer(query, answer, true), serial: records.serial() };
  }

  function handle(context: QueryContext, next: Handler): MaybePromise<Reply> {
    const { query } = context;
    for (const records of all) {
      const ready = records.ready(query);
      if (!ready) continue;
      const repeat = { again: () => (records.holds(ready) ? unchanged : over), serial: records.serial };
      return { kind: 'ready', by: 'kubernetes', ready, serial: records.serial(), repeat };
    }
    const labels = labelsOf(query);
    const records = recordsFor(labels);
    if (!records) return next(context);
    if (query.type === recordType.AXFR || query.type === recordType.IXFR)
      return unwritten(rcode.REFUSED, undefined, 'kubernetes');
    const resolution = records.resolve({ name: nameOf(query), labels, type: query.type });
    if (!resolution || (resolution.rcode === rcode.NXDOMAIN && fallthrough(query))) return next(context);
    if (resolution.rcode === rcode.NXDOMAIN && !synced()) return notYet(query, records, resolution);
    const { continueAt, answers } = resolution;
    return continueAt ? followOut(context, records, answers, continueAt) : finish(query, records, resolution);
  }

  return {
    name: 'kubernetes',
    handle,
    repeats: true,
    transferZones: () => all.map(({ zone }) => zone),
    transfer(zone) {
      const records = all.find((candidate) => candidate.zone === zone);
      const unread = { error: 'the objects of the cluster have not all been read yet' };
      return records && (synced() ? clusterZone(records) : unread);
    },
    close() {
      for (const records of all) records.close();
    },
  };
}
