/** The Ingresses of a store, oldest first, each with what follows from it alone. */
import type { Diagnostic, ObjectRef } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { Ingress } from '../../kube/types/index.ts';
import { capture } from '../incremental/capture.ts';
import { createRoster, type Member, type Roster } from '../incremental/roster.ts';
import { sameItems } from '../incremental/sorted.ts';
import { readNginxAnnotations } from '../ingress-nginx/annotations/read.ts';
import { reportForeignAnnotations } from './annotations.ts';
import type { FallbackReading } from './backends.ts';
import { type Claim, type ClassBook, claimKey } from './class-claim.ts';
import type { Context } from './context.ts';
import { type Claims, readRules } from './rules.ts';
import { findShapeFault } from './shape.ts';

export interface IngressMember extends Member<Ingress> {
  readonly ref: ObjectRef;
  /** `namespace/name`. */
  readonly key: string;
  /** Milliseconds since the epoch; 0 when it is not known. */
  readonly time: number;
  /** Changes with the places of its fields in files. */
  readonly placement: unknown;
  /** An Ingress whose class means something else than before gets a member of its own. */
  claim: Claim;
  /** Each set by the step that it is named after, when it is first wanted. */
  reading?: Reading;
  fallback?: FallbackReading | undefined;
}

/** Findings in the order in which they are told: of its shape or its rules, and of its annotations. */
export interface Reading {
  /** A field has the wrong type: the Ingress is not served, and there are no claims. */
  readonly isFaulty: boolean;
  /** It adds a second backend to paths of other Ingresses (ingress-nginx `canary`), and claims none itself. */
  readonly isCanary: boolean;
  readonly claims: Claims;
  readonly findings: readonly Diagnostic[];
  readonly annotations: readonly Diagnostic[];
}

export interface IngressRoster {
  update(context: Context, book: ClassBook): readonly IngressMember[];
}

export function createIngressRoster(): IngressRoster {
  let placements: Context['input']['placements'];
  let book: ClassBook | undefined;
  /** Counts what members depend on besides their objects. */
  let revision = 0;
  let seen: readonly unknown[] = [];

  /** Also takes over what the book of now says. */
  function holds(member: IngressMember): boolean {
    if (placements && placements.of(member.ref) !== member.placement) return false;
    const claim = book!.claimOf(member.object);
    if (claimKey(claim) !== claimKey(member.claim)) return false;
    member.claim = claim;
    return true;
  }

  const roster: Roster<Ingress, IngressMember> = createRoster<Ingress, IngressMember>({
    resource: 'ingresses.networking.k8s.io',
    make: (object) => makeMember(object, book!.claimOf(object), placements),
    compare: compareMembers,
    holds,
  });
  return {
    update({ input }, now) {
      placements = input.placements;
      book = now;
      const state = [placements?.revision, input.ingressNginx, ...now.classes];
      if (!sameItems(seen, state)) revision++;
      seen = state;
      return roster.update(input.store, revision);
    },
  };
}

function makeMember(object: Ingress, claim: Claim, placements: Context['input']['placements']): IngressMember {
  const { namespace, name, creationTimestamp } = object.metadata;
  const ref = refOf(object);
  return {
    object,
    ref,
    key: `${namespace}/${name}`,
    time: Date.parse(creationTimestamp ?? '') || 0,
    placement: placements?.of(ref),
    claim,
  };
}

/** Oldest first, so that a later Ingress never takes over what an earlier one has. */
export function compareMembers(a: IngressMember, b: IngressMember): number {
  return a.time - b.time || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

export function readingOf(context: Context, member: IngressMember): Reading {
  member.reading ??= read(context, member);
  return member.reading;
}

function read(context: Context, { object: ingress, claim: { dialect } }: IngressMember): Reading {
  const { value: fault, findings } = capture(context, () => {
    const found = findShapeFault(ingress);
    if (found) context.report('FW2010', ingress, found.fieldPath, found.message);
    return found;
  });
  const isCanary = dialect === 'ingress-nginx' && readNginxAnnotations(ingress).asked.canary === true;
  if (fault) return { isFaulty: true, isCanary, claims: { byHost: new Map() }, findings, annotations: [] };
  const rules = capture(context, () => {
    const claims = readRules(context, ingress, dialect);
    if (!ingress.spec?.defaultBackend && !ingress.spec?.rules?.some((rule) => rule.http?.paths?.length))
      context.report('FW2013', ingress, 'spec', 'there are neither paths nor a default backend');
    return claims;
  });
  const annotations = capture(context, () => reportForeignAnnotations(context, ingress, dialect));
  return {
    isFaulty: false,
    isCanary,
    claims: rules.value,
    findings: rules.findings,
    annotations: annotations.findings,
  };
}
