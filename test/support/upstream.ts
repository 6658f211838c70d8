/** The resolver of the host, for tests of what is forwarded; dns-packet reads and writes its messages. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import packet, { type Packet } from 'dns-packet';

/**
 * Answers on port 53 of an address: www.example.org exists, big.example.org does not fit into UDP, broken.example.org
 * is a server failure, and any other name does not exist. `asked` is what it was asked, `UDP www.example.org A`.
 */
export async function startUpstream(listenAddress: string) {
  const asked: string[] = [];
  const address = (name: string, data: string) => ({ type: 'A', name, ttl: 60, data }) as const;
  function answer(query: Packet, transport: 'UDP' | 'TCP'): Buffer {
    const question = query.questions![0]!;
    asked.push(`${transport} ${question.name} ${question.type}`);
    const reply: Packet = { type: 'response', id: query.id ?? 0, questions: [question] };
    const flags = packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE;
    if (question.name === 'broken.example.org') return packet.encode({ ...reply, flags: flags | 2 });
    if (question.type !== 'A') return packet.encode({ ...reply, flags });
    if (question.name === 'www.example.org')
      return packet.encode({ ...reply, flags, answers: [address(question.name, '192.0.2.80')] });
    if (question.name !== 'big.example.org') return packet.encode({ ...reply, flags: flags | 3 });
    if (transport === 'UDP') return packet.encode({ ...reply, flags: flags | packet.TRUNCATED_RESPONSE });
    const answers = Array.from({ length: 200 }, (_, i) => address(question.name, `198.51.100.${i}`));
    return packet.encode({ ...reply, flags, answers });
  }

  const udp: Socket = createSocket('udp4');
  udp.on('message', (data, from) => udp.send(answer(packet.decode(data), 'UDP'), from.port, from.address));
  udp.bind(53, listenAddress);
  await once(udp, 'listening');
  const tcp: Server = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE()) {
        const end = 2 + received.readUInt16BE();
        const reply = answer(packet.decode(received.subarray(2, end)), 'TCP');
        received = received.subarray(end);
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([length, reply]));
      }
    });
  });
  tcp.listen(53, listenAddress);
  await once(tcp, 'listening');
  return {
    asked,
    close() {
      udp.close();
      tcp.close();
    },
  };
}
