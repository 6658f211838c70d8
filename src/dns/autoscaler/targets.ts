/** What is scaled: `deployment/coredns`, several with commas. */
import { err, ok, type Result } from '../../base/result.ts';

export interface ScaleTarget {
  /** Plural resource and its group. */
  readonly resource: string;
  readonly group: '' | 'apps';
  readonly namespace: string;
  readonly name: string;
  /** As it was written. */
  readonly text: string;
}

const kinds: Readonly<Record<string, Pick<ScaleTarget, 'resource' | 'group'>>> = {
  deployment: { resource: 'deployments', group: 'apps' },
  replicaset: { resource: 'replicasets', group: 'apps' },
  statefulset: { resource: 'statefulsets', group: 'apps' },
  replicationcontroller: { resource: 'replicationcontrollers', group: '' },
};

const name = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const maxTargets = 100;

function parseTarget(text: string, namespace: string): Result<ScaleTarget, string> {
  const parts = text.trim().toLowerCase().split('/');
  const [place, kind = '', named = ''] = parts.length === 3 ? parts : [namespace, ...parts];
  const known = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (!known || parts.length > 3 || parts.length < 2 || !name.test(named) || !name.test(place!))
    return err(`not a target: '${text}'; write ${Object.keys(kinds).join('/NAME, ')}/NAME, or NAMESPACE/KIND/NAME`);
  return ok({ ...known, namespace: place!, name: named, text: text.trim().toLowerCase() });
}

/** Not case sensitive. `NAMESPACE/KIND/NAME` is for a target in another namespace than the others. */
export function parseTargets(text: string, namespace: string): Result<ScaleTarget[], string> {
  const words = text.split(',').filter((word) => word.trim() !== '');
  if (words.length === 0) return err('--target is needed: what to scale, such as deployment/coredns');
  if (words.length > maxTargets) return err(`more than ${maxTargets} targets`);
  const found: ScaleTarget[] = [];
  for (const word of words) {
    const target = parseTarget(word, namespace);
    if (!target.ok) return target;
    found.push(target.value);
  }
  return ok(found);
}
