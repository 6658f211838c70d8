/** What kind of response a message is, as the `log` and `errors` plugins sort them. */
import { decodeMessage } from '../wire/decode.ts';
import { rcode, recordType } from '../wire/numbers.ts';

export type ResponseClass = 'success' | 'denial' | 'error';

/** By the first bytes; a NOERROR response without answers is a denial when it carries a SOA record. */
export function classOf(response: Uint8Array): ResponseClass {
  const code = response[3]! & 15;
  if (code === rcode.NXDOMAIN) return 'denial';
  if (code !== rcode.NOERROR) return 'error';
  const answers = (response[6]! << 8) | response[7]!;
  if (answers > 0) return 'success';
  const authority = (response[8]! << 8) | response[9]!;
  if (authority === 0) return 'success';
  const decoded = decodeMessage(response);
  return decoded.ok && decoded.value.authority.some(({ type }) => type === recordType.SOA) ? 'denial' : 'success';
}
