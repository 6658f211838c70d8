/**
 * Answers for the public names of a local front door (hosts of Ingresses and Gateways) with the addresses of the load
 * balancers behind which they are served, in place of the public zone that a real cluster's names stand in.
 */
import { type Diagnostic, diagnostic } from '../../../base/diagnostics/index.ts';
import { canonicalAddress } from '../../wire/address.ts';
import { keyOfName } from '../../wire/name.ts';
import { rcode, recordType } from '../../wire/numbers.ts';
import { nameOf, type Query } from '../../wire/query.ts';
import { addressRecord, familyType, makeRecord } from '../../wire/records.ts';
import type { Answer } from '../../wire/response.ts';
import type { Plugin } from '../plugin.ts';

/** Host names, exact or `*.` before a suffix, to addresses of either family. */
export type FrontDoorNames = ReadonlyMap<string, readonly string[]>;

export interface FrontDoor extends Plugin {
  /** Replaces all names. Findings name those that cannot be served. */
  setNames(names: FrontDoorNames): Diagnostic[];
}

export interface FrontDoorOptions {
  /** Seconds. Default 5: names come and go with edits. */
  ttl?: number;
}

interface Table {
  readonly exact: Map<string, readonly string[]>;
  /** By what stands behind `*.`. */
  readonly wildcard: Map<string, readonly string[]>;
}

/** A name ready to be looked up. */
interface Entry {
  readonly addresses: readonly string[];
  /** Undefined: it is no host name. */
  readonly key: string | undefined;
  readonly starred: boolean;
  readonly good: readonly string[];
}

function entryOf(host: string, addresses: readonly string[]): Entry {
  const starred = host.startsWith('*.');
  const key = keyOfName(starred ? host.slice(2) : host);
  return { addresses, key, starred, good: [...new Set(addresses.flatMap((text) => canonicalAddress(text) ?? []))] };
}

/** All names, ready to be looked up. Of thousands, few differ from one time to the next: those alone are worked on. */
interface Names {
  readonly entries: Map<string, Entry>;
  readonly table: Table;
  /** By what should have been a host name. */
  readonly findings: Map<string, Diagnostic>;
}

const noNames = (): Names => ({
  entries: new Map(),
  table: { exact: new Map(), wildcard: new Map() },
  findings: new Map(),
});

function add({ entries, table, findings }: Names, host: string, entry: Entry): void {
  const { key, starred, good } = entry;
  entries.set(host, entry);
  if (key !== undefined) (starred ? table.wildcard : table.exact).set(key, good);
  else findings.set(host, diagnostic('FW4007', { message: `${JSON.stringify(host)} is not a host name` }));
}

/** Entries hold for names whose list of addresses is the same one. */
function update(names: Names, wanted: FrontDoorNames): Names {
  const { entries } = names;
  for (const [host, addresses] of wanted)
    if (entries.get(host)?.addresses !== addresses) add(names, host, entryOf(host, addresses));
  if (entries.size === wanted.size) return names;
  // Two spellings of a name share a place in the table, which is the other one's when one of them goes.
  const left = noNames();
  for (const host of wanted.keys()) add(left, host, entries.get(host)!);
  return left;
}

/** The exact name first, then the longest suffix: a wildcard stands for one or more labels, as in Gateway API. */
function lookUp(table: Table, key: string): readonly string[] | undefined {
  const exact = table.exact.get(key);
  if (exact || table.wildcard.size === 0) return exact;
  for (let at = 0; at < key.length && key.charCodeAt(at) !== 0; ) {
    at += key.charCodeAt(at) + 1;
    const found = table.wildcard.get(key.slice(at));
    if (found) return found;
  }
  return undefined;
}

export function createFrontDoor(options: FrontDoorOptions = {}): FrontDoor {
  const ttl = options.ttl ?? 5;
  let current = noNames();

  function answer(query: Query, addresses: readonly string[]): Answer {
    const name = nameOf(query);
    const answers = addresses.filter((a) => familyType(a) === query.type).map((a) => addressRecord(name, ttl, a));
    const soa = makeRecord(name, recordType.SOA, ttl, {
      kind: 'soa',
      primary: name,
      mailbox: `hostmaster.${name}`.length < 250 ? `hostmaster.${name}` : name,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttl,
    });
    // The name is a zone of its own here, so that "no such record" has an owner and a lifetime.
    const authority = answers.length > 0 ? [] : [soa];
    return { rcode: rcode.NOERROR, authoritative: true, answers, authority, additional: [] };
  }

  return {
    name: 'frontdoor',
    setNames(names) {
      current = update(current, names);
      return [...current.findings.values()];
    },
    handle(context, next) {
      const addresses = lookUp(current.table, context.query.key);
      return addresses ? { kind: 'answer', answer: answer(context.query, addresses) } : next(context);
    },
  };
}
