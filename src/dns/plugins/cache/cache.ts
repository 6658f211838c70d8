/**
 * Keeps responses in wire format: a hit copies bytes, sets the id and what is left of the TTL. Answers that are ready
 * anyway (those of the kubernetes plugin) are passed on as they are, so that a change in the cluster shows at once.
 */
import type { Clock } from '../../../base/clock.ts';
import type { MetricsRegistry } from '../../../base/metrics.ts';
import { rcode } from '../../wire/numbers.ts';
import type { Query } from '../../wire/query.ts';
import { type Answer, type ReadyAnswer, withTtl } from '../../wire/response.ts';
import { type Handler, type MaybePromise, type Plugin, type QueryContext, type Reply, whenSettled } from '../plugin.ts';
import { over, type Repeat } from '../repeat.ts';
import { answerIn } from '../reply.ts';
import { createZoneMatcher } from '../zones.ts';
import { type CacheItem, createItem, type ItemKind, kindOf, lifetimeOf, readyWithTtl, secondsLeft } from './item.ts';
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

interface Judged {
  readonly answer: Answer;
  readonly kind: ItemKind;
  readonly half: Half;
  /** Seconds. */
  readonly ttl: number;
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

  /** How long a response would be kept, and as what; undefined when it may not be kept. */
  function judge(query: Query, reply: Reply): Judged | undefined {
    if (reply.kind === 'foreign' && (reply.bytes[2]! & 0x02) !== 0) return undefined;
    const answer = answerIn(reply);
    const kind = answer && kindOf(query, answer);
    if (!kind) return undefined;
    const half: Half = kind === 'success' ? 'success' : 'denial';
    const { maxTtl, minTtl } = halves[half].options;
    const lifetime = Math.min(maxTtl, Math.max(minTtl, lifetimeOf(kind, answer)));
    const ttl = Math.floor(kind === 'servfail' ? options.servfailTtl : lifetime);
    return ttl > 0 ? { answer, kind, half, ttl } : undefined;
  }

  function keep({ query, scope }: QueryContext, { answer, kind, half, ttl }: Judged): CacheItem {
    const item = createItem(query, kind, answer, ttl, clock.now());
    const key = keyOf(query);
    // Who repeats what was kept before asks again from now on.
    for (const { items: kept } of [halves.success, halves.denial]) {
      const before = kept.get(key);
      if (before) before.replaced = true;
    }
    if (kind === 'success') halves.denial.items.drop(key);
    const evicted = halves[half].items.put(key, item);
    if (evicted) {
      evicted.replaced = true;
      metrics.evicted(scope, half);
    }
    metrics.size(scope, 'success', halves.success.items.size);
    metrics.size(scope, 'denial', halves.denial.items.size);
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
        item.used = true;
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
      const judged = judge(context.query, reply);
      if (!judged) return reply;
      const by = reply.by ?? '';
      // A zone that is not kept has the TTLs of one that is, as in CoreDNS.
      if (!halves[judged.half].takes(context.query))
        return { kind: 'answer', by, answer: withTtl(judged.answer, judged.ttl) };
      const item = keep(context, judged);
      return { ...serve(item, item.ttl), by };
    });
  }

  /** Ready answers hold no longer than what is kept: those without answers as denials, by the TTL of their SOA record. */
  function capped(reply: Extract<Reply, { kind: 'ready' }>, scope: QueryContext['scope']): Reply {
    const { bytes, ttl = 0 } = reply.ready;
    const { maxTtl } = bytes[6] === 0 && bytes[7] === 0 ? options.denial : options.success;
    const repeat = reply.repeat && { repeat: repeatMiss(reply.repeat, scope) };
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
    void refresh(item, context, next).then((reply) => {
      const fresh = reply && find(keyOf(context.query), clock.now())?.item;
      if (!fresh || fresh === item) return;
      // Who is asked for often stays so.
      fresh.hits = item.hits;
      fresh.lastUsedAt = item.lastUsedAt;
    });
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
      return serve(item, stale!.ttl > 0 || !keepTtl ? stale!.ttl : item.ttl);
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
