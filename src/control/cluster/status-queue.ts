/**
 * Statuses to a Kubernetes API: one write under way for each object, the newest wins, and nothing while another replica
 * leads. A write names the version that it was built from; when that is not the newest any more, the object is read
 * and the status built anew. What fails is tried again, ever more slowly; an object that is gone is let go.
 */
import { type ApiError, isConflict, isNotFound } from '../../kube/client/api-error.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { createResourceClient } from '../../kube/client/resource-client.ts';
import { type Backoff, createBackoff } from '../../kube/client/timing.ts';
import { equalJson } from '../../kube/objects.ts';
import type { Json } from '../../kube/patch/json.ts';
import { mergePatchBetween } from '../../kube/patch/merge-patch.ts';
import { keyOf, type ResourceRegistry, versionOf } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { Unstructured } from '../../kube/types/index.ts';
import type { DeliveryReport, StatusUpdate } from '../../routing/translate.ts';
import type { StatusSink } from '../status-sink.ts';
import type { StatusMetrics } from './metrics.ts';

export interface StatusQueueOptions {
  readonly client: KubeClient;
  /** A mirror of the API. */
  readonly store: StoreReader;
  readonly registry: ResourceRegistry;
  /** True while no other replica can be writing. */
  isLeader(): boolean;
  /** Objects that are written at once. Default 8. */
  readonly maxInFlight?: number;
  /** Longest pause between attempts while the API does not answer, in milliseconds. Default 5,000. */
  readonly maxPauseMs?: number;
  /** Pause after the API refused a status, in milliseconds. Default 30,000. */
  readonly refusedMs?: number;
  readonly metrics?: StatusMetrics;
  onError(message: string): void;
}

export interface StatusQueue extends StatusSink {
  /** Statuses that wait or are under way. */
  readonly pending: number;
  /** Another replica leads: what waits is forgotten, and what is under way is not tried again. */
  pause(): void;
  /** Ends what is under way. */
  stop(): Promise<void>;
}

interface Wanted {
  readonly update: StatusUpdate;
  readonly report: DeliveryReport;
}

/** The status that we wrote last of an object. */
interface Sent {
  status: unknown;
  /** The object as the API has it, for as long as the mirror still has the version `from`. */
  newer?: { readonly from: string | undefined; readonly object: Unstructured };
}

const fieldManager = 'fairway-gateway';

export function createStatusQueue(options: StatusQueueOptions): StatusQueue {
  const { client, store, registry, maxInFlight = 8, maxPauseMs = 5000, refusedMs = 30_000, metrics } = options;
  const { timing } = client;
  const waiting = new Map<string, Wanted>();
  const flying = new Map<string, Promise<void>>();
  /** Those that the API refused; the newest wins here too. */
  const resting = new Map<string, Wanted>();
  /** At most one for each object that is there. */
  const sent = new Map<string, Sent>();
  let turn = new AbortController();
  let isStopped = false;

  const isOn = () => !isStopped && options.isLeader();

  /** The newest version that we know: what a write gave back, until the mirror has it too. */
  function newest({ resource, ref }: StatusUpdate): Unstructured | undefined {
    const stored = store.get<Unstructured>(resource, keyOf({ metadata: ref }));
    const newer = sent.get(idOf(resource, ref))?.newer;
    return newer && stored && newer.from === stored.metadata.resourceVersion ? newer.object : stored;
  }

  function remember({ resource, ref }: StatusUpdate, object: Unstructured, status: unknown): void {
    const from = store.get(resource, keyOf({ metadata: ref }))?.metadata.resourceVersion;
    sent.set(idOf(resource, ref), { status, newer: { from, object } });
  }

  function apiOf({ resource }: StatusUpdate, object: Unstructured) {
    return createResourceClient<Unstructured>(client, registry.byName(resource)!, versionOf(object.apiVersion));
  }

  /** Patches, so that nothing but status can change. Gives the pause before the next attempt; undefined: none needed. */
  async function attempt(wanted: Wanted, backoff: Backoff, signal: AbortSignal): Promise<number | undefined> {
    const { update, report } = wanted;
    const stored = newest(update);
    if (!stored) return undefined;
    const status = update.build(stored, report);
    const patch = mergePatchBetween(stored.status as Json | undefined, status as Json);
    if (patch === undefined) return undefined;
    const { resourceVersion } = stored.metadata;
    sent.set(idOf(update.resource, update.ref), { ...sent.get(idOf(update.resource, update.ref)), status });
    const written = await apiOf(update, stored).mergePatch(
      update.ref,
      { metadata: { resourceVersion }, status: patch },
      { subresource: 'status', fieldManager, signal },
    );
    if (written.ok) {
      metrics?.written();
      remember(update, written.value, written.value.status);
      return undefined;
    }
    return isConflict(written.error) ? reread(wanted, stored, backoff, signal) : failed(wanted, written.error, backoff);
  }

  /** Somebody else wrote first. */
  async function reread(
    { update }: Wanted,
    stored: Unstructured,
    backoff: Backoff,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    metrics?.conflicted();
    const fresh = await apiOf(update, stored).get(update.ref, signal);
    if (fresh.ok) remember(update, fresh.value, fresh.value.status);
    if (fresh.ok || !isNotFound(fresh.error)) return backoff.next();
    return undefined;
  }

  function failed(wanted: Wanted, error: ApiError, backoff: Backoff): number | undefined {
    if (isNotFound(error) || error.kind === 'aborted') return undefined;
    metrics?.failed();
    const { resource, ref } = wanted.update;
    options.onError(`status of ${ref.kind} ${keyOf({ metadata: ref })}: ${error.message}`);
    const isRefused = error.kind === 'status' && error.code !== 429 && (error.code ?? 500) < 500;
    if (!isRefused) return Math.max(backoff.next(), Math.min(error.retryAfterMs ?? 0, refusedMs));
    rest(idOf(resource, ref), wanted);
    return undefined;
  }

  /** A refusal is about this object: others do not wait for it. */
  function rest(id: string, wanted: Wanted): void {
    const { signal } = turn;
    resting.set(id, waiting.get(id) ?? wanted);
    waiting.delete(id);
    void timing.sleep(refusedMs, signal).then(() => {
      const rested = resting.get(id);
      if (signal.aborted || !rested) return;
      resting.delete(id);
      offer(id, rested);
    });
  }

  async function bring(id: string, first: Wanted): Promise<void> {
    const { signal } = turn;
    const backoff = createBackoff({ baseMs: 50, maxMs: maxPauseMs }, timing.random);
    let wanted = first;
    while (isOn() && !signal.aborted) {
      const pause = await tryAttempt(wanted, backoff, signal);
      if (pause === undefined) return;
      await timing.sleep(pause, signal);
      wanted = waiting.get(id) ?? wanted;
      waiting.delete(id);
    }
  }

  /** A status that cannot be built keeps no other from being written. */
  async function tryAttempt(wanted: Wanted, backoff: Backoff, signal: AbortSignal): Promise<number | undefined> {
    try {
      return await attempt(wanted, backoff, signal);
    } catch (error) {
      const { ref } = wanted.update;
      options.onError(`status of ${ref.kind} ${keyOf({ metadata: ref })}: ${String(error)}`);
      return undefined;
    }
  }

  function pump(): void {
    if (!isOn()) return;
    for (const [id, wanted] of waiting) {
      if (flying.size >= maxInFlight) return;
      if (flying.has(id)) continue;
      waiting.delete(id);
      const flight = bring(id, wanted).then(() => {
        flying.delete(id);
        pump();
      });
      flying.set(id, flight);
    }
  }

  function offer(id: string, wanted: Wanted): void {
    waiting.set(id, wanted);
    pump();
  }

  function pause(): void {
    turn.abort();
    turn = new AbortController();
    waiting.clear();
    resting.clear();
    sent.clear();
  }

  return {
    get pending() {
      return waiting.size + flying.size;
    },
    write(update, report) {
      if (!isOn()) return false;
      const id = idOf(update.resource, update.ref);
      const stored = newest(update);
      if (!stored) return false;
      // What is under way may bring another status than that of the object as it is known.
      const isDue = flying.has(id) || !equalJson(update.build(stored, report), stored.status);
      if (resting.has(id)) resting.set(id, { update, report });
      else if (isDue) offer(id, { update, report });
      else waiting.delete(id);
      return false;
    },
    disregards({ type, resource, object }) {
      if (!isOn()) return true;
      const id = idOf(resource, object.metadata);
      const last = sent.get(id);
      if (!last) return false;
      if (type === 'DELETED') sent.delete(id);
      const { status } = object as Unstructured;
      if (type === 'DELETED' || !equalJson(status, last.status)) return false;
      // One copy of it is enough, and that of the mirror is there anyway.
      last.status = status;
      delete last.newer;
      return true;
    },
    pause,
    async stop() {
      isStopped = true;
      pause();
      await Promise.all(flying.values());
    },
  };
}

function idOf(resource: string, metadata: { readonly namespace?: string; readonly name: string }): string {
  return `${resource} ${keyOf({ metadata })}`;
}
