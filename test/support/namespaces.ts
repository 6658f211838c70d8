/** Network namespaces of a test's own, joined by veth pairs; for tests that need root and iproute2. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';

export interface Namespace {
  readonly name: string;
  /** Runs a program in it to its end; throws with what it said when it fails. */
  run(program: string, ...args: string[]): string;
  /** The same without waiting in the way of others; never throws. */
  try(program: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** Starts a program in it; the process is the program's own. */
  spawn(program: string, args: readonly string[], env?: Record<string, string>): ChildProcess;
}

export interface Namespaces {
  add(name: string): Namespace;
  /** A veth pair; each end gets its addresses (with prefix lengths) and is up. */
  join(a: Namespace, aAddresses: readonly string[], b: Namespace, bAddresses: readonly string[]): void;
  /** Kills what was spawned and deletes the namespaces, with all that is in them. */
  remove(): void;
}

/** Why this machine cannot do it; undefined when it can. Needs the tools, and the right to make a namespace. */
export function namespacesFault(...tools: string[]): string | undefined {
  const probe = `fw-probe-${process.pid}`;
  try {
    for (const tool of ['ip', ...tools]) execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'pipe' });
  } catch {
    return `needs ${['ip', ...tools].join(', ')}`;
  }
  try {
    execFileSync('ip', ['netns', 'add', probe], { stdio: 'pipe' });
    execFileSync('ip', ['netns', 'del', probe], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `cannot make a network namespace: ${error instanceof Error ? error.message : String(error)}`;
  }
}

export function createNamespaces(prefix: string): Namespaces {
  const all: Namespace[] = [];
  const children: ChildProcess[] = [];
  let pairs = 0;

  function ip(...args: string[]): void {
    execFileSync('ip', args, { stdio: 'pipe' });
  }

  function add(short: string): Namespace {
    const name = `${prefix}-${short}`;
    ip('netns', 'add', name);
    const inside = (program: string, args: readonly string[]) => ['netns', 'exec', name, program, ...args];
    const namespace: Namespace = {
      name,
      run: (program, ...args) => execFileSync('ip', inside(program, args), { stdio: 'pipe' }).toString(),
      try: (program, ...args) =>
        new Promise((resolve) => {
          execFile('ip', inside(program, args), { timeout: 20_000 }, (error, stdout, stderr) =>
            resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
          );
        }),
      spawn(program, args, env = {}) {
        const child = spawn('ip', inside(program, args), {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...process.env, ...env },
        });
        children.push(child);
        return child;
      },
    };
    all.push(namespace);
    namespace.run('ip', 'link', 'set', 'lo', 'up');
    return namespace;
  }

  return {
    add,
    join(a, aAddresses, b, bAddresses) {
      const [left, right] = [`fw${pairs}a`, `fw${pairs}b`];
      pairs++;
      ip('-n', a.name, 'link', 'add', left, 'type', 'veth', 'peer', 'name', right, 'netns', b.name);
      const ends = [[a, left, aAddresses] as const, [b, right, bAddresses] as const];
      for (const [{ name }, device, addresses] of ends) {
        for (const address of addresses)
          ip('-n', name, 'addr', 'add', address, 'dev', device, ...(address.includes(':') ? ['nodad'] : []));
        ip('-n', name, 'link', 'set', device, 'up');
      }
    },
    remove() {
      for (const child of children) child.kill('SIGKILL');
      for (const { name } of all.splice(0)) ip('netns', 'del', name);
    },
  };
}
