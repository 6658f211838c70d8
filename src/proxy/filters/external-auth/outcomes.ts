/** Outcomes of external auth that are good for a while. Belongs to the data plane and not to a plan. */
import { createHash } from 'node:crypto';
import type { ExternalAuthFilter } from '../../../routing/plan/plan.ts';
import type { Told } from '../../subrequest/subrequests.ts';
import { soundTemplate, type TextOf } from '../../values/template.ts';
import { createAsked } from './question.ts';

export interface AuthOutcomes {
  get(key: string, now: number): Told | undefined;
  put(key: string, told: Told, until: number): void;
}

export function createAuthOutcomes(max: number): AuthOutcomes {
  const known = new Map<string, { readonly told: Told; readonly until: number }>();
  return {
    get(key, now) {
      const entry = known.get(key);
      if (!entry) return undefined;
      if (entry.until > now) return entry.told;
      known.delete(key);
      return undefined;
    },
    put(key, told, until) {
      known.delete(key);
      known.set(key, { told, until });
      for (const oldest of known.keys()) {
        if (known.size <= max) return;
        known.delete(oldest);
      }
    },
  };
}

type Cache = NonNullable<ExternalAuthFilter['cache']>;

/** Digests of what outcomes depend on: credentials are not kept as they are. */
export function createKeys(filter: ExternalAuthFilter, { zone, headers, key }: Cache): TextOf {
  if (key) {
    const own = soundTemplate(key);
    return (exchange, head) => digest([zone, own.text(exchange, head)]);
  }
  const ask = createAsked(filter);
  const names = headers.map((name) => name.toLowerCase());
  return (exchange, head) => {
    const { method, host, path } = ask(exchange, head);
    return digest([zone, method, host, path, names.map((name) => head.headers(name) ?? null)]);
  };
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

/** Larger ones would fill the memory with pages. */
const MAX_BODY = 4_096;

/** The outcome as it may be kept, and for how long in milliseconds; undefined when it may not. */
export function keepable(
  { lifetimes }: Cache,
  told: Told,
): { readonly told: Told; readonly ttlMs: number } | undefined {
  const ttlMs = lifetimes.find(({ statuses }) => statuses.includes(told.status))?.ttlMs ?? 0;
  if (ttlMs <= 0) return undefined;
  const admitted = told.status >= 200 && told.status < 300;
  if (admitted) return { ttlMs, told: { status: told.status, fields: told.fields, body: '', trailers: '' } };
  return told.body !== undefined && told.body.length <= MAX_BODY ? { ttlMs, told } : undefined;
}
