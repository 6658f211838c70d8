import { expectArgs, readBlock, refuse, single } from '../../corefile/values.ts';
import { parseHostPort } from '../../server/addresses.ts';
import { addPage } from '../pages.ts';
import type { Setup } from '../setup.ts';
import { readyPage } from './ready.ts';

/** `ready [ADDRESS] { monitor until-ready|continuously }`. */
export const setupReady: Setup = (directives, context) => {
  const directive = single(directives);
  const [address = ':8181'] = expectArgs(directive, 0, 1);
  if (!parseHostPort(address)) refuse(directive, `ready: not an address with a port: ${address}`);
  let continuously = false;
  readBlock(directive, {
    monitor(line) {
      const [mode] = expectArgs(line, 1);
      if (mode !== 'until-ready' && mode !== 'continuously')
        refuse(line, `monitor must be until-ready or continuously: ${mode}`);
      continuously = mode === 'continuously';
    },
  });
  addPage(context.wishes, address, '/ready', readyPage({ ...context, continuously }));
  return undefined;
};
