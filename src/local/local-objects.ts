/** An empty cluster's objects: known kinds, the Gateway API's CRDs, admission, our classes. */
import { createObjectApi, type ObjectApi } from '../kube/objects.ts';
import { createResourceRegistry } from '../kube/resources.ts';
import { createAdmission } from '../kube/schema/admission.ts';
import { createSchemas, followCrds, readGatewayCrds } from '../kube/schema/crd.ts';
import { createStore } from '../kube/store/store.ts';
import type { Unstructured } from '../kube/types/index.ts';
import { gatewayControllerName, ingressControllerName } from '../routing/translate.ts';
import { admitForeignAddresses } from './cluster.ts';
import { type ClusterConfig, defaultClusterConfig } from './config.ts';

/** Classes that stand ready, so that a manifest may name `fairway` without defining it. */
const classes: readonly Unstructured[] = [
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'fairway' },
    spec: { controllerName: gatewayControllerName, description: 'Gateways served by Fairway' },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'fairway' },
    spec: { controller: ingressControllerName },
  },
];

/**
 * Revisions begin at the time of day, so that a client that watched an earlier life of this cluster is told to list
 * anew (410) instead of being given the changes after a revision that meant something else.
 */
const revisionsPerMs = 100;

export function createLocalObjects(config: ClusterConfig = defaultClusterConfig): ObjectApi {
  const store = createStore({ firstRevision: Date.now() * revisionsPerMs });
  const registry = createResourceRegistry();
  const schemas = createSchemas(registry);
  followCrds(store, schemas);
  const objects = createObjectApi({
    store,
    registry,
    admit: admitForeignAddresses(createAdmission({ schemas }), config),
  });
  for (const object of [...readGatewayCrds(), ...classes]) {
    const written = objects.create(object);
    if (!written.ok) throw new Error(`${object.kind} ${object.metadata.name}: ${written.error.message}`);
  }
  return objects;
}
