/** Makes AAAA records from A records for clients that have IPv6 only (RFC 6147). */
import type { MetricsRegistry } from '../../../base/metrics.ts';
import type { Network } from '../../corefile/values.ts';
import { addressBytes, addressText } from '../../wire/address.ts';
import type { Message, ResourceRecord } from '../../wire/message.ts';
import { rcode, recordClass, recordType } from '../../wire/numbers.ts';
import { nameOf } from '../../wire/query.ts';
import { type Answer, answerOf } from '../../wire/response.ts';
import { type Handler, type Plugin, type QueryContext, type Reply, unwritten } from '../plugin.ts';
import { answerIn } from '../reply.ts';

export interface Dns64Options {
  readonly prefix: Network;
  /** Also for names that have AAAA records. */
  readonly translateAll: boolean;
  /** Also for clients that asked over IPv4. */
  readonly allowIpv4: boolean;
  readonly metrics: MetricsRegistry;
}

/** TTL of made records when the denial says none, seconds (RFC 6147 section 5.1.7). */
const defaultTtl = 600;

/** An IPv4 address within a prefix; byte 8 stays zero (RFC 6052 section 2.2). */
export function embed({ bytes, bits }: Network, v4: Uint8Array): string {
  const out = new Uint8Array(16);
  out.set(bytes.slice(0, bits / 8));
  let at = bits / 8;
  for (const byte of v4) {
    if (at === 8) at++;
    out[at++] = byte;
  }
  return addressText(out);
}

export function createDns64({ prefix, translateAll, allowIpv4, metrics }: Dns64Options): Plugin {
  const translated = metrics.counter(
    'coredns_dns64_requests_translated_total',
    'Counter of DNS requests translated by dns64.',
    ['server'],
  );

  function translate(record: ResourceRecord, most: number): ResourceRecord {
    const bytes =
      record.type === recordType.A && record.data.kind === 'address' ? addressBytes(record.data.address) : undefined;
    if (!bytes) return record;
    const data = { kind: 'address', address: embed(prefix, bytes) } as const;
    return { ...record, type: recordType.AAAA, ttl: Math.min(record.ttl, most), data };
  }

  function synthesize(original: Answer | undefined, found: Message): Answer {
    const soa = original?.authority.find(({ type }) => type === recordType.SOA);
    const answers = found.answers.map((record) => translate(record, soa?.ttl ?? defaultTtl));
    return { ...answerOf(found), answers, authenticData: false, options: [] };
  }

  async function handle(context: QueryContext, next: Handler): Promise<Reply> {
    const reply = await next(context);
    const answer = answerIn(reply);
    if (!answer && reply.kind !== 'unwritten') return reply;
    const has = answer?.answers.some(({ type }) => type === recordType.AAAA);
    if (answer?.rcode === rcode.NXDOMAIN || (has && !translateAll)) return reply;
    const found = await context.resolve(nameOf(context.query), recordType.A);
    if (!found)
      return reply.kind === 'unwritten' ? reply : unwritten(rcode.SERVFAIL, 'dns64: no answer for A', 'dns64');
    translated.with(context.scope?.server ?? '').inc();
    return { kind: 'answer', by: 'dns64', answer: synthesize(answer, found) };
  }

  return {
    name: 'dns64',
    handle(context, next) {
      const { query, client } = context;
      const concerns = query.type === recordType.AAAA && query.class === recordClass.IN;
      return concerns && (allowIpv4 || client.address.includes(':')) ? handle(context, next) : next(context);
    },
  };
}
