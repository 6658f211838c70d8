/** GatewayClasses: which are ours, which are adopted, and their status. */

import { diagnosticRules, formatForStatus } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { Condition, Gateway, GatewayClass, KubeObject } from '../../kube/types/index.ts';
import { controllerOf, type StatusUpdate } from '../translate.ts';
import { type Finding, mergeConditions, no, yes } from './conditions.ts';
import { type Context, compareNames } from './context.ts';
import { gatewayGroup, resources, supportedFeatures } from './kinds.ts';

export interface ClassState {
  readonly name: string;
  /** Absent for an adopted class that no object defines. */
  readonly object?: GatewayClass;
  /** Taken on although it is not ours (TranslateInput.adopt). */
  readonly adopted: boolean;
  /** Why its Gateways cannot be accepted. */
  readonly problem?: string;
}

interface Crd extends KubeObject {
  spec?: { group?: string };
}

const crdResource = 'customresourcedefinitions.apiextensions.k8s.io';
const bundleAnnotation = `${gatewayGroup}/bundle-version`;
const knownBundle = /^v1\.[0-6]\.[0-9]+$/;

/** The classes that this controller serves, by name. `gateways` are all Gateways, sorted. */
export function resolveClasses(context: Context, gateways: readonly Gateway[]): ReadonlyMap<string, ClassState> {
  const { store, adopt } = context.input;
  const controller = controllerOf(context.input);
  const classes = new Map<string, ClassState>();
  const defined = store.list<GatewayClass>(resources.gatewayClass).sort(compareNames);
  for (const object of defined) {
    if (object.spec.controllerName === controller) classes.set(object.metadata.name, ownClass(context, object));
    else if (adopt) classes.set(object.metadata.name, adoptDefined(context, object));
  }
  if (!adopt) return classes;
  const names = new Set(defined.map((object) => object.metadata.name));
  for (const gateway of gateways) {
    const name = gateway.spec.gatewayClassName;
    if (names.has(name)) continue;
    names.add(name);
    classes.set(name, adoptUndefined(context, gateway, name));
  }
  return classes;
}

const parametersHint = diagnosticRules.FW3002.hint;

function ownClass(context: Context, object: GatewayClass): ClassState {
  const { name } = object.metadata;
  const { parametersRef } = object.spec;
  if (!parametersRef) return { name, object, adopted: false };
  const problem = `parametersRef names ${parametersRef.kind} ${parametersRef.name}, and Fairway reads no parameters`;
  context.report('FW3002', object, 'spec.parametersRef', problem);
  return { name, object, adopted: false, problem };
}

function adoptDefined(context: Context, object: GatewayClass): ClassState {
  const { name } = object.metadata;
  const { controllerName, parametersRef } = object.spec;
  const unread = parametersRef ? '; its parametersRef is not read' : '';
  context.report(
    'FW3001',
    object,
    'spec.controllerName',
    `GatewayClass ${name} names the controller ${controllerName}, which does not run here: Fairway serves its Gateways${unread}`,
  );
  return { name, object, adopted: true };
}

function adoptUndefined(context: Context, gateway: Gateway, name: string): ClassState {
  context.report(
    'FW3001',
    gateway,
    'spec.gatewayClassName',
    `no object defines the GatewayClass ${name}: Fairway serves its Gateways`,
  );
  return { name, adopted: true };
}

const ownedConditions = ['Accepted', 'SupportedVersion'];

export function classStatuses(context: Context, classes: ReadonlyMap<string, ClassState>): StatusUpdate[] {
  const version = supportedVersion(context);
  return [...classes.values()].flatMap((state) =>
    state.object ? [classStatus(context, state, state.object, version)] : [],
  );
}

function classStatus(context: Context, state: ClassState, object: GatewayClass, version: Finding): StatusUpdate {
  const accepted = state.problem
    ? no('Accepted', 'InvalidParameters', formatForStatus('spec.parametersRef', state.problem, parametersHint))
    : yes(
        'Accepted',
        state.adopted ? 'Adopted: Fairway serves the Gateways of this class' : 'Fairway serves this class',
      );
  return {
    ref: refOf(object),
    resource: resources.gatewayClass,
    build(stored) {
      const status = stored.status as GatewayClass['status'];
      const writing = { generation: object.metadata.generation, now: context.input.now };
      return {
        ...status,
        conditions: mergeConditions(
          status?.conditions as Condition[] | undefined,
          [accepted, version],
          ownedConditions,
          writing,
        ),
        supportedFeatures: supportedFeatures.map((name) => ({ name })),
      };
    },
  };
}

/** Whether the CRDs in the store are of a bundle that this version knows; built-in ones are. */
function supportedVersion(context: Context): Finding {
  const foreign = context.input.store
    .list<Crd>(crdResource)
    .filter((crd) => crd.spec?.group === gatewayGroup)
    .filter((crd) => !knownBundle.test(crd.metadata.annotations?.[bundleAnnotation] ?? ''))
    .sort(compareNames);
  if (foreign.length === 0) return yes('SupportedVersion', 'The Gateway API CRDs are of a supported version');
  const found = foreign[0]!;
  return no(
    'SupportedVersion',
    'UnsupportedVersion',
    `${found.metadata.name} is of bundle ${found.metadata.annotations?.[bundleAnnotation] ?? '(no version)'}; ` +
      'v1.0.0 to v1.6.x are supported, others are served as far as they agree',
  );
}
