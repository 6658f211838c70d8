/** The runtimes that our side runs on. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { folder } from './stage.mjs';

const INSTALL_MS = 180_000;

/** The one that runs this, those given by path, and with `current` the latest release line from the package registry. */
export function runtimesOf({ paths, current, bun }) {
  const found = [nodeAt(process.execPath), ...paths.map((path) => nodeAt(resolve(path)))];
  if (current) found.push(nodeAt(installed('node@24', 'node_modules/node/bin/node')));
  const runtimes = found.filter((one, i) => found.findIndex(({ name }) => name === one.name) === i);
  return bun ? [...runtimes, bunRuntime()] : runtimes;
}

function nodeAt(path) {
  const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
  if (!/^v\d+\./.test(version)) throw new Error(`${path} is not Node.js: ${version}`);
  const major = Number(version.slice(1).split('.')[0]);
  return { name: `Node ${version.slice(1)}`, path, kind: major <= 20 ? 'node20' : 'current' };
}

function bunRuntime() {
  const path = installed('bun', 'node_modules/.bin/bun');
  return { name: `Bun ${execFileSync(path, ['--version'], { encoding: 'utf8' }).trim()}`, path, kind: 'bun' };
}

/** A package with a runtime in it, in a folder of this run. */
function installed(name, executable) {
  const home = join(folder, 'packages', name);
  mkdirSync(home, { recursive: true });
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', home, name];
  execFileSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: INSTALL_MS, cwd: home });
  const path = join(home, executable);
  if (!existsSync(path)) throw new Error(`${name} has no ${executable}`);
  return path;
}
