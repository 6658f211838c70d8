/** batch/v1: Job and CronJob, as far as a front door needs them to be stored sensibly. */

import { checkDns1123Subdomain } from '../../../base/names.ts';
import type { ObjectMeta, PodTemplateSpec, Unstructured } from '../../types/index.ts';
import { type FaultList, invalid, notSupported, report } from '../fields.ts';
import { checkNonNegative, reportIf } from './checks.ts';
import { type CoreKind, flag, int32, int64, labelSelector, object, oneOf, or, text } from './kind.ts';
import { podTemplate, templateMetadata, validateTemplate, withTemplateDefaults } from './pod.ts';

interface JobSpec {
  template: PodTemplateSpec;
  [field: string]: unknown;
}

const jobSpec = object(
  {
    parallelism: int32,
    completions: int32,
    activeDeadlineSeconds: int64,
    backoffLimit: or(int32, 6),
    ttlSecondsAfterFinished: int32,
    completionMode: or(oneOf('NonIndexed', 'Indexed'), 'NonIndexed'),
    suspend: or(flag, false),
    selector: labelSelector,
    manualSelector: flag,
    template: podTemplate,
  },
  ['template'],
);

/** One run to completion unless a number is given. */
function withJobDefaults(spec: JobSpec): JobSpec {
  const once = spec.completions === undefined && spec.parallelism === undefined;
  return {
    ...spec,
    ...(once && { completions: 1 }),
    parallelism: spec.parallelism ?? 1,
    template: withTemplateDefaults(spec.template),
  };
}

function validateJobSpec(spec: JobSpec, path: string, faults: FaultList): void {
  for (const field of [
    'parallelism',
    'completions',
    'backoffLimit',
    'activeDeadlineSeconds',
    'ttlSecondsAfterFinished',
  ]) {
    const value = spec[field] as number | undefined;
    if (value !== undefined) reportIf(faults, `${path}.${field}`, value, checkNonNegative(value));
  }
  validateTemplate(spec.template, `${path}.template`, faults);
  const { restartPolicy } = spec.template.spec;
  if (restartPolicy === 'Always')
    report(faults, notSupported(`${path}.template.spec.restartPolicy`, restartPolicy, ['OnFailure', 'Never']));
}

/** Labels of a Job's Pods; those without a prefix are from before it was the custom. */
function ownLabels({ name = '', uid = '' }: Partial<ObjectMeta>): Record<string, string> {
  return {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
}

/** A selector of the Job's own Pods, unless it brings one (`manualSelector`): job strategy of Kubernetes, PrepareForCreate. */
function withOwnSelector(spec: JobSpec, metadata: ObjectMeta): JobSpec {
  if (spec.manualSelector === true || spec.selector !== undefined) return spec;
  const labels = ownLabels(metadata);
  const { template } = spec;
  return {
    ...spec,
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': metadata.uid ?? '' } },
    template: { ...template, metadata: { ...template.metadata, labels: { ...template.metadata?.labels, ...labels } } },
  };
}

export const job: CoreKind = {
  shape: object({ spec: jobSpec }, ['spec']),
  defaults(given, { operation }) {
    const spec = withJobDefaults(given.spec as JobSpec);
    return { ...given, spec: operation === 'create' ? withOwnSelector(spec, given.metadata) : spec };
  },
  validate: (given, _change, faults) => validateJobSpec(given.spec as JobSpec, 'spec', faults),
};

interface CronJobSpec {
  schedule: string;
  jobTemplate: { spec: JobSpec };
  [field: string]: unknown;
}

const cronJobSpec = object(
  {
    schedule: text,
    timeZone: text,
    startingDeadlineSeconds: int64,
    concurrencyPolicy: or(oneOf('Allow', 'Forbid', 'Replace'), 'Allow'),
    suspend: or(flag, false),
    jobTemplate: object({ metadata: templateMetadata, spec: jobSpec }, ['spec']),
    successfulJobsHistoryLimit: or(int32, 3),
    failedJobsHistoryLimit: or(int32, 1),
  },
  ['schedule', 'jobTemplate'],
);

const SCHEDULE = /^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|@every \S+|\S+( +\S+){4})$/;

function checkSchedule(schedule: string): string | undefined {
  return SCHEDULE.test(schedule.trim()) ? undefined : 'expected exactly 5 fields, or a descriptor such as @daily';
}

/** Jobs get a suffix of 11 characters, so names are shorter than elsewhere. */
function checkCronJobName(name: string): string | undefined {
  return name.length > 52 ? 'must be no more than 52 characters' : checkDns1123Subdomain(name);
}

function validateCronJob(given: Unstructured, faults: FaultList): void {
  const spec = given.spec as CronJobSpec;
  const fault = checkSchedule(spec.schedule);
  if (fault) report(faults, invalid('spec.schedule', spec.schedule, fault));
  for (const field of ['successfulJobsHistoryLimit', 'failedJobsHistoryLimit', 'startingDeadlineSeconds']) {
    const value = spec[field] as number | undefined;
    if (value !== undefined) reportIf(faults, `spec.${field}`, value, checkNonNegative(value));
  }
  validateJobSpec(spec.jobTemplate.spec, 'spec.jobTemplate.spec', faults);
}

export const cronJob: CoreKind = {
  shape: object({ spec: cronJobSpec }, ['spec']),
  checkName: checkCronJobName,
  defaults(given) {
    const spec = given.spec as CronJobSpec;
    const jobTemplate = { ...spec.jobTemplate, spec: withJobDefaults(spec.jobTemplate.spec) };
    return { ...given, spec: { ...spec, jobTemplate } };
  },
  validate: (given, _change, faults) => validateCronJob(given, faults),
};
