/** A kubeconfig for a server without credentials. */
import { stringify } from 'yaml';

/** `url`: as `listen` returned it. `name` is that of cluster, user and context. */
export function kubeconfigFor(url: string, name = 'fairway'): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  });
}
