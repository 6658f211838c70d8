/** Replicas of `fairway gateway` in this process, each with its own way to the API, and clients that never stop asking. */
import { Agent, request } from 'node:http';
import type { Diagnostic } from '../../src/base/diagnostics/index.ts';
import {
  createGatewayProcess,
  type GatewayProcess,
  type GatewayProcessOptions,
} from '../../src/control/cluster/gateway-process.ts';
import { plainConfig } from '../../src/kube/client/config.ts';
import { keyOf } from '../../src/kube/resources.ts';
import type { StoreReader } from '../../src/kube/store/store.ts';
import type { Unstructured } from '../../src/kube/types/index.ts';
import { createProxy } from '../../src/proxy/proxy.ts';
import { type FaultProxy, openFaultProxy } from './fault-proxy.ts';

/** client-go's proportions, five times as fast: less, and a busy machine loses its Lease. */
export const quickLease = { leaseMs: 3000, renewDeadlineMs: 2000, retryMs: 300 };

export interface Replica {
  readonly role: GatewayProcess;
  /** Between it and the API. */
  readonly api: FaultProxy;
  readonly logs: string[];
  readonly findings: Diagnostic[];
  /** Status writes that it asked the API for. */
  patches(): number;
  /** As SIGTERM does. */
  stop(): Promise<void>;
}

/** Resolves once started; ready or not. */
export async function openReplica(
  apiUrl: string,
  listen: string,
  options: Partial<GatewayProcessOptions> = {},
): Promise<Replica> {
  const api = await openFaultProxy(apiUrl);
  const logs: string[] = [];
  const findings: Diagnostic[] = [];
  let patches = 0;
  api.faults = counting();
  const proxy = createProxy({});
  const role = createGatewayProcess({
    config: plainConfig(api.url),
    proxy,
    addresses: { listen },
    election: { namespace: 'default', name: 'gateway', identity: listen, ...quickLease },
    tuning: { backoff: { baseMs: 20, maxMs: 200 }, absentMs: 200, discoveryMs: 100 },
    log: (level, text) => logs.push(`${level} ${text}`),
    onFinding: (finding) => findings.push(finding),
    ...options,
  });
  void role.start();

  function counting(): FaultProxy['faults'] {
    return {
      answer(line) {
        if (/^PATCH \S+\/status/.test(line)) patches++;
        return undefined;
      },
    };
  }

  let isStopped = false;
  return {
    ...{ role, api, logs, findings },
    patches: () => patches,
    async stop() {
      if (isStopped) return;
      isStopped = true;
      await role.stop();
      await proxy.close(100);
      await api.close();
    },
  };
}

export interface Traffic {
  /** Answers so far, by what came of them: `200`, `404`, or the error. */
  readonly seen: ReadonlyMap<string, number>;
  /** Stops asking; resolves with everything that was not a 200. */
  stop(): Promise<Record<string, number>>;
}

/** Asks every few milliseconds, half of the time on new connections. */
export function sendTraffic(address: string, host: string, everyMs = 4): Traffic {
  const seen = new Map<string, number>();
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  const flying = new Set<Promise<void>>();
  let asked = 0;

  function ask(): Promise<void> {
    return new Promise((resolve) => {
      const end = (what: string) => {
        note(what);
        resolve();
      };
      const outgoing = request(
        { host: address, port: 80, path: '/', headers: { host }, agent: asked++ % 2 ? agent : false, timeout: 5000 },
        (response) => {
          response.resume();
          response.on('end', () => end(String(response.statusCode)));
          response.on('error', (error) => end(error.message));
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
      outgoing.on('error', (error) => end(error.message));
      outgoing.end();
    });
  }

  const timer = setInterval(() => {
    const flight = ask().then(() => void flying.delete(flight));
    flying.add(flight);
  }, everyMs);
  return {
    seen,
    async stop() {
      clearInterval(timer);
      await Promise.all(flying);
      agent.destroy();
      return Object.fromEntries([...seen].filter(([what]) => what !== '200'));
    },
  };
}

/** How often the status of each object was written, by kind and name. */
export function countStatusWrites(store: StoreReader): { readonly counts: Record<string, number>; stop(): void } {
  const counts: Record<string, number> = {};
  const stop = store.subscribe(({ type, object, previous, resource }) => {
    if (type !== 'MODIFIED' || !/gateway|ingress/.test(resource)) return;
    if ((object as Unstructured).status === (previous as Unstructured).status) return;
    const name = `${object.kind} ${keyOf(object)}`;
    counts[name] = (counts[name] ?? 0) + 1;
  });
  return { counts, stop };
}
