/** In which order upstreams are asked. */
import { randomInt } from 'node:crypto';
import type { LiveUpstream } from './upstream.ts';

export type Policy = (upstreams: readonly LiveUpstream[]) => readonly LiveUpstream[];
export type PolicyName = 'random' | 'round_robin' | 'sequential';

function shuffled(upstreams: readonly LiveUpstream[]): readonly LiveUpstream[] {
  if (upstreams.length < 2) return upstreams;
  const list = [...upstreams];
  for (let i = list.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}

/** Each makes a policy with a state of its own. */
export const policies: Readonly<Record<PolicyName, () => Policy>> = {
  sequential: () => (upstreams) => upstreams,
  random: () => shuffled,
  round_robin() {
    let turn = -1;
    return (upstreams) => {
      turn = (turn + 1) % Math.max(1, upstreams.length);
      return [...upstreams.slice(turn), ...upstreams.slice(0, turn)];
    };
  },
};
