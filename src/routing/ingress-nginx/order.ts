import type { IngressMember } from '../ingress/members.ts';

/** Oldest first. Of equally old ones, ingress-nginx has the last by namespace and name come first. */
export function compareInNginx(a: IngressMember, b: IngressMember): number {
  return a.time - b.time || (a.key > b.key ? -1 : Number(a.key < b.key));
}
