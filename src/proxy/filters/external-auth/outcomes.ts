/** Outcomes of external auth that are good for a while. Belongs to the data plane and not to a plan. */
import { createHash } from 'node:crypto';
import type { ExternalAuthFilter } from '../../../routing/plan/plan.ts';
import type { RequestHead } from '../../http1/request.ts';
import type { Told } from '../../subrequest/subrequests.ts';
import type { Asked } from './question.ts';

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

/** Digest of what an outcome depends on: credentials are not kept as they are. */
export function outcomeKey({ zone, headers }: Cache, { method, host, path }: Asked, head: RequestHead): string {
  const values = headers.map((name) => head.headers(name.toLowerCase()) ?? null);
  return createHash('sha256')
    .update(JSON.stringify([zone, method, host, path, values]))
    .digest('base64');
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
