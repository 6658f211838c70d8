/** Open challenges into the plan, and the doors that a certificate authority knocks at. */
import { type Listener, listenerId, type Plan } from '../../routing/plan/plan.ts';
import { type ShownChallengesInput, shownChallenges } from './open-challenges.ts';

/** `input` undefined: there are no challenges. The same plan when none is open. */
export function withChallenges(plan: Plan, input: ShownChallengesInput | undefined): Plan {
  if (!input) return plan;
  const { challenges, certificates } = shownChallenges(input);
  if (!challenges) return plan;
  if (!challenges.tlsAlpn) return { ...plan, challenges };
  const listeners = [...plan.listeners, ...missingDoors(plan)].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { ...plan, challenges, listeners, certificates: { ...plan.certificates, ...certificates } };
}

/**
 * Port 443 where port 80 is served: TLS-ALPN-01 needs it before there is any certificate, when nothing else does. It has
 * no names and no routes, and is gone with the challenge.
 */
function missingDoors({ listeners, streams = [] }: Plan): Listener[] {
  const taken = new Set(
    [...listeners, ...streams]
      .filter(({ port, protocol }) => port === 443 && protocol !== 'UDP')
      .map(({ address }) => address),
  );
  const addresses = listeners.filter(({ port, address }) => port === 80 && !taken.has(address));
  return [...new Set(addresses.map(({ address }) => address))].map((address) => ({
    id: listenerId(address, 443, 'HTTPS'),
    ...{ address, port: 443, protocol: 'HTTPS' },
    ...{ tls: { certificates: [] }, hosts: [], sources: [] },
  }));
}
