/** A store out of YAML and questions to the plan made of it, for the tests of Ingress. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { packageRoot } from '../../base/package-root.ts';
import { createResourceRegistry, resourceName } from '../../kube/resources.ts';
import { createStore, type Store } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { compileListener } from '../match/matcher.ts';
import type { TranslateInput, TranslateOutput } from '../translate.ts';
import { translateIngress } from './translate.ts';

const certificates = join(packageRoot, 'test/golden/ingress/certificates');
export const testAddress = '192.0.2.1';

/** Objects of a YAML stream; `$(wild.crt)` stands for that file of test/golden/ingress/certificates in base64. */
export function loadObjects(yaml: string): KubeObject[] {
  const filled = yaml.replace(/\$\(([a-z.+]+)\)/g, (_all, files: string) =>
    Buffer.concat(files.split('+').map((file) => readFileSync(join(certificates, file)))).toString('base64'),
  );
  return (loadAll(filled) as (KubeObject | null | undefined)[]).filter((object) => object != null);
}

export function storeOf(objects: readonly KubeObject[]): Store {
  const registry = createResourceRegistry();
  const store = createStore();
  for (const object of objects) {
    const resource = registry.ofKind(object.apiVersion, object.kind);
    if (!resource) throw new Error(`unknown kind ${object.kind}`);
    const metadata = resource.namespaced ? { namespace: 'default', ...object.metadata } : object.metadata;
    store.put(resourceName(resource), { ...object, metadata });
  }
  return store;
}

export function inputOf(store: Store, changes: Partial<TranslateInput> = {}): TranslateInput {
  return {
    store,
    adopt: false,
    addresses: { ingress: () => [testAddress], gateway: () => testAddress, usable: () => true },
    position: () => undefined,
    now: '2026-01-01T00:00:00Z',
    ...changes,
  };
}

export function translateYaml(yaml: string, changes: Partial<TranslateInput> = {}): TranslateOutput {
  return translateIngress(inputOf(storeOf(loadObjects(yaml)), changes));
}

/** Name of the Service that a request reaches, or the status it gets instead; `refused` when nothing listens. */
export function reach(output: TranslateOutput, host: string, path: string, port = 80): string | number {
  const listener = output.listeners.find((each) => each.port === port);
  if (!listener) return 'refused';
  const { route } = compileListener(listener).match({ host, path, query: '', method: 'GET', headers: () => undefined });
  if (!route) return 404;
  if (route.action.type !== 'forward') throw new Error('an Ingress only forwards');
  const [backend] = route.action.backends;
  if (backend?.invalid) return backend.invalid.status;
  const found = output.backends.find(({ id }) => id === backend?.backend);
  return found ? found.service : 'no backend';
}

/** A Service with one port. */
export function serviceYaml(name: string, port = 80): string {
  return `---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { ports: [{ name: http, port: ${port} }] }
`;
}

/** An Ingress of class fairway with rules in short form: `[host, pathType, path, service]`. */
export function ingressYaml(
  name: string,
  rules: readonly (readonly [host: string, pathType: string, path: string, service: string])[],
  more = '',
): string {
  const items = rules.map(
    ([host, pathType, path, service]) =>
      `  - ${host ? `host: "${host}"\n    ` : ''}http: { paths: [{ pathType: ${pathType}, path: ${JSON.stringify(path)}, backend: { service: { name: ${service}, port: { name: http } } } }] }\n`,
  );
  return `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${name} }
spec:
  ingressClassName: fairway
${items.length > 0 ? `  rules:\n${items.join('')}` : ''}${more}
`;
}

export const fairwayClass = `---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: fairway }
spec: { controller: fairway.dev/ingress }
`;
