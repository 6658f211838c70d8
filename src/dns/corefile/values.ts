/** Values in a Corefile's lines: each reader returns the value or refuses the line with its place. */

import { closestTo } from '../../base/closest.ts';
import { parseIp } from '../../base/ip.ts';
import { foldCase, parseName } from '../wire/name.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import type { Directive, Line, Position } from './types.ts';

/** Why a directive cannot be set up. Setups throw it; `compileBlock` makes it a value. */
export class DirectiveError extends Error {
  readonly position: Position;

  constructor(message: string, position: Position) {
    super(message);
    this.position = position;
  }
}

export function refuse(line: { readonly position: Position }, message: string): never {
  throw new DirectiveError(message, line.position);
}

/** The only directive of its name; a second one is refused. */
export function single(directives: readonly Directive[]): Directive {
  if (directives.length > 1) refuse(directives[1]!, `${directives[1]!.name} may be used only once in a server block`);
  return directives[0]!;
}

/** Refuses a line with another number of arguments. `most` may be Infinity. */
export function expectArgs(line: Line, least: number, most = least): readonly string[] {
  const { length } = line.args;
  const wanted = most === least ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
  if (length < least || length > most)
    refuse(line, `wrong argument count for ${line.name}: ${length}, expected ${wanted}`);
  return line.args;
}

export type Properties = Readonly<Record<string, (line: Line) => void>>;

/** Hands each line of a block to the reader of its name; other names are refused. */
export function readBlock(directive: Line, properties: Properties): void {
  for (const line of directive.block ?? []) {
    const read = Object.hasOwn(properties, line.name) ? properties[line.name] : undefined;
    if (!read) {
      const near = closestTo(line.name, Object.keys(properties));
      refuse(line, `unknown property '${line.name}' of ${directive.name}${near ? `; did you mean '${near}'?` : ''}`);
    }
    read(line);
  }
}

export function noBlock(directive: Line): void {
  if (directive.block?.length) refuse(directive.block[0]!, `${directive.name} takes no block`);
}

/** A whole number within bounds. */
export function integer(line: Line, text: string | undefined, least: number, most = Number.MAX_SAFE_INTEGER): number {
  if (text === undefined || !/^[+-]?\d+$/.test(text)) refuse(line, `${line.name}: not a whole number: '${text ?? ''}'`);
  const value = Number(text);
  if (value < least || value > most) refuse(line, `${line.name} must be in range [${least}, ${most}]: ${text}`);
  return value;
}

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a Go duration (`1h30m`, `2.5s`, `-3ms`, `0`); undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  const whole = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text);
  if (!whole) return undefined;
  let total = 0;
  for (const [, number, unit] of whole[2]!.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g))
    total += Number(number) * unitMs[unit!]!;
  return whole[1] === '-' ? -total : total;
}

/** Milliseconds of a duration of at least `least`. */
export function duration(line: Line, text: string | undefined, least = 0): number {
  const value = parseDuration(text ?? '');
  if (value === undefined) refuse(line, `${line.name}: not a duration: '${text ?? ''}' (such as 30s or 1m30s)`);
  if (value < least) refuse(line, `${line.name}: ${text} is less than ${least / 1000}s`);
  return value;
}

/** A duration where a bare number means seconds, as older Corefiles have it. */
export function durationOrSeconds(line: Line, text: string | undefined, least = 0): number {
  return duration(line, text !== undefined && /^\d+$/.test(text) ? `${text}s` : text, least);
}

/** A zone in canonical form: lower case, with its dot. */
export function zoneName(line: Line, text: string): string {
  const labels = parseName(text);
  if (!labels) refuse(line, `${line.name}: not a domain name: '${text}'`);
  return text.endsWith('.') ? foldCase(text) : `${foldCase(text)}.`;
}

/** Longest regular expression, characters. */
const maxPattern = 10_000;

export function regExp(line: Line, text: string): Pattern {
  if (text.length > maxPattern)
    refuse(line, `${line.name}: regular expression too long: ${text.length} > ${maxPattern}`);
  const compiled = compilePattern(text);
  return compiled.ok ? compiled.value : refuse(line, `${line.name}: ${compiled.error}`);
}

/** An IP network; `bits` of `bytes` count. */
export interface Network {
  readonly bytes: readonly number[];
  readonly bits: number;
}

/** `10.0.0.0/8`, or one address; undefined for anything else. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', prefix, more] = text.split('/');
  const ip = parseIp(address);
  if (!ip || more !== undefined || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) return undefined;
  const most = ip.bytes.length * 8;
  const bits = prefix === undefined ? most : Number(prefix);
  return bits <= most ? { bytes: ip.bytes, bits } : undefined;
}

export function contains(network: Network, bytes: readonly number[]): boolean {
  if (bytes.length !== network.bytes.length) return false;
  const whole = network.bits >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== network.bytes[i]) return false;
  const rest = network.bits & 7;
  return rest === 0 || (((bytes[whole]! ^ network.bytes[whole]!) >> (8 - rest)) & 0xff) === 0;
}
