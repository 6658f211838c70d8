/**
 * Whether a spec has the types that the API gives it. An API server lets nothing else in; objects from elsewhere are
 * looked at once here, so that the rest of the translation can rely on its types. Null counts as absent, as in the API.
 */
import type { Ingress } from '../../kube/types/index.ts';

type Shape = 'string' | 'number' | readonly [Shape] | { readonly [field: string]: Shape };

const backend: Shape = {
  service: { name: 'string', port: { name: 'string', number: 'number' } },
  resource: { apiGroup: 'string', kind: 'string', name: 'string' },
};

const spec: Shape = {
  ingressClassName: 'string',
  defaultBackend: backend,
  rules: [{ host: 'string', http: { paths: [{ path: 'string', pathType: 'string', backend }] } }],
  tls: [{ hosts: ['string'], secretName: 'string' }],
};

export interface ShapeFault {
  readonly fieldPath: string;
  readonly message: string;
}

/** The first field of another type than the API's; undefined when there is none. */
export function findShapeFault(ingress: Ingress): ShapeFault | undefined {
  return check(spec, ingress.spec, 'spec');
}

function check(shape: Shape, value: unknown, fieldPath: string): ShapeFault | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof shape === 'string')
    return typeof value === shape ? undefined : { fieldPath, message: `must be a ${shape}` };
  if (typeof value !== 'object') return { fieldPath, message: 'must be a list or an object' };
  return isList(shape) ? checkList(shape[0], value, fieldPath) : checkFields(shape, value, fieldPath);
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function checkList(shape: Shape, value: object, fieldPath: string): ShapeFault | undefined {
  if (!Array.isArray(value)) return { fieldPath, message: 'must be a list' };
  for (const [i, item] of value.entries()) {
    const at = `${fieldPath}[${i}]`;
    const fault =
      item === null || item === undefined ? { fieldPath: at, message: 'must not be empty' } : check(shape, item, at);
    if (fault) return fault;
  }
  return undefined;
}

function checkFields(
  shape: { readonly [field: string]: Shape },
  value: object,
  fieldPath: string,
): ShapeFault | undefined {
  if (Array.isArray(value)) return { fieldPath, message: 'must be an object' };
  for (const field in shape) {
    const fault = check(shape[field]!, (value as Record<string, unknown>)[field], `${fieldPath}.${field}`);
    if (fault) return fault;
  }
  return undefined;
}
