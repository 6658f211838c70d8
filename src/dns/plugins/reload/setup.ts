import { durationOrSeconds, expectArgs, noBlock, refuse, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createReload } from './reload.ts';

const leastInterval = 2000;
const leastJitter = 1000;
const defaultJitter = 15_000;

/** `reload [INTERVAL] [JITTER]`. */
export const setupReload: Setup = (directives, context) => {
  const directive = single(directives);
  noBlock(directive);
  const [interval, jitter] = expectArgs(directive, 0, 2);
  const intervalMs = interval === undefined ? 30_000 : durationOrSeconds(directive, interval, leastInterval);
  const wantedJitter = jitter === undefined ? defaultJitter : durationOrSeconds(directive, jitter);
  if (wantedJitter !== 0 && wantedJitter < leastJitter)
    refuse(directive, `reload: the jitter must be 0 or at least ${leastJitter / 1000}s: ${jitter}`);
  const { wishes, shared, log } = context;
  const isFirst = wishes.reload === undefined;
  wishes.reload = { intervalMs, jitterMs: Math.min(wantedJitter, intervalMs / 2) };
  // One looks for all, or each failure would be told and counted once for each block.
  return isFirst ? createReload({ times: () => wishes.reload!, shared, log }) : { name: 'reload' };
};
