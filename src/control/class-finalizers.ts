/**
 * The finalizer that keeps a GatewayClass from being deleted while Gateways use it (GatewayClass, recommended to
 * implementations): added to classes of ours with the first Gateway, taken off with the last.
 */
import { keyOf } from '../kube/resources.ts';
import type { Change, StoreReader } from '../kube/store/store.ts';
import type { Gateway, GatewayClass } from '../kube/types/index.ts';
import { resources } from '../routing/gateway/kinds.ts';
import { gatewayControllerName } from '../routing/translate.ts';
import type { ObjectSink } from './infrastructure.ts';
import { createKeyedWork } from './keyed-work.ts';

export const gatewaysExist = 'gateway-exists-finalizer.gateway.networking.k8s.io';

export interface ClassFinalizersOptions {
  store: StoreReader;
  sink: Pick<ObjectSink, 'update'>;
  /** Of our classes. Default `gatewayControllerName`. */
  controllerName?: string;
  /** Whether this process writes at all. */
  mayWrite(): boolean;
  /** See KeyedWorkOptions. */
  retryMs?: readonly [number, number];
  onError(message: string): void;
}

export interface ClassFinalizers {
  /** Looks at every class: the store is complete, or this process may write from now on. Nothing is written before. */
  refresh(): void;
  stop(): void;
}

export function createClassFinalizers(options: ClassFinalizersOptions): ClassFinalizers {
  const { store, sink, controllerName = gatewayControllerName } = options;
  /** How many Gateways name a class. */
  const uses = new Map<string, number>();
  let isComplete = false;
  const due = createKeyedWork({
    bring,
    mayWrite: () => isComplete && options.mayWrite(),
    ...(options.retryMs && { retryMs: options.retryMs }),
    onError: (name, message) => options.onError(`finalizer of the GatewayClass ${name}: ${message}`),
  });

  function count(gateway: Gateway, by: 1 | -1): void {
    const { gatewayClassName: name } = gateway.spec;
    uses.set(name, (uses.get(name) ?? 0) + by);
    if (uses.get(name) === 0) uses.delete(name);
    due.add(name);
  }

  function note({ type, resource, object, previous }: Change): void {
    if (resource === resources.gatewayClass) due.add(keyOf(object));
    else if (resource !== resources.gateway) return;
    else {
      const before = type === 'DELETED' ? object : previous;
      if (before) count(before as Gateway, -1);
      if (type !== 'DELETED') count(object as Gateway, 1);
    }
    due.schedule();
  }

  const unsubscribe = store.subscribe(note);
  for (const gateway of store.list<Gateway>(resources.gateway)) count(gateway, 1);

  function bring(name: string): Promise<void> | undefined {
    const stored = store.get<GatewayClass>(resources.gatewayClass, name);
    if (stored?.spec.controllerName !== controllerName) return undefined;
    const { finalizers = [], deletionTimestamp } = stored.metadata;
    const isHeld = finalizers.includes(gatewaysExist);
    const isUsed = uses.has(name);
    // An object that is on its way out takes no new finalizers.
    if (isHeld === isUsed || (isUsed && deletionTimestamp)) return undefined;
    const others = finalizers.filter((finalizer) => finalizer !== gatewaysExist);
    const next = isUsed ? [...others, gatewaysExist] : others;
    const written = sink.update(resources.gatewayClass, {
      ...stored,
      metadata: { ...stored.metadata, finalizers: next },
    });
    return written instanceof Promise ? written : undefined;
  }

  return {
    refresh() {
      isComplete = true;
      for (const object of store.list<GatewayClass>(resources.gatewayClass)) due.add(keyOf(object));
      due.work();
    },
    stop() {
      unsubscribe();
      due.stop();
    },
  };
}
