/** How many Events are written: so many about one object, and so many in all, in the long run and at once. */

export interface EventBounds {
  /** Events about one object after a rest. Default 25, as in client-go. */
  readonly objectBurst: number;
  /** And one more after so many milliseconds. Default 300,000, as in client-go. */
  readonly objectEveryMs: number;
  /** Events in all after a rest. Default 50. */
  readonly burst: number;
  /** And so many more each second. Default 5. */
  readonly qps: number;
  /** Events that wait to be written; further ones are dropped. Default 500. */
  readonly waiting: number;
  /** For how long an Event is remembered as one that may be repeated, in milliseconds. Default 3,600,000: as long as they are kept. */
  readonly rememberMs: number;
  /** Events remembered, and objects whose Events are counted. Default 5,000. */
  readonly remembered: number;
}

export const defaultEventBounds: EventBounds = {
  ...{ objectBurst: 25, objectEveryMs: 300_000, burst: 50, qps: 5 },
  ...{ waiting: 500, rememberMs: 3_600_000, remembered: 5000 },
};

interface Bucket {
  tokens: number;
  at: number;
}

function refill(bucket: Bucket, capacity: number, everyMs: number, now: number): void {
  bucket.tokens = Math.min(capacity, bucket.tokens + (now - bucket.at) / everyMs);
  bucket.at = now;
}

/** The bucket of all: milliseconds until the next Event may be written, 0 when it may be now and is counted. */
export function createEventPace({ burst, qps }: Pick<EventBounds, 'burst' | 'qps'>, now: () => number): () => number {
  const bucket: Bucket = { tokens: burst, at: now() };
  const everyMs = 1000 / qps;
  return () => {
    refill(bucket, burst, everyMs, now());
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) * everyMs);
    bucket.tokens--;
    return 0;
  };
}

/** A bucket for each object, by its uid. Of more objects than are remembered, the one that was quiet longest is forgotten. */
export function createObjectPace(
  { objectBurst, objectEveryMs, remembered }: EventBounds,
  now: () => number,
): (uid: string) => boolean {
  const buckets = new Map<string, Bucket>();
  return (uid) => {
    const bucket = buckets.get(uid) ?? { tokens: objectBurst, at: now() };
    refill(bucket, objectBurst, objectEveryMs, now());
    buckets.delete(uid);
    buckets.set(uid, bucket);
    if (buckets.size > remembered) buckets.delete(buckets.keys().next().value!);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  };
}
