/** One certificate for as long as it is wanted: waits until it is due, has it issued, waits again. */
import type { Diagnostic, DiagnosticCode } from '../../base/diagnostics/index.ts';
import { diagnostic } from '../../base/diagnostics/index.ts';
import type { Timing } from '../../kube/client/timing.ts';
import { equalJson } from '../../kube/objects.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { Secret } from '../../kube/types/index.ts';
import type { ServingCertificate } from '../../routing/certificates.ts';
import type { Accounts } from './accounts.ts';
import { type RetryOptions, retryAfter } from './backoff.ts';
import type { ChallengeBoard } from './board.ts';
import type { AcmeObjects } from './objects.ts';
import { obtain } from './order.ts';
import { isProblem } from './problem.ts';
import { renewalId, renewalTime } from './renewal.ts';
import type { RenewalInfo } from './resources.ts';
import type { OrderState, OrderStates } from './state.ts';
import { deliver, fitting, isTakenOver } from './target.ts';
import type { WantedCertificate } from './wanted.ts';

/** What all certificates share. */
export interface TaskContext {
  readonly store: StoreReader;
  readonly objects: AcmeObjects;
  readonly states: OrderStates;
  readonly accounts: Accounts;
  readonly board: ChallengeBoard;
  readonly timing: Timing;
  readonly retry: RetryOptions;
  /** Runs a few at a time. */
  slot<T>(work: () => Promise<T>): Promise<T>;
  /** The finding of a task may be another. */
  changed(): void;
  log(level: 'info' | 'warning', text: string): void;
}

export interface CertificateTask {
  readonly wanted: WantedCertificate;
  /** Something may have changed: looks now. */
  wake(): void;
  /** What there is to say of it now. */
  finding(): Diagnostic | undefined;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

/** Longest time between looks: clocks are set, and timers have an end. In milliseconds. */
const lookMs = 24 * 3_600_000;
/** Between looks at what belongs to somebody else, in milliseconds. */
const asideMs = 10 * 60_000;
/** Least time between two certificates for one Secret, in milliseconds: clocks that disagree must not become a flood. */
const leastLifeMs = 3_600_000;
/** Before an authority that did not answer is asked again when to renew, in milliseconds. */
const renewalRetryMs = 3_600_000;

interface Note {
  readonly code: DiagnosticCode;
  readonly message: string;
}

interface Advice {
  readonly fingerprint: string;
  /** What the authority knows the certificate by; undefined: nothing is known. */
  readonly id: string | undefined;
  readonly info: RenewalInfo | undefined;
  /** Milliseconds since the epoch. */
  readonly askAt: number;
}

export function createTask(wanted: WantedCertificate, context: TaskContext): CertificateTask {
  const { objects, states, accounts, timing, store, log } = context;
  const { key, namespace, secretName, issuer, names } = wanted;
  const stopped = new AbortController();
  const { signal } = stopped;
  let woken = new AbortController();
  let note: Note | undefined;
  const tell = (next: Note | undefined) => {
    if (next?.message === note?.message && next?.code === note?.code) return;
    note = next;
    context.changed();
  };
  let advice: Advice | undefined;
  /** When the last one was delivered, by the clock that nobody sets. */
  let deliveredAt = Number.NEGATIVE_INFINITY;
  /** In a row, of the kind that may pass; those for good are in the state. */
  let passing = 0;

  async function run(): Promise<void> {
    while (!signal.aborted) {
      woken = new AbortController();
      const wait = await turn().catch((error: unknown) => rest(error));
      if (signal.aborted) return;
      await timing.sleep(Math.min(Math.max(wait, 0), lookMs), AbortSignal.any([signal, woken.signal]));
    }
  }

  /** Milliseconds until there is something to do. */
  async function turn(): Promise<number> {
    const seen = store.get<Secret>('secrets', key);
    const seenDue = seen && isTakenOver(seen) ? await dueAt(seen) : 0;
    if (seenDue > timing.now()) return good(seenDue);
    // What the store has may be older than what we have written.
    const secret = await objects.read('secrets', namespace, secretName);
    const somebody = await whoseElse(secret);
    if (somebody !== undefined) {
      tell({ code: 'FW6024', message: somebody });
      return asideMs;
    }
    const due = secret ? await dueAt(secret) : 0;
    if (due > timing.now()) return good(due);
    const early = deliveredAt + leastLifeMs - timing.monotonic();
    if (early <= 0 || !secret) return order(secret);
    tell(failed('what was issued just now is due again: does the clock run right?', timing.now() + early));
    return early;
  }

  function good(due: number): number {
    tell(undefined);
    passing = 0;
    return Math.min(due, advice?.askAt ?? due) - timing.now();
  }

  async function whoseElse(secret: Secret | undefined): Promise<string | undefined> {
    if (secret && !isTakenOver(secret)) return `Secret ${key} was not issued by us, and is left as it is`;
    const foreign = await objects.foreignCertificate(namespace, secretName);
    return foreign && `the Certificate ${namespace}/${foreign} of cert-manager is for Secret ${key}`;
  }

  /** Milliseconds since the epoch; 0: now. */
  async function dueAt(secret: Secret): Promise<number> {
    const certificate = fitting(secret, wanted);
    return certificate ? renewalTime(certificate, await adviceFor(certificate)) : 0;
  }

  async function adviceFor({ chain, fingerprint }: ServingCertificate): Promise<RenewalInfo | undefined> {
    if (advice?.fingerprint === fingerprint && advice.askAt > timing.now()) return advice.info;
    const before = advice?.fingerprint === fingerprint ? advice : undefined;
    const id = before ? before.id : await idOf(chain);
    const given = id === undefined ? undefined : await askAdvice(id);
    advice = {
      ...{ fingerprint, id },
      info: given ? given.info : before?.info,
      askAt: timing.now() + (given?.nextMs ?? renewalRetryMs),
    };
    return advice.info;
  }

  const withoutAdvice = (error: unknown): undefined => {
    log('info', `certificate ${key}: no advice on renewal: ${messageOf(error)}`);
  };

  /** Undefined for one that cannot be asked for: it is renewed by the usual rule. */
  const idOf = (chain: string) => renewalId(chain).catch(withoutAdvice);

  /** Undefined when it could not be had, which leaves what was said before, or the usual rule. */
  async function askAdvice(id: string) {
    try {
      const client = await accounts.client(issuer);
      return await client.renewalInfo(id);
    } catch (error) {
      return withoutAdvice(error);
    }
  }

  async function order(secret: Secret | undefined): Promise<number> {
    const stored = await states.load(key);
    const isSame = stored && stored.server === issuer.server && equalJson(stored.names, names);
    const state: OrderState = isSame ? stored : { server: issuer.server, names, failures: 0 };
    const wait = (state.retryAt ?? 0) - timing.now();
    if (wait > 0) {
      tell(failed(state.problem ?? 'it has failed before', state.retryAt!));
      return wait;
    }
    tell({ code: 'FW6023', message: `${names.join(', ')} by ${issuer.name}` });
    return context.slot(() => attempt(state, secret));
  }

  async function attempt(state: OrderState, secret: Secret | undefined): Promise<number> {
    if (signal.aborted) return 0;
    let current = state;
    try {
      const client = await accounts.client(issuer);
      const issued = await obtain({
        ...{ client, wanted, board: context.board, state, signal },
        ...replacing(secret),
        sleep: (ms) => timing.sleep(ms, signal),
        async save(next) {
          signal.throwIfAborted();
          current = next;
          await states.save(key, next);
        },
      });
      signal.throwIfAborted();
      await deliver(objects, wanted, issued);
      deliveredAt = timing.monotonic();
      await states.drop(key);
      log('info', `certificate ${key}: issued by ${issuer.name} for ${names.join(', ')}`);
      return 0;
    } catch (error) {
      if (signal.aborted) return 0;
      return settle(current, error);
    }
  }

  /** Only what this very server has issued can be replaced by it. */
  function replacing(secret: Secret | undefined): { readonly replaces?: string } {
    const certificate = secret && fitting(secret, wanted);
    if (!advice?.info || advice.fingerprint !== certificate?.fingerprint) return {};
    return advice.id === undefined ? {} : { replaces: advice.id };
  }

  async function settle(state: OrderState, error: unknown): Promise<number> {
    if (isProblem(error, 'accountDoesNotExist')) await accounts.forget(issuer);
    const count = state.failures + 1;
    const retry = retryAfter(error, passing + 1, context.retry, timing.random);
    if (retry.verdict === 'passing' || isProblem(error, 'accountDoesNotExist')) return rest(error);
    const { waitMs } = retryAfter(error, count, context.retry, timing.random);
    const retryAt = timing.now() + waitMs;
    const problem = messageOf(error);
    const { order: kept, ...others } = state;
    const next = { ...others, retryAt, problem, failures: retry.verdict === 'failed' ? count : state.failures };
    await states.save(key, { ...next, ...(retry.verdict === 'limited' && kept && { order: kept }) });
    tell(failed(problem, retryAt));
    return waitMs;
  }

  /** After what may pass by itself. */
  function rest(error: unknown): number {
    passing++;
    const { waitMs } = retryAfter(new Error(), passing, context.retry, timing.random);
    tell(failed(messageOf(error), timing.now() + waitMs));
    return waitMs;
  }

  const failed = (problem: string, retryAt: number): Note => ({
    code: 'FW6022',
    message: `${names.join(', ')} by ${issuer.name}: ${problem}; tried again at ${new Date(retryAt).toISOString().slice(0, 19)}Z`,
  });

  const done = run();
  return {
    wanted,
    wake: () => woken.abort(),
    finding: () => note && diagnostic(note.code, { message: note.message, ...wanted.sources[0] }),
    stop() {
      stopped.abort();
      return done;
    },
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
