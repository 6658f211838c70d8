/** A finding as an Event (events.k8s.io/v1), within the bounds of the API: `ValidateEventCreate` of Kubernetes. */
import { createHash } from 'node:crypto';
import { type Diagnostic, formatForStatus, type ObjectRef, type Severity } from '../../base/diagnostics/index.ts';
import type { KubeObject } from '../../kube/types/index.ts';

/** Of `reportingController`, a qualified name. */
export const eventReporter = 'fairway.dev/gateway-controller';

/** Times are `metav1.MicroTime`. */
export interface EventSeries {
  readonly count: number;
  readonly lastObservedTime: string;
}

/** events.k8s.io/v1 Event, as far as it is written. */
export interface KubeEvent extends KubeObject {
  readonly eventTime: string;
  readonly type: 'Normal' | 'Warning';
  /** Code of the finding. At most 128 characters. */
  readonly reason: string;
  readonly action: string;
  /** At most 1,024 bytes. */
  readonly note: string;
  readonly regarding: ObjectRef & { readonly uid: string; readonly fieldPath?: string };
  readonly reportingController: string;
  /** At most 128 characters. */
  readonly reportingInstance: string;
  readonly series?: EventSeries;
}

/** What a finding says of an object, without the time: the same finding of the same object is the same occurrence. */
export interface Occurrence {
  /** Made of the object's uid, the reason and the note. */
  readonly key: string;
  readonly namespace: string;
  /** The same for the same key, so that another replica that has written it already is noticed. */
  readonly name: string;
  readonly finding: Diagnostic;
  readonly regarding: KubeEvent['regarding'];
  readonly note: string;
}

const maxNoteBytes = 1024;
/** `metadata.name` is a DNS subdomain. */
const maxNameLength = 253;
/** Events about what has no namespace live in this one. */
const namespaceOfNone = 'default';

const typeOf: Readonly<Record<Severity, KubeEvent['type']>> = { error: 'Warning', warning: 'Warning', info: 'Normal' };

export const microTime = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, -1)}000Z`;

/** `text` in at most so many bytes of UTF-8; an ellipsis ends what was cut. */
export function withinBytes(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  const ellipsis = '…';
  let end = most - Buffer.byteLength(ellipsis);
  // Continuation bytes belong to the character before.
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}${ellipsis}`;
}

function noteOf({ fieldPath, message, hint }: Diagnostic): string {
  const text = formatForStatus(fieldPath ?? '', message, hint);
  return withinBytes(fieldPath === undefined ? text.slice(': '.length) : text, maxNoteBytes);
}

function nameOf({ name }: ObjectRef, key: string): string {
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 16);
  return `${name.slice(0, maxNameLength - 17).replace(/[-.]+$/, '')}.${hash}`;
}

/** `object` is the stored one that the finding is about. */
export function occurrenceOf(finding: Diagnostic, object: KubeObject): Occurrence {
  const { uid = '', namespace, name } = object.metadata;
  const note = noteOf(finding);
  const key = `${uid} ${finding.code} ${note}`;
  const { apiVersion, kind } = object;
  const regarding = {
    ...{ apiVersion, kind, name, uid },
    ...(namespace !== undefined && { namespace }),
    ...(finding.fieldPath !== undefined && { fieldPath: finding.fieldPath }),
  };
  return { key, finding, regarding, note, namespace: namespace ?? namespaceOfNone, name: nameOf(regarding, key) };
}

export function eventOf({ finding, regarding, note, namespace, name }: Occurrence, at: number, instance: string) {
  const event: KubeEvent = {
    ...{ apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { namespace, name } },
    eventTime: microTime(at),
    ...{ type: typeOf[finding.severity], reason: finding.code, action: 'Translate', note, regarding },
    ...{ reportingController: eventReporter, reportingInstance: instance.slice(0, 128) },
  };
  return event;
}
