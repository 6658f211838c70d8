/** The folder, the processes and the ports of one run. Everything started here is ended by its id. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Loopback address of backends and proxies. */
export const address = '127.79.250.1';

export const folder = mkdtempSync(join(tmpdir(), 'bench-proxy-'));
// nginx started by root reads files as another user.
chmodSync(folder, 0o755);

const running = new Set();

/** Starts a process whose output is kept (the last 64 KiB), for the message of a failure. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  running.add(child);
  child.output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      child.output = (child.output + chunk).slice(-65_536);
    });
  }
  child.done = new Promise((settle, fail) => {
    child.on('error', fail);
    child.on('close', (code) => settle(code));
  });
  child.done.catch(() => {}).then(() => running.delete(child));
  return child;
}

/** Ends one process: politely, then not. */
export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 2_000);
  await child.done.catch(() => {});
  clearTimeout(hard);
}

export async function leave() {
  await Promise.all([...running].map(stop));
  rmSync(folder, { recursive: true, force: true });
}

export function write(name, text) {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

export function read(path) {
  return readFileSync(path, 'utf8');
}

/** A port that nothing listens on, below the range that connections are given theirs from. */
export async function freePort() {
  for (let tries = 0; tries < 200; tries++) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    if (await canListen(port)) return port;
  }
  throw new Error(`no free port on ${address}`);
}

function canListen(port) {
  return new Promise((settle) => {
    const server = createServer();
    server.on('error', () => settle(false));
    server.listen(port, address, () => server.close(() => settle(true)));
  });
}

/** Resolves when something accepts; fails with the process's output when it has ended or ten seconds are over. */
export async function reachable(port, child) {
  const until = Date.now() + 10_000;
  while (Date.now() < until && child.exitCode === null) {
    if (await accepts(port)) return;
    await pause(30);
  }
  throw new Error(`nothing answers on ${address}:${port}: ${child.spawnargs.join(' ')}\n${child.output}`);
}

function accepts(port) {
  return new Promise((settle) => {
    const socket = connect(port, address, () => {
      socket.destroy();
      settle(true);
    });
    socket.on('error', () => settle(false));
  });
}

export const pause = (ms) => new Promise((settle) => setTimeout(settle, ms));

/** Path of a command, or undefined. */
export function which(command) {
  try {
    return execFileSync('which', [command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
