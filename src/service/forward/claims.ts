/** Which Service owns each listening address: the first that asked, then the next when the owner lets go. */
import type { ObjectRef } from '../../base/diagnostics/index.ts';
import type { Target } from './target.ts';
import type { WantedSocket } from './wanted.ts';
import { socketKey } from './wanted.ts';

export interface Claim {
  /** `namespace/name` of the Service. */
  readonly service: string;
  readonly ref: ObjectRef;
  readonly wanted: WantedSocket;
  readonly target: Target;
}

export interface ClaimBook {
  /**
   * Replaces what a Service claims. Tells `onOwner` of every address whose owner changed or whose owner's claim was
   * renewed; undefined when nobody claims it any more.
   */
  replace(service: string, claims: readonly Claim[]): void;
  /** Claims that lost against an earlier one, with the winner. */
  contested(): { loser: Claim; owner: Claim }[];
}

export function createClaimBook(onOwner: (key: string, owner: Claim | undefined) => void): ClaimBook {
  const byKey = new Map<string, Claim[]>();
  const keysOf = new Map<string, readonly string[]>();
  const crowded = new Set<string>();

  function update(key: string, service: string, claim: Claim | undefined): void {
    const claims = byKey.get(key) ?? [];
    const before = claims[0];
    const at = claims.findIndex((other) => other.service === service);
    if (at >= 0 && claim) claims[at] = claim;
    else if (at >= 0) claims.splice(at, 1);
    else if (claim) claims.push(claim);
    if (claims.length > 0) byKey.set(key, claims);
    else byKey.delete(key);
    if (claims.length > 1) crowded.add(key);
    else crowded.delete(key);
    if (claims[0] !== before) onOwner(key, claims[0]);
  }

  return {
    replace(service, claims) {
      const wanted = new Map(claims.map((claim) => [socketKey(claim.wanted), claim]));
      for (const key of keysOf.get(service) ?? []) if (!wanted.has(key)) update(key, service, undefined);
      for (const [key, claim] of wanted) update(key, service, claim);
      if (wanted.size > 0) keysOf.set(service, [...wanted.keys()]);
      else keysOf.delete(service);
    },
    contested: () =>
      [...crowded].flatMap((key) => {
        const [owner, ...losers] = byKey.get(key)!;
        return losers.map((loser) => ({ loser, owner: owner! }));
      }),
  };
}
