/** Spans to a collector: gathered into batches, sent one at a time, tried again for a while, and never waited for. */
import type { MetricsRegistry } from '../../../base/metrics.ts';
import type { SpanRecord } from '../span.ts';
import { encodeSpans } from './encode.ts';
import { createSpanFamilies, type DropReason } from './families.ts';
import { createPoster } from './post.ts';

export interface ExporterLimits {
  /** Spans that wait; further ones are dropped. */
  readonly maxQueued: number;
  /** Spans of one request. */
  readonly maxBatch: number;
  /** A batch that is not full leaves after this time. */
  readonly flushMs: number;
  /** From the beginning of a request to the end of its answer. */
  readonly timeoutMs: number;
  /** Times that a batch is sent before it is dropped. */
  readonly maxAttempts: number;
  /** Before the second attempt; twice as long before each further one. */
  readonly backoffMs: number;
  /** Longest pause between attempts, also of those that the collector asks for. */
  readonly maxBackoffMs: number;
}

/** docs/data-plane.md lists them. */
export const exporterDefaults: ExporterLimits = {
  maxQueued: 8_192,
  maxBatch: 256,
  flushMs: 1_000,
  timeoutMs: 10_000,
  maxAttempts: 5,
  backoffMs: 1_000,
  maxBackoffMs: 30_000,
};

export interface ExporterOptions extends Partial<ExporterLimits> {
  /** Where to send them: see `tracesUrl`. */
  readonly url: URL;
  /** Of the program, for `service.version`. */
  readonly version: string;
  readonly metrics?: MetricsRegistry;
  /** Told once when spans are lost, and again only after some were taken. */
  readonly onLoss?: (why: string) => void;
}

export interface Exporter {
  /** For ProxyOptions.onSpan. */
  readonly add: (span: SpanRecord) => void;
  /** Sends what is left, each batch once, until the time is up. */
  close(timeoutMs: number): Promise<void>;
}

/** URL of the traces of a collector, from its own; undefined for what is no http or https URL. */
export function tracesUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith('/v1/traces') ? path : `${path}/v1/traces`;
  url.hash = '';
  return url;
}

export function createExporter(options: ExporterOptions): Exporter {
  const limits = { ...exporterDefaults, ...options };
  const poster = createPoster(options.url);
  const tally = createTally(options);
  const pause = createPause();
  const queue: SpanRecord[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  let closesAt: number | undefined;

  /** Sends full batches, and what there is when `rest` says so. */
  async function send(rest: boolean): Promise<void> {
    let least = rest ? 1 : limits.maxBatch;
    while (queue.length >= least && !isLate()) {
      await deliver(queue.splice(0, limits.maxBatch));
      least = closesAt === undefined ? limits.maxBatch : 1;
    }
  }

  const isLate = () => closesAt !== undefined && performance.now() >= closesAt;

  function start(rest: boolean): void {
    if (sending || closesAt !== undefined) return;
    clearTimeout(timer);
    timer = undefined;
    sending = send(rest).finally(() => {
      sending = undefined;
      if (queue.length > 0) startSoon();
    });
  }

  function startSoon(): void {
    timer ??= setTimeout(start, limits.flushMs, true).unref();
  }

  async function deliver(batch: readonly SpanRecord[]): Promise<void> {
    const body = encodeSpans(batch, options.version);
    for (let attempt = 1; ; attempt++) {
      const outcome = await poster.post(body, limits.timeoutMs);
      if (outcome.kind === 'taken') return tally.taken(batch.length, outcome.rejected, outcome.why);
      if (outcome.kind === 'refused') return tally.lost(batch.length, 'refused', outcome.why);
      if (closesAt !== undefined || attempt >= limits.maxAttempts)
        return tally.lost(batch.length, closesAt === undefined ? 'unreachable' : 'shutdown', outcome.why);
      await pause.wait(pauseMs(limits, attempt, outcome.afterMs));
    }
  }

  return {
    add(span) {
      if (closesAt !== undefined) return tally.lost(1, 'shutdown', 'a span came after the end');
      if (queue.length >= limits.maxQueued)
        return tally.lost(1, 'queue_full', `${limits.maxQueued} spans wait already`);
      queue.push(span);
      if (queue.length >= limits.maxBatch) start(false);
      else if (!sending) startSoon();
    },
    async close(timeoutMs) {
      clearTimeout(timer);
      closesAt = performance.now() + timeoutMs;
      pause.end();
      const late = setTimeout(poster.abort, timeoutMs);
      await sending;
      await send(true);
      clearTimeout(late);
      clearTimeout(timer);
      if (queue.length > 0) tally.lost(queue.length, 'shutdown', 'the time to send the rest was up');
      queue.length = 0;
      poster.close();
    },
  };
}

/** With up to half as much on top of our own back-off, so that many do not come back together. */
function pauseMs({ backoffMs, maxBackoffMs }: ExporterLimits, attempt: number, askedMs: number | undefined): number {
  const own = backoffMs * 2 ** (attempt - 1) * (1 + Math.random() / 2);
  return Math.min(maxBackoffMs, askedMs ?? own);
}

/** A pause that can be cut short, after which there are no more. */
function createPause() {
  let isOver = false;
  let wake = () => {};
  return {
    wait: (ms: number) =>
      new Promise<void>((resume) => {
        if (isOver) return resume();
        const timer = setTimeout(resume, ms).unref();
        wake = () => {
          clearTimeout(timer);
          resume();
        };
      }),
    end() {
      isOver = true;
      wake();
    },
  };
}

function createTally({ metrics, onLoss = () => {} }: ExporterOptions) {
  const families = metrics && createSpanFamilies(metrics);
  const exported = families?.exported.with();
  let isLosing = false;

  function lost(spans: number, reason: DropReason, why: string): void {
    families?.dropped.with(reason).inc(spans);
    if (isLosing) return;
    isLosing = true;
    onLoss(why);
  }

  return {
    lost,
    taken(spans: number, rejected: number, why: string): void {
      exported?.inc(Math.max(0, spans - rejected));
      if (rejected > 0) lost(Math.min(spans, rejected), 'refused', `the collector left some out: ${why}`);
      else isLosing = false;
    },
  };
}
