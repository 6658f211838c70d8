/**
 * The certificate of an echo Pod, as its manifest mounts it: `TLS_SERVER_CERT` and `TLS_SERVER_PRIVKEY` (or
 * `TLS_SERVER_PRIV_KEY`) name files in a Secret volume, `TLS_CLIENT_CACERTS` one in a Secret or ConfigMap volume.
 */
import type { StoreReader } from '../../kube/store/store.ts';
import type { ConfigMap, Container, Pod, Secret } from '../../kube/types/index.ts';
import { environmentOf, listOf } from './pod-identity.ts';

/** PEM, unchecked. */
export interface ServerCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Clients are asked for a certificate; one that is given must be signed by these. */
  readonly clientCa?: Buffer;
}

interface VolumeMount {
  name?: string;
  mountPath?: string;
  subPath?: string;
}

interface VolumeSource {
  secretName?: string;
  name?: string;
  items?: { key?: string; path?: string }[];
}

interface Volume {
  name?: string;
  secret?: VolumeSource;
  configMap?: VolumeSource;
}

/** Undefined when the container has none or what it names is missing: TLS is then refused. */
export function certificateOf(pod: Pod, containerName: string, store: StoreReader): ServerCertificate | undefined {
  const container = [...listOf<Container>(pod.spec.containers), ...listOf<Container>(pod.spec.initContainers)].find(
    ({ name }) => name === containerName,
  );
  if (!container) return undefined;
  const environment = environmentOf(container, pod);
  const file = (...names: string[]) => {
    const path = names.map((name) => environment.get(name)).find(Boolean);
    return path ? readMounted(pod, container, path, store) : undefined;
  };
  const cert = file('TLS_SERVER_CERT');
  const key = file('TLS_SERVER_PRIVKEY', 'TLS_SERVER_PRIV_KEY');
  const clientCa = file('TLS_CLIENT_CACERTS');
  return cert && key ? { cert, key, ...(clientCa && { clientCa }) } : undefined;
}

/** The bytes that a container would find at a path, if a Secret or ConfigMap of the store is mounted there. */
function readMounted(pod: Pod, container: Container, path: string, store: StoreReader): Buffer | undefined {
  const mounts = listOf<VolumeMount>(container['volumeMounts']).filter(
    ({ mountPath }) => mountPath && (path === mountPath || path.startsWith(`${mountPath.replace(/\/$/, '')}/`)),
  );
  const mount = mounts.sort((a, b) => b.mountPath!.length - a.mountPath!.length)[0];
  if (!mount) return undefined;
  const inVolume = [mount.subPath, path.slice(mount.mountPath!.length).replace(/^\//, '')].filter(Boolean).join('/');
  const volume = listOf<Volume>(pod.spec['volumes']).find(({ name }) => name === mount.name);
  const source = volume?.secret ?? volume?.configMap;
  if (!source) return undefined;
  const items = listOf<NonNullable<VolumeSource['items']>[number]>(source.items);
  const key = items.length > 0 ? items.find((item) => item.path === inVolume)?.key : inVolume;
  return key === undefined ? undefined : dataOf(volume!, key, pod.metadata.namespace ?? '', store);
}

function dataOf(volume: Volume, key: string, namespace: string, store: StoreReader): Buffer | undefined {
  if (volume.secret) {
    const secret = store.get<Secret>('secrets', `${namespace}/${volume.secret.secretName ?? ''}`);
    const value = secret?.data?.[key];
    return value === undefined ? undefined : Buffer.from(value, 'base64');
  }
  const configMap = store.get<ConfigMap>('configmaps', `${namespace}/${volume.configMap?.name ?? ''}`);
  const value = configMap?.data?.[key];
  return value === undefined ? undefined : Buffer.from(value);
}
