/** The workload that a Pod belongs to, from what the Pod says of itself: its owners need not be known. */
import type { Pod } from '../../kube/types/index.ts';

const minuteMs = 60_000;
/** A CronJob may be late; further apart than this, digits at the end of a Job's name are just digits. */
const latestStartMs = 7 * 24 * 60 * minuteMs;

/** The CronJob controller names Jobs after their minute since the epoch: `backup-29110440`. */
function ofJob(job: string, pod: Pod): string {
  const scheduled = /^(.+)-(\d{8})$/.exec(job);
  const created = Date.parse(pod.metadata.creationTimestamp ?? '');
  if (!scheduled || Number.isNaN(created)) return `Job/${job}`;
  const late = created - Number(scheduled[2]) * minuteMs;
  return Math.abs(late) <= latestStartMs ? `CronJob/${scheduled[1]}` : `Job/${job}`;
}

/** The Deployment controller names ReplicaSets after the hash of their template, which is a label of their Pods. */
function ofReplicaSet(set: string, pod: Pod): string {
  const hash = pod.metadata.labels?.['pod-template-hash'];
  return hash && set.endsWith(`-${hash}`)
    ? `Deployment/${set.slice(0, set.length - hash.length - 1)}`
    : `ReplicaSet/${set}`;
}

const byOwner: Record<string, (name: string, pod: Pod) => string> = {
  ReplicaSet: ofReplicaSet,
  Job: ofJob,
  // A static Pod: the Node is not what runs in it.
  Node: (_, pod) => `Pod/${pod.metadata.name}`,
};

/** `Deployment/web`, `StatefulSet/db`, `CronJob/backup`; `Pod/NAME` when nobody controls it. */
export function workloadOf(pod: Pod): string {
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller);
  if (!owner) return `Pod/${pod.metadata.name}`;
  const special = Object.hasOwn(byOwner, owner.kind) ? byOwner[owner.kind] : undefined;
  return special ? special(owner.name, pod) : `${owner.kind}/${owner.name}`;
}
