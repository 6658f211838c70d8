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
  readonly exact: ReadonlyMap<string, readonly string[]>;
  /** By what stands behind `*.`. */
  readonly wildcard: ReadonlyMap<string, readonly string[]>;
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

interface Compiled {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly table: Table;
  readonly findings: Diagnostic[];
}

/** `before`: entries of the last time, which hold for names whose list of addresses is the same one. */
function compile(names: FrontDoorNames, before: Compiled['entries']): Compiled {
  const entries = new Map<string, Entry>();
  const exact = new Map<string, readonly string[]>();
  const wildcard = new Map<string, readonly string[]>();
  const findings: Diagnostic[] = [];
  for (const [host, addresses] of names) {
    const known = before.get(host);
    const entry = known?.addresses === addresses ? known : entryOf(host, addresses);
    const { key, starred, good } = entry;
    entries.set(host, entry);
    if (key !== undefined) (starred ? wildcard : exact).set(key, good);
    else findings.push(diagnostic('FW4007', { message: `${JSON.stringify(host)} is not a host name` }));
  }
  return { entries, table: { exact, wildcard }, findings };
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
  let { table, entries } = compile(new Map(), new Map());

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
      const compiled = compile(names, entries);
      table = compiled.table;
      entries = compiled.entries;
      return compiled.findings;
    },
    handle(context, next) {
      const addresses = lookUp(table, context.query.key);
      return addresses ? { kind: 'answer', answer: answer(context.query, addresses) } : next(context);
    },
  };
}
