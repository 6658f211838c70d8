/**
 * The ConfigMap of open challenges: written by the replica that leads, answered from by all, and by our DNS. Key
 * authorizations are no secrets, but whoever writes them proves names; the ConfigMap is where only Fairway writes.
 */

import type { StoreReader } from '../../kube/store/store.ts';
import type { ConfigMap } from '../../kube/types/index.ts';
import type { Certificate, Plan } from '../../routing/plan/plan.ts';
import { createLater, type Later } from '../later.ts';
import { createAlpnCertificate } from './alpn-certificate.ts';
import type { ChallengeKind } from './issuers.ts';

/** One challenge: the token of HTTP-01, the host of TLS-ALPN-01, the name of the TXT record of DNS-01. */
export interface OpenChallenge {
  readonly kind: ChallengeKind;
  readonly subject: string;
  /** Key authorization; of DNS-01 its digest. */
  readonly answer: string;
}

/** `http-01.TOKEN`, `dns-01._acme-challenge.example.com`: one line for each answer. */
export function challengeData(challenges: Iterable<OpenChallenge>): Record<string, string> {
  const lines = new Map<string, Set<string>>();
  for (const { kind, subject, answer } of challenges) {
    const key = `${kind}.${subject}`;
    const answers = lines.get(key) ?? new Set();
    lines.set(key, answers.add(answer));
  }
  return Object.fromEntries([...lines].sort().map(([key, answers]) => [key, [...answers].sort().join('\n')]));
}

type Shown = Pick<Plan, 'challenges' | 'certificates'>;

const noChallenges: Shown = { certificates: {} };

/** The certificate for a challenge of TLS-ALPN-01. */
export interface Proof {
  readonly host: string;
  readonly certificate: Certificate;
}

/** Certificates for all challenges of TLS-ALPN-01 in a ConfigMap. */
export type Proofs = Later<ConfigMap, readonly Proof[]>;

export interface ShownChallengesInput {
  readonly store: StoreReader;
  /** `namespace/name` of the ConfigMap of open challenges. */
  readonly key: string;
  readonly proofs: Pick<Proofs, 'of'>;
}

/** Objects in a store never change, so what was made of one holds as long as it does. */
const made = new WeakMap<ConfigMap, Shown>();

/**
 * What the data plane answers: the plan's challenges, and the certificates that they need. Without those that are still
 * being made: a plan is delivered only when there are none.
 */
export function shownChallenges({ store, key, proofs }: ShownChallengesInput): Shown {
  const map = store.get<ConfigMap>('configmaps', key);
  if (!map) return noChallenges;
  const known = made.get(map);
  if (known) return known;
  const alpn = answersOf(map, 'tls-alpn-01').length > 0 ? proofs.of(map) : [];
  const shown = show(answersOf(map, 'http-01'), alpn ?? []);
  if (alpn) made.set(map, shown);
  return shown;
}

/** By subject. */
const answersOf = ({ data = {} }: ConfigMap, kind: ChallengeKind): (readonly [string, string])[] =>
  Object.entries(data)
    .filter(([key, answer]) => key.startsWith(`${kind}.`) && answer !== '')
    .map(([key, answer]) => [key.slice(kind.length + 1), answer]);

function show(http: readonly (readonly [string, string])[], alpn: readonly Proof[]): Shown {
  if (http.length + alpn.length === 0) return noChallenges;
  return {
    challenges: {
      ...(http.length > 0 && { http: Object.fromEntries(http) }),
      ...(alpn.length > 0 && {
        tlsAlpn: Object.fromEntries(alpn.map(({ host, certificate }) => [host, certificate.id])),
      }),
    },
    certificates: Object.fromEntries(alpn.map(({ certificate }) => [certificate.id, certificate])),
  };
}

/** A challenge keeps its certificate while others come and go. */
export function createProofs(onError: (error: unknown) => void): Proofs {
  /** Of the ConfigMap before, by host and answer. */
  let before: ReadonlyMap<string, Proof> = new Map();
  return createLater(async (map) => {
    const now = new Map<string, Proof>();
    for (const [host, answer] of answersOf(map, 'tls-alpn-01')) {
      const key = `${host} ${answer}`;
      now.set(key, before.get(key) ?? { host, certificate: await certificateFor(map, host, answer) });
    }
    before = now;
    return [...now.values()];
  }, onError);
}

async function certificateFor({ metadata }: ConfigMap, host: string, answer: string): Promise<Certificate> {
  const { name, namespace } = metadata;
  const object = { apiVersion: 'v1', kind: 'ConfigMap', name, ...(namespace && { namespace }) };
  return { id: `acme-tls/1/${host}`, ...(await createAlpnCertificate(host, answer)), source: { object } };
}
