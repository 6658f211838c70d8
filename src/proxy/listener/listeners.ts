/** Keeps the bound sockets equal to the plan's listeners: new ones open, unchanged ones stay, others close. */
import { diagnostic } from '../../base/diagnostics/index.ts';
import type { Listener, Plan } from '../../routing/plan/plan.ts';
import type { Bindings } from '../channel.ts';
import { createTable } from '../routes/table.ts';
import type { Runtime } from '../runtime.ts';
import { createContexts } from '../tls/contexts.ts';
import { type BoundDoor, openDoor } from './door.ts';

export type ListenerStates = Readonly<Record<string, { readonly bound: boolean; readonly error?: string }>>;

export interface Listeners {
  /** Puts a plan in force at once for the sockets that are open; resolves when the new ones listen or have failed. */
  apply(plan: Plan, bindings: Bindings): Promise<void>;
  states(): ListenerStates;
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
  function closeStale(wanted: ReadonlyMap<string, Listener>, bindings: Bindings): void {
    for (const door of [...doors.values()]) {
      const listener = wanted.get(door.id);
      const bind = listener && bindingOf(listener, bindings);
      const stays =
        bind &&
        door.error === undefined &&
        bind.address === door.address &&
        bind.port === door.port &&
        listener.protocol === door.protocol;
      if (!stays) closeDoor(door);
    }
  }

  function openOrUpdate(listener: Listener, plan: Plan, bindings: Bindings): void {
    const table = createTable(listener, plan, runtime);
    const identities = contexts.identities(listener.tls);
    const door = doors.get(listener.id);
    if (door) door.update(table, identities);
    else doors.set(listener.id, openDoor(table, identities, bindingOf(listener, bindings), runtime));
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
      closeStale(new Map(plan.listeners.map((listener) => [listener.id, listener])), bindings);
      for (const listener of plan.listeners) openOrUpdate(listener, plan, bindings);
      await Promise.all([...doors.values()].map(({ settled }) => settled));
      reportFailures();
    },
    states: () => Object.fromEntries([...doors.values()].map((door) => [door.id, stateOf(door)])),
    close() {
      for (const door of [...doors.values()]) closeDoor(door);
    },
  };
}

function stateOf({ error }: BoundDoor): ListenerStates[string] {
  return error === undefined ? { bound: true } : { bound: false, error };
}

function bindingOf({ id, address, port }: Listener, bindings: Bindings): { address: string; port: number } {
  return (Object.hasOwn(bindings, id) ? bindings[id] : undefined) ?? { address, port };
}
