/** Statuses of the ListenerSets of all Gateways, of which those are made anew that something has changed for. */
import type { StatusUpdate } from '../translate.ts';
import type { Writing } from './conditions.ts';
import { compareNames } from './context.ts';
import { listenerSetStatus } from './listener-set-status.ts';
import type { GatewayState, ListenerSetState } from './model.ts';
import type { SetStates } from './steady.ts';

interface Known {
  /** What the state of the set was made of last. */
  readonly source: ListenerSetState;
  readonly state: ListenerSetState;
  readonly gateway: GatewayState;
  /** What sets are told of the Gateway, as text. */
  readonly parent: string;
  readonly update: StatusUpdate;
}

export interface SetStatuses {
  /** In the order of names. `sources`: by key, the same object for as long as it says the same. */
  update(clock: Pick<Writing, 'now'>, gateways: readonly GatewayState[], sources: SetStates): readonly StatusUpdate[];
}

export function createSetStatuses(): SetStatuses {
  let known = new Map<string, Known>();
  return {
    update(clock, gateways, sources) {
      const next = new Map<string, Known>();
      for (const gateway of gateways) {
        const parent = gateway.sets.length > 0 ? outlook(gateway) : '';
        for (const state of gateway.sets) {
          const now = { source: sources.get(state.key)!, state, gateway, parent };
          const before = known.get(state.key);
          const holds = before !== undefined && isSame(before, now);
          next.set(state.key, holds ? before : { ...now, update: listenerSetStatus(clock, gateway, state) });
        }
      }
      known = next;
      return [...next.values()]
        .sort((a, b) => compareNames(a.state.object, b.state.object))
        .map(({ update }) => update);
    },
  };
}

function isSame(a: Known, b: Omit<Known, 'update'>): boolean {
  return a.source === b.source && a.state === b.state && a.gateway === b.gateway && a.parent === b.parent;
}

/** All of a Gateway that the status of a set may tell, or depends on: a state is renewed in place. */
function outlook({ fault, addresses, listeners }: GatewayState): string {
  const { usable, shown, unusable } = addresses;
  return JSON.stringify([
    fault,
    usable,
    shown,
    unusable,
    listeners.map(({ faults, certificates }) => [faults, certificates]),
  ]);
}
