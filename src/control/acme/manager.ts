/**
 * Certificates by ACME: follows what objects ask for and, on the replica that leads, has each issued and renewed. It
 * is told of every plan in force; what it does, it does through Secrets and a ConfigMap, which make the next plan.
 */
import type { Diagnostic } from '../../base/diagnostics/index.ts';
import { systemTiming, type Timing } from '../../kube/client/timing.ts';
import { equalJson } from '../../kube/objects.ts';
import { keyOf } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { ConfigMap } from '../../kube/types/index.ts';
import type { Plan, Provenance } from '../../routing/plan/plan.ts';
import type { TranslateInput } from '../../routing/translate.ts';
import { createAccounts } from './accounts.ts';
import type { RetryOptions } from './backoff.ts';
import { createChallengeBoard } from './board.ts';
import { type Issuer, type ReadIssuers, readIssuers } from './issuers.ts';
import type { AcmePlace } from './names.ts';
import type { AcmeObjects } from './objects.ts';
import { servedAskers } from './served.ts';
import { createOrderStates } from './state.ts';
import { type CertificateTask, createTask, type TaskContext } from './task.ts';
import { type Wanted, type WantedCertificate, wantedCertificates } from './wanted.ts';

export interface AcmeManagerOptions {
  /** Objects that ask, TLS Secrets, and the ConfigMap of issuers. */
  readonly store: StoreReader;
  readonly objects: AcmeObjects;
  /** ConfigMap of issuers; accounts, orders and challenges are kept in its namespace. */
  readonly place: AcmePlace;
  readonly adopt: boolean;
  /** Of our GatewayClasses. Default `gatewayControllerName`. */
  readonly controllerName?: string;
  readonly position: TranslateInput['position'];
  readonly userAgent: string;
  /** Whether this replica is the one that has certificates issued. */
  isLeader(): boolean;
  /** For other replicas to hear of a challenge, in milliseconds. Default 0: there is none. */
  readonly replicaPauseMs?: number;
  /** How long our own data plane may take to answer for a challenge, in milliseconds. Default 30,000. */
  readonly inForceMs?: number;
  /** Orders that are under way at once. Default 4. */
  readonly maxOrders?: number;
  readonly retry?: RetryOptions;
  readonly timing?: Timing;
  /** What `diagnostics` gives may be something else now. */
  onChange?(): void;
  log(level: 'info' | 'warning', text: string): void;
}

export interface AcmeManager {
  /** A plan is in force, made of what the store has. */
  update(plan: Plan): void;
  /** This replica leads, or does not any more. */
  lead(): void;
  pause(): Promise<void>;
  /** Findings of the plan and of certificates, without those about a Secret that is on its way. */
  told(found: readonly Diagnostic[]): readonly Diagnostic[];
  stop(): Promise<void>;
}

const nobody: ReadIssuers = { issuers: new Map(), findings: [] };
const nothingWanted: Wanted = { certificates: [], findings: [] };

export function createAcmeManager(options: AcmeManagerOptions): AcmeManager {
  const { store, objects, place, position, log, timing = systemTiming, maxOrders = 4 } = options;
  const states = createOrderStates(objects, place.namespace);
  const board = createChallengeBoard({
    ...{ objects, timing, namespace: place.namespace },
    ...{ replicaPauseMs: options.replicaPauseMs ?? 0, inForceMs: options.inForceMs ?? 30_000 },
  });
  const slot = createSlots(maxOrders);
  const tasks = new Map<string, CertificateTask>();
  let session: { readonly context: TaskContext; close(): void } | undefined;
  let map: ConfigMap | undefined;
  let read = nobody;
  let wanted = nothingWanted;
  /** Fields that name Secrets which are wanted, and those Secrets. */
  let awaited: ReadonlySet<string> = new Set();
  let isStopped = false;
  /** Tasks that end. */
  const ending = new Set<Promise<void>>();

  const unsubscribe = store.subscribe(({ resource, object }) => {
    if (resource === 'secrets') tasks.get(keyOf(object))?.wake();
  });

  /** Issuers that say the same stay the same. */
  function followIssuers(): void {
    const now = store.get<ConfigMap>('configmaps', `${place.namespace}/${place.name}`);
    if (now === map) return;
    map = now;
    const { issuers, findings } = now ? readIssuers(now, position) : nobody;
    const kept = [...issuers].map(([name, issuer]) => {
      const before = read.issuers.get(name);
      return [name, before && equalJson(before, issuer) ? before : issuer] as [string, Issuer];
    });
    read = { issuers: new Map(kept), findings };
  }

  function follow(): void {
    const keys = new Set(wanted.certificates.map(({ key }) => key));
    for (const [key, task] of tasks) if (!keys.has(key)) end(key, task);
    if (!session) return;
    for (const each of wanted.certificates) {
      const task = tasks.get(each.key);
      if (task && sameOrder(task.wanted, each)) continue;
      if (task) end(each.key, task);
      begin(each, session.context);
    }
  }

  function begin(each: WantedCertificate, context: TaskContext): void {
    // An earlier task of this Secret writes no more once it has ended.
    const before = Promise.all(ending);
    const waiting = { ...context, slot: <T>(work: () => Promise<T>) => before.then(() => context.slot(work)) };
    tasks.set(each.key, createTask(each, waiting));
  }

  function end(key: string, task: CertificateTask): void {
    tasks.delete(key);
    const done = task.stop().finally(() => ending.delete(done));
    ending.add(done);
  }

  function openSession() {
    const ended = new AbortController();
    const accounts = createAccounts({
      ...{ objects, timing, namespace: place.namespace, userAgent: options.userAgent, signal: ended.signal },
    });
    const context: TaskContext = {
      ...{ store, objects, states, accounts, board, timing, slot, log, retry: options.retry ?? {} },
      changed: () => options.onChange?.(),
    };
    return {
      context,
      close() {
        ended.abort();
        accounts.close();
      },
    };
  }

  function lead(): void {
    if (session || isStopped || read.issuers.size === 0) return;
    session = openSession();
    board.clean().catch((error: unknown) => log('warning', `open challenges: ${String(error)}`));
    follow();
  }

  async function pause(): Promise<void> {
    const before = session;
    session = undefined;
    for (const [key, task] of tasks) end(key, task);
    before?.close();
    await Promise.all(ending);
  }

  const isAwaited = ({ code, object, fieldPath = '' }: Diagnostic) =>
    code === 'FW6001' && object !== undefined && awaited.has(placeOf({ object, fieldPath }));

  return {
    update(plan) {
      if (isStopped) return;
      board.inForce(plan);
      followIssuers();
      wanted =
        read.issuers.size === 0
          ? nothingWanted
          : wantedCertificates({
              ...servedAskers(store, plan, options),
              issuers: read.issuers,
              position,
            });
      awaited = new Set(wanted.certificates.flatMap(({ key, sources }) => [secretPlace(key), ...sources.map(placeOf)]));
      if (!session && options.isLeader()) lead();
      follow();
    },
    lead,
    pause,
    told(found) {
      const own = [
        ...read.findings,
        ...wanted.findings,
        ...[...tasks.values()].flatMap((task) => task.finding() ?? []),
      ];
      const left = awaited.size === 0 ? found : found.filter((finding) => !isAwaited(finding));
      return own.length === 0 ? left : [...left, ...own];
    },
    async stop() {
      isStopped = true;
      unsubscribe();
      await pause();
    },
  };
}

const placeOf = ({ object: { kind, namespace, name }, fieldPath }: Provenance) =>
  `${kind} ${namespace}/${name} ${fieldPath}`;

/** As findings about the default certificate name it. */
const secretPlace = (key: string) => `Secret ${key} `;

/** What makes no other order: where it stands in a file does not. */
function sameOrder(a: WantedCertificate, b: WantedCertificate): boolean {
  return a.issuer === b.issuer && equalJson(a.names, b.names) && equalJson(a.sources, b.sources);
}

/** Runs so many at once; the others wait for their turn. */
function createSlots(most: number): TaskContext['slot'] {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
