/** Public names and the addresses they lead to, from the plan: what a public DNS zone would hold, so that `dig` works on a laptop. */
import { listDifference, sameItems } from '../routing/incremental/sorted.ts';
import type { Plan } from '../routing/plan/plan.ts';

/** Host names (exact or `*.` wildcards) to listener addresses; to none, where a name is gone. The catch-all `*` names nothing. */
export type FrontDoorNames = ReadonlyMap<string, readonly string[]>;

/** One socket of the plan and the names that lead to it. */
interface Socket {
  readonly address: string;
  /** Virtual hosts or stream routes, as the plan has them. */
  list: readonly unknown[];
  readonly names: Map<string, number>;
}

interface Named<T> {
  readonly id: string;
  readonly address: string;
  readonly list: readonly T[];
  readonly nameOf: (item: T) => string;
}

export function frontDoorNames(plan: Plan): FrontDoorNames {
  return createFrontDoorNames()(plan);
}

/** For plans that follow each other: gives, and costs, what differs. */
export function createFrontDoorNames(): (plan: Plan) => FrontDoorNames {
  const sockets = new Map<string, Socket>();
  const names = new Map<string, readonly string[]>();

  /** Counts names of a socket; those that came or went are added to `touched`. */
  function follow<T>({ id, address, list, nameOf }: Named<T>, touched: Set<string>): void {
    const socket = sockets.get(id) ?? { address, list: [], names: new Map<string, number>() };
    sockets.set(id, socket);
    const { came, went } = listDifference(socket.list as readonly T[], list);
    socket.list = list;
    const count = (item: T, by: number) => {
      const name = nameOf(item);
      const now = (socket.names.get(name) ?? 0) + by;
      if (now > 0) socket.names.set(name, now);
      else socket.names.delete(name);
      touched.add(name);
    };
    for (const item of came) count(item, 1);
    for (const item of went) count(item, -1);
  }

  function forget(id: string, touched: Set<string>): void {
    for (const name of sockets.get(id)!.names.keys()) touched.add(name);
    sockets.delete(id);
  }

  function addressesOf(name: string, ids: readonly string[]): string[] {
    const leading = ids.map((id) => sockets.get(id)!).filter((socket) => socket.names.has(name));
    return [...new Set(leading.map(({ address }) => address))];
  }

  return ({ listeners, streams = [] }) => {
    const touched = new Set<string>();
    const ids = [...listeners, ...streams].map(({ id }) => id);
    const present = new Set(ids);
    for (const id of [...sockets.keys()]) if (!present.has(id)) forget(id, touched);
    for (const { id, address, hosts: list } of listeners)
      follow({ id, address, list, nameOf: ({ hostname }) => hostname }, touched);
    for (const { id, address, routes } of streams) {
      const list = routes.filter(({ tls }) => tls !== 'handover');
      follow({ id, address, list, nameOf: ({ serverName }) => serverName }, touched);
    }
    touched.delete('*');
    const changes = new Map<string, readonly string[]>();
    for (const name of touched) {
      const addresses = addressesOf(name, ids);
      if (sameItems(names.get(name) ?? [], addresses)) continue;
      changes.set(name, addresses);
      if (addresses.length > 0) names.set(name, addresses);
      else names.delete(name);
    }
    return changes;
  };
}
