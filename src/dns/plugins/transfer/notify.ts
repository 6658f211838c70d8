/** Tells secondary servers that a zone changed (RFC 1996), until they say that they heard it. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import { encodeMessage } from '../../wire/encode.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import { opcode, rcode, rcodeName, recordClass, recordType } from '../../wire/numbers.ts';

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
function sendOnce(options: NotifyOptions): Promise<string | undefined> {
  const { to, source, timeoutMs = 2000, signal } = options;
  const id = randomInt(0x10000);
  return new Promise((resolve) => {
    const socket = createSocket(isIP(to.host) === 6 ? 'udp6' : 'udp4');
    let open = true;
    const finish = (outcome: string | undefined) => {
      if (!open) return;
      open = false;
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      socket.close();
      resolve(outcome);
    };
    const stop = () => finish('stopped');
    const timer = setTimeout(() => finish(`no answer in ${timeoutMs} ms`), timeoutMs);
    signal?.addEventListener('abort', stop, { once: true });
    socket.on('error', (error) => finish(error.message));
    socket.on('message', (packet) => {
      if (answers(id, packet)) finish((packet[3]! & 15) === rcode.NOERROR ? undefined : rcodeName(packet[3]! & 15));
    });
    const send = () =>
      // Where there is no way to the address, the callback gets the error, which its type does not say.
      socket.connect(to.port, to.host, (error?: Error) => {
        if (error) finish(error.message);
        else if (open) socket.send(encodeNotify(id, options), (error) => error && finish(error.message));
      });
    if (source === undefined) send();
    else socket.bind({ address: source, port: 0 }, () => open && send());
  });
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
