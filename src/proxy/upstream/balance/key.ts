/** What of a request its endpoint follows from, where a backend is balanced by hash. */
import type { BackendPolicy, HashSource } from '../../../routing/plan/backend-policy.ts';
import { type CompiledTemplate, compileTemplate } from '../../values/template.ts';
import { hashText } from './ring.ts';

/** What a key can be read from. `headers`: values by lower-case name, repeated lines joined with `,`. */
export interface Keyed {
  headers(lowerName: string): string | undefined;
  address(): string;
  /** Undefined of what is no request. */
  text(template: CompiledTemplate): string | undefined;
}

/** 32 bits; undefined when the request has nothing to go by. */
export type KeyReader = (request: Keyed) => number | undefined;

/** undefined when endpoints do not follow from requests. */
export function createKeyReader(policy: BackendPolicy | undefined): KeyReader | undefined {
  if (policy?.balance?.type !== 'hash') return undefined;
  const readers = policy.balance.by.map(compileSource);
  return (request) => {
    for (const read of readers) {
      const value = read(request);
      if (value !== undefined && value !== '') return hashText(value);
    }
    return undefined;
  };
}

/** The same of a stream, which has an address only. */
export function streamKeyOf({ keyOf }: { readonly keyOf: KeyReader | undefined }, address: string): number | undefined {
  return keyOf?.({ headers: () => undefined, address: () => address, text: () => undefined });
}

function compileSource(source: HashSource): (request: Keyed) => string | undefined {
  if (source.by === 'address') return (request) => request.address();
  if (source.by === 'header') return (request) => request.headers(source.name);
  if (source.by === 'cookie') return (request) => cookieOf(request.headers('cookie'), source.name);
  const template = compileTemplate(source.template);
  // It names what no request has.
  if (!template.ok) return () => undefined;
  return (request) => request.text(template.value);
}

/** RFC 6265 section 4.2.1; lines that were joined with a comma are told apart as well (RFC 9113 section 8.2.3). */
export function cookieOf(line: string | undefined, name: string): string | undefined {
  if (line === undefined) return undefined;
  for (const pair of line.split(/[;,]/)) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}
