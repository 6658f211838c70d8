/** `fairway dns` as a process: a Corefile and manifests in, answers to dig out. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const address = '127.81.0.1';
const folder = mkdtempSync(join(tmpdir(), 'fairway-dns-'));
const corefile = join(folder, 'Corefile');

const text = `(zones) {
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
}
.:0 {
    bind ${address}
    errors
    health ${address}:0 {
       lameduck 300ms
    }
    import zones
    hosts {
       192.0.2.44 printer.example
       fallthrough
    }
    forward . 127.81.0.250:5333 {
       max_connect_attempts 1
       read_timeout 100ms
    }
    cache 30
    log . "{name} {type} {rcode}"
}
`;

let child: ChildProcess | undefined;
let output = '';
let port = '';

function hasDig(): boolean {
  try {
    execFileSync('dig', ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const dig = (...args: string[]) =>
  new Promise<string>((resolve, reject) => {
    execFile('dig', [`@${address}`, '-p', port, '+time=2', '+tries=1', ...args], (error, stdout) =>
      error && !stdout ? reject(error) : resolve(stdout),
    );
  });

function run(...args: string[]) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'bin/fairway.js'), 'dns', ...args],
      { cwd: root, env: { PATH: process.env.PATH, HOME: folder } },
      (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr }),
    );
  });
}

beforeAll(async () => {
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs'), '--if-stale']);
  writeFileSync(corefile, text);
  child = spawn(
    process.execPath,
    [
      join(root, 'bin/fairway.js'),
      'dns',
      '--conf',
      corefile,
      '--manifests',
      join(root, 'examples/front-door'),
      '--no-watch',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const end = performance.now() + 15_000;
  while (!/Fairway \d/.test(output) && performance.now() < end) await new Promise((resume) => setTimeout(resume, 20));
  port = new RegExp(`dns://${address.replaceAll('.', '\\.')}:(\\d+)`).exec(output)?.[1] ?? '';
});
afterAll(() => {
  child?.kill('SIGKILL');
});

describe.skipIf(!hasDig())('fairway dns', () => {
  it('answers dig for Services, Pods, reverse names and hosts', async () => {
    expect(port).not.toBe('');
    expect(await dig('+short', 'dns-version.cluster.local', 'TXT')).toBe('"1.1.0"\n');
    const service = (await dig('+short', 'kubernetes.default.svc.cluster.local')).trim();
    expect(service).toMatch(/^127\.96\.0\.1$/);
    expect(await dig('+short', '-x', service)).toBe('kubernetes.default.svc.cluster.local.\n');
    expect(await dig('+short', '10-0-0-1.default.pod.cluster.local')).toBe('10.0.0.1\n');
    expect(await dig('+short', '+tcp', 'printer.example')).toBe('192.0.2.44\n');
    expect(await dig('nope.default.svc.cluster.local')).toMatch(
      /status: NXDOMAIN[\s\S]*30\s+IN\s+SOA\s+ns\.dns\.cluster\.local/,
    );
    const failed = await dig('www.example.com');
    expect(failed).toContain('status: SERVFAIL');
    expect(output).toMatch(/\[ERROR\] plugin\/errors: 2 www\.example\.com\. A: 127\.81\.0\.250:5333: /);
    expect(output).toContain('[INFO] printer.example. A NOERROR');
  });

  it('goes on answering for the lame-duck time, and ends with 0', async () => {
    const ended = new Promise<number | null>((resolve) => child!.once('exit', resolve));
    const began = performance.now();
    child!.kill('SIGTERM');
    expect(await dig('+short', 'printer.example')).toBe('192.0.2.44\n');
    expect(await ended).toBe(0);
    expect(performance.now() - began).toBeGreaterThan(290);
  });
});

describe('fairway dns, when it cannot', () => {
  it.each<[string, string[], number, string]>([
    ['has no Corefile', ['--conf', join(folder, 'none')], 1, 'no such Corefile'],
    ['knows no such option', ['--nonsense'], 2, "unknown option '--nonsense'"],
    ['is given no port', ['--dns.port', 'x'], 2, 'a port is a number'],
    ['cannot read the manifests', ['--conf', corefile, '--manifests', join(folder, 'none')], 1, 'FW1005'],
    [
      'has no objects for kubernetes',
      ['--conf', corefile],
      1,
      'name manifests with --manifests, or an API server with endpoint',
    ],
  ])('%s', async (_, args, code, message) => {
    const { code: found, stderr } = await run(...args);
    expect(stderr).toContain(message);
    expect(found).toBe(code);
  });

  it('names file and line of what is wrong', async () => {
    const broken = join(folder, 'broken');
    writeFileSync(broken, '. {\n    errors\n    forwrad . 1.1.1.1\n}\n');
    const { code, stderr } = await run('--conf', broken);
    expect(code).toBe(1);
    expect(stderr).toContain(`${broken}:3: Unknown directive 'forwrad'; did you mean 'forward'?`);
  });

  it('shows an example in its help', async () => {
    expect((await run('--help')).stdout).toContain('fairway dns --conf Corefile --manifests examples/front-door');
  });
});
