/** Which door of the plan a request comes to: name to addresses, address and port to listener. */
import { isIP } from 'node:net';
import { formatRef } from '../../base/diagnostics/index.ts';
import type { Listener, VirtualHost } from '../../routing/plan/plan.ts';
import { listenersOf } from '../routes/conditions.ts';
import { createStatuses } from '../statuses.ts';
import type { World } from '../world.ts';
import type { ExplainRequest } from './types.ts';

/** A catch-all without routes only answers 404: no name leads to it. */
function covers(host: VirtualHost, name: string): boolean {
  if (host.hostname === '*') return host.routes.length > 0;
  if (!host.hostname.startsWith('*.')) return host.hostname === name;
  const suffix = host.hostname.slice(1);
  if (!name.endsWith(suffix) || name.length === suffix.length) return false;
  return host.wildcard === 'any-depth' || !name.slice(0, -suffix.length).includes('.');
}

export interface Door {
  readonly address: string;
  /** Listeners on that address, by any port. */
  readonly listeners: readonly Listener[];
  /** How it is known that the name leads here. */
  readonly because: 'literal' | 'hostname' | 'catch-all';
}

/** Doors that a name leads to: those that serve it by name first, then those that serve any name. */
export function doorsOf(world: World, request: ExplainRequest): Door[] {
  const name = request.hostname.replace(/^\[|\]$/g, '');
  const byAddress = new Map<string, Listener[]>();
  for (const listener of world.plan.listeners) {
    byAddress.set(listener.address, [...(byAddress.get(listener.address) ?? []), listener]);
  }
  if (isIP(name)) {
    const listeners = byAddress.get(name);
    return listeners ? [{ address: name, listeners, because: 'literal' }] : [];
  }
  const doors = [...byAddress].flatMap(([address, listeners]): Door[] => {
    const hosts = listeners.flatMap((listener) => listener.hosts).filter((host) => covers(host, name));
    if (hosts.length === 0) return [];
    return [{ address, listeners, because: hosts.some((host) => host.hostname !== '*') ? 'hostname' : 'catch-all' }];
  });
  return doors.sort((a, b) => (a.because === b.because ? 0 : a.because === 'hostname' ? -1 : 1));
}

/** Listeners on a port that the owners of a door ask for, and that are not open; each with why. */
export function closedAt(world: World, { listeners }: Door, port: number): { listener: string; message: string }[] {
  const statuses = createStatuses(world);
  const owners = new Map(
    listeners.flatMap(({ sources }) => sources.map(({ object }) => [formatRef(object), object] as const)),
  );
  return [...owners.values()].flatMap((object) => {
    const { kind, namespace = 'default', name } = object;
    const asked = kind === 'Ingress' ? [] : listenersOf(world, { kind, namespace, name, port }, namespace);
    return asked.flatMap(({ name: listener }) => {
      const programmed = statuses.listenerOf(object, listener)?.conditions.find(({ type }) => type === 'Programmed');
      return programmed?.status === 'False' ? [{ listener, message: programmed.message }] : [];
    });
  });
}

/** Edit distance, for "did you mean"; the lengths are those of host names. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** Host names of the plan that resemble a name that nobody serves, nearest first, at most three. */
export function similarNames(world: World, name: string): string[] {
  const names = new Set(
    world.plan.listeners
      .flatMap((listener) => listener.hosts.map((host) => host.hostname))
      .filter((host) => host !== '*'),
  );
  return [...names]
    .map((host) => ({ host, cost: distance(host, name) }))
    .filter(({ cost }) => cost <= Math.max(2, Math.floor(name.length / 3)))
    .sort((a, b) => a.cost - b.cost || (a.host < b.host ? -1 : 1))
    .slice(0, 3)
    .map(({ host }) => host);
}
