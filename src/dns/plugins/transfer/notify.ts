/** Tells secondary servers that a zone changed (RFC 1996), until they say that they heard it. */
import { randomInt } from 'node:crypto';
import { encodeMessage } from '../../wire/encode.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { opcode, rcode, rcodeName, recordClass, recordType } from '../../wire/numbers.ts';
import { sendUdp } from '../forward/exchange.ts';

export interface NotifyOptions {
  /** Canonical. */
  readonly zone: string;
  /** Tells the secondary which serial there is (RFC 1996 section 3.7). */
  readonly soa: ResourceRecord;
  readonly to: { readonly host: string; readonly port: number };
  /** Address of ours to send from. */
  readonly source?: string;
  /** How often it is sent before it is given up. Default 3. */
  readonly attempts?: number;
  /** How long to wait for each answer, ms. Default 2,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

function encodeNotify(id: number, { zone, soa }: NotifyOptions): Uint8Array {
  return encodeMessage({
    ...{ id, response: false, opcode: opcode.NOTIFY, authoritative: true, truncated: false, rcode: rcode.NOERROR },
    ...{ recursionDesired: false, recursionAvailable: false, authenticData: false, checkingDisabled: false },
    ...{ questions: [{ name: zone, type: recordType.SOA, class: recordClass.IN }], answers: [soa] },
    ...{ authority: [], additional: [] },
  });
}

/** A response to NOTIFY with the id of what was sent. */
function answers(id: number, packet: Buffer): boolean {
  return packet.length >= 12 && packet.readUInt16BE(0) === id && (packet[2]! & 0xf8) === (0x80 | (opcode.NOTIFY << 3));
}

/** Sends once; undefined when the secondary heard it, else what happened instead. */
async function sendOnce(options: NotifyOptions): Promise<string | undefined> {
  const { to, source, timeoutMs = 2000, signal } = options;
  const id = randomInt(0x10000);
  const packet = encodeNotify(id, options);
  const answer = await sendUdp(
    packet,
    { address: to.host, port: to.port },
    {
      ...{ timeoutMs, accepts: (received) => answers(id, received) },
      ...(signal && { signal }),
      ...(source !== undefined && { localAddress: source }),
    },
  );
  if (!answer.ok) return answer.error;
  const code = answer.value[3]! & 15;
  return code === rcode.NOERROR ? undefined : rcodeName(code);
}

/** Sends until it is heard; undefined when it was, else why not. Never rejects. */
export async function notify(options: NotifyOptions): Promise<string | undefined> {
  let outcome: string | undefined;
  for (let i = 0; i < (options.attempts ?? 3) && !options.signal?.aborted; i++) {
    outcome = await sendOnce(options);
    if (outcome === undefined) return undefined;
  }
  return outcome ?? 'stopped';
}
