/**
 * Answers for the names that Services have outside the cluster: addresses that load balancers gave them, external IPs
 * and, when told to, the endpoints of headless Services. Behaves like CoreDNS' k8s_external plugin 1.14.
 */
import type { ExternalServices, ExternalTargets } from '../../records/external-services.ts';
import { addressOfReverse } from '../../wire/address.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { rcode, recordType } from '../../wire/numbers.ts';
import { labelsOf, nameOf, type Query } from '../../wire/query.ts';
import { targetRecord } from '../../wire/records.ts';
import { type Answer, emptyAnswer, prepareAnswer } from '../../wire/response.ts';
import type { Handler, MaybePromise, Plugin, QueryContext, Reply } from '../plugin.ts';
import { createZoneMatcher, type Fallthrough } from '../zones.ts';
import type { ExternalZone } from './zone.ts';

export interface ExternalOptions {
  /** The first that is no reverse zone has the names that PTR records give. */
  readonly zones: readonly ExternalZone[];
  readonly primary: ExternalZone;
  readonly apex: string;
  readonly ttl: number;
  readonly fallthrough: Fallthrough;
  readonly services: () => ExternalServices;
  readonly serial: () => number;
  /** All objects are known; until then a name that is not known may exist: SERVFAIL. */
  readonly synced: () => boolean;
}

const by = 'k8s_external';
const { A, AAAA, CNAME, NS, PTR, SOA, SRV } = recordType;
const isAddressType = (type: number): boolean => type === A || type === AAAA;

/** A question in one of the zones. */
interface Asked {
  readonly context: QueryContext;
  readonly zone: ExternalZone;
  /** As the client wrote it. */
  readonly name: string;
  readonly type: number;
}

export function createExternal(options: ExternalOptions): Plugin {
  const { ttl, apex, fallthrough, services } = options;
  const match = createZoneMatcher(options.zones.map(({ name }) => name));

  function positive({ zone }: Asked, answers: readonly ResourceRecord[], rest: Partial<Answer> = {}): Reply {
    const authority = answers.length === 0 ? [zone.soa()] : [];
    return {
      ...{ kind: 'answer', by },
      answer: { ...emptyAnswer(rcode.NOERROR), authoritative: true, answers, authority, ...rest },
    };
  }

  const noData = (asked: Asked): Reply => positive(asked, []);
  const noName = (asked: Asked): Reply => positive(asked, [], { rcode: rcode.NXDOMAIN });

  function answerApex(asked: Asked): Reply {
    const { zone, type } = asked;
    if (type === SOA) return positive(asked, [zone.soa()]);
    if (type !== NS) return noData(asked);
    return positive(asked, [zone.ns()], { additional: zone.nameserverAddresses() });
  }

  /** `below`: labels left of the apex label. */
  function answerBelowApex(asked: Asked, below: readonly string[]): Reply {
    if (below.length === 0) return noData(asked);
    if (below.length > 1 || below[0] !== 'ns1') return noName(asked);
    const own = asked.zone.nameserverAddresses(asked.name);
    return positive(
      asked,
      own.filter(({ type }) => type === asked.type),
    );
  }

  /** An alias with what it leads to; alone when that cannot be found. */
  async function answerAlias(asked: Asked, alias: ResourceRecord): Promise<Reply> {
    const target = alias.data.kind === 'name' ? alias.data.target : '';
    const found = await asked.context.resolve(target, asked.type);
    return positive(asked, [alias, ...(found?.answers ?? [])], { truncated: found?.truncated ?? false });
  }

  function answerAddresses(asked: Asked, found: ExternalTargets): MaybePromise<Reply> {
    const alias = asked.zone.alias(asked.name, found);
    if (alias) return asked.type === CNAME ? positive(asked, [alias]) : answerAlias(asked, alias);
    return isAddressType(asked.type)
      ? positive(asked, asked.zone.addresses(asked.name, asked.type, found))
      : noData(asked);
  }

  async function addressesOfHosts({ context }: Asked, { hosts }: ExternalTargets): Promise<ResourceRecord[]> {
    const names = [...new Set(hosts.map(({ host }) => host))];
    const asked = names.flatMap((name) => [A, AAAA].map((type) => context.resolve(name, type)));
    const found = (await Promise.all(asked)).flatMap((message) => message?.answers ?? []);
    const key = ({ name, type, data }: ResourceRecord) => JSON.stringify([name, type, data]);
    // Both families bring the same aliases.
    return [...new Map(found.map((record) => [key(record), record])).values()];
  }

  function answerSrv(asked: Asked, found: ExternalTargets): MaybePromise<Reply> {
    const { answers, additional } = asked.zone.srv(asked.name, found);
    if (found.hosts.length === 0 || answers.length === 0) return positive(asked, answers, { additional });
    return addressesOfHosts(asked, found).then((more) =>
      positive(asked, answers, { additional: [...additional, ...more] }),
    );
  }

  function answerReverse(asked: Asked, names: readonly string[]): Reply {
    const pointer = (name: string) => targetRecord(asked.name, PTR, ttl, options.primary.absolute(name));
    return positive(asked, asked.type === PTR ? names.map(pointer) : []);
  }

  /** A name that is not known may exist while objects are still being read. Not kept by caches, for it soon is known. */
  function notYet(query: Query, zone: ExternalZone): Reply {
    const answer = { ...emptyAnswer(rcode.SERVFAIL), authoritative: true, authority: [zone.soa()] };
    return { kind: 'ready', by, ready: prepareAnswer(query, answer, true), serial: options.serial() };
  }

  function unknown(asked: Asked, next: Handler): MaybePromise<Reply> {
    if (fallthrough(asked.context.query)) return next(asked.context);
    return options.synced() ? noName(asked) : notYet(asked.context.query, asked.zone);
  }

  function handle(context: QueryContext, next: Handler): MaybePromise<Reply> {
    const { query } = context;
    const name = match(query.key);
    const zone = name === undefined ? undefined : options.zones.find((candidate) => candidate.name === name);
    if (!zone) return next(context);
    const labels = labelsOf(query);
    const inside = zone.inside(labels)!;
    const asked = { context, zone, name: nameOf(query), type: query.type };
    if (inside.length === 0) return answerApex(asked);
    if (inside.at(-1) === apex) return answerBelowApex(asked, inside.slice(0, -1));
    const address = addressOfReverse(labels);
    const pointed = address === undefined ? [] : services().namesOf(address);
    if (pointed.length > 0) return answerReverse(asked, pointed);
    const found = services().find(inside);
    if (!found) return unknown(asked, next);
    if (query.type === SRV) return answerSrv(asked, found);
    return isAddressType(query.type) || query.type === CNAME ? answerAddresses(asked, found) : noData(asked);
  }

  return { name: by, handle };
}
