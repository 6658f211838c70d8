import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandOutcome, RunCommand } from './command.ts';
import { countRules, createIptables, iptablesFault, restoreText, ruleText } from './iptables.ts';
import { createNftables, nftScript } from './nftables.ts';
import { leadsHere, rulesOf } from './rules.ts';
import type { LocalIp } from './settings.ts';

const four: LocalIp = { text: '169.254.20.10', version: 4 };
const six: LocalIp = { text: 'fd00::10', version: 6 };
const ports = { dnsPort: 53, healthPort: 8080 };
const rules = rulesOf([four, six], ports);

/** node-cache's rules in its own words: table, chain, and the arguments in its order. */
const nodeCache = [
  'raw PREROUTING -p tcp -d IP --dport 53 -j NOTRACK',
  'raw PREROUTING -p udp -d IP --dport 53 -j NOTRACK',
  'filter INPUT -p tcp -d IP --dport 53 -j ACCEPT',
  'filter INPUT -p udp -d IP --dport 53 -j ACCEPT',
  'raw OUTPUT -p tcp -s IP --sport 53 -j NOTRACK',
  'raw OUTPUT -p udp -s IP --sport 53 -j NOTRACK',
  'filter OUTPUT -p tcp -s IP --sport 53 -j ACCEPT',
  'filter OUTPUT -p udp -s IP --sport 53 -j ACCEPT',
  'raw OUTPUT -p tcp -d IP --dport 53 -j NOTRACK',
  'raw OUTPUT -p udp -d IP --dport 53 -j NOTRACK',
  'raw OUTPUT -p tcp -d IP --dport 8080 -j NOTRACK',
  'raw OUTPUT -p tcp -s IP --sport 8080 -j NOTRACK',
];

describe('the rules', () => {
  it('are the twelve of node-cache for each address', () => {
    const text = rulesOf([four], ports).map(({ table, chain, protocol, side, address, port, target }) => {
      const [host, door] = side === 'destination' ? ['-d', '--dport'] : ['-s', '--sport'];
      const ip = address.text === four.text ? 'IP' : address.text;
      return `${table} ${chain} -p ${protocol} ${host} ${ip} ${door} ${port} -j ${target}`;
    });
    expect(text).toEqual(nodeCache);
    expect(rules).toHaveLength(24);
  });

  it('lead queries here by four of DNS and one of the health page', () => {
    expect(rulesOf([four], ports).filter(leadsHere)).toHaveLength(5);
  });
});

describe('iptables', () => {
  it('is given one transaction for each table', () => {
    const skip = '-m comment --comment "NodeLocal DNS Cache: skip conntrack" -j NOTRACK';
    const allow = '-m comment --comment "NodeLocal DNS Cache: allow DNS traffic" -j ACCEPT';
    expect(restoreText(rulesOf([four], ports).map((rule) => ({ rule, copies: 1 })))).toBe(`*raw
-I PREROUTING -d 169.254.20.10/32 -p tcp -m tcp --dport 53 ${skip}
-I PREROUTING -d 169.254.20.10/32 -p udp -m udp --dport 53 ${skip}
-I OUTPUT -s 169.254.20.10/32 -p tcp -m tcp --sport 53 ${skip}
-I OUTPUT -s 169.254.20.10/32 -p udp -m udp --sport 53 ${skip}
-I OUTPUT -d 169.254.20.10/32 -p tcp -m tcp --dport 53 ${skip}
-I OUTPUT -d 169.254.20.10/32 -p udp -m udp --dport 53 ${skip}
-I OUTPUT -d 169.254.20.10/32 -p tcp -m tcp --dport 8080 ${skip}
-I OUTPUT -s 169.254.20.10/32 -p tcp -m tcp --sport 8080 ${skip}
COMMIT
*filter
-I INPUT -d 169.254.20.10/32 -p tcp -m tcp --dport 53 ${allow}
-I INPUT -d 169.254.20.10/32 -p udp -m udp --dport 53 ${allow}
-I OUTPUT -s 169.254.20.10/32 -p tcp -m tcp --sport 53 ${allow}
-I OUTPUT -s 169.254.20.10/32 -p udp -m udp --sport 53 ${allow}
COMMIT
`);
  });

  it('knows its rules again in every spelling, and nobody else’s', () => {
    const skip = 'NodeLocal DNS Cache: skip conntrack';
    const one = (line: string) => [...countRules(line).values()].reduce((sum, count) => sum + count, 0);
    for (const rule of rules) expect(one(`-A ${rule.chain} ${ruleText(rule)}`)).toBe(1);
    expect(one(`-A OUTPUT -s 10.0.0.1 -p udp --sport 53 -m comment --comment "${skip}" -j CT --notrack`)).toBe(1);
    expect(one(`-A OUTPUT -s FD00:0::10/128 -p udp -m udp --sport 53 -m comment --comment "${skip}" -j NOTRACK`)).toBe(
      1,
    );
    for (const line of [
      `-A OUTPUT -s 10.0.0.1/32 -p udp -m udp --sport 53 -j NOTRACK`,
      `-A OUTPUT -s 10.0.0.0/24 -p udp -m udp --sport 53 -m comment --comment "${skip}" -j NOTRACK`,
      `-A OUTPUT ! -s 10.0.0.1/32 -p udp -m udp --sport 53 -m comment --comment "${skip}" -j NOTRACK`,
      `-A OUTPUT -s 10.0.0.1/32 -o eth0 -p udp -m udp --sport 53 -m comment --comment "${skip}" -j NOTRACK`,
      `-A OUTPUT -s 10.0.0.1/32 -p udp -m udp --sport 53 -m comment --comment "${skip}" -j CT --zone 1`,
      `-A OUTPUT -s 10.0.0.1/32 -d 10.0.0.2/32 -p udp -m udp --sport 53 -m comment --comment "${skip}" -j NOTRACK`,
      `-N OUTPUT -s 10.0.0.1/32 -p udp -m udp --sport 53 -m comment --comment "${skip}" -j NOTRACK`,
    ])
      expect([line, one(line)]).toEqual([line, 0]);
  });

  it('reads any listing', () => {
    const word = fc.constantFrom(
      '-A',
      '-s',
      '-d',
      '-p',
      '-m',
      '-j',
      '--dport',
      '"',
      '"a b"',
      'CT',
      '--notrack',
      '\\',
      '\n',
    );
    fc.assert(fc.property(fc.array(fc.oneof(word, fc.string())), (words) => void countRules(`-A ${words.join(' ')}`)));
  });

  /** Tables as iptables keeps them, for one family. */
  function fakeIptables(answers: (program: string) => Partial<CommandOutcome> | undefined = () => undefined) {
    const chains = new Map<string, string[]>();
    const calls: string[] = [];
    const chainOf = (table: string, chain: string) => {
      const key = `${table} ${chain}`;
      if (!chains.has(key)) chains.set(key, []);
      return chains.get(key)!;
    };
    function restore(input = ''): CommandOutcome {
      let table = '';
      for (const line of input.trim().split('\n')) {
        if (line.startsWith('*')) table = line.slice(1);
        const [, action, chain, rule] = /^-([ID]) (\S+) (.*)$/.exec(line) ?? [];
        if (action === undefined) continue;
        const lines = chainOf(table, chain!);
        if (action === 'I') lines.unshift(rule!);
        else if (!lines.includes(rule!)) return { code: 1, stdout: '', stderr: 'no such rule' };
        else lines.splice(lines.indexOf(rule!), 1);
      }
      return { code: 0, stdout: '', stderr: '' };
    }
    const run: RunCommand = async (program, args, input) => {
      calls.push(program);
      const answer = answers(program);
      if (answer) return { code: 1, stdout: '', stderr: '', ...answer };
      if (program.endsWith('-restore')) return restore(input);
      const [table, chain] = [args[args.indexOf('-t') + 1]!, args[args.indexOf('-S') + 1]!];
      const lines = chainOf(table, chain).map((rule) => `-A ${chain} ${rule}`);
      return { code: 0, stdout: [`-P ${chain} ACCEPT`, ...lines].join('\n'), stderr: '' };
    };
    return { run, chains, calls, count: () => [...chains.values()].flat().length };
  }

  it('adds what is missing, removes what is double, and then writes nothing', async () => {
    const fake = fakeIptables();
    const held = createIptables({ rules: rulesOf([four], ports), run: fake.run });
    expect(await held.ensure()).toEqual({ ok: true, value: 12 });
    const output = fake.chains.get('raw OUTPUT')!;
    output.push(output[0]!, output[0]!);
    fake.chains.get('filter INPUT')!.pop();
    expect(await held.ensure()).toEqual({ ok: true, value: 2 });
    expect(fake.count()).toBe(12);
    fake.calls.length = 0;
    expect(await held.ensure()).toEqual({ ok: true, value: 0 });
    expect(fake.calls).not.toContain('iptables-restore');
  });

  it('takes out first what leads queries here, then everything, doubles too', async () => {
    const fake = fakeIptables();
    const held = createIptables({ rules: rulesOf([four], ports), run: fake.run });
    await held.ensure();
    fake.chains.get('filter INPUT')!.push('-j KUBE-FIREWALL', fake.chains.get('filter INPUT')![0]!);
    expect(await held.divert()).toEqual({ ok: true, value: 5 });
    expect(fake.chains.get('raw PREROUTING')).toEqual([]);
    expect(fake.chains.get('raw OUTPUT')).toHaveLength(3);
    expect(await held.remove()).toEqual({ ok: true, value: 7 });
    expect([...fake.chains.values()].flat()).toEqual(['-j KUBE-FIREWALL']);
  });

  it('tells a lock that is taken from other errors', async () => {
    const stderr = 'Another app is currently holding the xtables lock; still 4s 0us time ahead to have a chance\n';
    for (const outcome of [
      { code: 4, stderr: 'Resource temporarily unavailable' },
      { code: 1, stderr },
    ]) {
      const held = createIptables({ rules, run: fakeIptables(() => outcome).run });
      expect(await held.ensure()).toMatchObject({ ok: false, error: { type: 'iptables_lock' } });
    }
    const held = createIptables({ rules, run: fakeIptables(() => ({ code: 3, stderr: 'Permission denied' })).run });
    expect(await held.remove()).toEqual({
      ok: false,
      error: { type: 'iptables', text: 'iptables: Permission denied' },
    });
  });

  it('sets up one family when the other fails, and says so', async () => {
    const fake = fakeIptables((program) => (program.startsWith('ip6') ? { stderr: 'no IPv6' } : undefined));
    const held = createIptables({ rules, run: fake.run });
    expect(await held.ensure()).toMatchObject({ ok: false, error: { text: 'ip6tables: no IPv6' } });
    expect(fake.count()).toBe(12);
    expect(await iptablesFault([4, 6], fake.run)).toBe('ip6tables: no IPv6');
  });
});

describe('nftables', () => {
  it('is given one transaction that replaces the table', () => {
    const skip = 'counter notrack comment "NodeLocal DNS Cache: skip conntrack"';
    const allow = 'counter accept comment "NodeLocal DNS Cache: allow DNS traffic"';
    expect(
      nftScript(
        [
          { text: '169.254.20.10', version: 4 },
          { text: '10.96.0.10', version: 4 },
        ],
        ports,
      ),
    ).toBe(`add table inet fairway_node_cache
delete table inet fairway_node_cache
table inet fairway_node_cache {
	set local4 { type ipv4_addr; elements = { 10.96.0.10, 169.254.20.10 }; }
	chain prerouting {
		type filter hook prerouting priority raw; policy accept;
		ip daddr @local4 meta l4proto { tcp, udp } th dport 53 ${skip}
	}
	chain output {
		type filter hook output priority raw; policy accept;
		ip saddr @local4 meta l4proto { tcp, udp } th sport 53 ${skip}
		ip daddr @local4 meta l4proto { tcp, udp } th dport 53 ${skip}
		ip daddr @local4 tcp dport 8080 ${skip}
		ip saddr @local4 tcp sport 8080 ${skip}
	}
	chain filter_input {
		type filter hook input priority filter; policy accept;
		ip daddr @local4 meta l4proto { tcp, udp } th dport 53 ${allow}
	}
	chain filter_output {
		type filter hook output priority filter; policy accept;
		ip saddr @local4 meta l4proto { tcp, udp } th sport 53 ${allow}
	}
}
`);
    const both = nftScript([six, four], ports);
    expect(both).toContain('\tset local6 { type ipv6_addr; elements = { fd00::10 }; }\n');
    expect(both).toContain('\t\tip6 saddr @local6 tcp sport 8080');
  });

  it('is left alone while the table is as it was made, and replaced when it is not', async () => {
    let table: string | undefined = 'of an earlier start';
    const scripts: string[] = [];
    const run: RunCommand = async (_program, args, input) => {
      if (args.includes('-f')) {
        scripts.push(input!);
        table = input!.endsWith('}\n') ? `listing ${input}` : undefined;
        return { code: 0, stdout: '', stderr: '' };
      }
      const none = { code: 1, stdout: '', stderr: 'Error: No such file or directory\n' };
      return table === undefined ? none : { code: 0, stdout: table, stderr: '' };
    };
    const held = createNftables({ addresses: [four, six], ...ports, run });
    expect(await held.ensure()).toEqual({ ok: true, value: 14 });
    expect(await held.ensure()).toEqual({ ok: true, value: 0 });
    table = table.replace('counter notrack', 'counter accept');
    expect(await held.ensure()).toEqual({ ok: true, value: 1 });
    table = undefined;
    expect(await held.ensure()).toEqual({ ok: true, value: 14 });
    expect(await held.divert()).toEqual({ ok: true, value: 6 });
    expect(table).not.toMatch(/daddr.*notrack/);
    expect(await held.remove()).toEqual({ ok: true, value: 8 });
    expect(await held.remove()).toEqual({ ok: true, value: 0 });
    expect(scripts).toHaveLength(5);
  });
});
