import type { Directive } from '../../corefile/types.ts';
import { expectArgs, integer, readBlock, refuse, single } from '../../corefile/values.ts';
import { credentialLines, type WritableAccess } from '../credential-lines.ts';
import type { Setup } from '../setup.ts';
import { createZoneMatcher, zonesOr } from '../zones.ts';
import { createAcme } from './acme.ts';

const defaultMap = 'fairway/fairway-acme-challenges';

interface Options {
  configMap: string;
  ttl: number;
  readonly access: WritableAccess;
}

function readOptions(directive: Directive): Options {
  const options: Options = { configMap: defaultMap, ttl: 1, access: {} };
  const { access } = options;
  readBlock(directive, {
    configmap(line) {
      const [name] = expectArgs(line, 1) as [string];
      if (!/^[a-z0-9][a-z0-9-]*\/[a-z0-9][a-z0-9.-]*$/.test(name))
        refuse(line, `configmap expects NAMESPACE/NAME: ${name}`);
      options.configMap = name;
    },
    ttl: (line) => (options.ttl = integer(line, expectArgs(line, 1)[0], 0, 3600)),
    endpoint: (line) => (access.endpoint = expectArgs(line, 1)[0]!),
    ...credentialLines(access),
  });
  return options;
}

/** `acme [ZONES...] { ... }`. */
export const setupAcme: Setup = (directives, context) => {
  const directive = single(directives);
  const { configMap, ttl, access } = readOptions(directive);
  const zoneOf = createZoneMatcher(zonesOr(directive, directive.args, context.zones));
  const source = context.shared.openObjects({ ...access, configMap });
  if ('error' in source) refuse(directive, `acme: ${source.error}`);
  const { store, synced, close } = source;
  return {
    ...createAcme({ store, configMap, ttl, covers: (key) => zoneOf(key) !== undefined }),
    ready: synced,
    close,
  };
};
