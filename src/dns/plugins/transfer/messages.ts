/** The messages of a zone transfer (RFC 5936 section 2.2): as many records in each as fit, names compressed. */
import { encodeMessage, maxMessageSize } from '../../wire/encode.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { rcode } from '../../wire/numbers.ts';
import type { Query } from '../../wire/query.ts';
import { emptyAnswer, responseMessage } from '../../wire/response.ts';

/** Size that messages are filled up to, bytes: what pointers of compressed names can reach (RFC 1035 section 4.1.4). */
const messageSize = 16_384;

/** Records offered to one message; none that has this many is smaller than a message. */
const window = 1024;

interface Filled {
  readonly bytes: Uint8Array;
  readonly records: number;
}

function fill(query: Query, records: readonly ResourceRecord[], limit: number): Filled {
  const answer = { ...emptyAnswer(rcode.NOERROR), authoritative: true, answers: records };
  const bytes = encodeMessage(responseMessage(query, answer, false), limit);
  // Records are missing because they come in the next message.
  bytes[2]! &= ~0x02;
  return { bytes, records: (bytes[6]! << 8) | bytes[7]! };
}

/** Encodes records as they are taken: what was not read yet takes no memory here. */
export function* transferMessages(query: Query, records: Iterable<ResourceRecord>): Generator<Uint8Array> {
  let waiting: ResourceRecord[] = [];
  function next(): Uint8Array {
    const small = fill(query, waiting, messageSize);
    // One record may need more than the usual size.
    const { bytes, records: sent } = small.records > 0 ? small : fill(query, waiting.slice(0, 1), maxMessageSize);
    waiting = waiting.slice(Math.max(1, sent));
    return bytes;
  }
  for (const record of records) {
    waiting.push(record);
    if (waiting.length >= window) yield next();
  }
  while (waiting.length > 0) yield next();
}
