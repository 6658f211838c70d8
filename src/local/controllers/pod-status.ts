/** The status that a kubelet would write for a Pod. */
import { blank } from '../../base/blank.ts';
import type { Pod, PodCondition, PodStatus } from '../../kube/types/index.ts';
import type { PodState } from '../runtime.ts';

/** Annotation that takes a running Pod out of rotation: `kubectl annotate pod web-0 fairway.dev/ready=false`. */
export const readyAnnotation = 'fairway.dev/ready';

export interface PodView {
  readonly pod: Pod;
  /** Addresses of the Pod, the primary one first. */
  readonly addresses: readonly string[];
  readonly hostAddress: string;
  /** What the runtime said; undefined while it has not answered. */
  readonly state: PodState | undefined;
  /** The Pod is over: its containers ended well. */
  readonly finished: boolean;
  /** RFC 3339. */
  readonly now: string;
}

function isRunning(view: PodView): boolean {
  return view.state?.type === 'running' && !view.finished;
}

/** Running and not taken out of rotation. */
function containersReady(view: PodView): boolean {
  return isRunning(view) && view.pod.metadata.annotations?.[readyAnnotation] !== 'false';
}

function phaseOf(view: PodView): NonNullable<PodStatus['phase']> {
  if (view.finished) return 'Succeeded';
  if (isRunning(view)) return 'Running';
  return view.state !== undefined && view.pod.status?.phase === 'Running' ? 'Running' : 'Pending';
}

function failureOf({ cause }: Extract<PodState, { type: 'failing' }>): string {
  return cause === 'wants-room' ? 'OutOfOpenFiles' : 'RunContainerError';
}

function stateOf(view: PodView, startedAt: string): Record<string, unknown> {
  if (view.finished) return { terminated: { exitCode: 0, reason: 'Completed', startedAt, finishedAt: view.now } };
  if (isRunning(view)) return { running: { startedAt } };
  return view.state?.type === 'failing'
    ? { waiting: { reason: failureOf(view.state), message: view.state.message } }
    : { waiting: { reason: 'ContainerCreating' } };
}

interface ContainerStatus {
  name: string;
  state?: { running?: { startedAt: string } };
}

function containerStatuses(view: PodView): unknown[] {
  const before = (view.pod.status?.containerStatuses ?? []) as ContainerStatus[];
  return view.pod.spec.containers.map((container) => {
    const startedAt = before.find(({ name }) => name === container.name)?.state?.running?.startedAt ?? view.now;
    return {
      name: container.name,
      image: container.image ?? '',
      imageID: '',
      ready: containersReady(view),
      started: isRunning(view),
      restartCount: 0,
      state: stateOf(view, startedAt),
      lastState: {},
    };
  });
}

/** Init containers have done their work before anyone looks; none is run here. */
function initContainerStatuses(view: PodView): unknown[] {
  const finishedAt = view.pod.status?.startTime ?? view.now;
  return (view.pod.spec.initContainers ?? []).map((container) => ({
    name: container.name,
    image: container.image ?? '',
    imageID: '',
    ready: true,
    restartCount: 0,
    state: { terminated: { exitCode: 0, reason: 'Completed', startedAt: finishedAt, finishedAt } },
    lastState: {},
  }));
}

type Verdict = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

function unready(view: PodView): Pick<Verdict, 'reason' | 'message'> {
  if (view.finished) return { reason: 'PodCompleted' };
  const names = view.pod.spec.containers.map(({ name }) => name).join(' ');
  return { reason: 'ContainersNotReady', message: `containers with unready status: [${names}]` };
}

function readiness(view: PodView): Verdict {
  if (!containersReady(view)) return { type: 'Ready', status: 'False', ...unready(view) };
  const isTrue = (type: string) =>
    view.pod.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True');
  const closed = (view.pod.spec.readinessGates ?? []).find(({ conditionType }) => !isTrue(conditionType));
  if (!closed) return { type: 'Ready', status: 'True' };
  const message = `corresponding condition of pod readiness gate "${closed.conditionType}" does not exist or is not true.`;
  return { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message };
}

function verdicts(view: PodView): Verdict[] {
  return [
    { type: 'PodScheduled', status: 'True' },
    { type: 'Initialized', status: 'True', ...(view.finished && { reason: 'PodCompleted' }) },
    containersReady(view)
      ? { type: 'ContainersReady', status: 'True' }
      : { type: 'ContainersReady', status: 'False', ...unready(view) },
    readiness(view),
  ];
}

/** Conditions of the kubelet, in its order, then those that others wrote (readiness gates). */
function conditionsOf(view: PodView): PodCondition[] {
  const before = view.pod.status?.conditions ?? [];
  const own = verdicts(view).map((verdict) => {
    const old = before.find(({ type }) => type === verdict.type);
    const lastTransitionTime = old?.status === verdict.status ? old.lastTransitionTime : undefined;
    return { ...blank, ...verdict, lastProbeTime: null, lastTransitionTime: lastTransitionTime ?? view.now };
  });
  return [...own, ...before.filter(({ type }) => !own.some((condition) => condition.type === type))];
}

export function podStatus(view: PodView): PodStatus {
  const [podIP] = view.addresses;
  const init = initContainerStatuses(view);
  return {
    phase: phaseOf(view),
    conditions: conditionsOf(view),
    hostIP: view.hostAddress,
    hostIPs: [{ ip: view.hostAddress }],
    ...(podIP && { podIP, podIPs: view.addresses.map((ip) => ({ ip })) }),
    startTime: view.pod.status?.startTime ?? view.now,
    ...(init.length > 0 && { initContainerStatuses: init }),
    containerStatuses: containerStatuses(view),
    // Set by the API server when the Pod was created.
    ...(view.pod.status?.qosClass !== undefined && { qosClass: view.pod.status.qosClass }),
  };
}
