/** apps/v1: Deployment, ReplicaSet, StatefulSet, DaemonSet. */
import { blank } from '../../../base/blank.ts';
import { equalJson } from '../../objects.ts';
import { matchesLabelSelector } from '../../selectors.ts';
import type { LabelSelector, PodTemplateSpec, Unstructured } from '../../types/index.ts';
import { type FaultList, forbidden, invalid, notSupported, report } from '../fields.ts';
import type { Schema } from '../structural/types.ts';
import { checkNonNegative, isEmptySelector, reportIf, reportImmutable, validateLabelSelector } from './checks.ts';
import { type Change, type CoreKind, int32, intOrText, labelSelector, list, object, oneOf, or, text } from './kind.ts';
import { dnsWarnings, podTemplate, validateTemplate, withTemplateDefaults } from './pod.ts';

interface WorkloadSpec {
  replicas?: number;
  selector: LabelSelector;
  template: PodTemplateSpec;
  minReadySeconds?: number;
  revisionHistoryLimit?: number;
  strategy?: Strategy;
  updateStrategy?: Strategy;
  [field: string]: unknown;
}

interface Strategy {
  type?: string;
  rollingUpdate?: Record<string, number | string>;
}

const specOf = (object: Unstructured) => object.spec as WorkloadSpec;

const common = { selector: labelSelector, template: podTemplate, minReadySeconds: int32 };
const rollingUpdate = object({ maxSurge: intOrText, maxUnavailable: intOrText, partition: int32 });
const strategyOf = (...types: string[]) =>
  or(object({ type: or(oneOf(...types), 'RollingUpdate'), rollingUpdate }), {});

/** A kind with a selector and a template. */
function workload(
  fields: Record<string, Schema>,
  extras: Partial<Pick<CoreKind, 'defaults' | 'validate'>> = {},
): CoreKind {
  return {
    shape: object({ spec: object({ ...common, ...fields }, ['selector', 'template']) }, ['spec']),
    defaults(given, change) {
      const spec = { ...specOf(given), template: withTemplateDefaults(specOf(given).template) };
      const filled = { ...given, spec };
      return extras.defaults ? extras.defaults(filled, change) : filled;
    },
    validate(given, change, faults) {
      validateWorkload(given, change, faults);
      extras.validate?.(given, change, faults);
    },
    warnings: (given, { operation }) =>
      operation === 'create' ? dnsWarnings(specOf(given).template.spec, 'spec.template.spec') : [],
  };
}

function validateWorkload(given: Unstructured, { previous }: Change, faults: FaultList): void {
  const { selector, template, replicas = 0, minReadySeconds = 0, revisionHistoryLimit = 0 } = specOf(given);
  for (const [field, value] of Object.entries({ replicas, minReadySeconds, revisionHistoryLimit }))
    reportIf(faults, `spec.${field}`, value, checkNonNegative(value));
  validateLabelSelector(selector, 'spec.selector', faults);
  if (isEmptySelector(selector))
    report(faults, invalid('spec.selector', selector, `empty selector is invalid for ${given.kind.toLowerCase()}`));
  else if (!matchesLabelSelector(selector, template.metadata?.labels))
    report(
      faults,
      invalid(
        'spec.template.metadata.labels',
        template.metadata?.labels ?? {},
        '`selector` does not match template `labels`',
      ),
    );
  validateTemplate(template, 'spec.template', faults);
  if (template.spec.restartPolicy !== 'Always')
    report(faults, notSupported('spec.template.spec.restartPolicy', template.spec.restartPolicy, ['Always']));
  if (previous && !equalJson(selector, specOf(previous).selector)) reportImmutable(faults, 'spec.selector', selector);
}

const PERCENT = /^(\d{1,9})%$/;

/** A count or a share of the replicas: what it comes to for checking, or the fault it has. */
function checkCountOrPercent(value: number | string): string | undefined {
  if (typeof value === 'number') return checkNonNegative(value);
  if (!PERCENT.test(value))
    return "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%', or '93%')";
  return undefined;
}

const isZero = (value: number | string | undefined) => value === 0 || value === '0%';

function validateRollingUpdate(strategy: Strategy, path: string, faults: FaultList): void {
  const { maxSurge, maxUnavailable, partition } = strategy.rollingUpdate ?? {};
  for (const [field, value] of Object.entries({ maxUnavailable, maxSurge }))
    if (value !== undefined) reportIf(faults, `${path}.rollingUpdate.${field}`, value, checkCountOrPercent(value));
  if (typeof maxUnavailable === 'string' && Number(PERCENT.exec(maxUnavailable)?.[1] ?? 0) > 100)
    report(faults, invalid(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable, 'must not be greater than 100%'));
  if (typeof partition === 'number')
    reportIf(faults, `${path}.rollingUpdate.partition`, partition, checkNonNegative(partition));
  if (isZero(maxSurge) && isZero(maxUnavailable))
    report(
      faults,
      invalid(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'),
    );
}

/** Fills the numbers of a rolling update where the strategy is one. */
function withRollingUpdate(
  strategy: Strategy | undefined,
  numbers: Record<string, number | string>,
): Strategy | undefined {
  if (strategy?.type !== 'RollingUpdate') return strategy;
  return { ...blank, ...strategy, rollingUpdate: { ...blank, ...numbers, ...strategy.rollingUpdate } };
}

export const deployment = workload(
  {
    replicas: or(int32, 1),
    strategy: strategyOf('Recreate', 'RollingUpdate'),
    revisionHistoryLimit: or(int32, 10),
    progressDeadlineSeconds: or(int32, 600),
    paused: { type: 'boolean' },
  },
  {
    defaults(given) {
      const spec = specOf(given);
      const strategy = withRollingUpdate(spec.strategy, { maxUnavailable: '25%', maxSurge: '25%' });
      return { ...given, spec: { ...spec, strategy } };
    },
    validate(given, _change, faults) {
      const { strategy = {}, progressDeadlineSeconds = 0, minReadySeconds = 0 } = specOf(given);
      if (strategy.type === 'Recreate' && strategy.rollingUpdate)
        report(
          faults,
          forbidden('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'"),
        );
      else if (strategy.type === 'RollingUpdate') validateRollingUpdate(strategy, 'spec.strategy', faults);
      if ((progressDeadlineSeconds as number) <= minReadySeconds)
        report(
          faults,
          invalid('spec.progressDeadlineSeconds', progressDeadlineSeconds, 'must be greater than minReadySeconds'),
        );
    },
  },
);

export const replicaSet = workload({ replicas: or(int32, 1) });

export const daemonSet = workload(
  { updateStrategy: strategyOf('OnDelete', 'RollingUpdate'), revisionHistoryLimit: or(int32, 10) },
  {
    defaults(given) {
      const spec = specOf(given);
      const updateStrategy = withRollingUpdate(spec.updateStrategy, { maxUnavailable: 1, maxSurge: 0 });
      return { ...given, spec: { ...spec, updateStrategy } };
    },
    validate(given, _change, faults) {
      const { updateStrategy = {} } = specOf(given);
      if (updateStrategy.type === 'RollingUpdate') validateRollingUpdate(updateStrategy, 'spec.updateStrategy', faults);
    },
  },
);

/** Fields of a StatefulSet's spec that an update may change. */
const statefulSetMutable = new Set([
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]);

export const statefulSet = workload(
  {
    replicas: or(int32, 1),
    serviceName: text,
    podManagementPolicy: or(oneOf('OrderedReady', 'Parallel'), 'OrderedReady'),
    updateStrategy: strategyOf('OnDelete', 'RollingUpdate'),
    revisionHistoryLimit: or(int32, 10),
    ordinals: object({ start: or(int32, 0) }),
    volumeClaimTemplates: list(object()),
    persistentVolumeClaimRetentionPolicy: or(
      object({
        whenDeleted: or(oneOf('Retain', 'Delete'), 'Retain'),
        whenScaled: or(oneOf('Retain', 'Delete'), 'Retain'),
      }),
      {},
    ),
  },
  {
    defaults(given) {
      const spec = specOf(given);
      const updateStrategy = withRollingUpdate(spec.updateStrategy, { partition: 0 });
      return { ...given, spec: { ...spec, updateStrategy } };
    },
    validate(given, { previous }, faults) {
      const spec = specOf(given);
      const start = (spec.ordinals as { start?: number } | undefined)?.start ?? 0;
      reportIf(faults, 'spec.ordinals.start', start, checkNonNegative(start));
      if (previous && fixedFieldsChanged(spec, specOf(previous)))
        report(
          faults,
          forbidden(
            'spec',
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
          ),
        );
    },
  },
);

function fixedFieldsChanged(spec: WorkloadSpec, before: WorkloadSpec): boolean {
  const fixed = (given: WorkloadSpec) =>
    Object.fromEntries(Object.entries(given).filter(([field]) => !statefulSetMutable.has(field)));
  return !equalJson(fixed(spec), fixed(before));
}
