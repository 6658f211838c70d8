/** Columns of what makes Pods: apps, batch, autoscaling, policy. */
import type { JsonObject } from '../../../kube/patch/json.ts';
import {
  ageOf,
  at,
  conditionOf,
  formatLabels,
  formatSelector,
  humanDuration,
  NONE,
  numberAt,
  objectsAt,
  orNone,
  some,
  textAt,
} from './format.ts';
import { containerImages, containerNames } from './pods.ts';
import { age, type Column, column, count, name, type Row, type TableDefinition, table, wide } from './table.ts';

const status = (title: string, field: string): Column => count(title, (row) => numberAt(row, 'status', field));
const desired = (row: Row) => numberAt(row, 'spec', 'replicas');
const ready = (row: Row) => `${numberAt(row, 'status', 'readyReplicas')}/${desired(row)}`;
const containers = (...template: readonly string[]): Column[] => [
  wide('Containers', (row) => containerNames(row, ...template)),
  wide('Images', (row) => containerImages(row, ...template)),
];
const selector: Column = wide('Selector', (row) => formatSelector(at(row, 'spec', 'selector')));

export const deployments: TableDefinition = table(
  name,
  column('Ready', ready),
  status('Up-to-date', 'updatedReplicas'),
  status('Available', 'availableReplicas'),
  age,
  ...containers('spec', 'template'),
  selector,
);

export const replicaSets: TableDefinition = table(
  name,
  count('Desired', desired),
  status('Current', 'replicas'),
  status('Ready', 'readyReplicas'),
  age,
  ...containers('spec', 'template'),
  selector,
);

export const replicationControllers: TableDefinition = table(
  name,
  count('Desired', desired),
  status('Current', 'replicas'),
  status('Ready', 'readyReplicas'),
  age,
  ...containers('spec', 'template'),
  wide('Selector', (row) => formatLabels(at(row, 'spec', 'selector'))),
);

export const statefulSets: TableDefinition = table(
  name,
  column('Ready', ready),
  age,
  ...containers('spec', 'template'),
);

export const daemonSets: TableDefinition = table(
  name,
  status('Desired', 'desiredNumberScheduled'),
  status('Current', 'currentNumberScheduled'),
  status('Ready', 'numberReady'),
  status('Up-to-date', 'updatedNumberScheduled'),
  status('Available', 'numberAvailable'),
  column('Node Selector', (row) => formatLabels(at(row, 'spec', 'template', 'spec', 'nodeSelector'))),
  age,
  ...containers('spec', 'template'),
  selector,
);

function jobStatus(row: Row): string {
  if (conditionOf(row, 'Complete') === 'True') return 'Complete';
  if (conditionOf(row, 'Failed') === 'True') return 'Failed';
  if (row.metadata.deletionTimestamp) return 'Terminating';
  if (conditionOf(row, 'Suspended') === 'True') return 'Suspended';
  if (conditionOf(row, 'FailureTarget') === 'True') return 'FailureTarget';
  return conditionOf(row, 'SuccessCriteriaMet') === 'True' ? 'SuccessCriteriaMet' : 'Running';
}

function completions(row: Row): string {
  const done = numberAt(row, 'status', 'succeeded');
  if (at(row, 'spec', 'completions') !== undefined) return `${done}/${numberAt(row, 'spec', 'completions')}`;
  const parallel = numberAt(row, 'spec', 'parallelism');
  return parallel > 1 ? `${done}/1 of ${parallel}` : `${done}/1`;
}

function jobDuration(row: Row, now: number): string {
  const start = Date.parse(textAt(row, 'status', 'startTime'));
  if (Number.isNaN(start)) return '';
  const end = Date.parse(textAt(row, 'status', 'completionTime'));
  return humanDuration((Number.isNaN(end) ? now : end) - start);
}

export const jobs: TableDefinition = table(
  name,
  column('Status', jobStatus),
  column('Completions', completions),
  column('Duration', jobDuration),
  age,
  ...containers('spec', 'template'),
  selector,
);

const jobTemplate = ['spec', 'jobTemplate', 'spec', 'template'];

export const cronJobs: TableDefinition = table(
  name,
  column('Schedule', (row) => textAt(row, 'spec', 'schedule')),
  column('Timezone', (row) => orNone(textAt(row, 'spec', 'timeZone'))),
  column('Suspend', (row) => (at(row, 'spec', 'suspend') === true ? 'True' : 'False')),
  count('Active', (row) => objectsAt(row, 'status', 'active').length),
  column('Last Schedule', (row, now) => {
    const last = at(row, 'status', 'lastScheduleTime');
    return last === undefined ? NONE : ageOf(last, now);
  }),
  age,
  ...containers(...jobTemplate),
  wide('Selector', (row) => formatSelector(at(row, 'spec', 'jobTemplate', 'spec', 'selector'))),
);

/** Name of the field that holds a metric's source, by its type. */
const metricFields: Record<string, string> = {
  Resource: 'resource',
  ContainerResource: 'containerResource',
  Pods: 'pods',
  Object: 'object',
  External: 'external',
};

function metricText(metric: JsonObject, current: JsonObject | undefined): string {
  const field = metricFields[textAt(metric, 'type')] ?? '';
  const target = at(metric, field, 'target');
  const measured = at(current, field, 'current');
  const label = textAt(metric, field, 'name');
  const prefix = label ? `${label}: ` : '';
  if (at(target, 'averageUtilization') !== undefined) {
    const used = at(measured, 'averageUtilization');
    return `${prefix}${used === undefined ? '<unknown>' : `${String(used)}%`}/${numberAt(target, 'averageUtilization')}%`;
  }
  const kind = at(target, 'averageValue') === undefined ? 'value' : 'averageValue';
  return `${prefix}${textAt(measured, kind) || '<unknown>'}/${textAt(target, kind)}${kind === 'averageValue' && !label ? ' (avg)' : ''}`;
}

function targets(row: Row): string {
  const current = objectsAt(row, 'status', 'currentMetrics');
  const texts = objectsAt(row, 'spec', 'metrics').map((metric, index) => metricText(metric, current[index]));
  return texts.length === 0 ? NONE : some(texts, NONE).replaceAll(',', ', ');
}

export const autoscalers: TableDefinition = table(
  name,
  column(
    'Reference',
    (row) => `${textAt(row, 'spec', 'scaleTargetRef', 'kind')}/${textAt(row, 'spec', 'scaleTargetRef', 'name')}`,
  ),
  column('Targets', targets),
  column('MinPods', (row) => textAt(row, 'spec', 'minReplicas') || '<unset>'),
  count('MaxPods', (row) => numberAt(row, 'spec', 'maxReplicas')),
  count('Replicas', (row) => numberAt(row, 'status', 'currentReplicas')),
  age,
);

export const disruptionBudgets: TableDefinition = table(
  name,
  column('Min Available', (row) => textAt(row, 'spec', 'minAvailable') || 'N/A'),
  column('Max Unavailable', (row) => textAt(row, 'spec', 'maxUnavailable') || 'N/A'),
  status('Allowed Disruptions', 'disruptionsAllowed'),
  age,
);
