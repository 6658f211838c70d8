/** Which handler serves which method, for collections, objects and subresources. */
import { evictPod, finalizeNamespace, notSupported } from './actions.ts';
import { type Call, flag, type Handler, type Target } from './call.ts';
import { deleteCollection, deleteObject } from './delete.ts';
import { patchObject } from './patch.ts';
import { getPodLog } from './pod-logs.ts';
import { getObject, listObjects } from './read.ts';
import { getScale, patchScale, updateScale } from './scale.ts';
import { subresourcesOf } from './subresources.ts';
import { watchObjects } from './watch.ts';
import { createObject, updateObject } from './write.ts';

type Actions = Record<string, (call: Call, target: Target) => Handler | undefined>;

const always = (handler: Handler) => () => handler;
/** Objects of namespaced kinds are created and swept in a namespace, not across all. */
const inPlace = (handler: Handler) => (_call: Call, target: Target) =>
  target.resource.namespaced && target.namespace === undefined ? undefined : handler;

const collection: Actions = {
  GET: (call) => (flag(call.query, 'watch') ? watchObjects : listObjects),
  POST: inPlace(createObject),
  DELETE: inPlace(deleteCollection),
};

const object: Actions = {
  GET: always(getObject),
  PUT: always(updateObject),
  PATCH: always(patchObject),
  DELETE: always(deleteObject),
};

const interactive: Actions = { GET: always(notSupported), POST: always(notSupported) };

const subresources: Record<string, Actions> = {
  status: { GET: always(getObject), PUT: always(updateObject), PATCH: always(patchObject) },
  scale: { GET: always(getScale), PUT: always(updateScale), PATCH: always(patchScale) },
  log: { GET: always(getPodLog) },
  finalize: { PUT: always(finalizeNamespace) },
  eviction: { POST: always(evictPod) },
  exec: interactive,
  attach: interactive,
  portforward: interactive,
};

/** Actions by HTTP method; undefined where there is no such subresource. */
export function actionsOf(target: Target): Actions | undefined {
  const { name, subresource, resource } = target;
  if (name === undefined) return collection;
  if (subresource === undefined) return object;
  return subresourcesOf(resource).some((sub) => sub.name === subresource) ? subresources[subresource] : undefined;
}
