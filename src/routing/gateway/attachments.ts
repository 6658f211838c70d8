/** Bringing the attachments of listeners up to date with the routes that came and went. */
import { changeSorted } from '../incremental/sorted.ts';
import { compareNames } from './context.ts';
import { routeKinds } from './kinds.ts';
import { type Attachment, isWhollyInvalid, type ListenerState } from './model.ts';

/** How a route was attached, and how it is now; undefined where it was or is not. */
export interface AttachmentChange {
  readonly before: readonly Attachment[] | undefined;
  readonly now: readonly Attachment[] | undefined;
}

export function changeAttachments(changes: readonly AttachmentChange[]): void {
  const byListener = new Map<ListenerState, { came: Attachment[]; went: Set<Attachment> }>();
  const changeOf = ({ listener }: Attachment) => {
    const change = byListener.get(listener) ?? { came: [], went: new Set() };
    byListener.set(listener, change);
    return change;
  };
  for (const { before, now } of changes) {
    for (const attachment of before ?? []) changeOf(attachment).went.add(attachment);
    for (const attachment of now ?? []) changeOf(attachment).came.push(attachment);
  }
  for (const [listener, { came, went }] of byListener) {
    listener.attachments = changeSorted(listener.attachments, went, came, compareAttachments);
    listener.attachedRoutes += counted(came) - counted(went);
  }
}

function counted(attachments: Iterable<Attachment>): number {
  return [...attachments].filter(({ route }) => !isWhollyInvalid(route)).length;
}

function compareAttachments({ route: a }: Attachment, { route: b }: Attachment): number {
  return routeKinds.indexOf(a.kind) - routeKinds.indexOf(b.kind) || compareNames(a.object, b.object);
}
