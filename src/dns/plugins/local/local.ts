/** Answers for names that are the same everywhere: `localhost` and the reverse zones of this host (RFC 6303, RFC 6761). */
import type { MetricsRegistry } from '../../../base/metrics.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { foldCase } from '../../wire/name.ts';
import { rcode, recordType } from '../../wire/numbers.ts';
import { nameOf } from '../../wire/query.ts';
import { addressRecord, makeRecord, targetRecord } from '../../wire/records.ts';
import { emptyAnswer } from '../../wire/response.ts';
import type { Plugin, Reply } from '../plugin.ts';
import { isInZone } from '../zones.ts';

const ttl = 604_800;
const zones = ['localhost.', '0.in-addr.arpa.', '127.in-addr.arpa.', '255.in-addr.arpa.'];
const loopback = new Map<number, string>([
  [recordType.A, '127.0.0.1'],
  [recordType.AAAA, '::1'],
]);

function soa(owner: string): ResourceRecord {
  const times = { serial: 1, refresh: 0, retry: 0, expire: 0, minimum: ttl };
  return makeRecord(owner, recordType.SOA, ttl, {
    kind: 'soa',
    primary: 'localhost.',
    mailbox: 'root.localhost.',
    ...times,
  });
}

const found = (answers: readonly ResourceRecord[]): Reply => ({
  kind: 'answer',
  by: 'local',
  answer: { ...emptyAnswer(rcode.NOERROR), answers },
});

const nothing = (owner: string, code: 0 | 3): Reply => ({
  kind: 'answer',
  by: 'local',
  answer: { ...emptyAnswer(code), authority: [soa(owner)] },
});

function addressOf(name: string, type: number): Reply {
  const address = loopback.get(type);
  return address ? found([addressRecord(name, ttl, address)]) : nothing(name, rcode.NOERROR);
}

function apex(name: string, type: number): Reply {
  if (type === recordType.SOA) return found([soa(name)]);
  if (type === recordType.NS) return found([targetRecord(name, recordType.NS, ttl, 'localhost.')]);
  return foldCase(name) === 'localhost.' ? addressOf(name, type) : nothing(name, rcode.NOERROR);
}

/** `prefix`: `localhost.` in front of any domain stands for this host too, as search lists make it. */
export function createLocal(prefix: boolean, metrics: MetricsRegistry): Plugin {
  const counted = metrics
    .counter('coredns_local_localhost_requests_total', 'Counter of localhost.<domain> requests.')
    .with();
  return {
    name: 'local',
    handle(context, next) {
      const name = nameOf(context.query);
      const folded = foldCase(name);
      const { type } = context.query;
      if (folded.endsWith('.localhost.') || (prefix && folded.startsWith('localhost.') && folded !== 'localhost.')) {
        counted.inc();
        return addressOf(name, type);
      }
      const zone = zones.find((candidate) => isInZone(folded, candidate));
      if (!zone) return next(context);
      if (folded === zone) return apex(name, type);
      if (folded !== '1.0.0.127.in-addr.arpa.') return nothing(name.slice(-zone.length), rcode.NXDOMAIN);
      return type === recordType.PTR
        ? found([targetRecord(name, recordType.PTR, ttl, 'localhost.')])
        : nothing(name.slice(-zone.length), rcode.NOERROR);
    },
  };
}
