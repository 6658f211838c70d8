/**
 * Events in their two forms: `v1` (core) and `events.k8s.io/v1` are one storage with other words for some fields. They
 * are kept in the core form. Source: Kubernetes' API reference, Event v1 and Event v1 events.k8s.io.
 */
import type { JsonObject } from './patch/json.ts';
import type { ResourceName } from './resources.ts';

/** Where both are kept. */
export const eventResource: ResourceName = 'events';

const eventsApi = 'events.k8s.io/v1';

/** Fields of events.k8s.io/v1 and what core/v1 calls them; all others are called the same. */
const words: readonly (readonly [theirs: string, core: string])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
];

/** By the first name of a field path of events.k8s.io/v1. */
export const coreEventFields: Readonly<Record<string, string>> = Object.fromEntries(words);
const theirFields: Readonly<Record<string, string>> = Object.fromEntries(words.map(([theirs, core]) => [core, theirs]));

function renamed(object: JsonObject, names: Readonly<Record<string, string>>, apiVersion: string): JsonObject {
  const fields = Object.entries(object).map(([name, value]) => [names[name] ?? name, value] as const);
  return { ...Object.fromEntries(fields), apiVersion };
}

/** An object as it is kept: an Event of events.k8s.io/v1 in the words of core/v1, any other as it is. */
export function toStoredForm(object: JsonObject): JsonObject {
  const isTheirs = object.apiVersion === eventsApi && object.kind === 'Event';
  return isTheirs ? renamed(object, coreEventFields, 'v1') : object;
}

/** A stored Event in the words of an API version. */
export function eventIn(apiVersion: string, stored: JsonObject): JsonObject {
  return apiVersion === eventsApi && stored.apiVersion !== eventsApi ? renamed(stored, theirFields, eventsApi) : stored;
}
