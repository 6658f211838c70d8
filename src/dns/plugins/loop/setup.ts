import { randomInt } from 'node:crypto';
import { expectArgs, noBlock, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createLoop } from './loop.ts';

const label = (): string => `${randomInt(2 ** 47)}${randomInt(2 ** 16)}`;

/** `loop`. */
export const setupLoop: Setup = (directives, context) => {
  const directive = single(directives);
  expectArgs(directive, 0);
  noBlock(directive);
  const zone = context.zones[0]!;
  return createLoop({
    ...{ zone, log: context.log, fatal: context.shared.fatal },
    name: `${label()}.${label()}.${zone === '.' ? '' : zone}`,
    door: () => context.shared.ownDoors().find(({ name }) => name === context.server),
    upstreams: () => context.plugin('forward')?.upstreams?.() ?? [],
  });
};
