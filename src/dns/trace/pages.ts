/** Pages beside `/metrics` that show what the server knows of itself. */
import { isIP } from 'node:net';
import type { Page, PageAnswer } from '../plugins/setup.ts';
import type { WasteLedger } from '../waste/ledger.ts';
import { recordType, typeNumber } from '../wire/numbers.ts';
import { type Traceable, traceQuery } from './trace.ts';

/** Where `fairway get dns-waste` reads. */
export const wastePath = '/fairway/dns-waste';
/** Where `fairway lookup --trace --dns-server` asks: `?name=NAME&type=TYPE&client=ADDRESS`. */
export const tracePath = '/fairway/trace';

export interface InsightPagesOptions {
  readonly waste: WasteLedger | undefined;
  /** Where queries come in at the moment. */
  places(): readonly Traceable[];
  /** Traces in a second, all clients together; more get 429. They are real queries, upstreams included. Default 10. */
  readonly tracesPerSecond?: number;
}

const json = (value: unknown, status = 200): PageAnswer => ({
  ...{ status, text: `${JSON.stringify(value)}\n`, type: 'application/json' },
});
const refused = (status: number, error: string): PageAnswer => json({ error }, status);

/** Lets `perSecond` through each second, and as many at once after a rest. */
function createBucket(perSecond: number): () => boolean {
  let left = perSecond;
  let filledAt = performance.now();
  return () => {
    const now = performance.now();
    left = Math.min(perSecond, left + ((now - filledAt) / 1000) * perSecond);
    filledAt = now;
    if (left < 1) return false;
    left--;
    return true;
  };
}

function createTracePage({ places, tracesPerSecond = 10 }: InsightPagesOptions): Page {
  const mayGo = createBucket(tracesPerSecond);
  return async (search) => {
    const name = search.get('name');
    if (!name) return refused(400, 'which name? ask with ?name=NAME&type=TYPE&client=ADDRESS');
    const typeText = search.get('type') ?? 'A';
    const type = typeNumber(typeText);
    if (type === undefined || type === recordType.AXFR || type === recordType.IXFR)
      return refused(400, `not a type that can be asked for: ${typeText}`);
    const client = search.get('client') ?? '127.0.0.1';
    if (isIP(client) === 0) return refused(400, `not an address: ${client}`);
    if (!mayGo()) return refused(429, `more than ${tracesPerSecond} traces a second`);
    return json(await traceQuery(places(), { name, type, client }));
  };
}

/** By path. */
export function insightPages(options: InsightPagesOptions): Map<string, Page> {
  const { waste } = options;
  return new Map<string, Page>([
    [
      wastePath,
      () => (waste ? json(waste.page()) : refused(404, 'this server counts no search-path waste (--no-waste)')),
    ],
    [tracePath, createTracePage(options)],
  ]);
}
