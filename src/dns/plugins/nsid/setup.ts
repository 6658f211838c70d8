import { hostname } from 'node:os';
import { noBlock, single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createNsid } from './nsid.ts';

/** `nsid [DATA...]`: default the name of the host. */
export const setupNsid: Setup = (directives) => {
  const directive = single(directives);
  noBlock(directive);
  return createNsid(directive.args.length > 0 ? directive.args.join(' ') : hostname());
};
