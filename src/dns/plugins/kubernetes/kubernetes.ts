/**
 * Answers for the names of the cluster from `records`, and passes on what it does not own. Behaves like CoreDNS'
 * kubernetes plugin with `fallthrough` for the reverse zones.
 */
import type { Records } from '../../records/records.ts';
import type { Resolution } from '../../records/resolve.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { rcode, recordType } from '../../wire/numbers.ts';
import { labelsOf, nameOf, type Query } from '../../wire/query.ts';
import { emptyAnswer } from '../../wire/response.ts';
import { type Handler, type MaybePromise, type Plugin, type QueryContext, type Reply, unwritten } from '../plugin.ts';

export interface KubernetesOptions {
  records: Records;
  /** Zones whose unknown names are passed on instead of answered NXDOMAIN. Default: the reverse zones. */
  fallthrough?: readonly string[];
}

export function createKubernetes(options: KubernetesOptions): Plugin {
  const { records } = options;
  const fallthrough = new Set(options.fallthrough ?? ['in-addr.arpa.', 'ip6.arpa.']);

  const finish = (query: Query, resolution: Resolution): Reply => ({
    kind: 'ready',
    ready: records.prepare(query, resolution),
    serial: records.serial(),
  });

  /** Adds the records of a name outside to the aliases that lead there. */
  async function followOut(
    context: QueryContext,
    aliases: readonly ResourceRecord[],
    { name, otherwise }: NonNullable<Resolution['continueAt']>,
  ): Promise<Reply> {
    const found = await context.resolve(name, context.query.type);
    if (!found || (found.rcode !== rcode.NOERROR && found.rcode !== rcode.NXDOMAIN))
      return finish(context.query, otherwise);
    const answers = [...aliases, ...found.answers];
    return { kind: 'answer', answer: { ...emptyAnswer(rcode.NOERROR), authoritative: true, answers } };
  }

  function handle(context: QueryContext, next: Handler): MaybePromise<Reply> {
    const { query } = context;
    const ready = records.ready(query);
    if (ready) return { kind: 'ready', ready, serial: records.serial() };
    const labels = labelsOf(query);
    const zone = records.zoneOf(labels);
    if (zone === undefined) return next(context);
    if (query.type === recordType.AXFR || query.type === recordType.IXFR) return unwritten(rcode.REFUSED);
    const resolution = records.resolve({ name: nameOf(query), labels, type: query.type });
    if (!resolution || (resolution.rcode === rcode.NXDOMAIN && fallthrough.has(zone))) return next(context);
    const { continueAt, answers } = resolution;
    return continueAt ? followOut(context, answers, continueAt) : finish(query, resolution);
  }

  return { name: 'kubernetes', handle, close: () => records.close() };
}
