/** Pods that wait until there is room for their sockets: one finding for all of them, however many they are. */
import { diagnostic } from '../../base/diagnostics/index.ts';
import { keyOf } from '../../kube/resources.ts';
import type { KubeObject, Pod } from '../../kube/types/index.ts';
import type { ControllerContext } from './context.ts';

export interface Roomless {
  /** Why the Pod waits; undefined when it does not. */
  note(pod: Pod, why: string | undefined): void;
  forget(key: string): void;
}

/** Names that are told. */
const few = 3;

export function createRoomless(ctx: Pick<ControllerContext, 'config' | 'findings'>): Roomless {
  const waiting = new Map<string, string>();
  const object = { apiVersion: 'v1', kind: 'Node' satisfies KubeObject['kind'], name: ctx.config.nodeName };

  function tell(): void {
    const names: string[] = [];
    for (const key of waiting.keys()) if (names.push(key) === few) break;
    const rest = waiting.size - names.length;
    const [why] = waiting.values();
    const who = `${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
    const message = `${waiting.size} ${waiting.size === 1 ? 'Pod waits' : 'Pods wait'}: ${why}: ${who}`;
    ctx.findings.set('sockets', object, waiting.size > 0 ? [diagnostic('FW1515', { message, object })] : []);
  }

  function forget(key: string): void {
    if (waiting.delete(key)) tell();
  }

  return {
    note(pod, why) {
      const key = keyOf(pod);
      if (why === undefined) return forget(key);
      if (waiting.get(key) === why) return;
      waiting.set(key, why);
      tell();
    },
    forget,
  };
}
