/** The data of records in presentation form, by type: what stands behind the type in a zone file. */
import { addressBytes } from './address.ts';
import { readDnskey, readDs, readNsec, readRrsig } from './dnssec-text.ts';
import type { RecordData } from './message.ts';
import { recordType } from './numbers.ts';
import { readServiceBinding } from './svcb-text.ts';
import { type Fields, fieldsOf, opaque, stringBytes, uint, type Word, Wrong } from './text-fields.ts';

/** Largest data of a record, bytes: with names and header it still fits a message. */
export const maxDataSize = 64_000;

type DataReader = (fields: Fields) => RecordData;

function address(bytes: 4 | 16): DataReader {
  return ({ words }) => {
    const text = words[0]?.text ?? '';
    if (addressBytes(text)?.length !== bytes) throw new Wrong(`not an IPv${bytes === 4 ? 4 : 6} address: ${text}`);
    return { kind: 'address', address: text };
  };
}

const target: DataReader = (fields) => ({ kind: 'name', target: fields.name(0) });
const texts: DataReader = ({ words }) => ({ kind: 'txt', strings: words.map(({ text }) => stringBytes(text)) });

const soa: DataReader = (f) => ({
  ...{ kind: 'soa', primary: f.name(0), mailbox: f.name(1), serial: f.number(2, 0xffffffff) },
  ...{ refresh: f.seconds(3), retry: f.seconds(4), expire: f.seconds(5), minimum: f.seconds(6) },
});

const srv: DataReader = (f) => ({
  ...{ kind: 'srv', priority: f.number(0, 0xffff), weight: f.number(1, 0xffff) },
  ...{ port: f.number(2, 0xffff), target: f.name(3) },
});

/** RFC 3403 section 4.1. */
const naptr: DataReader = (f) =>
  opaque(uint(2, f.number(0, 0xffff), f.number(1, 0xffff)), f.string(2), f.string(3), f.string(4), f.nameBytes(5));

/** RFC 8659 section 4.1. */
const caa: DataReader = (f) =>
  opaque(uint(1, f.number(0, 0xff)), f.string(1), Buffer.from(stringBytes(f.words[2]!.text), 'latin1'));

/** How many words a type has (a range when it differs), and how they are read. */
const readers: ReadonlyMap<number, { least: number; most: number; read: DataReader }> = new Map(
  (
    [
      [recordType.A, 1, 1, address(4)],
      [recordType.AAAA, 1, 1, address(16)],
      [recordType.CNAME, 1, 1, target],
      [recordType.NS, 1, 1, target],
      [recordType.PTR, 1, 1, target],
      // Its target is never compressed (RFC 6672 section 2.5).
      [recordType.DNAME, 1, 1, (f: Fields) => opaque(f.nameBytes(0))],
      [recordType.MX, 2, 2, (f: Fields) => ({ kind: 'mx', preference: f.number(0, 0xffff), exchange: f.name(1) })],
      [recordType.SRV, 4, 4, srv],
      [recordType.SOA, 7, 7, soa],
      [recordType.TXT, 1, Infinity, texts],
      [recordType.HINFO, 2, 2, (f: Fields) => opaque(f.string(0), f.string(1))],
      [recordType.NAPTR, 6, 6, naptr],
      [recordType.CAA, 3, 3, caa],
      [
        recordType.SSHFP,
        3,
        Infinity,
        (f: Fields) => opaque(uint(1, f.number(0, 255), f.number(1, 255)), f.bytes(2, 'hex')),
      ],
      [
        recordType.TLSA,
        4,
        Infinity,
        (f: Fields) => opaque(uint(1, f.number(0, 255), f.number(1, 255), f.number(2, 255)), f.bytes(3, 'hex')),
      ],
      [recordType.DS, 4, Infinity, readDs],
      [recordType.CDS, 4, Infinity, readDs],
      [recordType.DNSKEY, 4, Infinity, readDnskey],
      [recordType.CDNSKEY, 4, Infinity, readDnskey],
      [recordType.RRSIG, 9, Infinity, readRrsig],
      [recordType.NSEC, 1, Infinity, readNsec],
      [recordType.SVCB, 2, Infinity, readServiceBinding],
      [recordType.HTTPS, 2, Infinity, readServiceBinding],
    ] as [number, number, number, DataReader][]
  ).map(([type, least, most, read]) => [type, { least, most, read }]),
);

/** `\# LENGTH HEX...`, which every type may have (RFC 3597 section 5). */
function readGeneric(words: readonly Word[]): Buffer {
  const bytes = fieldsOf(words, '.').bytes(2, 'hex');
  if (bytes.length !== Number(words[1]?.text)) throw new Wrong('the length does not fit the data');
  return bytes;
}

function sizeOf(data: RecordData): number {
  if (data.kind === 'opaque') return data.bytes.length;
  if (data.kind !== 'txt') return 0;
  return data.strings.reduce((sum, text) => sum + text.length + Math.ceil(text.length / 255) + 1, 0);
}

/** Reads the words behind a type. `typeText` is for errors, which are thrown as `Wrong`. */
export function readData(type: number, typeText: string, words: readonly Word[], origin: string): RecordData {
  const data = words[0]?.text === '\\#' ? opaque(readGeneric(words)) : readKnown(type, typeText, words, origin);
  if (sizeOf(data) > maxDataSize) throw new Wrong(`the data is larger than ${maxDataSize} bytes`);
  return data;
}

function readKnown(type: number, typeText: string, words: readonly Word[], origin: string): RecordData {
  const reader = readers.get(type);
  if (!reader) throw new Wrong(`the type ${typeText} has no text form here; write \\# LENGTH HEX`);
  const { least, most, read } = reader;
  if (words.length < least || words.length > most)
    throw new Wrong(`${typeText} takes ${least === most ? least : `at least ${least}`} fields, not ${words.length}`);
  return read(fieldsOf(words, origin));
}
