/**
 * Status of ListenerSets whose Gateway is not there. It has no entries by controller: only where every Gateway is ours may
 * we say that what the status said before holds no more.
 */
import { diagnosticRules, formatForStatus } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { ListenerSet } from '../../kube/types/index.ts';
import type { StatusUpdate } from '../translate.ts';
import { mergeConditions, no, type Writing } from './conditions.ts';
import type { Context } from './context.ts';
import { resources } from './kinds.ts';
import { setConditions } from './listener-set-status.ts';
import { gatewayOfListenerSet } from './listener-sets.ts';

export function orphanStatuses({ input }: Context, orphans: readonly ListenerSet[]): StatusUpdate[] {
  return input.adopt ? orphans.map((set) => orphanStatus(set, input.now)) : [];
}

function orphanStatus(set: ListenerSet, now: string): StatusUpdate {
  const message = `the Gateway ${gatewayOfListenerSet(set)} does not exist`;
  const told = formatForStatus('spec.parentRef', message, diagnosticRules.FW3111.hint);
  const findings = [no('Accepted', 'ParentNotAccepted', told), no('Programmed', 'ParentNotProgrammed', told)];
  const writing: Writing = { generation: set.metadata.generation, now };
  return {
    ref: refOf(set),
    resource: resources.listenerSet,
    build(stored) {
      const { listeners: _, ...kept } = (stored.status ?? {}) as NonNullable<ListenerSet['status']>;
      return { ...kept, conditions: mergeConditions(kept.conditions, findings, setConditions, writing) };
    },
  };
}
