/** The `user` of a kubeconfig: tokens, certificates, passwords, plugins, impersonation. */
import { resolve } from 'node:path';
import { ok, type Result } from '../../base/result.ts';
import type { ConfigError, ExecConfig, Impersonation, Material, TlsConfig, UserConfig } from './config.ts';
import { type Entry, together } from './kubeconfig-file.ts';

type Read<T> = Result<T, ConfigError>;

/** `FIELD-data` in base64 goes before `FIELD`, a file relative to the kubeconfig. */
export function readMaterial(entry: Entry, field: string): Read<Material | undefined> {
  const data = entry.text(`${field}-data`);
  if (!data.ok) return data;
  if (data.value !== undefined) {
    const text = Buffer.from(data.value, 'base64').toString('utf8');
    return text.includes('-----BEGIN') ? ok({ text }) : entry.fail(`${field}-data`, 'is not PEM in base64');
  }
  const file = entry.text(field);
  if (!file.ok) return file;
  return ok(file.value === undefined ? undefined : { file: resolve(entry.folder, file.value) });
}

export function readCertificate(entry: Entry): Read<TlsConfig['certificate']> {
  const read = together({
    cert: readMaterial(entry, 'client-certificate'),
    key: readMaterial(entry, 'client-key'),
  });
  if (!read.ok) return read;
  const { cert, key } = read.value;
  if (cert && key) return ok({ cert, key });
  if (cert) return entry.fail('client-certificate', 'has no client-key beside it');
  return key ? entry.fail('client-key', 'has no client-certificate beside it') : ok(undefined);
}

/** client-go's order: a token file goes before a token. */
function readToken(entry: Entry): Read<Material | undefined> {
  const file = entry.text('tokenFile');
  if (!file.ok) return file;
  if (file.value !== undefined) return ok({ file: resolve(entry.folder, file.value) });
  const token = entry.text('token');
  if (!token.ok) return token;
  return ok(token.value === undefined ? undefined : { text: token.value });
}

function readBasic(entry: Entry): Read<UserConfig['basic']> {
  const read = together({ username: entry.text('username'), password: entry.text('password') });
  if (!read.ok) return read;
  const { username, password = '' } = read.value;
  return ok(username === undefined ? undefined : { username, password });
}

const execVersions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'] as const;
const interactiveModes = ['Never', 'IfAvailable', 'Always'] as const;

function readEnv(entry: Entry): Read<Record<string, string>> {
  const env: Record<string, string> = {};
  const items = entry.entries('env');
  if (!items.ok) return items;
  for (const item of items.value) {
    const read = together({ name: item.text('name'), value: item.text('value') });
    if (!read.ok) return read;
    const { name, value = '' } = read.value;
    if (name === undefined) return item.fail('name', 'is missing');
    env[name] = value;
  }
  return ok(env);
}

/** A command with a slash is relative to the kubeconfig, one without is looked up in PATH. */
const commandOf = (command: string, folder: string) => (command.includes('/') ? resolve(folder, command) : command);

function readExec(user: Entry): Read<ExecConfig | undefined> {
  const found = user.entry('exec');
  if (!found.ok || !found.value) return found as Read<undefined>;
  const exec = found.value;
  const read = together({
    command: exec.text('command'),
    args: exec.texts('args'),
    env: readEnv(exec),
    installHint: exec.text('installHint'),
    provideClusterInfo: exec.flag('provideClusterInfo'),
  });
  if (!read.ok) return read;
  const { command, ...rest } = read.value;
  if (command === undefined) return exec.fail('command', 'is missing');
  const apiVersion = execVersions.find((version) => version === exec.raw('apiVersion'));
  if (!apiVersion) return exec.fail('apiVersion', `must be one of ${execVersions.join(', ')}`);
  const mode = exec.raw('interactiveMode') ?? (apiVersion.endsWith('beta1') ? 'IfAvailable' : undefined);
  const interactiveMode = interactiveModes.find((known) => known === mode);
  if (!interactiveMode) return exec.fail('interactiveMode', `must be one of ${interactiveModes.join(', ')}`);
  return ok({ ...rest, apiVersion, interactiveMode, command: commandOf(command, exec.folder) });
}

function readImpersonation(entry: Entry): Read<Impersonation | undefined> {
  const read = together({
    user: entry.text('as'),
    uid: entry.text('as-uid'),
    groups: entry.texts('as-groups'),
    extras: entry.entry('as-user-extra'),
  });
  if (!read.ok) return read;
  const { user, uid, groups, extras } = read.value;
  const given = (entry.raw('as-user-extra') ?? {}) as Record<string, unknown>;
  const extra: Record<string, readonly string[]> = {};
  for (const name of Object.keys(given)) {
    const values = extras!.texts(name);
    if (!values.ok) return values;
    extra[name] = values.value;
  }
  if (user !== undefined) return ok({ user, uid, groups, extra });
  const rest = uid !== undefined || groups.length > 0 || Object.keys(extra).length > 0;
  return rest ? entry.fail('as', 'is missing: groups, uid and extra fields go with a user') : ok(undefined);
}

export function readUser(entry: Entry): Read<UserConfig> {
  if (entry.raw('auth-provider') !== undefined)
    return entry.fail('auth-provider', 'is no longer part of Kubernetes; use exec with a credential plugin');
  return together({
    token: readToken(entry),
    basic: readBasic(entry),
    exec: readExec(entry),
    impersonate: readImpersonation(entry),
  });
}
