/** From an edit of one Ingress among thousands to the first answer that shows it. */
import { startDoor } from '../../gateway/lib/door.mjs';
import { keepAliveAgent, percentile, pollUntilOk, sleep } from '../../gateway/lib/poller.mjs';
import { cpuMicroseconds } from '../../proxy/lib/figures.mjs';
import { estate, ingress } from '../lib/estate.mjs';
import { ingressAddress } from './scale.mjs';

export async function edits({ short, className, counts, flags, row }) {
  for (const count of counts) {
    const door = await startDoor(await estate(className, count), flags);
    try {
      await quiet(door.pid);
      const times = await edit(door, className, count, short ? 50 : 200);
      const p99 = percentile(times, 0.99);
      const figure = `p50 ${percentile(times, 0.5).toFixed(1)}, p99 ${p99.toFixed(1)}, worst ${Math.max(...times).toFixed(1)} ms`;
      row(`edits: ${times.length} of ${count} Ingresses, edit to first new answer`, figure, 'p99 <= 30 ms', p99 <= 30);
    } finally {
      await door.stop();
    }
  }
}

/** Each edit changes where an Ingress's host sends `/`: to a Service that is not there, and back. */
async function edit(door, className, count, turns) {
  const address = ingressAddress(door);
  const agent = keepAliveAgent();
  const times = [];
  for (let turn = 0; turn < turns; turn++) {
    // Those without TLS.
    const n = 1 + ((turn * 37) % (count - 1));
    const whole = ingress(className, n % 10 === 0 ? n + 1 : n);
    const host = whole.spec.rules[0].host;
    const [root, ...others] = whole.spec.rules[0].http.paths;
    const missing = { ...root, backend: { service: { name: 'missing', port: { number: 80 } } } };
    await door.api.patch(whole, { spec: { rules: [{ host, http: { paths: [missing, ...others] } }] } });
    await sleep(100);
    const polled = pollUntilOk(address, host, '/', agent);
    await sleep(2);
    const since = performance.now();
    await door.api.patch(whole, { spec: { rules: whole.spec.rules } });
    const { at } = await polled;
    times.push(at - since);
  }
  agent.destroy();
  return times;
}

/** Resolves when what a start leaves to do (statuses, Events, collections) is done: a tenth of a core for a second. */
async function quiet(pid) {
  for (let seconds = 0; seconds < 30; seconds++) {
    const before = cpuMicroseconds(pid);
    await sleep(1_000);
    if (cpuMicroseconds(pid) - before < 100_000) return;
  }
}
