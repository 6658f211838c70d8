/** Whether this replica writes: by a Lease, or always where no Lease is wanted. */
import type { ApiError } from '../../kube/client/api-error.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { createLeaderElection, type LeaderElectionOptions } from '../../kube/client/leader-election.ts';
import { isAway } from './api-watch.ts';

export type ElectionOptions = Pick<LeaderElectionOptions, 'namespace' | 'name' | 'identity'> &
  Partial<Pick<LeaderElectionOptions, 'leaseMs' | 'renewDeadlineMs' | 'retryMs'>>;

export interface LeaderOptions {
  readonly client: KubeClient;
  /** Absent: this replica leads from the start to the stop. */
  readonly election?: ElectionOptions;
  onStarted(): void;
  onStopped(): void;
  log(level: 'info', text: string): void;
}

export interface Leader {
  isLeader(): boolean;
  /** Why the Lease cannot be taken, when the API refuses it. */
  fault(): string | undefined;
  start(): void;
  /** Leads no more, and gives the Lease back. */
  stop(): Promise<void>;
}

/** A refusal is heard again with every attempt; after so long without one, in milliseconds, it is over. */
const faultMs = 15_000;

export function createLeader({ client, election: wanted, log, ...hooks }: LeaderOptions): Leader {
  let isStopped = false;
  let refusal: { readonly message: string; readonly at: number } | undefined;
  const election =
    wanted &&
    createLeaderElection({
      ...{ client, ...wanted },
      onStarted() {
        refusal = undefined;
        log('info', 'this replica leads: it writes statuses');
        hooks.onStarted();
      },
      onStopped() {
        log('info', 'this replica leads no more');
        hooks.onStopped();
      },
      onNewLeader: (identity) => log('info', `${identity || 'nobody'} leads`),
      onError: (error) => note(error),
    });

  function note(error: ApiError): void {
    // That nobody answers is told of anyway.
    if (!isAway(error)) refusal = { message: error.message, at: performance.now() };
  }

  return {
    isLeader: () => !isStopped && (election?.isLeader() ?? true),
    fault: () => (refusal && performance.now() - refusal.at < faultMs ? refusal.message : undefined),
    start: () => election?.start(),
    async stop() {
      await election?.stop();
      isStopped = true;
    },
  };
}
