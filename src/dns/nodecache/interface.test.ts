import { describe, expect, it } from 'vitest';
import type { CommandOutcome, RunCommand } from './command.ts';
import { createLocalInterface } from './interface.ts';

/** `ip` of a node with one interface at most. */
function fakeIp(
  options: { dummy?: boolean; bridge?: boolean; kind?: string; addresses?: string[]; ports?: number } = {},
) {
  let kind = options.kind;
  let addresses = [...(options.addresses ?? [])];
  const calls: string[] = [];
  const good = (stdout = ''): CommandOutcome => ({ code: 0, stdout, stderr: '' });
  const bad = (stderr: string): CommandOutcome => ({ code: 2, stdout: '', stderr });
  const link = () => [
    {},
    {
      ifname: 'nodelocaldns',
      ...(kind && { linkinfo: { info_kind: kind } }),
      addr_info: addresses.map((text) => {
        const [local, prefix] = text.split('/');
        return { local, prefixlen: Number(prefix) };
      }),
    },
  ];
  function add(wanted: string): CommandOutcome {
    if (options[wanted as 'dummy' | 'bridge'] === false) return bad('Error: Unknown device type.\n');
    kind = wanted;
    return good();
  }
  const run: RunCommand = async (_program, args) => {
    const words = args.filter((word) => !word.startsWith('-'));
    const [object, verb] = words;
    calls.push(words.join(' '));
    if (verb === 'show' && words.includes('master'))
      return good(JSON.stringify(Array(options.ports ?? 0).fill({ ifname: 'veth0' })));
    if (verb === 'show')
      return kind === undefined ? bad('Device "nodelocaldns" does not exist.\n') : good(JSON.stringify(link()));
    if (object === 'link' && verb === 'add') return add(words.at(-1)!);
    if (object === 'link' && verb === 'del') kind = undefined;
    if (verb === 'replace') addresses.push(words[2]!);
    if (verb === 'del') addresses = addresses.filter((text) => text !== words[2]);
    return good();
  };
  const logs: string[] = [];
  const local = createLocalInterface({
    ...{ name: 'nodelocaldns', run, log: (_level, text) => logs.push(text) },
    addresses: [
      { text: '169.254.20.10', version: 4 },
      { text: 'fd00::10', version: 6 },
    ],
  });
  return { local, calls, logs, kind: () => kind, addresses: () => addresses };
}

describe('the interface of the node cache', () => {
  it('is a dummy with its addresses, made once', async () => {
    const fake = fakeIp();
    expect(await fake.local.ensure()).toEqual({ ok: true, value: 'made' });
    expect(await fake.local.ensure()).toEqual({ ok: true, value: 'present' });
    expect(fake.calls).toEqual([
      'addr show dev nodelocaldns',
      'link add nodelocaldns type dummy',
      'addr replace 169.254.20.10/32 dev nodelocaldns',
      'addr replace fd00::10/128 dev nodelocaldns nodad',
      'addr show dev nodelocaldns',
    ]);
    expect(await fake.local.remove()).toEqual({ ok: true, value: undefined });
    expect(fake.kind()).toBeUndefined();
    expect(await fake.local.remove()).toEqual({ ok: true, value: undefined });
  });

  it('is a bridge where the kernel has no dummies, which is said once', async () => {
    const fake = fakeIp({ dummy: false });
    await fake.local.ensure();
    await fake.local.remove();
    await fake.local.ensure();
    expect(fake.kind()).toBe('bridge');
    expect(fake.logs).toEqual(['nodecache: the kernel has no dummy driver; nodelocaldns is a bridge without ports']);
  });

  it('gets back a lost address, and loses those of an earlier start', async () => {
    const fake = fakeIp({ kind: 'dummy', addresses: ['169.254.20.10/32', '10.0.0.10/32', 'fe80::1/64'] });
    expect(await fake.local.ensure()).toEqual({ ok: true, value: 'repaired' });
    expect(fake.addresses()).toEqual(['169.254.20.10/32', 'fe80::1/64', 'fd00::10/128']);
  });

  it('never touches an interface that is somebody else’s', async () => {
    for (const kind of ['veth', 'vlan']) {
      const fake = fakeIp({ kind });
      expect(await fake.local.ensure()).toMatchObject({ ok: false, error: { type: 'interface_check' } });
      expect(await fake.local.remove()).toMatchObject({ ok: false });
      expect(fake.kind()).toBe(kind);
    }
    const fake = fakeIp({ kind: 'bridge', ports: 1 });
    expect(await fake.local.remove()).toMatchObject({
      ok: false,
      error: { text: expect.stringContaining('with ports') },
    });
    expect(fake.kind()).toBe('bridge');
  });

  it('says why it cannot be made', async () => {
    const neither = fakeIp({ dummy: false, bridge: false });
    expect(await neither.local.ensure()).toMatchObject({
      ok: false,
      error: { type: 'interface_add', text: expect.stringContaining('no dummy driver (Error: Unknown device type.)') },
    });
    const broken = createLocalInterface({
      ...{ name: 'x', addresses: [], log: () => {} },
      run: async () => ({ code: 0, stdout: 'not json', stderr: '' }),
    });
    expect(await broken.ensure()).toMatchObject({ ok: false, error: { type: 'interface_check' } });
  });
});
