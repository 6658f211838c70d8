/**
 * Events about objects: each finding becomes one when it first appears, and not again while it stays. One that went and
 * came again is counted in the series of its Event. Best effort, as Events are: bounded in number and rate, apart from
 * the way of statuses, and lost rather than piled up.
 */
import type { Diagnostic } from '../base/diagnostics/index.ts';
import { keyOf } from '../kube/resources.ts';
import type { StoreReader } from '../kube/store/store.ts';
import type { KubeObject } from '../kube/types/index.ts';
import { resources, routeResources } from '../routing/gateway/kinds.ts';
import { createEventPace, createObjectPace, defaultEventBounds, type EventBounds } from './events/event-bounds.ts';
import { eventOf, microTime, type Occurrence, occurrenceOf } from './events/event-object.ts';
import type { EventOutcome, EventSink } from './events/event-sink.ts';

export interface EventsOptions {
  readonly store: StoreReader;
  readonly sink: EventSink;
  /** Of this process, for `reportingInstance`. */
  readonly instance: string;
  /** Whether this process writes at all. Default: it does. */
  readonly mayWrite?: () => boolean;
  readonly bounds?: Partial<EventBounds>;
  /** Findings are looked at so long after they were told, so that those of a moment are none. Default 500. */
  readonly settleMs?: number;
  /** First pause after a write that nobody answered; it doubles with each of the four attempts. Default 1,000. */
  readonly retryMs?: number;
  readonly metrics?: EventMetrics;
  /** An Event was refused. At most once a minute. */
  onError(message: string): void;
}

export interface EventMetrics {
  written(): void;
  /** Over one of the bounds. */
  dropped(): void;
  failed(): void;
}

export interface Events {
  /** The findings in force now. */
  tell(findings: readonly Diagnostic[]): void;
  /** This process may write from now on: what is in force is looked at as if it were new. */
  refresh(): void;
  /** Events that wait to be written. */
  readonly pending: number;
  stop(): void;
}

/** Kinds that Events are about. */
const resourceOf: Readonly<Record<string, string>> = {
  Ingress: 'ingresses.networking.k8s.io',
  IngressClass: 'ingressclasses.networking.k8s.io',
  Gateway: resources.gateway,
  GatewayClass: resources.gatewayClass,
  ListenerSet: resources.listenerSet,
  BackendTLSPolicy: resources.backendTlsPolicy,
  XBackend: 'xbackends.gateway.networking.x-k8s.io',
  XBackendTrafficPolicy: 'xbackendtrafficpolicies.gateway.networking.x-k8s.io',
  ...routeResources,
};

/** Findings about objects that are perhaps another controller's, which speaks for itself. */
const notOurs: ReadonlySet<string> = new Set(['FW2003']);

const attempts = 4;
const complaintEveryMs = 60_000;

const refusal = (error: unknown): EventOutcome => ({ type: 'refused', message: String(error) });

interface Written {
  readonly count: number;
  readonly at: number;
}

interface Waiting {
  readonly occurrence: Occurrence;
  /** When it was seen, in milliseconds since the epoch. */
  readonly at: number;
}

export function createEvents(options: EventsOptions): Events {
  const { store, sink, instance, mayWrite = () => true, settleMs = 500, retryMs = 1000, metrics, onError } = options;
  const bounds: EventBounds = { ...defaultEventBounds, ...options.bounds };
  const { rememberMs, remembered } = bounds;
  const now = () => performance.now();
  const waitForAll = createEventPace(bounds, now);
  const mayTell = createObjectPace(bounds, now);
  const stopping = new AbortController();
  const { signal } = stopping;
  let findings: readonly Diagnostic[] = [];
  let looked: readonly Diagnostic[] | undefined;
  /** What is remembered as written is no repetition at the next look: it may have stayed while others led. */
  let isAnew = false;
  /** Keys of those that were in force at the last look. */
  let present: ReadonlySet<string> = new Set();
  /** What was made of a finding; those that stay are the same objects. */
  const made = new WeakMap<Diagnostic, Occurrence>();
  /** Events by key, the one that was written longest ago first. */
  const written = new Map<string, Written>();
  const queue: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isWriting = false;
  let complainedAt = Number.NEGATIVE_INFINITY;

  function occurrence(finding: Diagnostic): Occurrence | undefined {
    const { object: ref, severity, code } = finding;
    if (!ref || severity === 'info' || notOurs.has(code) || !Object.hasOwn(resourceOf, ref.kind)) return undefined;
    const stored = store.get<KubeObject>(resourceOf[ref.kind]!, keyOf({ metadata: ref }));
    if (!stored?.metadata.uid) return undefined;
    const before = made.get(finding);
    if (before?.regarding.uid === stored.metadata.uid) return before;
    const fresh = occurrenceOf(finding, stored);
    made.set(finding, fresh);
    return fresh;
  }

  function look(): void {
    timer = undefined;
    if (!mayWrite() || looked === findings) return;
    looked = findings;
    const [before, wasAnew] = [present, isAnew];
    isAnew = false;
    const current = new Set<string>();
    for (const finding of findings) {
      const found = occurrence(finding);
      if (!found || current.has(found.key)) continue;
      current.add(found.key);
      const stayed = before.has(found.key) || (wasAnew && recall(found.key));
      if (!stayed) offer(found);
    }
    present = current;
    void pump();
  }

  function offer(found: Occurrence): void {
    if (queue.length < bounds.waiting && mayTell(found.regarding.uid))
      queue.push({ occurrence: found, at: Date.now() });
    else metrics?.dropped();
  }

  /** One write at a time. */
  async function pump(): Promise<void> {
    if (isWriting) return;
    isWriting = true;
    while (queue.length > 0 && !signal.aborted && mayWrite()) {
      const wait = waitForAll();
      if (wait > 0) await pause(wait);
      else await bring(queue.shift()!);
    }
    // Another replica leads: it looks for itself.
    if (!mayWrite()) queue.length = 0;
    isWriting = false;
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(waiting);
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const waiting = setTimeout(finish, ms);
      waiting.unref();
      signal.addEventListener('abort', finish);
    });
  }

  async function bring(item: Waiting): Promise<void> {
    for (let attempt = 0; attempt < attempts && !signal.aborted && mayWrite(); attempt++) {
      const outcome = await write(item).catch(refusal);
      // What was under way at the stop was given up, and nobody refused it.
      if (signal.aborted) return;
      if (outcome.type === 'later') {
        await pause(retryMs * 2 ** attempt);
        continue;
      }
      if (outcome.type === 'refused') complain(item, outcome.message);
      else if (outcome.type === 'written') metrics?.written();
      return;
    }
    metrics?.failed();
  }

  /** A new Event; or, of one that was written not too long ago, one more in its series. */
  async function write({ occurrence: found, at }: Waiting): Promise<EventOutcome> {
    const last = recall(found.key);
    if (last) {
      const count = last.count + 1;
      const outcome = await sink.repeat(found, { count, lastObservedTime: microTime(at) }, signal);
      if (outcome.type === 'written') remember(found.key, count);
      if (outcome.type !== 'gone') return outcome;
    }
    const outcome = await sink.create(eventOf(found, at, instance), signal);
    // Another replica has told of it, before this one led.
    if (outcome.type === 'written' || outcome.type === 'there') remember(found.key, 1);
    return outcome;
  }

  function recall(key: string): Written | undefined {
    const found = written.get(key);
    if (!found || now() - found.at < rememberMs) return found;
    written.delete(key);
    return undefined;
  }

  function remember(key: string, count: number): void {
    written.delete(key);
    written.set(key, { count, at: now() });
    if (written.size > remembered) written.delete(written.keys().next().value!);
  }

  function complain({ occurrence: { namespace, name } }: Waiting, message: string): void {
    metrics?.failed();
    if (now() - complainedAt < complaintEveryMs) return;
    complainedAt = now();
    onError(`Event ${namespace}/${name}: ${message}`);
  }

  function arm(): void {
    if (timer || signal.aborted) return;
    timer = setTimeout(look, settleMs);
    timer.unref();
  }

  return {
    tell(given) {
      findings = given;
      if (mayWrite() && looked !== findings) arm();
    },
    refresh() {
      looked = undefined;
      isAnew = true;
      present = new Set();
      arm();
    },
    get pending() {
      return queue.length + Number(isWriting);
    },
    stop() {
      stopping.abort();
      clearTimeout(timer);
      queue.length = 0;
    },
  };
}
