/** A kubeconfig for a server without credentials. */
import { writeYaml } from '../../kube/manifests/yaml.ts';

/** `url`: as `listen` returned it. `name` is that of cluster, user and context. */
export function kubeconfigFor(url: string, name = 'fairway'): string {
  return writeYaml({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  });
}
