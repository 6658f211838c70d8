/**
 * Answers challenges of certificate authorities by DNS-01 (RFC 8555 section 8.4): the TXT records of
 * `_acme-challenge.NAME` that the ConfigMap of open challenges holds. Every other question is for the next plugin.
 */
import type { StoreReader } from '../../../kube/store/store.ts';
import type { ConfigMap } from '../../../kube/types/index.ts';
import { keyOfName } from '../../wire/name.ts';
import { rcode, recordType } from '../../wire/numbers.ts';
import { nameOf, type Query } from '../../wire/query.ts';
import { makeRecord } from '../../wire/records.ts';
import type { Answer } from '../../wire/response.ts';
import { type Plugin, whenSettled } from '../plugin.ts';
import { repeatWhile } from '../reply.ts';

export interface AcmeOptions {
  readonly store: StoreReader;
  /** `namespace/name` of the ConfigMap. */
  readonly configMap: string;
  /** Seconds. */
  readonly ttl: number;
  /** Whether a name is in the plugin's zones. Absent: all are. `key`: as `Query.key`. */
  readonly covers?: (key: string) => boolean;
}

type Records = ReadonlyMap<string, readonly string[]>;

const prefix = 'dns-01.';
/** As `Query.key` begins with it. */
const label = '\x0f_acme-challenge';
/** SHA-256, base64url: nothing else proves anything. */
const digest = /^[A-Za-z0-9_-]{43}$/;
/** Digests of one name that are shown: orders that are under way at once. */
const maxDigests = 50;

/** Objects in a store never change, so what was made of one holds as long as it does. */
const made = new WeakMap<ConfigMap, Records>();
const none: Records = new Map();

function recordsOf(map: ConfigMap | undefined): Records {
  if (!map) return none;
  let records = made.get(map);
  if (!records) {
    records = read(map.data ?? {});
    made.set(map, records);
  }
  return records;
}

function read(data: Readonly<Record<string, string>>): Records {
  const records = new Map<string, readonly string[]>();
  for (const [name, text] of Object.entries(data)) {
    if (!name.startsWith(prefix) || typeof text !== 'string') continue;
    const key = keyOfName(`${name.slice(prefix.length)}.`);
    const digests = text.split('\n').filter((line) => digest.test(line));
    if (key?.startsWith(label) && digests.length > 0) records.set(key, digests.slice(0, maxDigests));
  }
  return records;
}

export function createAcme({ store, configMap, ttl, covers = () => true }: AcmeOptions): Plugin {
  const map = () => store.get<ConfigMap>('configmaps', configMap);

  function answer(query: Query, digests: readonly string[]): Answer {
    const name = nameOf(query);
    const isAsked = query.type === recordType.TXT || query.type === recordType.ANY;
    const answers = isAsked
      ? digests.map((text) => makeRecord(name, recordType.TXT, ttl, { kind: 'txt', strings: [text] }))
      : [];
    const times = { serial: 1, refresh: 7200, retry: 1800, expire: 86_400, minimum: ttl };
    // The name is a zone of its own here, so that "no such record" has an owner and a lifetime.
    const soa = makeRecord(name, recordType.SOA, ttl, { kind: 'soa', primary: name, mailbox: name, ...times });
    const authority = isAsked ? [] : [soa];
    return { rcode: rcode.NOERROR, authoritative: true, answers, authority, additional: [] };
  }

  return {
    name: 'acme',
    repeats: true,
    handle(context, next) {
      const { key } = context.query;
      if (!key.startsWith(label) || !covers(key)) return next(context);
      const now = map();
      const digests = recordsOf(now).get(key);
      if (digests) return { kind: 'answer', by: 'acme', answer: answer(context.query, digests) };
      // What others say of the name holds until a challenge is opened.
      return whenSettled(next(context), (reply) => repeatWhile(reply, () => map() === now));
    },
  };
}
