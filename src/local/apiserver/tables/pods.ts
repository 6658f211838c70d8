/** Columns of Pods, after `printPod` of kubectl's server-side printers. */
import type { JsonObject } from '../../../kube/patch/json.ts';
import { ageOf, at, conditionOf, NONE, numberAt, objectsAt, orNone, textAt } from './format.ts';
import { age, column, name, type Row, type TableDefinition, table, wide } from './table.ts';

const restartsOf = (containers: readonly JsonObject[]) =>
  containers.reduce((sum, container) => sum + numberAt(container, 'restartCount'), 0);

function stateText(container: JsonObject): string {
  const waiting = textAt(container, 'state', 'waiting', 'reason');
  if (waiting) return waiting;
  const terminated = at(container, 'state', 'terminated');
  if (!terminated) return '';
  const signal = numberAt(terminated, 'signal');
  return textAt(terminated, 'reason') || (signal ? `Signal:${signal}` : `ExitCode:${numberAt(terminated, 'exitCode')}`);
}

/** What a Pod waits for before its containers start. */
function initText(row: Row): string | undefined {
  const statuses = objectsAt(row, 'status', 'initContainerStatuses');
  for (const [index, container] of statuses.entries()) {
    const terminated = at(container, 'state', 'terminated');
    if (terminated && numberAt(terminated, 'exitCode') === 0) continue;
    if (container.started === true && at(container, 'state', 'running')) continue;
    const text = stateText(container);
    if (terminated || (text && text !== 'PodInitializing')) return `Init:${text}`;
    return `Init:${index}/${objectsAt(row, 'spec', 'initContainers').length}`;
  }
  return undefined;
}

function containersText(row: Row, phase: string): string {
  const containers = objectsAt(row, 'status', 'containerStatuses');
  const texts = containers.map(stateText).filter((text) => text !== '');
  const running = containers.some((container) => container.ready === true && at(container, 'state', 'running'));
  const first = texts[0] ?? phase;
  if (first !== 'Completed' || !running) return first;
  return conditionOf(row, 'Ready') === 'True' ? 'Running' : 'NotReady';
}

/** The STATUS column: the most telling of phase, reasons, and what containers say. */
export function podStatus(row: Row): string {
  const phase = textAt(row, 'status', 'reason') || textAt(row, 'status', 'phase');
  if (row.metadata.deletionTimestamp) return phase === 'NodeLost' ? 'Unknown' : 'Terminating';
  const gated = objectsAt(row, 'status', 'conditions').some(
    (item) => item.type === 'PodScheduled' && item.reason === 'SchedulingGated',
  );
  if (gated) return 'SchedulingGated';
  return initText(row) ?? containersText(row, phase);
}

function readyText(row: Row): string {
  const ready = objectsAt(row, 'status', 'containerStatuses').filter((container) => container.ready === true);
  return `${ready.length}/${objectsAt(row, 'spec', 'containers').length}`;
}

function restartsText(row: Row, now: number): string {
  const containers = objectsAt(row, 'status', 'containerStatuses');
  const restarts = restartsOf(containers);
  const ends = containers.map((container) => textAt(container, 'lastState', 'terminated', 'finishedAt')).sort();
  const last = ends.at(-1);
  return restarts > 0 && last ? `${restarts} (${ageOf(last, now)} ago)` : String(restarts);
}

function gatesText(row: Row): string {
  const gates = objectsAt(row, 'spec', 'readinessGates').map((gate) => textAt(gate, 'conditionType'));
  if (gates.length === 0) return NONE;
  return `${gates.filter((gate) => conditionOf(row, gate) === 'True').length}/${gates.length}`;
}

function addressText(row: Row): string {
  const [first] = objectsAt(row, 'status', 'podIPs');
  return orNone(textAt(first, 'ip') || textAt(row, 'status', 'podIP'));
}

export const pods: TableDefinition = table(
  name,
  column('Ready', readyText),
  column('Status', podStatus),
  column('Restarts', restartsText),
  age,
  wide('IP', addressText),
  wide('Node', (row) => orNone(textAt(row, 'spec', 'nodeName'))),
  wide('Nominated Node', (row) => orNone(textAt(row, 'status', 'nominatedNodeName'))),
  wide('Readiness Gates', gatesText),
);

export function containerNames(row: Row, ...template: readonly string[]): string {
  return objectsAt(row, ...template, 'spec', 'containers')
    .map((container) => textAt(container, 'name'))
    .join(',');
}

export function containerImages(row: Row, ...template: readonly string[]): string {
  return objectsAt(row, ...template, 'spec', 'containers')
    .map((container) => textAt(container, 'image'))
    .join(',');
}
