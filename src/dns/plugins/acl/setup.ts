import type { Line } from '../../corefile/types.ts';
import { contains, type Network, parseNetwork, readBlock, refuse } from '../../corefile/values.ts';
import { typeNumber } from '../../wire/numbers.ts';
import type { Setup } from '../setup.ts';
import { createZoneMatcher, zonesOr } from '../zones.ts';
import { type AclAction, type AclPolicy, createAcl } from './acl.ts';

const everything: readonly string[] = ['0.0.0.0/0', '::/0'];

/** `[type TYPES...] [net SOURCES...]`: both sections may be missing, and start with their word. */
function readPolicy(action: AclAction, line: Line): AclPolicy {
  const sections: Record<string, string[]> = {};
  let words: string[] | undefined;
  for (const word of line.args) {
    if (word === 'type' || word === 'net') {
      if (sections[word]) refuse(line, `acl: '${word}' may stand only once in a line`);
      words = [];
      sections[word] = words;
    } else if (words) words.push(word);
    else refuse(line, `acl: unexpected token '${word}'; expected 'type' or 'net'`);
  }
  for (const [name, found] of Object.entries(sections))
    if (found.length === 0) refuse(line, `acl: no values behind '${name}'`);
  const types = sections['type'] ?? ['*'];
  const numbers = types.includes('*')
    ? undefined
    : new Set(types.map((type) => typeNumber(type) ?? refuse(line, `acl: invalid RR type: ${type}`)));
  const sources = (sections['net'] ?? ['*']).flatMap((word) => (word === '*' ? everything : [word]));
  const networks: Network[] = sources.map(
    (source) => parseNetwork(source) ?? refuse(line, `acl: illegal CIDR notation: ${source}`),
  );
  return {
    action,
    accepts: (type, source) => (!numbers || numbers.has(type)) && networks.some((net) => contains(net, source)),
  };
}

/** `acl [ZONES...] { allow|block|filter|drop [type TYPES...] [net SOURCES...] }`, any number of times. */
export const setupAcl: Setup = (directives, context) => {
  const rules = directives.map((directive) => {
    const zones = zonesOr(directive, directive.args, context.zones);
    const policies: AclPolicy[] = [];
    const add = (action: AclAction) => (line: Line) => void policies.push(readPolicy(action, line));
    readBlock(directive, { allow: add('allow'), block: add('block'), filter: add('filter'), drop: add('drop') });
    return { inZone: createZoneMatcher(zones), policies };
  });
  return createAcl(rules, context.shared.metrics);
};
