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

/** Host names, exact or `*.` before a suffix, to addresses of either family; to none, for a name that is gone. */
export type FrontDoorNames = ReadonlyMap<string, readonly string[]>;

export interface FrontDoor extends Plugin {
  /** Adds, replaces and removes names: of thousands, few change at a time. Findings name all that cannot be served. */
  changeNames(changes: FrontDoorNames): Diagnostic[];
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
  const table: Table = { exact: new Map(), wildcard: new Map() };
  /** By what should have been a host name. */
  const findings = new Map<string, Diagnostic>();

  function change(host: string, addresses: readonly string[]): void {
    const starred = host.startsWith('*.');
    const key = keyOfName(starred ? host.slice(2) : host);
    if (key === undefined) {
      if (addresses.length === 0) findings.delete(host);
      else findings.set(host, diagnostic('FW4007', { message: `${JSON.stringify(host)} is not a host name` }));
      return;
    }
    const names = starred ? table.wildcard : table.exact;
    if (addresses.length === 0) names.delete(key);
    else names.set(key, [...new Set(addresses.flatMap((text) => canonicalAddress(text) ?? []))]);
  }

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
    changeNames(changes) {
      for (const [host, addresses] of changes) change(host, addresses);
      return [...findings.values()];
    },
    handle(context, next) {
      const addresses = lookUp(table, context.query.key);
      return addresses ? { kind: 'answer', answer: answer(context.query, addresses) } : next(context);
    },
  };
}
