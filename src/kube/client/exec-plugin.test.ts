import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExecConfig, plainConfig } from './config.ts';
import { createExecPlugin, type ExecPluginOptions } from './exec-plugin.ts';
import { systemTiming } from './timing.ts';

const apiVersion = 'client.authentication.k8s.io/v1';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'exec-plugin-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A plugin that is a shell script; it counts its runs in the file `runs`. */
function plugin(script: string, options: Partial<ExecPluginOptions> = {}, exec: Partial<ExecConfig> = {}) {
  const runs = join(folder, `runs-${Math.random()}`);
  writeFileSync(runs, '');
  let now = Date.parse('2030-01-01T00:00:00Z');
  const created = createExecPlugin({
    exec: {
      apiVersion,
      command: '/bin/sh',
      args: ['-c', `echo run >> ${runs}; ${script}`],
      env: { EXTRA: 'from the kubeconfig' },
      interactiveMode: 'Never',
      provideClusterInfo: true,
      ...exec,
    },
    config: plainConfig('https://10.0.0.1'),
    timing: { ...systemTiming, now: () => now },
    ...options,
  });
  return {
    ...created,
    runs: () => readFileSync(runs, 'utf8').split('\n').length - 1,
    pass(milliseconds: number) {
      now += milliseconds;
    },
  };
}

const credential = (status: object, version = apiVersion) =>
  `echo '${JSON.stringify({ apiVersion: version, kind: 'ExecCredential', status })}'`;

describe('a credential plugin', () => {
  it('runs once for all who ask, and again before its credential expires', async () => {
    const login = plugin(credential({ token: 'tok', expirationTimestamp: '2030-01-01T00:01:00Z' }));
    const answers = await Promise.all([login.get(), login.get(), login.get()]);
    expect(answers.every((answer) => answer.ok && answer.value.token === 'tok')).toBe(true);
    login.pass(49_000);
    await login.get();
    expect(login.runs()).toBe(1);
    login.pass(2000);
    await login.get();
    expect(login.runs()).toBe(2);
  });

  it('is kept for ever without an expiration, until the server refuses the credential', async () => {
    const login = plugin(credential({ token: 'tok' }));
    await login.get();
    login.pass(1e9);
    await login.get();
    expect(login.runs()).toBe(1);
    login.forget();
    await login.get();
    expect(login.runs()).toBe(2);
  });

  it('is told about the cluster and gets its environment', async () => {
    const login = plugin(`printf '{"apiVersion":"${apiVersion}","kind":"ExecCredential","status":{"token":"%s|%s"}}' \
      "$EXTRA" "$(printf %s "$KUBERNETES_EXEC_INFO" | base64 -w0)"`);
    const given = await login.get();
    if (!given.ok) throw new Error(given.error);
    const [extra, info] = given.value.token!.split('|');
    expect(extra).toBe('from the kubeconfig');
    expect(JSON.parse(Buffer.from(info!, 'base64').toString())).toEqual({
      apiVersion,
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: 'https://10.0.0.1' } },
    });
  });

  it('may give a certificate', async () => {
    const login = plugin(credential({ clientCertificateData: 'C', clientKeyData: 'K' }));
    expect(await login.get()).toEqual({ ok: true, value: { certificate: { cert: 'C', key: 'K' } } });
  });

  it.each<[string, string, Partial<ExecPluginOptions>, Partial<ExecConfig>, string]>([
    ['ends with a failure', 'echo no session >&2; exit 3', {}, {}, 'ended with code 3: no session'],
    ['takes too long', 'sleep 60', { timeoutMs: 100 }, {}, 'took longer than 100 ms'],
    [
      'prints without end',
      'while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxx; done',
      { maxOutput: 1000 },
      {},
      'more than 1000 bytes',
    ],
    ['prints something else', 'echo token', {}, {}, 'no JSON'],
    ['speaks another version', credential({ token: 't' }, 'client.authentication.k8s.io/v1beta1'), {}, {}, 'v1beta1'],
    ['gives nothing', credential({}), {}, {}, 'neither a token nor a certificate'],
    ['gives half', credential({ clientKeyData: 'k' }), {}, {}, 'only one of'],
    ['expires at no time', credential({ token: 't', expirationTimestamp: 'soon' }), {}, {}, 'is no time'],
    ['is not there', '', {}, { command: 'no-such-plugin', installHint: 'Install it.' }, 'not found. Install it.'],
    ['wants a terminal', '', {}, { interactiveMode: 'Always' }, 'wants a terminal'],
  ])('says what is wrong when it %s', async (_, script, options, exec, says) => {
    const given = await plugin(script, options, exec).get();
    expect(given).toEqual({ ok: false, error: expect.stringContaining(says) });
  });

  it('is not run again and again while it fails', async () => {
    const login = plugin('exit 1');
    await login.get();
    await login.get();
    login.forget();
    await login.get();
    expect(login.runs()).toBe(1);
    login.pass(1001);
    await login.get();
    expect(login.runs()).toBe(2);
  });
});
