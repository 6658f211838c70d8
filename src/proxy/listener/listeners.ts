/** Keeps the bound sockets equal to the plan's listeners: new ones open, unchanged ones stay, others close. */
import type { Socket } from 'node:net';
import { diagnostic } from '../../base/diagnostics/index.ts';
import type { Listener, Plan } from '../../routing/plan/plan.ts';
import type { Bindings } from '../channel.ts';
import { createTable } from '../routes/table.ts';
import type { Runtime } from '../runtime.ts';
import { createContexts } from '../tls/contexts.ts';
import { type BoundDoor, type DoorPlace, openDoor } from './door.ts';

export type ListenerStates = Readonly<Record<string, { readonly bound: boolean; readonly error?: string }>>;

export interface Listeners {
  /** Puts a plan in force at once for the sockets that are open; resolves when the new ones listen or have failed. */
  apply(plan: Plan, bindings: Bindings): Promise<void>;
  states(): ListenerStates;
  /** A connection that was accepted elsewhere, to be served by the listener with this id; closed if there is none. */
  adopt(id: string, socket: Socket): void;
  close(): void;
}

export function createListeners(runtime: Runtime): Listeners {
  const doors = new Map<string, BoundDoor>();
  const contexts = createContexts(runtime.reporter);

  function closeDoor(door: BoundDoor): void {
    doors.delete(door.id);
    door.close();
  }

  /** Doors that are not in the plan, are bound elsewhere, or could not be bound and get another try. */
  function closeStale(wanted: ReadonlyMap<string, Listener>, placeOf: (listener: Listener) => DoorPlace): void {
    for (const door of [...doors.values()]) {
      const listener = wanted.get(door.id);
      const place = listener && placeOf(listener);
      const stays =
        place &&
        door.error === undefined &&
        place.address === door.address &&
        place.port === door.port &&
        place.adopted === door.adopted &&
        listener.protocol === door.protocol;
      if (!stays) closeDoor(door);
    }
  }

  function openOrUpdate(listener: Listener, plan: Plan, place: DoorPlace): void {
    const table = createTable(listener, plan, runtime, doors.get(listener.id)?.table);
    const identities = contexts.identities(listener.tls);
    const door = doors.get(listener.id);
    if (door) door.update(table, identities);
    else doors.set(listener.id, openDoor(table, identities, place, runtime));
  }

  function reportFailures(): void {
    for (const { id, address, port, error } of doors.values()) {
      if (error === undefined) continue;
      runtime.reporter.report(
        diagnostic('FW5201', { message: `listener ${id} cannot be bound to ${address} port ${port}: ${error}` }),
      );
    }
  }

  return {
    async apply(plan, bindings) {
      contexts.update(plan);
      const placeOf = placesOf(plan, bindings);
      closeStale(new Map(plan.listeners.map((listener) => [listener.id, listener])), placeOf);
      for (const listener of plan.listeners) openOrUpdate(listener, plan, placeOf(listener));
      await Promise.all([...doors.values()].map(({ settled }) => settled));
      reportFailures();
    },
    states: () => Object.fromEntries([...doors.values()].map((door) => [door.id, stateOf(door)])),
    adopt(id, socket) {
      const door = doors.get(id);
      if (door) door.adopt(socket);
      else socket.destroy();
    },
    close() {
      for (const door of [...doors.values()]) closeDoor(door);
    },
  };
}

function stateOf({ error }: BoundDoor): ListenerStates[string] {
  return error === undefined ? { bound: true } : { bound: false, error };
}

/** Where each listener is bound. An HTTPS listener that shares its place with TLS streams is not bound itself. */
function placesOf({ streams = [] }: Plan, bindings: Bindings): (listener: Listener) => DoorPlace {
  const shared = new Set(
    streams.filter(({ protocol }) => protocol === 'TLS').map(({ address, port }) => `${address} ${port}`),
  );
  return ({ id, address, port, protocol }) => ({
    ...((Object.hasOwn(bindings, id) ? bindings[id] : undefined) ?? { address, port }),
    adopted: protocol === 'HTTPS' && shared.has(`${address} ${port}`),
  });
}
