/**
 * Leader election on a `coordination.k8s.io/v1` Lease, by the rules of client-go: a candidate never compares the
 * holder's clock with its own. It notes when *it* saw the Lease change last, and takes over when nothing has changed for
 * the holder's lease duration. A leader that cannot renew steps down before others may step up.
 */
import { err, ok, type Result } from '../../base/result.ts';
import { builtinResources } from '../builtin-resources.ts';
import type { KubeObject } from '../types/index.ts';
import { type ApiError, isAlreadyExists, isConflict, isNotFound } from './api-error.ts';
import type { KubeClient } from './client.ts';
import { createResourceClient, type ResourceClient } from './resource-client.ts';

export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  /** `metav1.MicroTime`. */
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

export interface LeaderElectionOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Of the Lease; made when it is not there. */
  readonly name: string;
  /** Different for each candidate: the Pod's name and something random. */
  readonly identity: string;
  /** How long others wait after the last change that they saw, in milliseconds. Default 15,000. */
  readonly leaseMs?: number;
  /** A leader that could not renew for so long steps down. Less than `leaseMs`. Default 10,000. */
  readonly renewDeadlineMs?: number;
  /** Between attempts. Default 2,000; candidates wait up to 2.2 times that, by chance. */
  readonly retryMs?: number;
  readonly onStarted: () => void;
  readonly onStopped: () => void;
  /** Someone (else) leads; '' when nobody does. */
  readonly onNewLeader?: (identity: string) => void;
  readonly onError?: (error: ApiError) => void;
}

export interface LeaderElection {
  start(): void;
  /** True while it is certain that no other candidate leads. */
  isLeader(): boolean;
  /** Steps down and gives the Lease back, so that another one leads at once. */
  stop(): Promise<void>;
}

const leases = builtinResources.find(({ plural }) => plural === 'leases')!;
/** As client-go's JitterFactor. */
const jitter = 1.2;

const microTime = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, -1)}000Z`;

interface Observed {
  readonly lease: Lease;
  /** Our own monotonic time when the Lease was first seen like this. */
  readonly at: number;
}

const sameSpec = (a: LeaseSpec | undefined, b: LeaseSpec | undefined) => JSON.stringify(a) === JSON.stringify(b);

/** One attempt to take or keep the Lease; keeps what was seen between attempts. */
function createCandidate(options: LeaderElectionOptions, api: ResourceClient<Lease>, leaseMs: number) {
  const { namespace, name, identity, client } = options;
  const { timing } = client;
  let observed: Observed | undefined;

  function observe(lease: Lease): void {
    // Another version with the same spec (a label was set) is no sign of life.
    const at = observed && sameSpec(observed.lease.spec, lease.spec) ? observed.at : timing.monotonic();
    observed = { lease, at };
  }

  function wanted(old: LeaseSpec | undefined): LeaseSpec {
    const now = microTime(timing.now());
    const held = old?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime: held ? (old.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (old?.leaseTransitions ?? 0) + (held || !old ? 0 : 1),
    };
  }

  /** Somebody else holds it, and was seen alive not too long ago. */
  function isTaken(): boolean {
    const spec = observed?.lease.spec;
    if (!spec?.holderIdentity || spec.holderIdentity === identity) return false;
    return timing.monotonic() - observed!.at < (spec.leaseDurationSeconds ?? 0) * 1000;
  }

  async function read(signal: AbortSignal): Promise<Result<Lease | undefined, ApiError>> {
    const found = await api.get({ namespace, name }, signal);
    if (!found.ok) return isNotFound(found.error) ? ok(undefined) : found;
    observe(found.value);
    return found;
  }

  function create(signal: AbortSignal): Promise<Result<Lease, ApiError>> {
    const { versions, group, kind } = leases;
    const apiVersion = `${group}/${versions[0]}`;
    return api.create({ apiVersion, kind, metadata: { namespace, name }, spec: wanted(undefined) }, { signal });
  }

  return {
    get holder() {
      return observed?.lease.spec?.holderIdentity;
    },
    /** True: it is ours, renewed now. False: another one's, or another one was faster. */
    async acquire(signal: AbortSignal): Promise<Result<boolean, ApiError>> {
      const found = await read(signal);
      if (!found.ok) return found;
      if (found.value && isTaken()) return ok(false);
      const { spec } = found.value ?? {};
      const written = await (found.value
        ? api.update({ ...found.value, spec: wanted(spec) }, { signal })
        : create(signal));
      if (written.ok) {
        observe(written.value);
        return ok(true);
      }
      return isConflict(written.error) || isAlreadyExists(written.error) ? ok(false) : err(written.error);
    },
    /** Gives the Lease back if it is ours. */
    async release(signal: AbortSignal): Promise<Result<unknown, ApiError>> {
      const found = await read(signal);
      if (!found.ok || found.value?.spec?.holderIdentity !== identity) return found;
      const now = microTime(timing.now());
      const { leaseTransitions } = found.value.spec;
      const spec = { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now, leaseTransitions };
      return api.update({ ...found.value, spec }, { signal });
    },
  };
}

export function createLeaderElection(options: LeaderElectionOptions): LeaderElection {
  const { client, leaseMs = 15_000, renewDeadlineMs = 10_000, retryMs = 2000 } = options;
  const { timing } = client;
  const api = createResourceClient<Lease>(client, leases);
  const candidate = createCandidate(options, api, leaseMs);
  const stopping = new AbortController();
  let leading = false;
  let renewedAt = 0;
  let leader: string | undefined;
  let running: Promise<void> | undefined;

  function tellLeader(): void {
    const { holder } = candidate;
    if (holder === undefined || holder === leader) return;
    leader = holder;
    options.onNewLeader?.(holder);
  }

  /** One attempt that ends in time, whatever the server does. */
  async function attempt(withinMs: number): Promise<boolean> {
    const started = timing.monotonic();
    const late = new AbortController();
    const give = () => late.abort();
    stopping.signal.addEventListener('abort', give);
    const finished = new AbortController();
    void timing.sleep(withinMs, finished.signal).then(give);
    const acquired = await candidate.acquire(late.signal);
    finished.abort();
    stopping.signal.removeEventListener('abort', give);
    tellLeader();
    if (!acquired.ok && acquired.error.kind !== 'aborted') options.onError?.(acquired.error);
    if (!acquired.ok || !acquired.value) return false;
    // From when it was sent: the server may have counted from then on.
    renewedAt = started;
    return true;
  }

  function lead(): void {
    leading = true;
    options.onStarted();
  }

  function stepDown(): void {
    if (!leading) return;
    leading = false;
    options.onStopped();
  }

  const heldFor = () => timing.monotonic() - renewedAt;

  /** A leader looks again at its deadline at the latest. */
  function pause(): number {
    if (!leading) return retryMs * (1 + jitter * timing.random());
    return Math.min(retryMs, Math.max(0, renewDeadlineMs - heldFor()));
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const held = await attempt(leading ? Math.max(1, renewDeadlineMs - heldFor()) : renewDeadlineMs);
      if (held && !leading && !stopping.signal.aborted) lead();
      // Another holder in the Lease ends it at once; a server that does not answer ends it at the deadline.
      if (leading && !held && (heldFor() >= renewDeadlineMs || candidate.holder !== options.identity)) stepDown();
      await timing.sleep(pause(), stopping.signal);
    }
  }

  return {
    start() {
      running ??= run();
    },
    isLeader: () => leading && heldFor() < leaseMs,
    async stop() {
      const held = leading;
      stopping.abort();
      await running;
      stepDown();
      if (!held) return;
      const late = new AbortController();
      const finished = new AbortController();
      void timing.sleep(retryMs, finished.signal).then(() => late.abort());
      const released = await candidate.release(late.signal);
      finished.abort();
      if (!released.ok && released.error.kind !== 'aborted') options.onError?.(released.error);
    },
  };
}
