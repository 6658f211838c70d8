/** Names that hosts are answered under besides their own: aliases, and what is redirected from and to `www.`. */
import { formatRef } from '../../base/diagnostics/index.ts';
import { equalJson } from '../../kube/objects.ts';
import type { VirtualHost } from '../plan/plan.ts';
import type { Context } from './context.ts';
import type { IngressMember } from './members.ts';

export interface OtherName {
  readonly host: VirtualHost;
  /** Of two that want a name, a redirect has it, then the host whose own name comes first. */
  readonly kind: 'redirect' | 'alias';
  readonly of: string;
  /** Who asked for it, and where. */
  readonly member: IngressMember;
  readonly fieldPath: string;
}

export interface OtherNames {
  /** What a host is answered under now; `unit` stands for the host. */
  replace(unit: object, names: readonly OtherName[]): void;
  /** Decides who has each name; `exchange` is told of hosts that change. */
  settle(
    isTaken: (name: string) => boolean,
    exchange: (before: VirtualHost | undefined, now: VirtualHost | undefined) => void,
  ): void;
  /** Names that stand for a host in all regards. */
  aliasesOf(hostname: string): readonly string[];
  /** The host that each name is answered for; the same map for as long as nothing of it changes. */
  owners(): ReadonlyMap<string, string>;
  /** Tells of names that are somebody else's. */
  report(context: Context): void;
}

export function createOtherNames(): OtherNames {
  const ofUnits = new Map<object, readonly OtherName[]>();
  const wanted = new Map<string, OtherName[]>();
  const listed = new Map<string, VirtualHost>();
  const winners = new Map<string, OtherName>();
  let owners: ReadonlyMap<string, string> = new Map();
  let lost: { name: OtherName; owner: string }[] = [];

  function decide(name: string, isTaken: boolean): VirtualHost | undefined {
    const all = wanted.get(name)!.toSorted((a, b) => compareNames(a, b));
    const winner = isTaken ? undefined : all[0];
    for (const each of all)
      if (each !== winner)
        lost.push({ name: each, owner: winner ? `host ${winner.of}` : 'the Ingress whose host it is' });
    if (winner) winners.set(name, winner);
    const before = listed.get(name);
    return winner && before && equalJson(before, winner.host) ? before : winner?.host;
  }

  return {
    replace(unit, names) {
      for (const name of ofUnits.get(unit) ?? []) {
        const rest = wanted.get(name.host.hostname)!.filter((each) => each !== name);
        wanted.set(name.host.hostname, rest);
      }
      if (names.length > 0) ofUnits.set(unit, names);
      else ofUnits.delete(unit);
      for (const name of names) {
        const { hostname } = name.host;
        wanted.set(hostname, [...(wanted.get(hostname) ?? []), name]);
      }
    },
    settle(isTaken, exchange) {
      lost = [];
      winners.clear();
      for (const [name, all] of wanted) {
        const now = all.length > 0 ? decide(name, isTaken(name)) : undefined;
        exchange(listed.get(name), now);
        if (now) listed.set(name, now);
        else listed.delete(name);
        if (all.length === 0) wanted.delete(name);
      }
    },
    aliasesOf(hostname) {
      return [...winners].flatMap(([name, { kind, of }]) => (kind === 'alias' && of === hostname ? [name] : []));
    },
    owners() {
      const now = [...winners].map(([name, { of }]) => [name, of] as const).sort(([a], [b]) => (a < b ? -1 : 1));
      if (!equalJson(now, [...owners])) owners = new Map(now);
      return owners;
    },
    report(context) {
      const sorted = lost.toSorted((a, b) => (keyOf(a.name) < keyOf(b.name) ? -1 : 1));
      for (const { name, owner } of sorted) {
        const message = `${name.host.hostname} is not answered for ${formatRef(name.member.ref)}: it belongs to ${owner}`;
        context.report('FW2016', name.member.object, name.fieldPath, message);
      }
    },
  };
}

const keyOf = ({ host, of, kind }: OtherName) => `${host.hostname} ${kind} ${of}`;

function compareNames(a: OtherName, b: OtherName): number {
  if (a.kind !== b.kind) return a.kind === 'redirect' ? -1 : 1;
  return a.of < b.of ? -1 : 1;
}
