/**
 * 1,000, 5,000 and 10,000 Ingresses: time to ready and memory, of `fairway up`, whose control process is the cluster
 * too, and of `fairway gateway` beside it, which is what a cluster runs.
 */
import { startDoor } from '../../gateway/lib/door.mjs';
import { startGateway } from '../../gateway/lib/gateways.mjs';
import { ask, keepAliveAgent, sleep } from '../../gateway/lib/poller.mjs';
import { childrenOf } from '../../gateway/lib/processes.mjs';
import { residentBytes } from '../../proxy/lib/figures.mjs';
import { estate, hostOf } from '../lib/estate.mjs';

const listen = '127.77.93.1';

export async function scale({ className, counts, row }) {
  for (const count of counts) {
    const objects = await estate(className, count);
    report(row, `scale, fairway up, ${count} Ingresses`, count, await weighUp(objects, count));
    report(row, `scale, fairway gateway, ${count} Ingresses`, count, await weighGateway(objects, count));
  }
}

function report(row, what, count, { readyMs, ok, control, worker }) {
  // The issue bounds 5,000; the others are told beside it.
  const bounded = count === 5_000;
  const bound = (text) => (bounded ? text : 'no bound');
  row(`${what}: to ready`, `${(readyMs / 1_000).toFixed(1)} s`, bound('<= 8 s'), !bounded || readyMs <= 8_000);
  row(`${what}: control process`, megabytes(control), bound('<= 350 MB'), !bounded || control <= 350e6);
  row(`${what}: worker`, megabytes(worker), 'no bound', true);
  row(`${what}: answered 200`, `${ok.right} of ${ok.asked}`, 'all', ok.right === ok.asked);
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

async function weighUp(objects, count) {
  const door = await startDoor(objects, ['--workers', '1']);
  try {
    return { readyMs: door.readyMs, ...(await weigh(door.pid, ingressAddress(door), count)) };
  } finally {
    await door.stop();
  }
}

async function weighGateway(objects, count) {
  const door = await startDoor(objects, ['--no-gateway']);
  try {
    const since = performance.now();
    const replica = await startGateway(door.ready.api, listen, ['--leader-elect=false', '--workers', '1']);
    try {
      return { readyMs: performance.now() - since, ...(await weigh(replica.pid, listen, count)) };
    } finally {
      await replica.stop();
    }
  } finally {
    await door.stop();
  }
}

export const ingressAddress = ({ ready }) => ready.ingress.addresses[0];

async function weigh(pid, address, count) {
  const agent = keepAliveAgent(8);
  const step = Math.max(1, Math.floor(count / 500));
  const ok = { asked: 0, right: 0 };
  for (let n = 0; n < count; n += step) {
    ok.asked++;
    if ((await ask(address, hostOf(n), '/api/x', agent)) === 200) ok.right++;
  }
  agent.destroy();
  // Statuses are written meanwhile, and idle connections closed.
  await sleep(5_000);
  const [worker] = childrenOf(pid);
  return { ok, control: residentBytes(pid), worker: residentBytes(worker) };
}
