/** Requests one after the other on a connection that stays, far finer than a millisecond. */
import { Agent, request } from 'node:http';

/** Sends one request; gives the status, or `refused`, `reset`… when there was none. */
export function ask(address, host, path, agent) {
  return new Promise((resolve) => {
    const sent = request({ host: address, port: 80, path, headers: { host }, agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
      response.on('error', ({ code }) => resolve(code));
    });
    sent.on('error', ({ code }) => resolve(code ?? 'error'));
    sent.setTimeout(10_000, () => sent.destroy(new Error('timeout')));
    sent.end();
  });
}

export const keepAliveAgent = (maxSockets = 1) => new Agent({ keepAlive: true, maxSockets });

/** Asks until 200 comes or `deadlineMs` is over. Gives how long that took and every other status with its count. */
export async function pollUntilOk(address, host, path, agent, deadlineMs = 10_000) {
  const since = performance.now();
  const others = {};
  while (performance.now() - since < deadlineMs) {
    const status = await ask(address, host, path, agent);
    if (status === 200) return { at: performance.now(), others };
    others[status] = (others[status] ?? 0) + 1;
  }
  return { at: Number.POSITIVE_INFINITY, others };
}

/** Constant traffic over a few connections until it is stopped; counts every status. */
export function constantTraffic(address, targets, connections = 4, pauseMs = 0) {
  const counts = {};
  let going = true;
  const agent = keepAliveAgent(connections);
  async function run(first) {
    for (let n = first; going; n += connections) {
      const { host, path } = targets[n % targets.length];
      const status = await ask(address, host, path, agent);
      counts[status] = (counts[status] ?? 0) + 1;
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  const runs = Array.from({ length: connections }, (_, n) => run(n));
  return {
    counts,
    async stop() {
      going = false;
      await Promise.all(runs);
      agent.destroy();
      return counts;
    },
  };
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Everything but 200 (and 404 where that is right), as text; empty when there was nothing. */
export function strayStatuses(counts, allowed = ['200']) {
  return Object.entries(counts)
    .filter(([status]) => !allowed.includes(status))
    .map(([status, count]) => `${count} x ${status}`)
    .join(', ');
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
