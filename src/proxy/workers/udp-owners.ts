/**
 * Which worker opens which UDP listener. All datagrams of a client must meet in one place, where its flow is known, and
 * the kernel hands datagrams of a shared socket to whoever reads first: so each listener has one owner.
 */

export interface UdpOwners {
  /**
   * Shares the listeners out: each keeps its owner while that one lives, the others go to the workers that have fewest.
   * Gives the workers whose share has changed.
   */
  assign(listenerIds: readonly string[], workers: readonly number[]): ReadonlySet<number>;
  /** Listeners of a worker. */
  of(worker: number): readonly string[];
}

export function createUdpOwners(): UdpOwners {
  let owners = new Map<string, number>();
  return {
    assign(listenerIds, workers) {
      const before = owners;
      const load = new Map(workers.map((worker) => [worker, 0]));
      owners = new Map();
      const take = (id: string, worker: number) => {
        owners.set(id, worker);
        load.set(worker, load.get(worker)! + 1);
      };
      for (const id of listenerIds) {
        const owner = before.get(id);
        if (owner !== undefined && load.has(owner)) take(id, owner);
      }
      for (const id of listenerIds) {
        const [least] = [...load].sort(([, a], [, b]) => a - b);
        if (!owners.has(id) && least) take(id, least[0]);
      }
      return changed(before, owners);
    },
    of: (worker) => [...owners].filter(([, owner]) => owner === worker).map(([id]) => id),
  };
}

function changed(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Set<number> {
  const workers = new Set<number>();
  for (const id of new Set([...before.keys(), ...after.keys()])) {
    if (before.get(id) === after.get(id)) continue;
    for (const worker of [before.get(id), after.get(id)]) if (worker !== undefined) workers.add(worker);
  }
  return workers;
}
