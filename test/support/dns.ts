/** Questions to a DNS server over UDP, with dns-packet as the independent reader of the answers. */
import { createSocket } from 'node:dgram';
import packet, { type Answer, type RecordType } from 'dns-packet';

export interface DnsReply {
  readonly rcode: string;
  readonly answers: readonly Answer[];
  /** Data of the answers of one type, as text. */
  data(type: RecordType): string[];
}

export function askDns(
  server: { address: string; port: number },
  name: string,
  type: RecordType = 'A',
): Promise<DnsReply> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const timer = setTimeout(() => {
      socket.close();
      reject(new Error(`no answer for ${name} ${type}`));
    }, 3000);
    socket.on('error', reject);
    socket.on('message', (reply) => {
      clearTimeout(timer);
      socket.close();
      const decoded = packet.decode(reply) as ReturnType<typeof packet.decode> & { rcode: string };
      const answers = decoded.answers ?? [];
      resolve({
        rcode: decoded.rcode,
        answers,
        data: (wanted) =>
          answers.flatMap((answer) => (answer.type === wanted && 'data' in answer ? [text(answer.data)] : [])),
      });
    });
    socket.send(
      packet.encode({ type: 'query', id: 4711, flags: packet.RECURSION_DESIRED, questions: [{ type, name }] }),
      server.port,
      server.address,
    );
  });
}

function text(data: unknown): string {
  if (typeof data === 'string') return data;
  if (Array.isArray(data)) return data.map(String).join('');
  const { target, port } = data as { target?: string; port?: number };
  return target === undefined ? JSON.stringify(data) : `${target}:${port}`;
}
