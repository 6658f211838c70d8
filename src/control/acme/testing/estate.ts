/** A controller, a data plane and ACME over one store, for tests of the whole way from an annotation to a certificate. */
import { createObjectApi, type ObjectApi } from '../../../kube/objects.ts';
import { createResourceRegistry } from '../../../kube/resources.ts';
import { readGatewayCrds, resourceOfCrd } from '../../../kube/schema/crd.ts';
import { createStore } from '../../../kube/store/store.ts';
import type { KubeObject, Secret } from '../../../kube/types/index.ts';
import { createProxy } from '../../../proxy/proxy.ts';
import { createController } from '../../controller.ts';
import { createLocalStatusSink } from '../../status-sink.ts';
import { type AcmeManager, type AcmeManagerOptions, createAcmeManager } from '../manager.ts';
import { challengesName } from '../names.ts';
import { localAcmeObjects } from '../objects.ts';
import type { Pebble } from './pebble.ts';

export const stateNamespace = 'fairway';

export interface EstateOptions {
  /** Of the front door. */
  readonly address: string;
  /** Where ports 80 and 443 are really bound. */
  readonly ports: Readonly<Record<number, number>>;
  /** An earlier estate's, to go on with. */
  readonly objects?: ObjectApi;
  readonly manager?: Partial<AcmeManagerOptions>;
}

export interface Estate {
  readonly objects: ObjectApi;
  readonly acme: AcmeManager;
  readonly logs: string[];
  put(...objects: readonly object[]): void;
  remove(resource: string, key: string): void;
  secret(key: string): Secret | undefined;
  /** Findings, as `CODE message`. */
  findings(): string[];
  /** Waits until it holds. */
  until(holds: () => boolean, ms?: number): Promise<void>;
  stop(): Promise<void>;
}

export function createEmptyObjects(): ObjectApi {
  const registry = createResourceRegistry();
  for (const crd of readGatewayCrds()) registry.add(resourceOfCrd(crd));
  return createObjectApi({
    store: createStore(),
    registry,
    admit: ({ object }) => ({ object, errors: [], warnings: [] }),
  });
}

/** Starts it; everything in it is served (`adopt`). */
export function startEstate(options: EstateOptions): Estate {
  const { address, ports, objects = createEmptyObjects() } = options;
  const { store } = objects;
  const logs: string[] = [];
  const log = (_level: string, text: string) => void logs.push(text);
  const proxy = createProxy();
  const place = { namespace: stateNamespace, name: 'issuers' };
  const acme = createAcmeManager({
    ...{ store, place, log, adopt: true, position: () => undefined, userAgent: 'fairway-test' },
    ...{ objects: localAcmeObjects(objects), isLeader: () => true },
    ...options.manager,
  });
  const controller = createController({
    ...{ store, proxy, adopt: true, position: () => undefined, settleMs: 0 },
    statuses: createLocalStatusSink(objects),
    addresses: { ingress: () => [address], gateway: () => address, usable: () => true },
    bind: {
      mode: 'native',
      map: (at, port) => ({ address: at, port: ports[port] ?? port }),
      describe: () => [],
    },
    challenges: `${stateNamespace}/${challengesName}`,
    onSettled: ({ plan }) => acme.update(plan),
    onError: (message) => logs.push(message),
  });
  controller.start();

  function put(object: KubeObject): void {
    const { resource } = resourceOf(objects, object);
    const stored = store.get(resource, `${object.metadata.namespace}/${object.metadata.name}`);
    const resourceVersion = stored?.metadata.resourceVersion;
    const metadata = { ...object.metadata, ...(resourceVersion && { resourceVersion }) };
    const written = stored ? objects.update({ ...object, metadata }) : objects.create(object);
    if (!written.ok) throw new Error(written.error.message);
  }

  return {
    ...{ objects, acme, logs },
    put: (...all) => {
      for (const each of all) put(each as KubeObject);
    },
    remove: (resource, key) => void objects.delete(resource, key),
    secret: (key) => store.get<Secret>('secrets', key),
    findings: () => acme.told([]).map(({ code, message }) => `${code} ${message}`),
    async until(holds, ms = 15_000) {
      const end = performance.now() + ms;
      while (!holds()) {
        if (performance.now() > end)
          throw new Error(`it never came to that; ${logs.join('\n')}\n${acme.told([]).map(({ message }) => message)}`);
        await new Promise((go) => setTimeout(go, 10));
      }
    },
    async stop() {
      await acme.stop();
      controller.stop();
      await proxy.close(0);
    },
  };
}

function resourceOf(objects: ObjectApi, { apiVersion, kind }: KubeObject): { readonly resource: string } {
  const found = objects.registry.ofKind(apiVersion, kind);
  if (!found) throw new Error(`no kind ${kind} of ${apiVersion}`);
  return { resource: found.group ? `${found.plural}.${found.group}` : found.plural };
}

/** ConfigMap of issuers; `list` as YAML. */
export const issuersMap = (list: string): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'issuers', namespace: stateNamespace },
  data: { 'issuers.yaml': list },
});

export interface IngressWishes {
  readonly name?: string;
  readonly hosts: readonly string[];
  readonly secretName?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An Ingress of the namespace `shop` with one TLS section. */
export function ingressFor({ name = 'web', hosts, secretName = 'web-tls', annotations = {} }: IngressWishes): object {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'shop', annotations },
    spec: {
      rules: hosts.map((host) => ({ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } })),
      tls: [{ hosts, secretName }],
    },
  };
}

const indented = (text: string) => text.trimEnd().replaceAll('\n', '\n    ');

/** An issuer `test`, to be listed in the ConfigMap; `more` are further lines of it. */
export const pebbleIssuer = ({ directory, ca }: Pick<Pebble, 'directory' | 'ca'>, more = ''): string => `
- name: test
  server: ${directory}
  email: ops@example.com
  termsOfServiceAgreed: true
  caBundle: |
    ${indented(ca)}
${more}
`;
