/** Which Ingresses are ours, and what there is to say of their classes. */
import { formatRef } from '../../base/diagnostics/index.ts';
import type { IngressClass } from '../../kube/types/index.ts';
import { changeSorted, listDifference, sameItems } from '../incremental/sorted.ts';
import type { Provenance } from '../plan/plan.ts';
import { ingressControllerName } from '../translate.ts';
import { type Claim, type ClassBook, claimKey } from './class-claim.ts';
import { type Context, shortList } from './context.ts';
import { compareMembers, type IngressMember } from './members.ts';

export interface Selection {
  /** Oldest first; ties by namespace and name. */
  readonly taken: readonly IngressMember[];
  readonly others: readonly IngressMember[];
  /** The classes of the Ingresses taken, sorted by name. */
  readonly classes: readonly Provenance[];
}

/** The selection of the last time, and the classes that it was made by. */
export interface ClassMemory {
  classes: readonly IngressClass[];
  all: readonly IngressMember[];
  taken: readonly IngressMember[];
  others: readonly IngressMember[];
  /** Those that say the same of their class, oldest first, by the key of their claims. */
  readonly groups: Map<string, readonly IngressMember[]>;
}

export function createClassMemory(): ClassMemory {
  return { classes: [], all: [], taken: [], others: [], groups: new Map() };
}

/** Chooses the Ingresses to serve and reports adoptions, once per class. `all` are sorted by age. */
export function selectIngresses(
  context: Context,
  book: ClassBook,
  all: readonly IngressMember[],
  memory: ClassMemory,
): Selection {
  const { adopt } = context.input;
  reportDefaults(context, book.marked);
  if (!sameItems(memory.classes, book.classes)) {
    Object.assign(memory, createClassMemory());
    memory.classes = book.classes;
  }
  follow(memory, all, adopt);
  const sorted = [...memory.groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, members]) => members);
  for (const members of sorted) reportGroup(context, members[0]!.claim, members);
  for (const each of book.classes) reportParameters(context, each);
  const claims = sorted.map((members) => members[0]!.claim);
  return { taken: memory.taken, others: memory.others, classes: servedClasses(claims, adopt) };
}

/** Files members that came, and takes out those that went. */
function follow(memory: ClassMemory, all: readonly IngressMember[], adopt: boolean): void {
  const { came, went } = listDifference(memory.all, all);
  memory.all = all;
  if (came.length + went.size === 0) return;
  const isTaken = ({ claim }: IngressMember) => adopt || claim.ours;
  const change = (list: readonly IngressMember[], belongs: (member: IngressMember) => boolean) =>
    changeSorted(list, new Set([...went].filter(belongs)), came.filter(belongs), compareMembers);
  memory.taken = change(memory.taken, isTaken);
  if (!adopt) memory.others = change(memory.others, (member) => !isTaken(member));
  for (const key of new Set([...went, ...came].map(({ claim }) => claimKey(claim)))) {
    const members = change(memory.groups.get(key) ?? [], ({ claim }) => claimKey(claim) === key);
    if (members.length > 0) memory.groups.set(key, members);
    else memory.groups.delete(key);
  }
}

function reportDefaults(context: Context, [chosen, ...rest]: readonly IngressClass[]): void {
  if (!chosen || rest.length === 0) return;
  const names = shortList(rest.map(({ metadata }) => metadata.name));
  const message = `${chosen.metadata.name} is used as the default class, being the newest; ${names} is marked as well`;
  context.report('FW2004', chosen, 'metadata.annotations', message);
}

function reportGroup(context: Context, claim: Claim, members: readonly IngressMember[]): void {
  if (claim.ours) return;
  if (claim.type === 'none') {
    reportWithoutClass(context, members);
    return;
  }
  const first = members[0]!.object;
  const { name, object, fieldPath } = claim;
  if (context.input.adopt) {
    const why = object ? `belongs to ${object.spec?.controller ?? 'no controller'}` : 'is not defined by any object';
    const message = `class ${name} ${why}; adopted: ${ingressList(members)}`;
    context.report('FW2001', object ?? first, object ? 'spec.controller' : fieldPath, message);
    return;
  }
  if (object) return;
  context.report('FW2003', first, fieldPath, `no IngressClass ${name} exists; not served: ${ingressList(members)}`);
}

function reportWithoutClass(context: Context, members: readonly IngressMember[]): void {
  const [code, verdict] = context.input.adopt ? (['FW2002', 'adopted'] as const) : (['FW2006', 'not served'] as const);
  context.report(
    code,
    members[0]!.object,
    'spec',
    `no class is named and none is the default; ${verdict}: ${ingressList(members)}`,
  );
}

function ingressList(members: readonly IngressMember[]): string {
  // Five are named.
  const shown = members
    .slice(0, 5)
    .map(({ ref }) => formatRef(ref))
    .join(', ');
  return members.length > 5 ? `${shown} and ${members.length - 5} more` : shown;
}

function reportParameters(context: Context, object: IngressClass): void {
  if (object.spec?.controller !== ingressControllerName || !object.spec.parameters) return;
  const { kind, name } = object.spec.parameters;
  context.report('FW2005', object, 'spec.parameters', `${kind} ${name} is not read`);
}

function servedClasses(claims: readonly Claim[], adopt: boolean): Provenance[] {
  const names = claims.flatMap((claim) => (claim.type === 'class' && (adopt || claim.ours) ? [claim.name] : []));
  return [...new Set(names)].map((name) => ({
    object: { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', name },
  }));
}
