/** Jobs, whose Pods succeed at once (the local cluster serves traffic and computes nothing), and CronJobs, which wait. */
import { diagnostic } from '../../base/diagnostics/index.ts';
import { keyOf, refOf } from '../../kube/resources.ts';
import { createReconciler, type Reconciler } from '../../kube/store/reconciler.ts';
import type { KubeObject, Pod, PodTemplateSpec } from '../../kube/types/index.ts';
import type { ControllerContext } from './context.ts';
import { controlledBy } from './indexes.ts';
import { generatedName, generatedPrefix } from './naming.ts';
import { controllersIn } from './ownership.ts';
import { createPod, forgetPodLimit } from './pod-limit.ts';
import { isActive, isReady, podFrom } from './workload-pods.ts';

interface JobStatus {
  startTime?: string;
  completionTime?: string;
  conditions?: { type: string; status: string; reason?: string; message?: string; lastTransitionTime: string }[];
  [field: string]: unknown;
}

interface Job extends KubeObject {
  spec: {
    completions?: number;
    parallelism?: number;
    suspend?: boolean;
    template?: PodTemplateSpec;
  };
  status?: JobStatus;
}

const resource = 'jobs.batch';

export function createJobController(ctx: ControllerContext): Reconciler {
  function freeName(job: Job): string {
    for (let attempt = 0; ; attempt++) {
      const seed = `${job.metadata.namespace}/${job.metadata.name}/${attempt}`;
      const name = generatedName(job.metadata.name, seed);
      if (!ctx.store.get('pods', `${job.metadata.namespace}/${name}`)) return name;
    }
  }

  function make(job: Job): Pod | undefined {
    const { name, uid } = job.metadata;
    const labels = {
      'batch.kubernetes.io/controller-uid': uid!,
      'batch.kubernetes.io/job-name': name,
      'controller-uid': uid!,
      'job-name': name,
    };
    const given = { name: freeName(job), generateName: generatedPrefix(name), nodeName: ctx.config.nodeName, labels };
    return createPod(ctx, job, podFrom(job, job.spec.template!, given), () => reconciler.enqueue(keyOf(job)));
  }

  function statusOf(job: Job, active: readonly Pod[], succeeded: number, done: boolean): JobStatus {
    const now = ctx.now();
    const status: JobStatus = {
      ...job.status,
      startTime: job.status?.startTime ?? now,
      active: active.length,
      ready: active.filter(isReady).length,
      terminating: 0,
      succeeded,
    };
    if (!done) return status;
    const complete = (type: string) => ({
      type,
      status: 'True',
      reason: 'CompletionsReached',
      message: 'Reached expected number of succeeded pods',
      lastProbeTime: now,
      lastTransitionTime: now,
    });
    return { ...status, completionTime: now, conditions: [complete('SuccessCriteriaMet'), complete('Complete')] };
  }

  const isComplete = (job: Job) => job.status?.conditions?.some(({ type }) => type === 'Complete') ?? false;

  function reconcile(key: string): void {
    const job = ctx.store.get<Job>(resource, key);
    if (!job?.spec.template || job.metadata.deletionTimestamp || job.spec.suspend || isComplete(job)) return;
    const pods = controlledBy<Pod>(ctx.store, 'pods', job);
    const succeeded = pods.filter((pod) => pod.status?.phase === 'Succeeded').length;
    const active = pods.filter(isActive);
    const wanted = job.spec.completions ?? 1;
    if (succeeded >= wanted) forgetPodLimit(ctx, job);
    const missing = Math.min(job.spec.parallelism ?? 1, wanted - succeeded) - active.length;
    for (let i = 0; i < missing; i++) {
      const pod = make(job);
      if (!pod) break;
      active.push(pod);
    }
    ctx.write.updateStatus<Job>({ ...job, status: statusOf(job, active, succeeded, succeeded >= wanted) });
  }

  const reconciler = createReconciler({
    store: ctx.store,
    watch: {
      [resource]: (change) => [keyOf(change.object)],
      pods: (change) => controllersIn(change, 'Job'),
    },
    reconcile,
    onError: ctx.onError,
  });
  return reconciler;
}

export function createCronJobController(ctx: ControllerContext): Reconciler {
  function reconcile(key: string): void {
    const cronJob = ctx.store.get('cronjobs.batch', key);
    if (!cronJob) return;
    const ref = refOf(cronJob);
    ctx.findings.set('schedule', ref, [
      diagnostic('FW1506', { message: 'no Job is made of it', object: ref, fieldPath: 'spec.schedule' }),
    ]);
  }
  return createReconciler({
    store: ctx.store,
    watch: { 'cronjobs.batch': (change) => [keyOf(change.object)] },
    reconcile,
    onError: ctx.onError,
  });
}
