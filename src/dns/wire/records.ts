/** Short ways to make the records that Fairway itself serves; all of class IN. */
import { addressBytes, addressText } from './address.ts';
import type { RecordData, ResourceRecord } from './message.ts';
import { recordClass, recordType, typeName } from './numbers.ts';
import { genericText, opaqueText, quoted } from './opaque-text.ts';

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
  return `${record.name} ${record.ttl} ${typeName(record.type)} ${dataText(record.data, record.type)}`.trimEnd();
}

const dataTexts: { [K in RecordData['kind']]: (data: Extract<RecordData, { kind: K }>) => string } = {
  address: (data) => addressText(addressBytes(data.address)!),
  name: (data) => data.target,
  soa: (d) => [d.primary, d.mailbox, d.serial, d.refresh, d.retry, d.expire, d.minimum].join(' '),
  mx: (data) => `${data.preference} ${data.exchange}`,
  txt: (data) => data.strings.map(quoted).join(' '),
  srv: (data) => `${data.priority} ${data.weight} ${data.port} ${data.target}`,
  opaque: (data) => genericText(data.bytes),
};

/**
 * The data of a record in presentation form (RFC 1035 section 5.1). `type` gives data that stays bytes the form of its
 * type; without it, and for unknown types, it has that of RFC 3597 section 5.
 */
export function dataText(data: RecordData, type?: number): string {
  if (data.kind === 'opaque' && type !== undefined) return opaqueText(type, data.bytes);
  return (dataTexts[data.kind] as (data: RecordData) => string)(data);
}
