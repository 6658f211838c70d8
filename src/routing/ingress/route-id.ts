import type { PathClaim } from './rules.ts';

/** `Ingress/shop/web/rules/0/paths/1`. */
export function routeId({ ingress: { metadata }, rule, path }: PathClaim): string {
  return `Ingress/${metadata.namespace}/${metadata.name}/rules/${rule}/paths/${path}`;
}
