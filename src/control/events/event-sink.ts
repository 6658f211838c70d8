/** Where Events are written: into a store of this process, or through a Kubernetes API (cluster/event-sink.ts). */
import type { ObjectApi } from '../../kube/objects.ts';
import type { EventSeries, KubeEvent } from './event-object.ts';

/**
 * `there`: one of that name exists. `gone`: none does. `later`: nobody answered, which may pass. `refused`: it will be
 * refused again.
 */
export type EventOutcome =
  | { readonly type: 'written' | 'there' | 'gone' }
  | { readonly type: 'later' | 'refused'; readonly message: string };

export interface EventName {
  readonly namespace: string;
  readonly name: string;
}

export interface EventSink {
  create(event: KubeEvent, signal: AbortSignal): Promise<EventOutcome>;
  /** It happened again. */
  repeat(event: EventName, series: EventSeries, signal: AbortSignal): Promise<EventOutcome>;
}

export function createLocalEventSink(objects: ObjectApi): EventSink {
  type Written = ReturnType<ObjectApi['update']>;
  const outcome = (written: Written): EventOutcome => {
    if (written.ok) return { type: 'written' };
    if (written.error.reason === 'AlreadyExists') return { type: 'there' };
    return { type: 'refused', message: written.error.message };
  };
  return {
    create: (event) => Promise.resolve(outcome(objects.create(event))),
    repeat({ namespace, name }, series) {
      const stored = objects.store.get('events', `${namespace}/${name}`);
      if (!stored) return Promise.resolve({ type: 'gone' });
      return Promise.resolve(outcome(objects.update({ ...stored, series } as typeof stored)));
    },
  };
}
