import { connect } from 'node:http2';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaults, type ProxyOptions } from '../options.ts';
import { oneRoute, PORT } from '../testing/one-route.ts';
import { readOptions } from './read.ts';
import type { Rule } from './rules.ts';
import { schema } from './schema.ts';

type Section = Readonly<Record<string, Rule<unknown>>>;
const sections = Object.entries(schema).filter(([name]) => name !== 'zone') as [string, Section][];
const rows = sections.flatMap(([section, rules]) =>
  Object.entries(rules).map(([name, rule]) => [section, name, rule] as const),
);

const faultsOf = (document: unknown) =>
  readOptions(document).faults.map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('the schema of options', () => {
  it('has a row for every option with a default, and no other', () => {
    const names = (all: object) =>
      Object.entries(all).flatMap(([section, values]) => Object.keys(values).map((name) => `${section}.${name}`));
    expect(rows.map(([section, name]) => `${section}.${name}`).sort()).toEqual(names(defaults).sort());
  });

  it('takes every default, as it is and on its way through JSON', () => {
    expect(readOptions(defaults)).toEqual({ options: defaults, faults: [] });
    expect(readOptions(JSON.parse(JSON.stringify(defaults)))).toEqual({ options: defaults, faults: [] });
  });

  it.each(rows)('%s.%s has the unit of its name', (_section, name, { unit }) => {
    const named = name.endsWith('Ms') ? 'milliseconds' : name.endsWith('Bytes') ? 'bytes' : 'none';
    expect(unit).toBe(named);
  });

  it.each(rows)('%s.%s refuses what it is not, and says what it is', (section, name, { expected }) => {
    for (const wrong of [null, {}, -1, 1e300, Number.NaN, 'some words', [[]]]) {
      const { options, faults } = readOptions({ [section]: { [name]: wrong } });
      expect(faults, JSON.stringify(wrong)).toHaveLength(1);
      // Of a list, the good entries hold.
      expect([{ [section]: {} }, { [section]: { [name]: [] } }]).toContainEqual(options);
      if (!Array.isArray(wrong)) expect(faults[0]!.message).toContain(expected);
      expect(faults[0]!.path.slice(0, 2)).toEqual([section, name]);
    }
  });

  it('has no room for secrets and callbacks', () => {
    for (const name of ['ticketSecret', 'metrics', 'onAccess', 'onDiagnostic', 'listen'])
      expect(readOptions({ [name]: {} }).faults).toHaveLength(1);
  });
});

describe('values', () => {
  const headTimeoutMs = (value: unknown) => readOptions({ client: { headTimeoutMs: value } }).options.client;
  it.each([
    [500, 500],
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5s', 1_500],
    ['1m30s', 90_000],
    ['2h', 7_200_000],
    [2_147_483_647, 2_147_483_647],
  ])('times: %s', (given, headMs) => expect(headTimeoutMs(given)).toEqual({ headTimeoutMs: headMs }));
  it.each([0, -1, 0.5, '10', 's', '10 s', '1d', '10S', '-1s', '', true, 2_147_483_648, '600h', [500]])(
    'no times: %j',
    (given) => expect(headTimeoutMs(given)).toEqual({}),
  );

  const maxHeadBytes = (value: unknown) => readOptions({ client: { maxHeadBytes: value } }).options.client;
  it.each([
    [2048, 2048],
    ['64KiB', 65_536],
    ['64 KiB', 65_536],
    ['1.5MiB', 1_572_864],
    ['2kB', 2_000],
    ['1024B', 1_024],
  ])('sizes: %s', (given, bytes) => expect(maxHeadBytes(given)).toEqual({ maxHeadBytes: bytes }));
  it.each([1023, '64', '64K', '64kib', '17MiB', '1e4', null, false])('no sizes: %j', (given) =>
    expect(maxHeadBytes(given)).toEqual({}),
  );

  it('takes lists of addresses, without the entries that are none', () => {
    const trustedProxies = ['10.0.0.0/8', 'fd00::1', '10.0.0.0/33', 7];
    const { options, faults } = readOptions({ forwarded: { trustedProxies } });
    expect(options).toEqual({ forwarded: { trustedProxies: ['10.0.0.0/8', 'fd00::1'] } });
    expect(faults.map(({ path }) => path)).toEqual([
      ['forwarded', 'trustedProxies', 2],
      ['forwarded', 'trustedProxies', 3],
    ]);
    expect(faultsOf({ forwarded: { trustedProxies: '10.0.0.0/8' } })).toEqual([
      'forwarded.trustedProxies: "10.0.0.0/8" is not a list of addresses and CIDRs, as in [10.0.0.0/8, 192.0.2.1, fd00::/8]',
    ]);
  });
});

describe('documents', () => {
  it('may be empty, in whole or in part', () => {
    for (const nothing of [undefined, null, {}]) expect(readOptions(nothing)).toEqual({ options: {}, faults: [] });
    expect(readOptions({ client: null })).toEqual({ options: {}, faults: [] });
  });

  it('keep what is right when something is wrong', () => {
    const document = { client: { maxHeaders: 'many', maxConnections: 5 }, zone: 'harbour-1', relay: 7, http3: {} };
    const { options, faults } = readOptions(document);
    expect(options).toEqual({ client: { maxConnections: 5 }, zone: 'harbour-1' });
    expect(faults.map(({ path }) => path.join('.'))).toEqual(['client.maxHeaders', 'relay', 'http3']);
  });

  it('are told of the name that was meant', () => {
    expect(faultsOf({ cleint: {}, client: { maxHeader: 1, bufferBytes: 1 }, wholly: {} })).toEqual([
      'cleint: there is no section of this name; did you mean client?',
      'client.maxHeader: there is no option of client of this name; did you mean client.maxHeaders?',
      'client.bufferBytes: there is no option of client of this name; did you mean relay.bufferBytes?',
      `wholly: there is no section of this name; there are ${Object.keys(schema).join(', ')}`,
    ]);
    expect(faultsOf({ maxHeadBytes: 1 })).toEqual([
      'maxHeadBytes: there is no section of this name; did you mean client.maxHeadBytes or upstream.maxHeadBytes?',
    ]);
  });

  it('of any kind are read without throwing, and give nothing that is not an option', () => {
    const parse = (text: string): unknown => JSON.parse(text);
    const value = fc.oneof(fc.jsonValue(), fc.integer(), fc.constantFrom('10s', '64KiB', '10.0.0.0/8', 'both', true));
    const names = fc.constantFrom(...rows.map(([, name]) => name), 'other');
    const level = fc.oneof(fc.dictionary(names, value), fc.jsonValue());
    const top = fc.constantFrom(...Object.keys(schema), 'other');
    fc.assert(
      fc.property(fc.oneof(fc.dictionary(top, level), fc.jsonValue()), (document) => {
        const { options } = readOptions(document);
        expect(readOptions(options)).toEqual({ options, faults: [] });
      }),
    );
    expect(
      readOptions(parse('{"__proto__": {"maxHeaders": 1}, "constructor": {}, "client": {"toString": 1}}')),
    ).toEqual({
      options: { client: {} },
      faults: expect.objectContaining({ length: 3 }),
    });
  });
});

async function askHttp2(url: string): Promise<string> {
  const session = connect(url);
  session.on('error', () => {});
  const stream = session.request({ ':path': '/', ':authority': 'a.example' });
  const body = await text(stream).catch(String);
  session.close();
  return body;
}

describe('a data plane', () => {
  /** All numbers at one end of their ranges; at the least, times would end every request. */
  function atEnd(end: 0 | 1): ProxyOptions {
    const document: Record<string, Record<string, number>> = {};
    for (const [section, name, { range, unit }] of rows)
      if (range && (end === 1 || unit !== 'milliseconds'))
        document[section] = { ...document[section], [name]: range[end] };
    const { options, faults } = readOptions(document);
    expect(faults).toEqual([]);
    return options;
  }

  it.each([
    ['least', 0],
    ['most', 1],
  ] as const)('serves HTTP/1.1 and HTTP/2 with the %s of everything', async (_name, end) => {
    const address = `127.77.17.${30 + end}`;
    const world = await oneRoute(address, `127.77.17.${32 + end}`, atEnd(end));
    await world.use([]);
    expect(await world.ask()).toMatchObject({ status: 200, body: 'ok' });
    // The least is one connection, and the one before has to be gone.
    await expect.poll(() => askHttp2(`http://${address}:${PORT}`)).toBe('ok');
    await world.close();
  });
});
