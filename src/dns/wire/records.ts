/** Short ways to make the records that Fairway itself serves; all of class IN. */
import { addressBytes, addressText } from './address.ts';
import type { RecordData, ResourceRecord } from './message.ts';
import { recordClass, recordType, typeName } from './numbers.ts';

export function makeRecord(name: string, type: number, ttl: number, data: RecordData): ResourceRecord {
  return { name, type, class: recordClass.IN, ttl, data };
}

/** A or AAAA, by the family of the address. */
export function addressRecord(name: string, ttl: number, address: string): ResourceRecord {
  return makeRecord(name, familyType(address), ttl, { kind: 'address', address });
}

/** The record type that carries an address. */
export function familyType(address: string): number {
  return address.includes(':') ? recordType.AAAA : recordType.A;
}

export function targetRecord(name: string, type: 2 | 5 | 12, ttl: number, target: string): ResourceRecord {
  return makeRecord(name, type, ttl, { kind: 'name', target });
}

/** One line in the form of a zone file, for people and for comparisons in tests. */
export function recordText(record: ResourceRecord): string {
  return `${record.name} ${record.ttl} ${typeName(record.type)} ${dataText(record.data)}`;
}

const dataTexts: { [K in RecordData['kind']]: (data: Extract<RecordData, { kind: K }>) => string } = {
  address: (data) => addressText(addressBytes(data.address)!),
  name: (data) => data.target,
  soa: (d) => [d.primary, d.mailbox, d.serial, d.refresh, d.retry, d.expire, d.minimum].join(' '),
  mx: (data) => `${data.preference} ${data.exchange}`,
  txt: (data) => data.strings.map((text) => JSON.stringify(text)).join(' '),
  srv: (data) => `${data.priority} ${data.weight} ${data.port} ${data.target}`,
  opaque: (data) => `\\# ${data.bytes.length} ${Buffer.from(data.bytes).toString('hex')}`.trimEnd(),
};

/** The data of a record in presentation form (RFC 1035 section 5.1; RFC 3597 section 5 for unknown types). */
export function dataText(data: RecordData): string {
  return (dataTexts[data.kind] as (data: RecordData) => string)(data);
}
