import { isIP } from 'node:net';
import type { Directive, Line } from '../../corefile/types.ts';
import { expectArgs, readBlock, refuse } from '../../corefile/values.ts';
import { parseHostPort } from '../../server/addresses.ts';
import { canonicalAddress } from '../../wire/address.ts';
import type { Setup, SetupContext } from '../setup.ts';
import { zonesOr } from '../zones.ts';
import { createTransfer, type TransferRule } from './transfer.ts';

const defaultPort = 53;

/** `192.0.2.1`, `2001:db8::1`, `192.0.2.1:5300`, `[2001:db8::1]:5300`. */
function secondary(line: Line, text: string): { host: string; port: number } {
  const bare = canonicalAddress(text.replace(/^\[(.*)\]$/, '$1'));
  if (bare) return { host: bare, port: defaultPort };
  const pair = parseHostPort(text);
  const host = pair && canonicalAddress(pair.host);
  return host && pair.port > 0 ? { host, port: pair.port } : refuse(line, `transfer: not an IP address: '${text}'`);
}

function ruleOf(directive: Directive, context: SetupContext): TransferRule {
  const zones = zonesOr(directive, directive.args, context.zones);
  const words: string[] = [];
  const notify: TransferRule['notify'][number][] = [];
  let source: string | undefined;
  readBlock(directive, {
    to(line) {
      words.push(...expectArgs(line, 1, Infinity));
      notify.push(...line.args.filter((word) => word !== '*').map((word) => secondary(line, word)));
    },
    source(line) {
      const [text = ''] = expectArgs(line, 1);
      if (source !== undefined) refuse(line, 'transfer: source already specified');
      source = canonicalAddress(text) ?? refuse(line, `transfer: invalid source address '${text}'`);
    },
  });
  if (words.length === 0) refuse(directive, "transfer: 'to' is required");
  const other = source === undefined ? undefined : notify.find(({ host }) => isIP(host) !== isIP(source!));
  if (other) context.log('warning', `NOTIFY cannot go from ${source} to ${other.host}, an address of the other family`);
  const clients = new Set(notify.map(({ host }) => host));
  return { zones, everyone: words.includes('*'), clients, notify, ...(source !== undefined && { source }) };
}

/** `transfer [ZONES...] { to ADDRESS... | *; source ADDRESS }`, any number of times. */
export const setupTransfer: Setup = (directives, context) =>
  createTransfer({
    rules: directives.map((directive) => ruleOf(directive, context)),
    plugins: () => context.pluginNames().flatMap((name) => context.plugin(name) ?? []),
    log: context.log,
    ...(context.shared.speaks && { speaks: context.shared.speaks }),
    holdMs: context.settings.limits.writeTimeoutMs ?? 5000,
  });
