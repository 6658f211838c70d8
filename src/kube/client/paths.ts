/** URL paths of the API (`/api/v1/…` for the core group, `/apis/GROUP/VERSION/…` for the others). */
import { apiVersionOf, type Resource } from '../resources.ts';

export interface PathParts {
  /** Served version; default the preferred one of the resource. */
  readonly version?: string;
  /** All namespaces when absent, or the resource is cluster-scoped. */
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

export function groupVersionPath(group: string, version: string): string {
  return group ? `/apis/${group}/${version}` : `/api/${version}`;
}

type Pathed = Pick<Resource, 'group' | 'versions' | 'plural' | 'namespaced'>;

export function resourcePath(resource: Pathed, parts: PathParts = {}): string {
  const { namespace, name, subresource } = parts;
  const segments = [
    ...(namespace && resource.namespaced ? ['namespaces', namespace] : []),
    resource.plural,
    ...(name ? [name] : []),
    ...(subresource ? [subresource] : []),
  ];
  const root = `${resource.group ? '/apis' : '/api'}/${apiVersionOf(resource, parts.version)}`;
  return `${root}/${segments.map(encodeURIComponent).join('/')}`;
}

/** `?a=b&c=d`, or nothing; undefined and empty values are left out. */
export function queryOf(query: Readonly<Record<string, string | number | boolean | undefined>> = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  return parameters.size === 0 ? '' : `?${parameters}`;
}
