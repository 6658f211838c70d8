import { durationOrSeconds, expectArgs, noBlock, refuse, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createReload } from './reload.ts';

const leastInterval = 2000;
const leastJitter = 1000;

/** `reload [INTERVAL] [JITTER]`. */
export const setupReload: Setup = (directives, context) => {
  const directive = single(directives);
  noBlock(directive);
  const [interval, jitter] = expectArgs(directive, 0, 2);
  const intervalMs = interval === undefined ? 30_000 : durationOrSeconds(directive, interval, leastInterval);
  const wantedJitter = jitter === undefined ? intervalMs / 2 : durationOrSeconds(directive, jitter, leastJitter);
  if (wantedJitter > intervalMs) refuse(directive, 'reload: the jitter is larger than the interval');
  return createReload({
    intervalMs,
    jitterMs: Math.min(wantedJitter, intervalMs / 2),
    shared: context.shared,
    log: context.log,
  });
};
