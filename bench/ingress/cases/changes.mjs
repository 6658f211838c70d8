/** Ten edits a second of 5,000 Ingresses under constant requests, with WebSockets open throughout. */
import { WebSocket } from 'ws';
import { startDoor } from '../../gateway/lib/door.mjs';
import { constantTraffic, sleep, strayStatuses } from '../../gateway/lib/poller.mjs';
import { estate, hostOf, ingress } from '../lib/estate.mjs';
import { ingressAddress } from './scale.mjs';

const sockets = 50;

export async function changes({ short, className, flags, row }) {
  const count = short ? 500 : 5_000;
  const seconds = short ? 5 : 30;
  const door = await startDoor(await estate(className, count), flags);
  const address = ingressAddress(door);
  try {
    const open = await openWebSockets(address, count);
    const targets = Array.from({ length: 200 }, (_, n) => ({ host: hostOf((n * 13) % count), path: '/static/x' }));
    const traffic = constantTraffic(address, targets);
    await editTenASecond(door.api, className, count, seconds);
    const counts = await traffic.stop();
    const stray = strayStatuses(counts);
    row(`changes: requests during ${seconds * 10} edits of ${count} Ingresses`, stray || `${counts[200]} x 200`, 'no failure', stray === ''); // biome-ignore format: one row
    const { lost, silent } = await open.judge();
    const figure = `${lost} closed, ${silent} without an echo`;
    row(`changes: ${sockets} WebSockets meanwhile`, figure, 'none', lost + silent === 0);
  } finally {
    await door.stop();
  }
}

/** The first Ingresses, whose own objects are among those that are edited. */
async function openWebSockets(address, count) {
  let lost = 0;
  const open = await Promise.all(
    Array.from({ length: sockets }, (_, n) => {
      const host = hostOf(1 + (n % (count - 1)));
      const socket = new WebSocket(`ws://${address}/ws`, { headers: { host } });
      return new Promise((resolve, reject) => {
        socket.once('error', reject);
        socket.once('open', () => resolve(socket));
      });
    }),
  );
  for (const socket of open) socket.on('close', () => lost++);
  return {
    /** Those that closed, and those of the rest that do not echo any more. */
    async judge() {
      const closed = lost;
      const echoes = await Promise.all(
        open.map(
          (socket) =>
            new Promise((resolve) => {
              const timer = setTimeout(() => resolve(false), 5_000);
              socket.once('message', () => {
                clearTimeout(timer);
                resolve(true);
              });
              socket.send('still there?');
            }),
        ),
      );
      for (const socket of open) socket.terminate();
      return { lost: closed, silent: echoes.filter((heard) => !heard).length };
    },
  };
}

async function editTenASecond(api, className, count, seconds) {
  const begun = performance.now();
  for (let turn = 0; turn < seconds * 10; turn++) {
    const n = turn % Math.min(count, 100);
    const { spec, ...whole } = ingress(className, n, turn % 2 === 0 ? [`/new-${turn}`] : []);
    await api.patch(whole, { spec: { rules: spec.rules } });
    await sleep(Math.max(0, begun + (turn + 1) * 100 - performance.now()));
  }
}
