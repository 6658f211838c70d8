/** What the measurements of this folder share: CPU time and memory of a process, and waiting for a DNS server. */
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU time that a process has used, all threads, µs (in steps of 10 ms). */
export function cpuMicroseconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond;
}

/** Resident memory of a process in MB (10^6 bytes). */
export function residentMegabytes(pid) {
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  return (kilobytes * 1024) / 1e6;
}

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

/** A query for an A record. */
export function queryFor(name, id = 1) {
  const labels = name.split('.').filter((label) => label !== '');
  const parts = labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, 'latin1')]);
  const head = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, ...parts, Buffer.from([0, 0, 1, 0, 1])]);
}

/** Waits until a name resolves, 60 s at most. */
export async function reachable(address, port, name) {
  const socket = createSocket('udp4');
  try {
    for (let i = 0; i < 600; i++) {
      const answered = await new Promise((settle) => {
        socket.removeAllListeners('message');
        const timer = setTimeout(() => settle(false), 100);
        socket.once('message', (packet) => {
          clearTimeout(timer);
          if ((packet[3] & 15) === 0 && packet[7] > 0) settle(true);
          else setTimeout(() => settle(false), 100);
        });
        socket.send(queryFor(name), port, address);
      });
      if (answered) return;
    }
  } finally {
    socket.close();
  }
  throw new Error(`nothing answers ${name} at ${address}:${port}`);
}

/** The first address of a name, as text. */
export async function addressFrom(server, port, name) {
  const socket = createSocket('udp4');
  try {
    socket.send(queryFor(name), port, server);
    const packet = await new Promise((settle, fail) => {
      const timer = setTimeout(() => fail(new Error(`${server} does not answer ${name}`)), 5000);
      socket.once('message', (message) => {
        clearTimeout(timer);
        settle(message);
      });
    });
    if (packet[7] === 0) throw new Error(`${name} has no address at ${server}`);
    return [...packet.subarray(packet.length - 4)].join('.');
  } finally {
    socket.close();
  }
}
