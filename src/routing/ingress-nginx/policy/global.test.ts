import { describe, expect, it } from 'vitest';
import { readNginxConfig } from '../config/read.ts';
import { filtersOf, judge } from './testing.ts';

describe('who is blocked', () => {
  it('by texts and patterns of a header', () => {
    const config = { blockUserAgents: ['Bad Bot', '~*curl/8\\.'], blockReferers: ['~spam'] };
    const [bot, curl, spam] = filtersOf(judge({}, { config }), 'respond');
    const agent = [{ of: 'header', name: 'user-agent' }];
    expect(bot).toMatchObject({
      ...{
        status: 403,
        when: [{ value: agent, test: { type: 'matches', pattern: '^(?:Bad Bot)$', ignoreCase: true } }],
      },
    });
    expect(curl?.when).toEqual([{ value: agent, test: { type: 'matches', pattern: 'curl/8\\.', ignoreCase: true } }]);
    expect(spam?.when).toEqual([
      { value: [{ of: 'header', name: 'referer' }], test: { type: 'matches', pattern: 'spam' } },
    ]);
  });

  it('a pattern that is none shuts everything', () => {
    const refusal = (data: Record<string, string>) =>
      judge({}, { config: readNginxConfig(data, () => undefined).config }).policy.refusal;
    expect(refusal({ 'block-user-agents': 'curl,~(' })).toBe('the key block-user-agents of the ConfigMap cannot be honoured'); // biome-ignore format: one line
    expect(refusal({ 'block-referers': '~*(?=a)' })).toMatch('block-referers');
    expect(refusal({ 'whitelist-source-range': 'the office' })).toMatch('whitelist-source-range');
    expect(refusal({ 'block-referers': '~*a, (' })).toBeUndefined();
  });
});

it('a web application firewall for all shuts every location but those that switch it off', () => {
  const config = { enableModsecurity: true };
  expect(judge({}, { config }).policy.refusal).toBe('the key enable-modsecurity of the ConfigMap cannot be honoured');
  expect(judge({ 'enable-modsecurity': 'false' }, { config }).policy.refusal).toBeUndefined();
});

it('compression, and what is not logged', () => {
  const compression = {
    type: 'compression',
    codings: ['gzip'],
    types: ['text/html'],
    minBytes: 256,
    level: { gzip: 1, br: 4 },
  } as const;
  expect(filtersOf(judge({}, { config: { compression } }), 'compression')).toEqual([compression]);
  expect(judge({}, { config: { disableAccessLog: true } }).policy.unlogged).toBe(true);
  const config = { skipAccessLogUrls: ['/health'] };
  expect(judge({}, { config, facts: { path: '/health' } }).policy.unlogged).toBe(true);
  expect(judge({}, { config }).policy).not.toHaveProperty('unlogged');
});

describe('the most that annotations may risk', () => {
  it.each([
    ['Medium', { 'auth-url': 'http://gate.auth.svc/' }, 'auth-url'],
    ['Low', { 'rewrite-target': '/x' }, 'rewrite-target'],
    ['Low', { 'whitelist-source-range': '10.0.0.0/8' }, 'allowlist-source-range'],
  ] as const)('%s: %o', (annotationsRiskLevel, annotations, culprit) => {
    const judged = judge(annotations, { config: { annotationsRiskLevel } });
    expect(judged.policy.refusal).toMatch(culprit);
    // By the name that stands there, of two that it has.
    expect(judged.told).toEqual([`FW5501 ${Object.keys(annotations)[0]}`]);
    expect(judged.findings[0]!.message).toContain(`/${Object.keys(annotations)[0]}:`);
  });

  it.each([
    ['High', { 'auth-url': 'http://gate.auth.svc/' }],
    ['Medium', { 'rewrite-target': '/x' }],
    ['Low', { 'limit-rps': '5' }],
  ] as const)('%s permits %o', (annotationsRiskLevel, annotations) => {
    expect(judge(annotations, { config: { annotationsRiskLevel } })).toMatchObject({
      told: [],
      policy: { filters: {} },
    });
    expect(judge(annotations, { config: { annotationsRiskLevel } }).policy.refusal).toBeUndefined();
  });
});
