/** The command line of `fairway dns-autoscaler`: flags of cluster-proportional-autoscaler, and what is wrong usage. */
import { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { defineDnsAutoscaler } from './dns-autoscaler.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

function run(...args: string[]): Promise<unknown> {
  const command = new Command('dns-autoscaler').exitOverride().configureOutput({ writeErr: () => {} });
  defineDnsAutoscaler(command);
  return command.parseAsync(args, { from: 'user' });
}

const good = ['--namespace=kube-system', '--target=deployment/coredns', '--configmap=dns-autoscaler'];

describe('dns-autoscaler', () => {
  it.each<[string[], string]>([
    [['--target=deployment/x', '--configmap=c'], '--namespace is needed, or MY_POD_NAMESPACE'],
    [['--namespace=n', '--target=deployment/x'], '--configmap is needed'],
    [['--namespace=n', '--configmap=c'], '--target is needed'],
    [['--namespace=n', '--configmap=c', '--target=coredns'], "not a target: 'coredns'"],
    [[...good, '--default-params={'], '--default-params: '],
    [[...good, '--address=8080'], '--address takes HOST:PORT'],
  ])('%j is wrong usage', async (args, message) => {
    await expect(run(...args)).rejects.toMatchObject({ message: expect.stringContaining(message), exitCode: 2 });
  });

  it.each([
    ['--poll-period-seconds=0'],
    ['--poll-period-seconds=x'],
    ['--max-sync-failures=-1'],
    ['--leader-elect=maybe'],
    ['--nonsense'],
  ])('%s is refused', async (flag) => {
    await expect(run(...good, flag)).rejects.toMatchObject({
      exitCode: 1,
      code: expect.stringContaining('commander.'),
    });
  });

  it('takes every flag of the original, and the namespace of its Pod', async () => {
    vi.stubEnv('MY_POD_NAMESPACE', 'kube-system');
    // It gets as far as looking for the API.
    await expect(
      run(
        ...['--target=Deployment/coredns,replicaset/b', '--configmap=c', '--poll-period-seconds=5', '--nodelabels=a=b'],
        ...[
          '--default-params={"linear":{"nodesPerReplica":16}}',
          '--max-sync-failures=3',
          '--logtostderr=true',
          '--v=2',
        ],
        ...['--alsologtostderr', '--stderrthreshold=2', '--vmodule=a=1', '--log-dir=/tmp', '--log_backtrace_at=a:1'],
        ...['--leader-elect=false', '--kubeconfig=/nowhere/kubeconfig'],
      ),
    ).rejects.toThrow('/nowhere/kubeconfig');
  });
});
