/**
 * Which Ingresses are ours. `spec.ingressClassName` names an IngressClass; the annotation kubernetes.io/ingress.class
 * names a controller, as it did before classes were objects; with neither, the default class decides. The API server
 * fills in the default class when an Ingress is created; here it counts for every Ingress without a class.
 */
import { formatRef } from '../../base/diagnostics/index.ts';
import type { Ingress, IngressClass } from '../../kube/types/index.ts';
import { changeSorted, listDifference, sameItems } from '../incremental/sorted.ts';
import type { Provenance } from '../plan/plan.ts';
import { ingressControllerName } from '../translate.ts';
import { type Context, shortList } from './context.ts';
import { compareMembers, type IngressMember } from './members.ts';

const legacyAnnotation = 'kubernetes.io/ingress.class';
const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';
/** Value of the legacy annotation that means Fairway. */
const legacyName = 'fairway';

export interface Selection {
  /** Oldest first; ties by namespace and name. */
  readonly taken: readonly IngressMember[];
  readonly others: readonly IngressMember[];
  /** The classes of the Ingresses taken, sorted by name. */
  readonly classes: readonly Provenance[];
}

/** What an Ingress says of its class, and whether that makes it ours without adoption. */
export type Claim =
  | {
      readonly type: 'class';
      readonly name: string;
      readonly ours: boolean;
      readonly object?: IngressClass;
      readonly fieldPath: string;
    }
  | { readonly type: 'none' };

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
export function selectIngresses(context: Context, all: readonly IngressMember[], memory: ClassMemory): Selection {
  const { store, adopt } = context.input;
  const classes = classesByName(store.list('ingressclasses.networking.k8s.io'));
  const fallback = defaultClass(context, classes);
  if (!sameItems(memory.classes, [...classes.values()])) {
    Object.assign(memory, createClassMemory());
    memory.classes = [...classes.values()];
  }
  follow(memory, all, adopt, (member) => claimOf(member.object, classes, fallback));
  const sorted = [...memory.groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, members]) => members);
  for (const members of sorted) reportGroup(context, members[0]!.claim!.claim, members);
  for (const each of classes.values()) reportParameters(context, each);
  const claims = sorted.map((members) => members[0]!.claim!.claim);
  return { taken: memory.taken, others: memory.others, classes: servedClasses(claims, adopt) };
}

/** Files members that came, and takes out those that went. */
function follow(
  memory: ClassMemory,
  all: readonly IngressMember[],
  adopt: boolean,
  claimed: (member: IngressMember) => Claim,
): void {
  const { came, went } = listDifference(memory.all, all);
  memory.all = all;
  if (came.length + went.size === 0) return;
  for (const member of came) {
    const claim = claimed(member);
    member.claim = { claim, key: claim.type === 'class' ? `class ${claim.name} ${claim.ours}` : 'none' };
  }
  const isTaken = ({ claim }: IngressMember) => adopt || (claim!.claim.type === 'class' && claim!.claim.ours);
  const change = (list: readonly IngressMember[], belongs: (member: IngressMember) => boolean) =>
    changeSorted(list, new Set([...went].filter(belongs)), came.filter(belongs), compareMembers);
  memory.taken = change(memory.taken, isTaken);
  if (!adopt) memory.others = change(memory.others, (member) => !isTaken(member));
  for (const key of new Set([...went, ...came].map(({ claim }) => claim!.key))) {
    const members = change(memory.groups.get(key) ?? [], ({ claim }) => claim!.key === key);
    if (members.length > 0) memory.groups.set(key, members);
    else memory.groups.delete(key);
  }
}

/** In the order of their names, so that findings do not depend on the order of the store. */
function classesByName(classes: readonly IngressClass[]): Map<string, IngressClass> {
  const sorted = classes.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return new Map(sorted.map((each) => [each.metadata.name, each]));
}

function claimOf(
  ingress: Ingress,
  classes: ReadonlyMap<string, IngressClass>,
  fallback: IngressClass | undefined,
): Claim {
  const named = ingress.spec?.ingressClassName;
  if (named) return classClaim(named, classes.get(named), 'spec.ingressClassName');
  const legacy = ingress.metadata.annotations?.[legacyAnnotation];
  if (legacy) {
    const claim = classClaim(legacy, classes.get(legacy), `metadata.annotations["${legacyAnnotation}"]`);
    return legacy === legacyName ? { ...claim, ours: true } : claim;
  }
  return fallback ? classClaim(fallback.metadata.name, fallback, 'spec') : { type: 'none' };
}

function classClaim(name: string, object: IngressClass | undefined, fieldPath: string): Claim & { type: 'class' } {
  return { type: 'class', name, ours: isOurs(object), ...(object && { object }), fieldPath };
}

function isOurs(object: IngressClass | undefined): boolean {
  return object?.spec?.controller === ingressControllerName;
}

/** The newest of the classes marked as default, ties by name: what the API server's admission does. */
function defaultClass(context: Context, classes: ReadonlyMap<string, IngressClass>): IngressClass | undefined {
  const age = ({ metadata }: IngressClass) => Date.parse(metadata.creationTimestamp ?? '') || 0;
  const marked = [...classes.values()]
    .filter(({ metadata }) => metadata.annotations?.[defaultAnnotation] === 'true')
    .sort((a, b) => age(b) - age(a) || (a.metadata.name < b.metadata.name ? -1 : 1));
  const [chosen, ...rest] = marked;
  if (chosen && rest.length > 0) {
    const names = shortList(rest.map(({ metadata }) => metadata.name));
    const message = `${chosen.metadata.name} is used as the default class, being the newest; ${names} is marked as well`;
    context.report('FW2004', chosen, 'metadata.annotations', message);
  }
  return chosen;
}

function reportGroup(context: Context, claim: Claim, members: readonly IngressMember[]): void {
  if (claim.type === 'none') {
    reportWithoutClass(context, members);
    return;
  }
  if (claim.ours) return;
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
  if (!isOurs(object) || !object.spec?.parameters) return;
  const { kind, name } = object.spec.parameters;
  context.report('FW2005', object, 'spec.parameters', `${kind} ${name} is not read`);
}

function servedClasses(claims: readonly Claim[], adopt: boolean): Provenance[] {
  const names = claims.flatMap((claim) => (claim.type === 'class' && (adopt || claim.ours) ? [claim.name] : []));
  return [...new Set(names)].map((name) => ({
    object: { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', name },
  }));
}
