/** One look at the cluster: how large it is, what the parameters say, and the replicas that follow from both. */
import { err, ok, type Result } from '../../base/result.ts';
import type { LogLine } from '../plugins/setup.ts';
import type { AutoscalerApi, ParamsRead } from './api.ts';
import { type ClusterSize, type SlimNode, sizeOf } from './cluster-size.ts';
import { replicasFor } from './formula.ts';
import type { AutoscalerMetrics } from './metrics.ts';
import { parseParams, type ScalingParams } from './params.ts';
import type { ScaleTarget } from './targets.ts';

export interface PollOptions {
  readonly api: AutoscalerApi;
  readonly targets: readonly ScaleTarget[];
  /** The Nodes; the error says why they are not known yet. */
  readonly nodes: () => Result<readonly SlimNode[], string>;
  readonly log: LogLine;
  readonly metrics: AutoscalerMetrics;
}

export interface Polled {
  /** What is not as it should be although the targets were scaled: parameters that cannot be used. */
  readonly warning?: string;
}

export type Poll = (signal: AbortSignal) => Promise<Result<Polled, string>>;

export function createPoll({ api, targets, nodes, log, metrics }: PollOptions): Poll {
  /** In force: the last that could be used. */
  let params: ScalingParams | undefined;
  /** The version that was looked at last, good or not, and what was wrong with it. */
  let seen: { version: string; fault?: string } | undefined;

  function take({ data, version, created }: ParamsRead): void {
    if (seen?.version === version) return;
    if (created) log('info', 'made the ConfigMap from --default-params');
    const parsed = parseParams(data);
    seen = parsed.ok ? { version } : { version, fault: parsed.error };
    if (parsed.ok) {
      params = parsed.value;
      log('info', `parameters: ${JSON.stringify(params)}`);
      return;
    }
    metrics.badParams();
    const kept = params ? '; the last good ones stay in force' : '';
    log('error', `the ConfigMap's parameters cannot be used: ${parsed.error}${kept}`);
  }

  async function scaleAll(replicas: number, size: ClusterSize, signal: AbortSignal): Promise<string[]> {
    const failures: string[] = [];
    for (const target of targets) {
      const scaled = await api.scale(target, replicas, signal);
      if (!scaled.ok) failures.push(`${target.text}: ${scaled.error.message}`);
      else if (scaled.value !== replicas) {
        metrics.updated(target.text);
        const { schedulableNodes, totalNodes, schedulableCores, totalCores } = size;
        log(
          'info',
          `${target.text}: ${scaled.value} -> ${replicas} replicas (nodes: ${schedulableNodes} of ${totalNodes} schedulable, cores: ${schedulableCores} of ${totalCores})`,
        );
      }
    }
    return failures;
  }

  return async (signal) => {
    const list = nodes();
    if (!list.ok) return list;
    const size = sizeOf(list.value);
    metrics.sized(size);
    const read = await api.params(signal);
    if (!read.ok) return err(read.error.message);
    take(read.value);
    if (!params) return err(`no parameters yet: ${seen?.fault}`);
    const replicas = replicasFor(params, size);
    metrics.expected(replicas);
    const failures = await scaleAll(replicas, size, signal);
    if (failures.length > 0) return err(failures.join('; '));
    return ok(seen?.fault === undefined ? {} : { warning: `the parameters cannot be used: ${seen.fault}` });
  };
}
