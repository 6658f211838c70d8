/**
 * The ConfigMap of open challenges: written by the replica that leads, answered from by all, and by our DNS. Key
 * authorizations are no secrets, but whoever writes them proves names; the ConfigMap is where only Fairway writes.
 */

import type { StoreReader } from '../../kube/store/store.ts';
import type { ConfigMap } from '../../kube/types/index.ts';
import type { Certificate, Plan } from '../../routing/plan/plan.ts';
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

/** Objects in a store never change, so what was made of one holds as long as it does. */
const made = new WeakMap<ConfigMap, Shown>();

/** What the data plane answers: the plan's challenges, and the certificates that they need. */
export function shownChallenges(store: StoreReader, key: string): Shown {
  const map = store.get<ConfigMap>('configmaps', key);
  if (!map?.data) return noChallenges;
  let shown = made.get(map);
  if (!shown) {
    shown = show(map, map.data);
    made.set(map, shown);
  }
  return shown;
}

function show(map: ConfigMap, data: Readonly<Record<string, string>>): Shown {
  const of = (kind: ChallengeKind) =>
    Object.entries(data)
      .filter(([key, answer]) => key.startsWith(`${kind}.`) && answer !== '')
      .map(([key, answer]) => [key.slice(kind.length + 1), answer] as const);
  const http = of('http-01');
  const alpn = of('tls-alpn-01').map(([host, answer]) => [host, certificateFor(map, host, answer)] as const);
  if (http.length + alpn.length === 0) return noChallenges;
  return {
    challenges: {
      ...(http.length > 0 && { http: Object.fromEntries(http) }),
      ...(alpn.length > 0 && { tlsAlpn: Object.fromEntries(alpn.map(([host, { id }]) => [host, id])) }),
    },
    certificates: Object.fromEntries(alpn.map(([, certificate]) => [certificate.id, certificate])),
  };
}

/** By answer: a challenge keeps its certificate while others come and go. */
const alpnCertificates = new Map<string, Certificate>();
const maxAlpnCertificates = 200;

function certificateFor({ metadata }: ConfigMap, host: string, answer: string): Certificate {
  const id = `acme-tls/1/${host}`;
  const known = alpnCertificates.get(`${host} ${answer}`);
  if (known) return known;
  const { name, namespace } = metadata;
  const object = { apiVersion: 'v1', kind: 'ConfigMap', name, ...(namespace && { namespace }) };
  const certificate = { id, ...createAlpnCertificate(host, answer), source: { object } };
  if (alpnCertificates.size >= maxAlpnCertificates) alpnCertificates.clear();
  alpnCertificates.set(`${host} ${answer}`, certificate);
  return certificate;
}
