/** `fairway proxy-worker`: one process of the data plane, started by `fairway up --workers`. */
import type { Command } from 'commander';
import { runProxyWorker } from '../proxy/workers/worker.ts';
import type { WorkerCommand } from '../proxy/workers/workers.ts';
import { keepHeapSmall } from './heap.ts';
import { CommandError } from './output.ts';

const name = 'proxy-worker';

/** This command line as one that runs a worker. */
export function proxyWorkerCommand(): WorkerCommand {
  return { file: process.argv[1]!, args: [name] };
}

export function defineProxyWorker(command: Command): void {
  command.action(async () => {
    if (!process.send) throw new CommandError(`${name} is started by fairway up --workers`, 2);
    keepHeapSmall();
    await runProxyWorker();
    process.exit();
  });
}
