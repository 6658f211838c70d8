/** Names that controllers give: hashes of templates and suffixes, in the alphabet of apimachinery's `rand` package. */
import { fnv1a } from '../../base/hash.ts';
import { sortedJson } from '../../base/sorted-json.ts';
import type { PodTemplateSpec } from '../../kube/types/index.ts';

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Five characters that depend on the seed alone. */
export function stableSuffix(seed: string): string {
  let rest = fnv1a(seed);
  let suffix = '';
  for (let i = 0; i < 5; i++) {
    suffix += alphabet[rest % alphabet.length];
    rest = Math.floor(rest / alphabet.length);
  }
  return suffix;
}

/** `base-` and a suffix; the base is cut to 58 characters, as generated names are in a cluster. */
export function generatedName(base: string, seed: string): string {
  return `${generatedPrefix(base)}${stableSuffix(seed)}`;
}

export function generatedPrefix(base: string): string {
  return `${base}-`.slice(0, 58);
}

/** The value of `pod-template-hash`: the same for templates that say the same. */
export function templateHash(template: PodTemplateSpec): string {
  const digits = String(fnv1a(sortedJson(template)));
  return [...digits].map((digit) => alphabet[digit.charCodeAt(0) % alphabet.length]).join('');
}

const hashes = new WeakMap<PodTemplateSpec, string>();

/** The hash of a workload's template, found once for each version of the template. */
export function templateHashOf({ spec: { template } }: { spec: { template: PodTemplateSpec } }): string {
  const known = hashes.get(template);
  if (known) return known;
  const hash = templateHash(template);
  hashes.set(template, hash);
  return hash;
}
