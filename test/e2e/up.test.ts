/**
 * The command line as a newcomer uses it: `fairway up examples/front-door` in a process of its own, and every command
 * that it prints, pasted into a shell.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { canBind } from '../support/door.ts';

const run = promisify(execFile);
const fairway = join(packageRoot, 'bin/fairway.js');
const example = join(packageRoot, 'examples/front-door');
const built = existsSync(join(packageRoot, 'dist/main.js'));

interface Started {
  child: ChildProcess;
  /** Resolves with all of stdout once it holds the text. */
  output(marker: string): Promise<string>;
  stop(): Promise<number | null>;
}

function start(args: string[], cwd: string): Started {
  const child = spawn(process.execPath, [fairway, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  let text = '';
  let errors = '';
  child.stdout!.on('data', (chunk) => {
    text += chunk;
  });
  child.stderr!.on('data', (chunk) => {
    errors += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return {
    child,
    async output(marker) {
      const deadline = Date.now() + 15_000;
      while (!text.includes(marker)) {
        if (Date.now() > deadline || child.exitCode !== null) throw new Error(`no ${marker} in: ${text}\n${errors}`);
        await new Promise((resume) => setTimeout(resume, 10));
      }
      return text;
    },
    stop() {
      child.kill('SIGINT');
      return ended;
    },
  };
}

const refuses = (address: string, port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, address, () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });

const has = (tool: string) =>
  run('sh', ['-c', `command -v ${tool}`]).then(
    () => true,
    () => false,
  );

describe.skipIf(!canBind || !built)('fairway up examples/front-door', () => {
  let folder: string;
  let up: Started;
  let screen: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'up-'));
    up = start(['up', example], folder);
    screen = await up.output('fairway lookup');
  });
  afterAll(() => {
    up.child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it('is ready within two seconds of its own work, and says so', () => {
    // CPU time, since other tests run beside this one; bench/up measures wall time on a quiet machine.
    const [user, system] = readFileSync(`/proc/${up.child.pid}/stat`, 'utf8')
      .split(') ')[1]!
      .split(' ')
      .slice(11, 13)
      .map(Number);
    expect((user! + system!) * 10).toBeLessThan(2000);
    expect(screen).toMatch(/Fairway is ready after \d+ ms/);
  });

  it('prints commands that work when pasted', async () => {
    const commands = screen
      .slice(screen.indexOf('\nTry\n'))
      .split('\n')
      .filter((line) => line.startsWith('  '))
      .map((line) => line.trim());
    expect(commands.length).toBeGreaterThanOrEqual(6);
    for (const command of commands) {
      const tool = command.split(' ')[0]!;
      if (tool !== 'npx' && !(await has(tool))) {
        console.log(`skipped: ${tool} is not installed: ${command}`);
        continue;
      }
      // The package is not installed in this folder: `npx fairway` is its own entry here.
      const { stdout } = await run('sh', ['-c', command.replace(/^npx fairway/, `node ${fairway}`)], { cwd: folder });
      expect([command, stdout]).toEqual([command, expect.stringMatching(/\S/)]);
      if (tool === 'curl') expect(JSON.parse(stdout)).toHaveProperty('pod');
      if (tool === 'dig') expect(stdout).toMatch(/^127\.96\./);
    }
  });

  it('answers explain, lookup and resolvconf for the front door that runs in the folder', async () => {
    const { stdout } = await run(
      process.execPath,
      [fairway, 'explain', 'https://api.example.com/v1/users', '-o', 'json'],
      { cwd: folder },
    );
    const explanation = JSON.parse(stdout);
    expect(explanation).toMatchObject({
      ok: true,
      matched: { kind: 'Ingress', namespace: 'default', name: 'front-door', rule: 0 },
      backend: { service: 'api-v1', port: 80 },
    });
    expect(explanation.endpoints).toHaveLength(2);
    expect(explanation.steps.map(({ status }: { status: string }) => status)).toEqual(Array(6).fill('ok'));
    expect(
      (await run(process.execPath, [fairway, 'resolvconf', 'default/dns-none'], { cwd: folder })).stdout,
    ).toContain('ndots:2');
  });

  it('prints what the README shows', async () => {
    const shown = (text: string) => text.replace(/ready after \d+ ms/, 'ready').trim();
    const [, transcript] = /```console\n([\s\S]*?)```/.exec(readFileSync(join(packageRoot, 'README.md'), 'utf8'))!;
    const [, table, , explained] = transcript!.split(/^\$ .*\n/m);
    expect(shown(screen)).toBe(shown(table!));
    const args = [fairway, 'explain', 'https://api.example.com/v1/users'];
    const { stdout } = await run(process.execPath, args, { cwd: folder, env: { ...process.env, NO_COLOR: '1' } });
    expect(shown(stdout)).toBe(shown(explained!));
  });

  it('takes no second API port, says so, and still serves', async () => {
    const other = mkdtempSync(join(tmpdir(), 'up-second-'));
    const second = start(['up', join(example, 'web.yaml'), '--json'], other);
    const ready = JSON.parse((await second.output('"event":"ready"')).split('\n')[0]!);
    expect(ready.api).not.toBe('http://127.0.0.1:8001');
    expect(ready.diagnostics.map(({ code }: { code: string }) => code)).toContain('FW5005');
    // Its addresses are taken by the first one: those are errors, and the exit code says so.
    expect(await second.stop()).toBe(1);
    rmSync(other, { recursive: true });
  });

  it('leaves nothing behind', async () => {
    expect(await up.stop()).toBe(0);
    expect(await refuses('127.0.0.1', 8001)).toBe(true);
    expect(await refuses('127.250.0.1', 80)).toBe(true);
    expect(existsSync(join(folder, '.fairway'))).toBe(false);
  });
});

const pages = [
  'README.md',
  ...readdirSync(join(packageRoot, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** Lines of shell examples that call us, by page. */
const examples = pages.flatMap((page) => {
  const blocks = readFileSync(join(packageRoot, page), 'utf8').match(/```sh\n[\s\S]*?```/g) ?? [];
  const lines = blocks.flatMap((block) => block.split('\n')).filter((line) => line.startsWith('npx fairway '));
  return lines.map((line) => [page, line.slice('npx fairway '.length)] as const);
});

describe.skipIf(!canBind || !built)('examples of the documentation', () => {
  it('are there', () => {
    expect(examples.length).toBeGreaterThanOrEqual(4);
  });

  it.each(examples)('%s: fairway %s', async (_page, line) => {
    const folder = mkdtempSync(join(tmpdir(), 'example-'));
    symlinkSync(join(packageRoot, 'examples'), join(folder, 'examples'));
    if (line.startsWith('up ')) {
      const shown = start([...line.split(' '), '--instance', '29'], folder);
      await shown.output('is ready');
      expect(await shown.stop()).toBe(0);
    } else if (line.startsWith('dns ')) {
      const shown = start(line.split(' '), folder);
      await shown.output('Fairway ');
      expect(await shown.stop()).toBe(0);
    } else {
      // Findings are an answer too.
      const failed = (error: { code: number; stdout: string }) => error;
      const ran = await run('sh', ['-c', `node ${fairway} ${line}`], { cwd: folder }).catch(failed);
      expect(ran.stdout).toMatch(/\S/);
      expect('code' in ran && ran.code).toBe(line.startsWith('lint examples/dns') ? 1 : false);
    }
    rmSync(folder, { recursive: true });
  });
});

describe.skipIf(!built)('the command line', () => {
  const fails = async (args: string[]) => {
    const error = await run(process.execPath, [fairway, ...args], {
      cwd: tmpdir(),
      env: { ...process.env, NO_COLOR: '1' },
    }).then(
      () => ({ code: 0, stderr: '' }),
      (failure: { code: number; stderr: string }) => failure,
    );
    return { code: error.code, stderr: error.stderr };
  };

  it.each([
    [['explain'], 2, 'missing required argument'],
    [['explain', 'http://a/', '--bad'], 2, 'unknown option'],
    [['explain', 'http://a/', '-o', 'xml', '-f', example], 2, '-o takes'],
    [['explain', 'ftp://', '-f', example], 2, 'not a'],
    [['explain', 'http://a/', '--from', 'nobody', '-f', example], 2, '--from takes'],
    [['explain', 'http://a/'], 1, 'nothing to ask'],
    [['explain', 'http://a/', '--server', 'http://127.0.0.1:9'], 1, 'cannot reach'],
    [['up', '--backend', 'nonsense'], 2, '--backend takes'],
    [['up', '--api-port', '99999'], 2, 'a port is'],
    [['up', 'no-such-folder'], 1, 'FW1005'],
    [['nonsense'], 2, 'unknown command'],
  ])('fairway %j ends with %i', async (args, code, text) => {
    const failure = await fails(args);
    expect(failure.code).toBe(code);
    expect(failure.stderr).toContain(text);
    expect(failure.stderr).not.toMatch(/\n\s+at /);
  });

  it.each(['up', 'explain', 'lookup', 'resolvconf', 'dns', 'get', 'lint', 'node-cache', 'dns-autoscaler'])(
    'fairway %s --help shows an example',
    async (name) => {
      const { stdout } = await run(process.execPath, [fairway, name, '--help']);
      expect(stdout).toMatch(/Examples?:\n {2}fairway/);
    },
  );
});
