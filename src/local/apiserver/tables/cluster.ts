/** Columns of what belongs to the cluster and its namespaces: nodes, events, configuration, storage, access. */
import { ageOf, at, conditionOf, NONE, numberAt, objectsAt, orNone, sizeAt, textAt, textsAt } from './format.ts';
import { age, type Column, column, count, name, type Row, type TableDefinition, table, wide } from './table.ts';

const phase: Column = column('Status', (row) => textAt(row, 'status', 'phase'));

export const namespaces: TableDefinition = table(name, phase, age);

const nodeConditions: Record<string, string> = { True: 'Ready', False: 'NotReady', Unknown: 'NotReady' };

function nodeStatus(row: Row): string {
  const ready = nodeConditions[conditionOf(row, 'Ready')] ?? 'Unknown';
  return at(row, 'spec', 'unschedulable') === true ? `${ready},SchedulingDisabled` : ready;
}

const ROLE = 'node-role.kubernetes.io/';

function nodeRoles(row: Row): string {
  const roles = Object.entries(row.metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(ROLE)) return [key.slice(ROLE.length)];
    return key === 'kubernetes.io/role' ? [value] : [];
  });
  return orNone(
    [...new Set(roles)]
      .filter((role) => role !== '')
      .sort()
      .join(','),
  );
}

function nodeAddress(row: Row, type: string): string {
  const address = objectsAt(row, 'status', 'addresses').find((item) => item.type === type);
  return orNone(textAt(address, 'address'));
}

const nodeInfo = (field: string) => (row: Row) => textAt(row, 'status', 'nodeInfo', field) || '<unknown>';

export const nodes: TableDefinition = table(
  name,
  column('Status', nodeStatus),
  column('Roles', nodeRoles),
  age,
  column('Version', (row) => textAt(row, 'status', 'nodeInfo', 'kubeletVersion')),
  wide('Internal-IP', (row) => nodeAddress(row, 'InternalIP')),
  wide('External-IP', (row) => nodeAddress(row, 'ExternalIP')),
  wide('OS-Image', nodeInfo('osImage')),
  wide('Kernel-Version', nodeInfo('kernelVersion')),
  wide('Container-Runtime', nodeInfo('containerRuntimeVersion')),
);

/** core/v1 says involvedObject and source, events.k8s.io/v1 regarding and reportingController. */
function eventObject(row: Row): string {
  const object = at(row, 'involvedObject') ?? at(row, 'regarding');
  return `${textAt(object, 'kind').toLowerCase()}/${textAt(object, 'name')}`;
}

function eventSource(row: Row): string {
  const source = at(row, 'source') ?? at(row, 'deprecatedSource');
  const component =
    textAt(source, 'component') || textAt(row, 'reportingComponent') || textAt(row, 'reportingController');
  const host = textAt(source, 'host');
  return host ? `${component}, ${host}` : component;
}

function lastSeen(row: Row, now: number): string {
  const time =
    at(row, 'series', 'lastObservedTime') ??
    at(row, 'lastTimestamp') ??
    at(row, 'eventTime') ??
    row.metadata.creationTimestamp;
  return ageOf(time, now);
}

export const events: TableDefinition = table(
  column('Last Seen', lastSeen),
  column('Type', (row) => textAt(row, 'type')),
  column('Reason', (row) => textAt(row, 'reason')),
  column('Object', eventObject),
  wide('Subobject', (row) => textAt(row, 'involvedObject', 'fieldPath') || textAt(row, 'regarding', 'fieldPath')),
  wide('Source', eventSource),
  column('Message', (row) => (textAt(row, 'message') || textAt(row, 'note')).trim()),
  wide('First Seen', (row, now) =>
    ageOf(at(row, 'firstTimestamp') ?? at(row, 'eventTime') ?? row.metadata.creationTimestamp, now),
  ),
  { ...count('Count', (row) => numberAt(row, 'series', 'count') || numberAt(row, 'count') || 1), wide: true },
  wide('Name', (row) => row.metadata.name),
);

export const configMaps: TableDefinition = table(
  name,
  count('Data', (row) => sizeAt(row, 'data') + sizeAt(row, 'binaryData')),
  age,
);

export const secrets: TableDefinition = table(
  name,
  column('Type', (row) => textAt(row, 'type') || 'Opaque'),
  count('Data', (row) => sizeAt(row, 'data')),
  age,
);

export const serviceAccounts: TableDefinition = table(
  name,
  count('Secrets', (row) => objectsAt(row, 'secrets').length),
  age,
);

export const leases: TableDefinition = table(
  name,
  column('Holder', (row) => textAt(row, 'spec', 'holderIdentity')),
  age,
);

const shortModes: Record<string, string> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

const accessModes = (modes: readonly string[]) => modes.map((mode) => shortModes[mode] ?? mode).join(',');
const volumeMode: Column = wide('VolumeMode', (row) => textAt(row, 'spec', 'volumeMode') || '<unset>');
const attributesClass: Column = column(
  'VolumeAttributesClass',
  (row) => textAt(row, 'spec', 'volumeAttributesClassName') || '<unset>',
);

function claimPhase(row: Row): string {
  return row.metadata.deletionTimestamp ? 'Terminating' : textAt(row, 'status', 'phase');
}

function ofVolume(row: Row, value: string): string {
  return textAt(row, 'spec', 'volumeName') ? value : '';
}

export const volumeClaims: TableDefinition = table(
  name,
  column('Status', claimPhase),
  column('Volume', (row) => textAt(row, 'spec', 'volumeName')),
  column('Capacity', (row) => ofVolume(row, textAt(row, 'status', 'capacity', 'storage'))),
  column('Access Modes', (row) => ofVolume(row, accessModes(textsAt(row, 'status', 'accessModes')))),
  column('StorageClass', (row) => textAt(row, 'spec', 'storageClassName')),
  attributesClass,
  age,
  volumeMode,
);

function claimOf(row: Row): string {
  const claim = at(row, 'spec', 'claimRef');
  return claim === undefined ? '' : `${textAt(claim, 'namespace')}/${textAt(claim, 'name')}`;
}

export const volumes: TableDefinition = table(
  name,
  column('Capacity', (row) => textAt(row, 'spec', 'capacity', 'storage')),
  column('Access Modes', (row) => accessModes(textsAt(row, 'spec', 'accessModes'))),
  column('Reclaim Policy', (row) => textAt(row, 'spec', 'persistentVolumeReclaimPolicy')),
  column('Status', claimPhase),
  column('Claim', claimOf),
  column('StorageClass', (row) => textAt(row, 'spec', 'storageClassName')),
  attributesClass,
  column('Reason', (row) => textAt(row, 'status', 'reason')),
  age,
  volumeMode,
);

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

export const storageClasses: TableDefinition = table(
  column(
    'Name',
    ({ metadata }) => metadata.name + (metadata.annotations?.[DEFAULT_CLASS] === 'true' ? ' (default)' : ''),
  ),
  column('Provisioner', (row) => textAt(row, 'provisioner')),
  column('ReclaimPolicy', (row) => textAt(row, 'reclaimPolicy') || 'Delete'),
  column('VolumeBindingMode', (row) => textAt(row, 'volumeBindingMode') || 'Immediate'),
  column('AllowVolumeExpansion', (row) => String(at(row, 'allowVolumeExpansion') === true)),
  age,
);

export const priorityClasses: TableDefinition = table(
  name,
  count('Value', (row) => numberAt(row, 'value')),
  column('Global-Default', (row) => String(at(row, 'globalDefault') === true)),
  age,
  column('PreemptionPolicy', (row) => textAt(row, 'preemptionPolicy') || 'PreemptLowerPriority'),
);

function quota(row: Row, limits: boolean): string {
  const hard = at(row, 'status', 'hard');
  return Object.keys((hard ?? {}) as object)
    .filter((resource) => resource.startsWith('limits') === limits)
    .sort()
    .map((resource) => `${resource}: ${textAt(row, 'status', 'used', resource) || '0'}/${textAt(hard, resource)}`)
    .join(', ');
}

export const resourceQuotas: TableDefinition = table(
  name,
  column('Request', (row) => quota(row, false)),
  column('Limit', (row) => quota(row, true)),
  age,
);

function subjects(row: Row, kind: string): string {
  return objectsAt(row, 'subjects')
    .filter((subject) => subject.kind === kind)
    .map((subject) => [textAt(subject, 'namespace'), textAt(subject, 'name')].filter((text) => text !== '').join('/'))
    .join(', ');
}

export const roleBindings: TableDefinition = table(
  name,
  column('Role', (row) => `${textAt(row, 'roleRef', 'kind')}/${textAt(row, 'roleRef', 'name')}`),
  age,
  wide('Users', (row) => subjects(row, 'User')),
  wide('Groups', (row) => subjects(row, 'Group')),
  wide('ServiceAccounts', (row) => subjects(row, 'ServiceAccount')),
);

export const webhookConfigurations: TableDefinition = table(
  name,
  count('Webhooks', (row) => objectsAt(row, 'webhooks').length),
  age,
);

/** What kinds without columns of their own show. */
export const createdAt: TableDefinition = table(
  name,
  column('Created At', (row) => row.metadata.creationTimestamp ?? NONE),
);
