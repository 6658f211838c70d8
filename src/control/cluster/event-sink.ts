/** Events through a Kubernetes API. */
import { type ApiError, isAlreadyExists, isNotFound } from '../../kube/client/api-error.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { createResourceClient } from '../../kube/client/resource-client.ts';
import type { ResourceRegistry } from '../../kube/resources.ts';
import type { KubeEvent } from '../events/event-object.ts';
import type { EventOutcome, EventSink } from '../events/event-sink.ts';
import { isAway } from './api-watch.ts';

const fieldManager = 'fairway-gateway';

export const eventsResource = 'events.events.k8s.io';

export function createEventSink(client: KubeClient, registry: ResourceRegistry): EventSink {
  const api = createResourceClient<KubeEvent>(client, registry.byName(eventsResource)!);
  return {
    async create(event, signal) {
      const written = await api.create(event, { fieldManager, signal });
      return written.ok ? { type: 'written' } : outcomeOf(written.error);
    },
    async repeat(event, series, signal) {
      const written = await api.mergePatch(event, { series }, { fieldManager, signal });
      if (written.ok) return { type: 'written' };
      return isNotFound(written.error) ? { type: 'gone' } : outcomeOf(written.error);
    },
  };
}

function outcomeOf(error: ApiError): EventOutcome {
  if (isAlreadyExists(error)) return { type: 'there' };
  const { message } = error;
  return isAway(error) || error.code === 429 ? { type: 'later', message } : { type: 'refused', message };
}
