/** Lets queries through by source and type, or refuses, empties or drops them. */

import { parseIp } from '../../../base/ip.ts';
import type { MetricsRegistry } from '../../../base/metrics.ts';
import { ednsOption, rcode } from '../../wire/numbers.ts';
import { type Answer, emptyAnswer } from '../../wire/response.ts';
import type { Plugin, QueryContext, Reply } from '../plugin.ts';
import type { ZoneMatcher } from '../zones.ts';

export type AclAction = 'allow' | 'block' | 'filter' | 'drop';

export interface AclPolicy {
  readonly action: AclAction;
  /** `source`: bytes of the client's address. */
  accepts(type: number, source: readonly number[]): boolean;
}

export interface AclRule {
  readonly inZone: ZoneMatcher;
  readonly policies: readonly AclPolicy[];
}

/** Extended errors (RFC 8914): 15 Blocked, 17 Filtered. */
function refusal(code: number, info: number): Answer {
  return { ...emptyAnswer(code), options: [{ code: ednsOption.ERROR, data: Buffer.from([0, info]) }] };
}

const replies: Readonly<Record<Exclude<AclAction, 'allow'>, Reply>> = {
  block: { kind: 'answer', by: 'acl', answer: refusal(rcode.REFUSED, 15) },
  filter: { kind: 'answer', by: 'acl', answer: refusal(rcode.NOERROR, 17) },
  drop: { kind: 'silence', by: 'acl' },
};

const help: Readonly<Record<AclAction, [name: string, text: string]>> = {
  allow: ['allowed', 'Counter of DNS requests being allowed.'],
  block: ['blocked', 'Counter of DNS requests being blocked.'],
  filter: ['filtered', 'Counter of DNS requests being filtered.'],
  drop: ['dropped', 'Counter of DNS requests being dropped.'],
};

export function createAcl(rules: readonly AclRule[], metrics: MetricsRegistry): Plugin {
  const labels = ['server', 'zone', 'view'];
  const family = (action: AclAction) => {
    const [name, text] = help[action];
    // Allowed requests are counted without their zone.
    return metrics.counter(
      `coredns_acl_${name}_requests_total`,
      text,
      action === 'allow' ? ['server', 'view'] : labels,
    );
  };
  const counters = { allow: family('allow'), block: family('block'), filter: family('filter'), drop: family('drop') };

  function decide({ query, client }: QueryContext): { action: AclAction; zone: string } {
    const source = parseIp(client.address.replace(/%.*$/, ''))?.bytes ?? [];
    for (const { inZone, policies } of rules) {
      const zone = inZone(query.key);
      const policy = zone !== undefined && policies.find((candidate) => candidate.accepts(query.type, source));
      if (policy) return { action: policy.action, zone };
    }
    return { action: 'allow', zone: '' };
  }

  return {
    name: 'acl',
    handle(context, next) {
      const { action, zone } = decide(context);
      const { server = '', view = '' } = context.scope ?? {};
      if (action === 'allow') {
        counters.allow.with(server, view).inc();
        return next(context);
      }
      counters[action].with(server, zone, view).inc();
      return replies[action];
    },
  };
}
