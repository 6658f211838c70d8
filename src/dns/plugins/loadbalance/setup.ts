import {
  contains,
  duration,
  expectArgs,
  type Network,
  parseNetwork,
  readBlock,
  refuse,
  single,
} from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createLoadbalance } from './loadbalance.ts';
import { createWeights } from './weights.ts';

/** `loadbalance [round_robin | weighted FILE] { reload DURATION; prefer CIDR... }`. */
export const setupLoadbalance: Setup = (directives, context) => {
  const directive = single(directives);
  const [policy = 'round_robin', file] = expectArgs(directive, 0, 2);
  if (policy !== 'round_robin' && policy !== 'weighted') refuse(directive, `unknown policy: ${policy}`);
  if (policy === 'round_robin' && file !== undefined) refuse(directive, `unknown property for ${policy}`);
  if (policy === 'weighted' && file === undefined) refuse(directive, 'missing weight file argument');
  const preferred: Network[] = [];
  let reloadMs = 30_000;
  readBlock(directive, {
    reload(line) {
      if (policy !== 'weighted') refuse(line, `unknown property 'reload' for ${policy}`);
      reloadMs = duration(line, expectArgs(line, 1)[0]);
    },
    prefer(line) {
      for (const word of expectArgs(line, 0, Infinity))
        preferred.push((word.includes('/') && parseNetwork(word)) || refuse(line, `invalid CIDR "${word}"`));
    },
  });
  const prefers = (bytes: readonly number[]) => preferred.some((network) => contains(network, bytes));
  const preference = preferred.length > 0 ? prefers : undefined;
  if (file === undefined) return createLoadbalance({ order: 'random', preference });
  const weights = createWeights({ path: context.path(file), reloadMs, log: context.log });
  const error = weights.load();
  if (error !== undefined) refuse(directive, `loadbalance: ${error}`);
  return { ...createLoadbalance({ order: weights.orderFor, preference }), start: weights.start, close: weights.close };
};
