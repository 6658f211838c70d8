/** Authorities that the Gateway API lets objects refer to: a ConfigMap with a PEM bundle under `ca.crt`. */
import { X509Certificate } from 'node:crypto';
import { err, ok, type Result } from '../base/result.ts';
import type { StoreReader } from '../kube/store/store.ts';
import type { ConfigMap } from '../kube/types/index.ts';

export interface CaReference {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

/** `kind`: nothing that a bundle is read from. `content`: it does not exist or holds no certificates. */
export interface CaProblem {
  readonly problem: 'kind' | 'content';
  readonly message: string;
}

const key = 'ca.crt';
/** Certificates in one bundle; a whole machine's has about 150. */
const maxCertificates = 1_000;

/** Text of the bundle that a reference means, in this namespace. Permission is the caller's to ask. */
export function readCaBundle(
  store: StoreReader,
  namespace: string,
  { group, kind, name }: CaReference,
): Result<string, CaProblem> {
  if (group !== '' || kind !== 'ConfigMap') {
    const found = `${kind}${group ? `.${group}` : ''}`;
    return err({ problem: 'kind', message: `CA certificates come from ConfigMaps, not from ${found}` });
  }
  const map = store.get<ConfigMap>('configmaps', `${namespace}/${name}`);
  return map ? readingOf(map) : content(`the ConfigMap ${namespace}/${name} does not exist`);
}

/** Objects in a store never change, so a reading holds as long as its ConfigMap. */
const readings = new WeakMap<ConfigMap, Result<string, CaProblem>>();

function readingOf(map: ConfigMap): Result<string, CaProblem> {
  let reading = readings.get(map);
  if (!reading) {
    reading = read(map);
    readings.set(map, reading);
  }
  return reading;
}

function read({ metadata, data }: ConfigMap): Result<string, CaProblem> {
  const where = `the ConfigMap ${metadata.namespace ?? 'default'}/${metadata.name}`;
  const text: unknown = data?.[key];
  if (typeof text !== 'string') return content(`${where} has no key ${key}`);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (!blocks) return content(`${key} of ${where} holds no PEM certificate`);
  if (blocks.length > maxCertificates)
    return content(`${key} of ${where} holds ${blocks.length} certificates; ${maxCertificates} at most`);
  for (const [i, block] of blocks.entries()) {
    const problem = whyUnreadable(block);
    if (problem !== undefined) return content(`certificate ${i + 1} in ${key} of ${where} cannot be read: ${problem}`);
  }
  return ok(`${blocks.join('\n')}\n`);
}

function whyUnreadable(pem: string): string | undefined {
  try {
    new X509Certificate(pem);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function content(message: string): Result<string, CaProblem> {
  return err({ problem: 'content', message });
}
