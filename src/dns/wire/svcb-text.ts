/** Text forms of SVCB and HTTPS records (RFC 9460 section 2.1, appendix A), which stay bytes. */
import { addressBytes } from './address.ts';
import type { RecordData } from './message.ts';
import { type Fields, opaque, stringBytes, uint, type Word, Wrong } from './text-fields.ts';

/** A character string of this many bytes, one character for each. */
type Value = string | undefined;

const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** Parts between commas; `\,` and `\\` are no separators (RFC 9460 appendix A.1). */
function listOf(value: Value, key: string): string[] {
  if (!value) throw new Wrong(`${key} needs a value`);
  const parts = [''];
  for (let i = 0; i < value.length; i++) {
    if (value[i] === ',') parts.push('');
    else parts[parts.length - 1] += value[i] === '\\' ? (value[++i] ?? '') : value[i]!;
  }
  if (parts.some((part) => part === '')) throw new Wrong(`${key} has an empty part`);
  return parts;
}

function nothing(value: Value, key: string): Buffer {
  if (value) throw new Wrong(`${key} has no value`);
  return Buffer.alloc(0);
}

function protocols(value: Value, key: string): Buffer {
  return Buffer.concat(
    listOf(value, key).map((id) => {
      if (id.length > 255) throw new Wrong(`${key}: longer than 255 bytes`);
      return Buffer.concat([uint(1, id.length), latin1(id)]);
    }),
  );
}

function addresses(bytes: 4 | 16): (value: Value, key: string) => Buffer {
  return (value, key) =>
    Buffer.concat(
      listOf(value, key).map((text) => {
        const address = addressBytes(text);
        if (address?.length !== bytes) throw new Wrong(`${key}: not such an address: ${text}`);
        return address;
      }),
    );
}

function port(value: Value, key: string): Buffer {
  if (!/^\d{1,5}$/.test(value ?? '') || Number(value) > 0xffff) throw new Wrong(`${key}: not a port: ${value ?? ''}`);
  return uint(2, Number(value));
}

function mandatory(value: Value, key: string): Buffer {
  const keys = listOf(value, key).map(keyNumber);
  if (new Set(keys).size < keys.length || keys.includes(0)) throw new Wrong(`${key}: not a list of other keys`);
  return uint(2, ...keys.sort((a, b) => a - b));
}

function base64(value: Value, key: string): Buffer {
  if (!value || !/^[a-z0-9+/]+={0,2}$/i.test(value)) throw new Wrong(`${key}: not base64`);
  return Buffer.from(value, 'base64');
}

/** In the order of their numbers (IANA "Service Parameter Keys"). */
const keys: readonly (readonly [string, (value: Value, key: string) => Buffer])[] = [
  ['mandatory', mandatory],
  ['alpn', protocols],
  ['no-default-alpn', nothing],
  ['port', port],
  ['ipv4hint', addresses(4)],
  ['ech', base64],
  ['ipv6hint', addresses(16)],
  ['dohpath', (value) => latin1(value ?? '')],
  ['ohttp', nothing],
];

function keyNumber(text: string): number {
  const known = keys.findIndex(([name]) => name === text);
  if (known >= 0) return known;
  const number = /^key(0|[1-9]\d{0,4})$/.exec(text);
  if (!number || Number(number[1]) > 0xfffe) throw new Wrong(`not a service parameter: ${text}`);
  return Number(number[1]);
}

/** `key`, `key=value` and `key="value"`; the last one may come as two words. */
function parametersOf(words: readonly Word[]): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let i = 0; i < words.length; i++) {
    const { text } = words[i]!;
    const equals = text.indexOf('=');
    const key = equals < 0 ? text : text.slice(0, equals);
    const split = equals === text.length - 1 && words[i + 1]?.quoted === true;
    const value = equals < 0 ? undefined : stringBytes(split ? words[++i]!.text : text.slice(equals + 1));
    const number = keyNumber(key);
    if (found.has(number)) throw new Wrong(`${key} stands there twice`);
    // A key by its number has any bytes (RFC 9460 section 2.1).
    const write = key.startsWith('key') ? undefined : keys[number]?.[1];
    found.set(number, write ? write(value, key) : latin1(value ?? ''));
  }
  return found;
}

function checked(parameters: Map<number, Buffer>): Map<number, Buffer> {
  const wanted = parameters.get(0) ?? Buffer.alloc(0);
  for (let at = 0; at + 1 < wanted.length; at += 2)
    if (!parameters.has(wanted.readUInt16BE(at))) throw new Wrong('a mandatory parameter is missing');
  if (parameters.has(2) && !parameters.has(1)) throw new Wrong('no-default-alpn needs alpn');
  return parameters;
}

export function readServiceBinding(f: Fields): RecordData {
  const parameters = [...checked(parametersOf(f.words.slice(2)))].sort(([a], [b]) => a - b);
  return opaque(
    uint(2, f.number(0, 0xffff)),
    f.nameBytes(1),
    ...parameters.flatMap(([key, value]) => {
      if (value.length > 0xffff) throw new Wrong('a service parameter is too long');
      return [uint(2, key, value.length), value];
    }),
  );
}
