/**
 * Keeps responses in wire format: a hit copies bytes, sets the id and what is left of the TTL. Answers that are ready
 * anyway (those of the kubernetes plugin) are passed on as they are, so that a change in the cluster shows at once.
 */
import type { Clock } from '../../../base/clock.ts';
import type { MetricsRegistry } from '../../../base/metrics.ts';
import { rcode } from '../../wire/numbers.ts';
import type { Query } from '../../wire/query.ts';
import type { ReadyAnswer } from '../../wire/response.ts';
import { type Handler, type MaybePromise, type Plugin, type QueryContext, type Reply, whenSettled } from '../plugin.ts';
import { over, type Repeat } from '../repeat.ts';
import { answerIn } from '../reply.ts';
import { createZoneMatcher } from '../zones.ts';
import { type CacheItem, createItem, kindOf, lifetimeOf, readyWithTtl, secondsLeft } from './item.ts';
import { cacheMetrics, type Half } from './metrics.ts';
import type { CacheOptions, HalfOptions } from './options.ts';
import { createCacheStore } from './store.ts';

/** Name, type, class, DO and CD: what makes one response differ from another. */
function keyOf(query: Query): string {
  const bits = (query.edns?.dnssecOk ? 1 : 0) | (query.checkingDisabled ? 2 : 0);
  return String.fromCharCode(query.type, query.class, bits) + query.key;
}

function createHalf(options: HalfOptions) {
  const disabled = createZoneMatcher(options.disabled);
  return {
    options,
    items: createCacheStore<CacheItem>(options.capacity),
    takes: (query: Query): boolean => options.disabled.length === 0 || disabled(query.key) === undefined,
  };
}

export function createCache(options: CacheOptions, shared: { metrics: MetricsRegistry; clock: Clock }): Plugin {
  const { clock } = shared;
  const { stale, prefetch, keepTtl } = options;
  const halves = { success: createHalf(options.success), denial: createHalf(options.denial) };
  const metrics = cacheMetrics(shared.metrics, options.zones.join(','));
  const inZone = createZoneMatcher(options.zones);
  /** Answers of other plugins with our TTL, made once for each. */
  const cappedAnswers = new WeakMap<ReadyAnswer, ReadyAnswer>();
  /** Questions under way: others who ask the same wait for the answer instead of asking too. */
  const asking = new Map<string, Promise<Reply>>();

  const holds = (item: CacheItem | undefined, now: number): item is CacheItem =>
    item !== undefined &&
    (secondsLeft(item, now) > 0 || (stale !== undefined && -secondsLeft(item, now) * 1000 < stale.forMs));

  function find(key: string, now: number): { item: CacheItem; half: Half } | undefined {
    const positive = halves.success.items.get(key);
    const negative = halves.denial.items.get(key);
    const good = holds(positive, now) ? { item: positive, half: 'success' as const } : undefined;
    const bad = holds(negative, now) ? { item: negative, half: 'denial' as const } : undefined;
    if (!good || !bad) return good ?? bad;
    // A failure must not hide what was good before, nor an ended denial what holds.
    return stale?.preferPositive || bad.item.kind === 'servfail' ? good : bad;
  }

  /** Keeps a response if it may be kept; the item, or undefined. */
  function keep({ query, scope }: QueryContext, reply: Reply): CacheItem | undefined {
    if (reply.kind === 'foreign' && (reply.bytes[2]! & 0x02) !== 0) return undefined;
    const answer = answerIn(reply);
    const kind = answer && kindOf(query, answer);
    if (!kind) return undefined;
    const half: Half = kind === 'success' ? 'success' : 'denial';
    const { items, takes, options: limits } = halves[half];
    const lifetime = Math.min(limits.maxTtl, Math.max(limits.minTtl, lifetimeOf(kind, answer)));
    const ttl = kind === 'servfail' ? options.servfailTtl : lifetime;
    if (ttl <= 0 || !takes(query)) return undefined;
    const item = createItem(query, kind, answer, Math.floor(ttl), clock.now());
    const key = keyOf(query);
    // Who repeats what was kept before asks again from now on.
    for (const { items: kept } of [halves.success, halves.denial]) {
      const before = kept.get(key);
      if (before) before.replaced = true;
    }
    if (kind === 'success') halves.denial.items.drop(key);
    if (items.put(key, item)) metrics.evicted(scope, half);
    metrics.size(scope, half, items.size);
    return item;
  }

  const serve = (item: CacheItem, ttl: number): Extract<Reply, { kind: 'ready' }> => ({
    kind: 'ready',
    by: 'cache',
    ready: item.ready,
    serial: 0,
    ttl,
  });

  /** Counts a repeated hit, for as long as the item is what `find` would find. */
  function repeatHit(item: CacheItem, half: Half, scope: QueryContext['scope']): Repeat {
    return {
      again() {
        const left = secondsLeft(item, clock.now());
        if (left <= 0 || item.replaced) return over;
        metrics.requested(scope);
        metrics.hit(scope, half);
        return keepTtl ? item.ttl : left;
      },
    };
  }

  /** What passes through ready-made is counted as a miss, as when it is asked for. */
  function repeatMiss(inner: Repeat, scope: QueryContext['scope']): Repeat {
    const again = () => {
      const ttl = inner.again();
      if (ttl === over) return over;
      metrics.requested(scope);
      metrics.missed(scope);
      return ttl;
    };
    return { ...inner, again };
  }

  /** Asks further down and keeps what comes. The first answer has the TTLs that later ones count down from. */
  function ask(context: QueryContext, next: Handler): MaybePromise<Reply> {
    return whenSettled(next(context), (reply) => {
      if (reply.kind === 'ready') return capped(reply, context.scope);
      const item = keep(context, reply);
      return item ? { ...serve(item, item.ttl), by: reply.by ?? '' } : reply;
    });
  }

  /** Ready answers hold no longer than what is kept. */
  function capped(reply: Extract<Reply, { kind: 'ready' }>, scope: QueryContext['scope']): Reply {
    const { maxTtl } = options.success;
    const repeat = reply.repeat && { repeat: repeatMiss(reply.repeat, scope) };
    const ttl = reply.ready.ttl ?? reply.ready.answer.answers[0]?.ttl ?? 0;
    if (ttl <= maxTtl) return repeat ? { ...reply, ...repeat } : reply;
    let ready = cappedAnswers.get(reply.ready);
    if (!ready) {
      ready = readyWithTtl(reply.ready, maxTtl);
      cappedAnswers.set(reply.ready, ready);
    }
    return { ...reply, ready, ...repeat };
  }

  /** One question at a time for each key. Answers that are there at once need no queue. */
  function askOnce(key: string, context: QueryContext, next: Handler): MaybePromise<Reply> {
    const before = asking.get(key);
    if (before) return before.then(nothing, nothing).then(() => afterOther(key, context, next));
    const reply = ask(context, next);
    if (!(reply instanceof Promise)) return reply;
    asking.set(key, reply);
    return reply.finally(() => asking.delete(key));
  }

  /** What was not kept belongs to who asked for it: then this one asks too. */
  function afterOther(key: string, context: QueryContext, next: Handler): MaybePromise<Reply> {
    const now = clock.now();
    const found = find(key, now);
    const left = found ? secondsLeft(found.item, now) : 0;
    return found && left > 0 ? serve(found.item, left) : ask(context, next);
  }

  /** Asks anew for an item; undefined when no good answer came. */
  async function refresh(item: CacheItem, context: QueryContext, next: Handler): Promise<Reply | undefined> {
    item.refreshing = true;
    try {
      const reply = await ask(context, next);
      const answer = answerIn(reply);
      const good = answer?.rcode === rcode.NOERROR || answer?.rcode === rcode.NXDOMAIN;
      if (!good && stale) item.retryAfter = clock.now() + stale.recheckMs;
      return good ? reply : undefined;
    } catch {
      // The item stays; who asked for it has an answer already.
      if (stale) item.retryAfter = clock.now() + stale.recheckMs;
      return undefined;
    } finally {
      item.refreshing = false;
    }
  }

  function refreshLater(item: CacheItem, context: QueryContext, next: Handler, now: number): void {
    if (item.refreshing || now < item.retryAfter) return;
    metrics.prefetched(context.scope);
    void refresh(item, context, next);
  }

  function wantsPrefetch(item: CacheItem, left: number, now: number): boolean {
    if (prefetch.amount <= 0) return false;
    item.hits = now - item.lastUsedAt > prefetch.gapMs ? 1 : item.hits + 1;
    item.lastUsedAt = now;
    return item.hits >= prefetch.amount && left <= Math.ceil((prefetch.percentage / 100) * item.ttl);
  }

  function serveStale(item: CacheItem, context: QueryContext, next: Handler, now: number): MaybePromise<Reply> {
    const old = (): Reply => {
      metrics.servedStale(context.scope);
      return serve(item, stale!.ttl);
    };
    if (!stale!.verify) {
      refreshLater(item, context, next, now);
      return old();
    }
    if (item.refreshing || now < item.retryAfter) return old();
    const fresh = refresh(item, context, next).then((reply) => reply ?? old());
    return stale!.verifyTimeoutMs === 0 ? fresh : firstOf(fresh, stale!.verifyTimeoutMs, old);
  }

  function handle(context: QueryContext, next: Handler): MaybePromise<Reply> {
    const { query, scope } = context;
    if (inZone(query.key) === undefined) return next(context);
    metrics.requested(scope);
    const now = clock.now();
    const key = keyOf(query);
    const found = find(key, now);
    if (!found) {
      metrics.missed(scope);
      return askOnce(key, context, next);
    }
    const { item, half } = found;
    metrics.hit(scope, half);
    const left = secondsLeft(item, now);
    if (left <= 0) return serveStale(item, context, next, now);
    if (wantsPrefetch(item, left, now)) refreshLater(item, context, next, now);
    const reply = serve(item, keepTtl ? item.ttl : left);
    // Prefetching looks at each use of an item.
    return prefetch.amount > 0 ? reply : { ...reply, repeat: repeatHit(item, half, scope) };
  }

  return { name: 'cache', handle, repeats: true };
}

const nothing = (): void => {};

function firstOf(fresh: Promise<Reply>, timeoutMs: number, otherwise: () => Reply): Promise<Reply> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(otherwise()), timeoutMs);
    void fresh.then((reply) => {
      clearTimeout(timer);
      resolve(reply);
    });
  });
}
