/**
 * What the data plane of several workers has in force: a generation is when all workers that serve, and those that were
 * there from the start, have acknowledged it. One that ends does not block it, nor one that is coming in its place.
 */
import type { ProxyReport } from '../channel.ts';
import type { ListenerStates } from './messages.ts';

export interface Agreement {
  /** A command with this number goes to all workers. */
  sent(generation: number, type: 'plan' | 'endpoints'): void;
  /** `awaited`: nothing is in force before this one has acknowledged it as well. */
  join(worker: number, awaited: boolean): void;
  acknowledged(worker: number, generation: number, listeners: ListenerStates): void;
  left(worker: number): void;
  /** No worker serves, and none can be had soon: the last plan is reported with listeners that are not bound. */
  nobody(listenerIds: readonly string[], reason: string): void;
  /** Whether a worker has acknowledged anything. */
  serves(worker: number): boolean;
}

interface Voter {
  readonly awaited: boolean;
  acked: number;
  listeners: ListenerStates;
}

const nothing = -1;

export function createAgreement(tell: (report: ProxyReport) => void): Agreement {
  const voters = new Map<number, Voter>();
  let pending: number[] = [];
  let planGeneration = nothing;
  /** What was last said of the listeners of the plan. */
  let toldText = '';

  function report(generation: number, listeners: ListenerStates): void {
    if (generation === planGeneration) toldText = JSON.stringify(listeners);
    tell({ type: 'applied', generation, listeners });
  }

  function settle(): void {
    const serving = [...voters.values()].filter(({ acked }) => acked > nothing);
    if (serving.length === 0) return;
    const counted = [...voters.values()].filter(({ acked, awaited }) => awaited || acked > nothing);
    const agreed = Math.min(...counted.map(({ acked }) => acked));
    const done = pending.filter((generation) => generation <= agreed);
    pending = pending.filter((generation) => generation > agreed);
    const listeners = mergeListeners(serving.map((one) => one.listeners));
    for (const generation of done) report(generation, listeners);
    // The plan is the same, but a worker that came, or took a UDP listener over, could not do what others could.
    if (agreed >= planGeneration && planGeneration > nothing) correct(listeners);
  }

  function correct(listeners: ListenerStates): void {
    if (JSON.stringify(listeners) !== toldText) report(planGeneration, listeners);
  }

  return {
    sent(generation, type) {
      pending.push(generation);
      if (type === 'plan') planGeneration = generation;
    },
    join: (worker, awaited) => void voters.set(worker, { awaited, acked: nothing, listeners: {} }),
    acknowledged(worker, generation, listeners) {
      const voter = voters.get(worker);
      if (!voter) return;
      voter.acked = Math.max(voter.acked, generation);
      voter.listeners = listeners;
      settle();
    },
    left(worker) {
      voters.delete(worker);
      settle();
    },
    nobody(listenerIds, error) {
      if (planGeneration === nothing) return;
      const isNew = pending.includes(planGeneration);
      pending = pending.filter((generation) => generation > planGeneration);
      const listeners = Object.fromEntries(listenerIds.map((id) => [id, { bound: false, error }]));
      if (isNew) report(planGeneration, listeners);
      else correct(listeners);
    },
    serves: (worker) => (voters.get(worker)?.acked ?? nothing) > nothing,
  };
}

/** A listener is bound when it is bound in all workers that have it; otherwise the error of the first that failed. */
export function mergeListeners(all: readonly ListenerStates[]): ListenerStates {
  const merged: Record<string, ListenerStates[string]> = {};
  for (const states of all) {
    for (const [id, state] of Object.entries(states)) {
      const known = Object.hasOwn(merged, id) ? merged[id] : undefined;
      if (!known || (known.bound && !state.bound)) merged[id] = state;
    }
  }
  return Object.fromEntries(Object.entries(merged).sort(([a], [b]) => (a < b ? -1 : 1)));
}
