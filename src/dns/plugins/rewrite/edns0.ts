/** `rewrite edns0 ...`: options added to queries, replaced or taken away. */

import { parseIp } from '../../../base/ip.ts';
import type { Line } from '../../corefile/types.ts';
import { integer, refuse } from '../../corefile/values.ts';
import { addressBytes } from '../../wire/address.ts';
import type { Edns, EdnsOption } from '../../wire/message.ts';
import { ednsOption, typeName } from '../../wire/numbers.ts';
import { ownUdpSize } from '../../wire/query.ts';
import { changed, type ResponseChange, type Rewriting, type Rule } from './rule.ts';

const actions = ['append', 'replace', 'set', 'unset'] as const;
type Action = (typeof actions)[number];

/** Bytes of the option for a query; undefined when there are none. */
type Value = (state: Rewriting) => Uint8Array | undefined;

const textBytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const portBytes = (port: number): Uint8Array => Buffer.from([port >> 8, port & 0xff]);
const plain = (address: string | undefined) => address && addressBytes(address.replace(/%.*$/, ''));

const variables: Readonly<Record<string, Value>> = {
  '{qname}': ({ name }) => textBytes(name),
  '{qtype}': ({ query }) => textBytes(typeName(query.type)),
  '{client_ip}': ({ context }) => plain(context.client.address) || undefined,
  '{client_port}': ({ context }) => portBytes(context.client.port),
  '{protocol}': ({ context }) => textBytes(context.client.protocol === 'udp' ? 'udp' : 'tcp'),
  '{server_ip}': ({ context }) => plain(context.client.local?.address) || undefined,
  '{server_port}': ({ context }) => context.client.local && portBytes(context.client.local.port),
};

function localValue(line: Line, text: string): Value {
  const variable = Object.hasOwn(variables, text) ? variables[text] : undefined;
  if (variable) return variable;
  const meta = /^\{([^{}]+\/[^{}]+)\}$/.exec(text);
  if (meta)
    return ({ context }) => {
      const value = context.metadata?.get(meta[1]!)?.();
      return value ? textBytes(value) : undefined;
    };
  if (/^\{.*\}$/.test(text)) refuse(line, `unsupported variable name: ${text}`);
  if (!text.startsWith('0x')) return () => textBytes(text);
  const hex = text.slice(2);
  if (!/^([0-9a-f]{2})*$/i.test(hex)) refuse(line, `invalid hexadecimal data: ${text}`);
  return () => Buffer.from(hex, 'hex');
}

/** The client's network, cut to so many bits (RFC 7871 section 6). */
function subnetValue(line: Line, v4: string, v6: string): Value {
  const bits = { 4: integer(line, v4, 0, 32), 6: integer(line, v6, 0, 128) };
  return ({ context }) => {
    const address = parseIp(context.client.address.replace(/%.*$/, ''));
    if (!address) return undefined;
    const length = bits[address.version];
    const bytes = address.bytes.slice(0, Math.ceil(length / 8));
    if (length % 8) bytes[bytes.length - 1] = bytes.at(-1)! & (0xff << (8 - (length % 8)));
    return Buffer.from([0, address.version === 4 ? 1 : 2, length, 0, ...bytes]);
  };
}

interface Parsed {
  readonly code: number;
  readonly value: Value;
}

function optionCode(line: Line, text: string): number {
  const code = /^0x[0-9a-f]+$/i.test(text) ? Number(text) : integer(line, text, 0, 0xffff);
  return code <= 0xffff ? code : refuse(line, `not an option code: ${text}`);
}

function readOption(line: Line, kind: string, action: Action, words: readonly string[]): Parsed {
  const wanted = (count: number) => {
    if (words.length !== count)
      refuse(line, `edns0 ${kind} ${action} takes ${count} more arguments, not ${words.length}`);
  };
  if (kind === 'nsid') {
    wanted(0);
    return { code: ednsOption.NSID, value: () => new Uint8Array(0) };
  }
  if (kind === 'local') {
    wanted(action === 'unset' ? 1 : 2);
    return { code: optionCode(line, words[0]!), value: localValue(line, words[1] ?? '') };
  }
  if (kind !== 'subnet') refuse(line, `invalid rule type "${kind}": expected local, nsid or subnet`);
  wanted(action === 'unset' ? 0 : 2);
  return {
    code: ednsOption.CLIENT_SUBNET,
    value: action === 'unset' ? () => undefined : subnetValue(line, words[0]!, words[1]!),
  };
}

/** `words`: `local|nsid|subnet append|replace|set|unset ... [revert]`. */
export function readEdns0Rule(line: Line, words: readonly string[]): Rule {
  const kind = words[0]?.toLowerCase() ?? '';
  const action = actions.find((known) => known === words[1]?.toLowerCase());
  if (!action) refuse(line, `invalid edns0 action: "${words[1] ?? ''}"`);
  const revert = action !== 'unset' && words.length > 2 && words.at(-1) === 'revert';
  const { code, value } = readOption(line, kind, action, words.slice(2, revert ? -1 : undefined));

  return (state) => {
    const edns: Edns = state.query.edns ?? { udpSize: ownUdpSize, version: 0, dnssecOk: false, options: [] };
    const before = edns.options.find((option) => option.code === code);
    const others = edns.options.filter((option) => option !== before);
    if (action === 'unset') return rewritten(state, edns, others, []);
    if ((action === 'replace' && !before) || (action === 'append' && before)) return undefined;
    const data = value(state);
    if (!data) return undefined;
    const back: ResponseChange = {
      answer: (answer) => ({
        ...answer,
        options: (answer.options ?? []).flatMap((option) => (option.code !== code ? [option] : before ? [before] : [])),
      }),
    };
    return rewritten(state, edns, [...others, { code, data }], revert ? [back] : []);
  };
}

function rewritten(state: Rewriting, edns: Edns, options: readonly EdnsOption[], changes: readonly ResponseChange[]) {
  const query = changed(state.query, { edns: { ...edns, options } });
  return query && { query, changes };
}
