/**
 * What runs the Pods of the local cluster. The kubelet controller (controllers/) decides which Pods should run and
 * writes their status; a runtime makes them answer. Offline (explain -f) there is none and Pods are ready at once.
 */
import type { Pod } from '../kube/types/index.ts';

export interface PodRuntime {
  /**
   * Starts a Pod, or brings a running one up to date; called again on every change of the Pod. Says through
   * `onState` when it answers on all its ports, or why it does not.
   */
  ensure(pod: Pod): void;
  /** Stops a Pod by `namespace/name`; calls `onState` with `stopped`. */
  remove(key: string): void;
  onState(listener: (key: string, state: PodState) => void): void;
  /** The log of a Pod's container, oldest line first; undefined when the Pod does not run here. */
  logs(key: string, container?: string): PodLog | undefined;
  close(): Promise<void>;
}

export type PodState =
  | { readonly type: 'running' }
  /** `wants-room`: nothing is wrong with the Pod, it is one too many for this process. */
  | { readonly type: 'failing'; readonly message: string; readonly cause?: 'wants-room' }
  | { readonly type: 'stopped' };

export interface LogLine {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly text: string;
}

export interface PodLog {
  lines(): readonly LogLine[];
  /** Calls back on each new line until the returned function is called. */
  follow(listener: (line: LogLine) => void): () => void;
}
