/** Hands whole zones of other plugins to those who may have a copy: AXFR (RFC 5936) and IXFR (RFC 1995). */
import { canonicalAddress } from '../../wire/address.ts';
import { decodeMessage } from '../../wire/decode.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { canonicalName, keyOfName } from '../../wire/name.ts';
import { rcode, recordType } from '../../wire/numbers.ts';
import { nameOf, type Query } from '../../wire/query.ts';
import { emptyAnswer } from '../../wire/response.ts';
import {
  type Client,
  type Handler,
  type MaybePromise,
  type Plugin,
  type QueryContext,
  type Reply,
  unwritten,
  type ZoneTransfer,
} from '../plugin.ts';
import type { LogLine } from '../setup.ts';
import { createZoneMatcher } from '../zones.ts';
import { createAnnouncer } from './announcer.ts';
import { transferMessages } from './messages.ts';

export interface TransferRule {
  /** Canonical. */
  readonly zones: readonly string[];
  readonly everyone: boolean;
  /** Canonical addresses that may have the zones. */
  readonly clients: ReadonlySet<string>;
  /** Who hears of changes. */
  readonly notify: readonly { readonly host: string; readonly port: number }[];
  /** Address of ours that NOTIFY comes from. */
  readonly source?: string;
}

export interface TransferOptions {
  readonly rules: readonly TransferRule[];
  /** The plugins of the block. */
  plugins(): readonly Plugin[];
  readonly log: LogLine;
  /** How long a connection may keep messages waiting, ms. Default 5,000. */
  readonly holdMs?: number;
  /** Messages of all transfers at one time, bytes; more transfers are SERVFAIL. Default 256 MiB. */
  readonly maxHeld?: number;
  /** Whether this process sends NOTIFY. Default: yes. */
  speaks?(): boolean;
}

/** How long encoding may hold up other work, ms. */
const sliceMs = 5;

/** Whether a serial is the same or a later one (RFC 1982 section 3.2). */
export function isCurrent(serial: number, current: number): boolean {
  return ((serial - current) | 0) >= 0;
}

/** The serial that the client of an IXFR has; undefined when the query does not say (RFC 1995 section 3). */
function serialOf(query: Query): number | undefined {
  const decoded = decodeMessage(query.packet);
  const [record, more] = decoded.ok ? decoded.value.authority : [];
  return record?.data.kind === 'soa' && !more ? record.data.serial : undefined;
}

function* bracketed({ soa }: ZoneTransfer, records: Iterable<ResourceRecord>): Generator<ResourceRecord> {
  yield soa;
  yield* records;
  yield soa;
}

export function createTransfer(options: TransferOptions): Plugin {
  const { rules, log, holdMs = 5000, maxHeld = 256 * 1024 * 1024 } = options;
  const ruleOf = new Map(rules.flatMap((rule) => rule.zones.map((zone) => [zone, rule])));
  const matchZone = createZoneMatcher([...ruleOf.keys()]);
  const releases = new Set<NodeJS.Timeout>();
  let held = 0;

  const ruleFor = (key: string): TransferRule | undefined => ruleOf.get(matchZone(key) ?? '');
  const allows = ({ everyone, clients }: TransferRule, { address }: Client): boolean =>
    everyone || clients.has(canonicalAddress(address) ?? '');

  function find(zone: string): ReturnType<NonNullable<Plugin['transfer']>> {
    for (const plugin of options.plugins()) {
      const found = plugin.transfer?.(zone);
      if (found) return found;
    }
    return undefined;
  }

  /** Gives bytes back when a connection must have taken them. */
  function releaseLater(bytes: number): void {
    const timer = setTimeout(() => {
      held -= bytes;
      releases.delete(timer);
    }, holdMs);
    releases.add(timer.unref());
  }

  /** Encodes between other work; a string says why not. */
  async function encode(query: Query, records: Iterable<ResourceRecord>): Promise<Uint8Array[] | string> {
    const messages: Uint8Array[] = [];
    let size = 0;
    let whole = false;
    let end = performance.now() + sliceMs;
    try {
      for (const message of transferMessages(query, records)) {
        if (held + message.length > maxHeld) return `transfers of more than ${maxHeld} bytes are under way`;
        held += message.length;
        size += message.length;
        messages.push(message);
        if (performance.now() < end) continue;
        await new Promise((resume) => setImmediate(resume));
        end = performance.now() + sliceMs;
      }
      whole = true;
      return messages;
    } finally {
      if (whole) releaseLater(size);
      else held -= size;
    }
  }

  async function send({ query, client }: QueryContext, zone: string, found: ZoneTransfer): Promise<Reply> {
    let count = 0;
    const counted = function* () {
      for (const record of bracketed(found, found.records())) {
        count++;
        yield record;
      }
    };
    const messages = await encode(query, counted());
    if (typeof messages === 'string') return unwritten(rcode.SERVFAIL, messages, 'transfer');
    log(
      'info',
      `Outgoing transfer of ${count} records of zone "${zone}" to ${client.address} for ${found.serial} SOA serial`,
    );
    return { kind: 'messages', by: 'transfer', messages };
  }

  function upToDate({ client }: QueryContext, zone: string, { soa, serial }: ZoneTransfer): Reply {
    log(
      'info',
      `Outgoing noop, incremental transfer for up to date zone "${zone}" to ${client.address} for ${serial} SOA serial`,
    );
    return {
      kind: 'answer',
      by: 'transfer',
      answer: { ...emptyAnswer(rcode.NOERROR), authoritative: true, answers: [soa] },
    };
  }

  function handle(context: QueryContext, next: Handler): MaybePromise<Reply> {
    const { query, client } = context;
    if (query.type !== recordType.AXFR && query.type !== recordType.IXFR) return next(context);
    if (client.protocol !== 'tcp' && client.protocol !== 'tls') return unwritten(rcode.REFUSED, undefined, 'transfer');
    const rule = ruleFor(query.key);
    if (!rule) return next(context);
    // Written here, so that no plugin above decides otherwise.
    if (!allows(rule, client)) return { kind: 'answer', by: 'transfer', answer: emptyAnswer(rcode.REFUSED) };
    const serial = query.type === recordType.IXFR ? serialOf(query) : undefined;
    if (query.type === recordType.IXFR && serial === undefined) return unwritten(rcode.FORMERR, undefined, 'transfer');
    const zone = canonicalName(nameOf(query));
    const found = find(zone);
    if (!found) return next(context);
    if ('error' in found) return unwritten(rcode.SERVFAIL, found.error, 'transfer');
    const current = serial !== undefined && isCurrent(serial, found.serial);
    return current ? upToDate(context, zone, found) : send(context, zone, found);
  }

  /** Zones whose changes somebody wants to hear of. */
  function* announcedZones() {
    for (const plugin of options.plugins()) {
      for (const zone of plugin.transferZones?.() ?? []) {
        const rule = ruleFor(keyOfName(zone) ?? '');
        const found = rule && rule.notify.length > 0 ? plugin.transfer?.(zone) : undefined;
        if (rule && found && !('error' in found)) yield { zone, rule, serial: found.serial, soa: found.soa };
      }
    }
  }

  const announcer = createAnnouncer({
    ...{ zones: announcedZones, log },
    ...(options.speaks && { speaks: options.speaks }),
  });
  return {
    name: 'transfer',
    handle,
    repeats: true,
    start: announcer.start,
    close() {
      announcer.close();
      for (const timer of releases) clearTimeout(timer);
    },
  };
}
