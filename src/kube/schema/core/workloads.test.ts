import { describe, expect, it } from 'vitest';
import type { Unstructured } from '../../types/index.ts';
import { createTestAdmission, make } from '../testing/admit.ts';

const { faultsOf, stored } = createTestAdmission();
const selector = { matchLabels: { app: 'a' } };
const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'echo:1' }] } };
const workload = (kind: string, fields: object = {}) =>
  make('apps/v1', kind, { spec: { selector, template, ...fields } });
const kinds = ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'];

describe('defaults', () => {
  it.each<[string, object]>([
    [
      'Deployment',
      {
        replicas: 1,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      },
    ],
    ['ReplicaSet', { replicas: 1 }],
    [
      'StatefulSet',
      {
        replicas: 1,
        podManagementPolicy: 'OrderedReady',
        revisionHistoryLimit: 10,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      },
    ],
    [
      'DaemonSet',
      {
        revisionHistoryLimit: 10,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      },
    ],
  ])('of %s', (kind, spec) => {
    const result = stored(workload(kind));
    expect(result.spec).toMatchObject(spec);
    expect(result.spec).toMatchObject({
      template: {
        spec: { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', containers: [{ imagePullPolicy: 'IfNotPresent' }] },
      },
    });
  });

  it('drop the null that Go clients send as the time of a template', () => {
    const metadata = { ...template.metadata, creationTimestamp: null };
    const spec = { selector: { matchLabels: template.metadata.labels }, template: { ...template, metadata } };
    const kept = stored(make('apps/v1', 'Deployment', { spec })).spec as typeof spec;
    expect(kept.template.metadata).toEqual(template.metadata);
  });

  it('leave alone what is given', () => {
    expect(stored(workload('Deployment', { replicas: 0, strategy: { type: 'Recreate' } })).spec).toMatchObject({
      replicas: 0,
      strategy: { type: 'Recreate' },
    });
    expect(stored(workload('Deployment', { strategy: { rollingUpdate: { maxSurge: 1 } } })).spec).toMatchObject({
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: '25%' } },
    });
  });
});

describe.each(kinds)('%s is refused', (kind) => {
  it.each<[string, object, string | RegExp]>([
    ['without selector', { selector: undefined }, 'spec.selector: Required value'],
    ['with an empty selector', { selector: {} }, /^spec\.selector: Invalid value: \{\}: empty selector is invalid/],
    [
      'with a selector that misses its Pods',
      { selector: { matchLabels: { app: 'b' } } },
      'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
    ],
    [
      'without labels',
      { template: { spec: template.spec } },
      'spec.template.metadata.labels: Invalid value: {}: `selector` does not match template `labels`',
    ],
    [
      'with a bad operator',
      { selector: { matchExpressions: [{ key: 'app', operator: 'Is' }] } },
      'spec.selector.matchExpressions[0].operator: Unsupported value: "Is": supported values: "DoesNotExist", "Exists", "In", "NotIn"',
    ],
    [
      'with an expression that lacks values',
      { selector: { matchLabels: { app: 'a' }, matchExpressions: [{ key: 'x', operator: 'NotIn' }] } },
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
    ['without template', { template: undefined }, 'spec.template: Required value'],
    [
      'with Pods that end',
      { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ],
    [
      'with bad containers',
      { template: { ...template, spec: { containers: [{ name: 'c' }] } } },
      'spec.template.spec.containers[0].image: Required value',
    ],
    [
      'with negative minReadySeconds',
      { minReadySeconds: -1 },
      'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0',
    ],
  ])('%s', (_, fields, message) => {
    expect(faultsOf(workload(kind, fields))).toEqual([
      message instanceof RegExp ? expect.stringMatching(message) : message,
    ]);
  });

  it('when its selector changes', () => {
    const before = stored(workload(kind));
    const both = { metadata: { labels: { app: 'a', b: 'c' } }, spec: template.spec };
    const after = workload(kind, { template: both, selector: { matchLabels: { app: 'a', b: 'c' } } });
    expect(faultsOf(after, before)).toContainEqual(
      expect.stringMatching(/^spec\.selector: Invalid value: .*: field is immutable$/),
    );
  });
});

describe('refused', () => {
  it.each<[Unstructured, string]>([
    [workload('Deployment', { replicas: -1 }), 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    [
      workload('Deployment', { replicas: '3' }),
      'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"',
    ],
    [
      workload('Deployment', { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } }),
      "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ],
    [
      workload('Deployment', { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
    ],
    [
      workload('Deployment', { strategy: { rollingUpdate: { maxSurge: 'x' } } }),
      "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"x\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%', or '93%')",
    ],
    [
      workload('Deployment', { progressDeadlineSeconds: 5, minReadySeconds: 5 }),
      'spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds',
    ],
    [
      workload('StatefulSet', { podManagementPolicy: 'Fast' }),
      'spec.podManagementPolicy: Unsupported value: "Fast": supported values: "OrderedReady", "Parallel"',
    ],
    [
      workload('StatefulSet', { ordinals: { start: -1 } }),
      'spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0',
    ],
  ])('%j', (object, message) => {
    expect(faultsOf(object)).toEqual([message]);
  });

  it('a StatefulSet that changes its Service', () => {
    const before = stored(workload('StatefulSet', { serviceName: 'a' }));
    expect(faultsOf(workload('StatefulSet', { serviceName: 'b' }), before)).toEqual([
      expect.stringMatching(/^spec: Forbidden: updates to statefulset spec for fields other than/),
    ]);
    expect(faultsOf(workload('StatefulSet', { serviceName: 'a', replicas: 3 }), before)).toEqual([]);
  });
});

describe('Job and CronJob', () => {
  const jobTemplate = { spec: { ...template.spec, restartPolicy: 'Never' } };
  const job = (fields: object = {}) => make('batch/v1', 'Job', { spec: { template: jobTemplate, ...fields } });
  const cronJob = (fields: object = {}, metadata: object = {}) =>
    make(
      'batch/v1',
      'CronJob',
      { spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: jobTemplate } }, ...fields } },
      metadata,
    );

  it('are defaulted', () => {
    expect(stored(job()).spec).toMatchObject({
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
    });
    expect(stored(job({ parallelism: 3 })).spec).not.toHaveProperty('completions');
    expect(stored(cronJob()).spec).toMatchObject({
      concurrencyPolicy: 'Allow',
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { spec: { backoffLimit: 6 } },
    });
  });

  it('gives a Job a selector of its own Pods, unless it brings one', () => {
    const given = job();
    const uid = 'b5c0ef3a-0000-4000-8000-000000000000';
    const labels = {
      'batch.kubernetes.io/controller-uid': uid,
      'batch.kubernetes.io/job-name': given.metadata.name,
      'controller-uid': uid,
      'job-name': given.metadata.name,
    };
    expect(stored({ ...given, metadata: { ...given.metadata, uid } }).spec).toMatchObject({
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
      template: { metadata: { labels } },
    });
    const own = { matchLabels: { app: 'x' } };
    expect(stored(job({ manualSelector: true, selector: own })).spec).toMatchObject({ selector: own });
  });

  it.each<[Unstructured, RegExp]>([
    [
      job({ template }),
      /^spec\.template\.spec\.restartPolicy: Unsupported value: "Always": supported values: "OnFailure", "Never"$/,
    ],
    [job({ backoffLimit: -1 }), /^spec\.backoffLimit: Invalid value: -1/],
    [cronJob({ schedule: 'soon' }), /^spec\.schedule: Invalid value: "soon"/],
    [cronJob({ schedule: undefined }), /^spec\.schedule: Required value$/],
    [cronJob({}, { name: 'a'.repeat(53) }), /^metadata\.name: Invalid value: .*must be no more than 52 characters$/],
  ])('are refused: %j', (object, message) => {
    expect(faultsOf(object)).toEqual([expect.stringMatching(message)]);
  });

  it('take descriptors as schedule', () => {
    for (const schedule of ['@daily', '@every 5m', '0 0 1 1 *']) expect(faultsOf(cronJob({ schedule }))).toEqual([]);
  });
});
