/** One route changed among 10,000: `swap.mjs`, a program of its own, and its figures against the bounds. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const program = join(import.meta.dirname, '../swap.mjs');

export async function swap(bench) {
  const rows = [];
  for (const runtime of bench.runtimes) {
    for (const figures of await run(runtime, bench.short)) rows.push(...rowsOf(runtime, figures));
  }
  return rows;
}

function run({ path }, short) {
  const args = [program, '--json', ...(short ? ['--short', '--scenario', 'httproute'] : [])];
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  return new Promise((settle, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      if (code !== 0) fail(new Error(`swap.mjs ended with ${code}: ${output}`));
      else settle(JSON.parse(output).results);
    });
  });
}

function rowsOf({ name: on }, { scenario, workers, edited, calm, steadyWhileEdited: steady }) {
  const how = `${scenario}, ${workers === 0 ? 'one process' : `${workers} workers`}`;
  return [
    {
      what: `change to first new answer, ${how}: p99`,
      on,
      ours: edited.p99,
      figure: edited.p99,
      unit: 'ms',
      bound: 30,
    },
    {
      ...{
        what: `slowest request for another route meanwhile, ${how}`,
        on,
        ours: steady.max,
        peer: 'without change',
      },
      ...{ theirs: calm.max, figure: steady.max, unit: 'ms', bound: 20 },
    },
  ];
}
