/** A load balancer as its clients know it: which addresses are in service now, and clients that never stop asking. */
import { request } from 'node:http';
import { keepAliveAgent, sleep } from './poller.mjs';

/** Addresses are given out in turn. A connection stays with its address for as long as it lasts. */
export function createBalancer() {
  const inService = new Set();
  let turn = 0;
  return {
    add: (address) => inService.add(address),
    remove: (address) => inService.delete(address),
    next: () => [...inService][turn++ % inService.size],
  };
}

/** One request; gives its status or what went wrong, and whether its connection may be used again. */
function ask(address, host, agent) {
  return new Promise((resolve) => {
    const sent = request({ host: address, port: 80, path: '/', headers: { host }, agent }, (response) => {
      response.resume();
      const stays = response.headers.connection !== 'close';
      response.on('end', () => resolve({ status: response.statusCode, stays }));
      response.on('error', ({ code }) => resolve({ status: code, stays: false }));
    });
    // A connection that was closed while nothing was on its way may be met by a request (RFC 9110, 9.2.2).
    sent.on('error', ({ code }) => resolve({ status: `${code}${sent.reusedSocket ? ' (reused)' : ''}`, stays: false }));
    sent.setTimeout(10_000, () => sent.destroy(new Error('timeout')));
    sent.end();
  });
}

/**
 * Traffic through a balancer: `fresh` clients with a new connection for each request, `kept` ones that keep theirs until it
 * ends. Counts every status.
 */
export function balancedTraffic(balancer, hosts, { fresh = 2, kept = 2, pauseMs = 2 } = {}) {
  const counts = {};
  let going = true;
  async function run(keeps, first) {
    let connection;
    for (let n = first; going; n++) {
      connection ??= { address: balancer.next(), agent: keepAliveAgent() };
      const { status, stays } = await ask(connection.address, hosts[n % hosts.length], connection.agent);
      counts[status] = (counts[status] ?? 0) + 1;
      await sleep(pauseMs);
      // One that the other end has closed meanwhile is gone from the agent.
      const isOpen = Object.values(connection.agent.freeSockets).some((sockets) => sockets.length > 0);
      if (keeps && stays && isOpen) continue;
      connection.agent.destroy();
      connection = undefined;
    }
    connection?.agent.destroy();
  }
  const runs = [
    ...Array.from({ length: fresh }, (_, n) => run(false, n)),
    ...Array.from({ length: kept }, (_, n) => run(true, n)),
  ];
  return {
    counts,
    async stop() {
      going = false;
      await Promise.all(runs);
      return counts;
    },
  };
}
