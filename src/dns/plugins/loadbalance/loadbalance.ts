/** Answers with the addresses in another order each time, so that clients that take the first one spread. */
import { parseIp } from '../../../base/ip.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { rcode, recordType } from '../../wire/numbers.ts';
import { nameOf } from '../../wire/query.ts';
import type { Answer } from '../../wire/response.ts';
import { type Plugin, type Reply, whenSettled } from '../plugin.ts';
import { mapAnswer } from '../reply.ts';

/** Another order of address records, or of MX records. The list given stays as it is. */
export type Order = (records: readonly ResourceRecord[]) => ResourceRecord[];

export interface LoadbalanceOptions {
  /** The order for a name asked for; `random` is the same for all names. */
  readonly order: 'random' | ((name: string) => Order);
  /** Addresses (bytes) that go first; undefined: none do. */
  readonly preference: ((bytes: readonly number[]) => boolean) | undefined;
}

/** In random order (Fisher-Yates). Needs to be fair, not secret. */
export const shuffled: Order = (records) => {
  const list = [...records];
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
};

const isAddress = ({ type }: ResourceRecord): boolean => type === recordType.A || type === recordType.AAAA;

/** Aliases first, then what is left alone, then addresses and MX records in their new order. */
function rearranged(records: readonly ResourceRecord[], order: Order): readonly ResourceRecord[] {
  if (records.length < 2) return records;
  const aliases = records.filter(({ type }) => type === recordType.CNAME);
  const addresses = records.filter(isAddress);
  const exchanges = records.filter(({ type }) => type === recordType.MX);
  if (addresses.length < 2 && exchanges.length < 2) return records;
  const rest = records.filter((r) => r.type !== recordType.CNAME && r.type !== recordType.MX && !isAddress(r));
  return [...aliases, ...rest, ...order(addresses), ...order(exchanges)];
}

function preferring(
  records: readonly ResourceRecord[],
  preference: (bytes: readonly number[]) => boolean,
): readonly ResourceRecord[] {
  const isPreferred = ({ data }: ResourceRecord) =>
    data.kind === 'address' && preference(parseIp(data.address)?.bytes ?? []);
  const at = records.findIndex(isAddress);
  if (at < 0 || !records.some(isPreferred)) return records;
  const addresses = records.filter(isAddress);
  const sorted = [...addresses.filter(isPreferred), ...addresses.filter((record) => !isPreferred(record))];
  return records.map((record) => (isAddress(record) ? sorted.shift()! : record));
}

/** Nothing to rearrange: known without decoding, for nearly all queries. */
function isSingle(reply: Reply): boolean {
  if (reply.kind === 'ready' && reply.ready.bytes.length > 12) {
    if (reply.ready.fixedOrder) return true;
    const { bytes } = reply.ready;
    return bytes[6] === 0 && bytes[7]! < 2 && bytes[10] === 0 && bytes[11]! < 2;
  }
  return false;
}

export function createLoadbalance({ order, preference }: LoadbalanceOptions): Plugin {
  const orderFor = order === 'random' ? () => shuffled : order;
  const inPlace = order === 'random' && !preference;
  function change(answer: Answer, name: string): Answer {
    if (answer.rcode !== rcode.NOERROR) return answer;
    const apply = orderFor(name);
    const answers = rearranged(answer.answers, apply);
    const authority = rearranged(answer.authority, apply);
    const additional = rearranged(answer.additional, apply);
    const preferred = preference ? preferring(answers, preference) : answers;
    if (preferred === answer.answers && authority === answer.authority && additional === answer.additional)
      return answer;
    return { ...answer, answers: preferred, authority, additional };
  }
  return {
    name: 'loadbalance',
    handle(context, next) {
      const { type } = context.query;
      if (type === recordType.AXFR || type === recordType.IXFR) return next(context);
      return whenSettled(next(context), (reply) => {
        if (isSingle(reply)) return reply;
        if (inPlace && reply.kind === 'ready' && reply.ready.addresses) return { ...reply, shuffle: true };
        return mapAnswer(reply, (answer) => change(answer, nameOf(context.query)));
      });
    },
    repeats: true,
  };
}
