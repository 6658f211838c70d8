/** Keeps the sockets of stream listeners equal to the plan: new ones open, unchanged ones stay, others close. */
import type { Socket } from 'node:net';
import { diagnostic } from '../../base/diagnostics/index.ts';
import { listenerId, type Plan, type StreamListener } from '../../routing/plan/plan.ts';
import type { Bindings } from '../channel.ts';
import type { ListenerStates } from '../listener/listeners.ts';
import type { Runtime } from '../runtime.ts';
import { createContexts } from '../tls/contexts.ts';
import { countBytes, cutStream, type StreamConnection, sweepStream } from './connection.ts';
import { type BoundStream, openStream, type StreamParts, type StreamPlace } from './doors.ts';
import { createStreamTable } from './table.ts';
import { createUdpFlows } from './udp.ts';

export interface Streams {
  /** Closes the sockets that a plan does not want, so that others may have their places. To be called before `apply`. */
  release(plan: Plan, bindings: Bindings): void;
  /** Puts a plan in force at once for the sockets that are open; resolves when the new ones are open or have failed. */
  apply(plan: Plan, bindings: Bindings): Promise<void>;
  /** Of the stream listeners, and of the HTTPS listeners that get their connections through one. */
  states(): ListenerStates;
  /** To be called at every tick: ends what has taken too long. */
  sweep(): void;
  /** Connections that are open. */
  readonly size: number;
  /** Stops accepting; connections go on. */
  close(): void;
  /** Ends what is still open. */
  cut(): void;
}

/** `adopt` gives a connection to the HTTPS listener with this id. */
export function createStreams(runtime: Runtime, adopt: (id: string, socket: Socket) => void): Streams {
  const contexts = createContexts(runtime.reporter);
  const doors = new Map<string, BoundStream>();
  const connections = new Set<StreamConnection>();
  const shelf = { runtime, connections };
  const flows = createUdpFlows(runtime);
  runtime.metrics?.streams.onRead(() => {
    for (const connection of connections) countBytes(connection);
    flows.count();
  });

  function closeDoor(door: BoundStream): void {
    doors.delete(door.id);
    door.close();
  }

  /** Doors that are not in the plan, are bound elsewhere, or could not be bound and get another try. */
  function closeStale(wanted: ReadonlyMap<string, StreamListener>, bindings: Bindings): void {
    for (const door of [...doors.values()]) {
      const listener = wanted.get(door.id);
      const place = listener && placeOf(listener, bindings);
      const stays = door.error === undefined && place && place.address === door.address && place.port === door.port;
      if (!stays) closeDoor(door);
    }
  }

  function openOrUpdate(listener: StreamListener, plan: Plan, bindings: Bindings): void {
    const door = doors.get(listener.id);
    const table = createStreamTable(listener, plan, runtime, contexts, door?.table);
    if (door) {
      door.table = table;
      return;
    }
    const https = siblingOf(listener);
    const parts: StreamParts = { shelf, flows, handover: (socket) => adopt(https, socket) };
    doors.set(listener.id, openStream(table, placeOf(listener, bindings), parts));
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
    release(plan, bindings) {
      closeStale(new Map(plan.streams?.map((listener) => [listener.id, listener])), bindings);
    },
    async apply(plan, bindings) {
      const listeners = plan.streams ?? [];
      contexts.update({ ...plan, certificates: certificatesOf(plan) });
      for (const listener of listeners) openOrUpdate(listener, plan, bindings);
      await Promise.all([...doors.values()].map(({ settled }) => settled));
      reportFailures();
    },
    states() {
      const states: Record<string, ListenerStates[string]> = {};
      for (const { id, error, table } of doors.values()) {
        const state = error === undefined ? { bound: true } : { bound: false, error };
        states[id] = state;
        if (table.listener.routes.some(({ tls }) => tls === 'handover')) states[siblingOf(table.listener)] = state;
      }
      return states;
    },
    sweep() {
      for (const connection of connections) sweepStream(connection);
      flows.sweep();
    },
    get size() {
      return connections.size;
    },
    close() {
      for (const door of [...doors.values()]) closeDoor(door);
    },
    cut() {
      for (const connection of [...connections]) cutStream(connection, 'shutdown', 'the data plane was closed');
      flows.close();
    },
  };
}

/** The HTTPS listener of the same address and port. */
function siblingOf({ address, port }: StreamListener): string {
  return listenerId(address, port, 'HTTPS');
}

/** Those that stream routes present; the others are the business of HTTPS listeners. */
function certificatesOf({ streams = [], certificates }: Plan): Plan['certificates'] {
  const named = streams.flatMap(({ routes }) => routes.flatMap((route) => route.certificates ?? []));
  const ids = new Set(named.map(({ certificate }) => certificate));
  return Object.fromEntries(
    [...ids].flatMap((id) => (Object.hasOwn(certificates, id) ? [[id, certificates[id]!] as const] : [])),
  );
}

function placeOf({ id, address, port }: StreamListener, bindings: Bindings): StreamPlace {
  return (Object.hasOwn(bindings, id) ? bindings[id] : undefined) ?? { address, port };
}
