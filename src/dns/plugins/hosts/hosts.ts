/** Answers from a hosts file, which is read again when it changes, and from lines in the Corefile. */
import { readFileSync, statSync } from 'node:fs';
import type { MetricsRegistry } from '../../../base/metrics.ts';
import { addressOfReverse } from '../../wire/address.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { foldCase } from '../../wire/name.ts';
import { rcode, recordType } from '../../wire/numbers.ts';
import { labelsOf, nameOf } from '../../wire/query.ts';
import { addressRecord, familyType, targetRecord } from '../../wire/records.ts';
import { emptyAnswer } from '../../wire/response.ts';
import { type Handler, type Plugin, type QueryContext, type Reply, unwritten, whenSettled } from '../plugin.ts';
import { repeatWhile } from '../reply.ts';
import type { LogLine } from '../setup.ts';
import { createZoneMatcher, type Fallthrough, isInZone } from '../zones.ts';
import { addressesOf, type HostsTable, mergeHosts, parseHosts } from './table.ts';

export interface HostsOptions {
  readonly path: string;
  /** Lines of the Corefile. */
  readonly inline: string;
  readonly zones: readonly string[];
  /** Seconds. */
  readonly ttl: number;
  /** Answers PTR too. */
  readonly reverse: boolean;
  /** 0: the file is read once. */
  readonly reloadMs: number;
  readonly fallthrough: Fallthrough;
  /** Types other than A and AAAA (and PTR) are left to the next plugin. */
  readonly passUnsupported: boolean;
  readonly log: LogLine;
  readonly metrics: MetricsRegistry;
}

/** Larger files are not read. Bytes. */
const maxFileSize = 64 * 1024 * 1024;

export function createHosts(options: HostsOptions): Plugin {
  const { path, ttl, log, metrics } = options;
  const serves = (name: string) => options.zones.some((zone) => isInZone(name, zone));
  const inline = parseHosts(options.inline, serves);
  const inZone = createZoneMatcher(options.zones);
  const entries = metrics
    .gauge('coredns_hosts_entries', 'The combined number of entries in hosts and Corefile.', ['hostsfile'])
    .with(path);
  const loadedAt = metrics
    .gauge('coredns_hosts_reload_timestamp_seconds', 'The timestamp of the last reload of hosts file.')
    .with();
  let table: HostsTable = inline;
  let stamp = '';
  let complaint = '';
  let timer: NodeJS.Timeout | undefined;

  function complain(text: string): void {
    if (text !== complaint) log('warning', text);
    complaint = text;
  }

  /** Reads the file when it is another one than before. What was read stays in force when it cannot be read. */
  function load(): void {
    try {
      const { mtimeMs, size } = statSync(path);
      const now = `${mtimeMs} ${size}`;
      if (now === stamp) return;
      if (size > maxFileSize) throw new Error(`it is larger than ${maxFileSize} bytes`);
      table = mergeHosts(parseHosts(readFileSync(path, 'utf8'), serves), inline);
      stamp = now;
      complaint = '';
      loadedAt.set(mtimeMs / 1000);
    } catch (error) {
      complain(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
    entries.set(table.size);
  }

  const found = (answers: readonly ResourceRecord[]): Reply => ({
    kind: 'answer',
    by: 'hosts',
    answer: { ...emptyAnswer(rcode.NOERROR), authoritative: true, answers },
  });

  function pointers(context: QueryContext, next: Handler): ReturnType<Handler> {
    const address = options.reverse ? addressOfReverse(labelsOf(context.query)) : undefined;
    const names = address ? table.names.get(address) : undefined;
    // Whether others have a name for it, only others know.
    if (!names) return next(context);
    const owner = nameOf(context.query);
    return found(names.map((name) => targetRecord(owner, recordType.PTR, ttl, name)));
  }

  function handle(context: QueryContext, next: Handler): ReturnType<Handler> {
    const { query } = context;
    if (query.type === recordType.PTR) return pointers(context, next);
    if (inZone(query.key) === undefined) return next(context);
    const name = nameOf(query);
    const addresses = addressesOf(table, foldCase(name));
    const supported = query.type === recordType.A || query.type === recordType.AAAA;
    if (!addresses) {
      if (options.fallthrough(query)) return next(context);
      // A hosts file is no whole zone, so that a name that is not in it is not known to be missing.
      return unwritten(rcode.SERVFAIL, undefined, 'hosts');
    }
    if (!supported && options.passUnsupported && options.fallthrough(query)) return next(context);
    const wanted = addresses.filter((address) => familyType(address) === query.type);
    return found(wanted.map((address) => addressRecord(name, ttl, address)));
  }

  load();
  return {
    name: 'hosts',
    // What passed may be in the file when that is read again.
    handle(context, next) {
      const before = table;
      return whenSettled(handle(context, next), (reply) => repeatWhile(reply, () => table === before));
    },
    repeats: true,
    start() {
      if (options.reloadMs > 0) timer = setInterval(load, options.reloadMs).unref();
    },
    close: () => clearInterval(timer),
  };
}
