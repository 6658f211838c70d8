import { describe, expect, it } from 'vitest';
import { compileFinder } from '../../match/pattern.ts';
import { filtersOf, judge } from './testing.ts';

const withOrigin = (list: string) => judge({ 'enable-cors': 'true', 'cors-allow-origin': list });

/** Whether requests of an origin get the headers. */
function admits(list: string, origin: string): boolean {
  const answer = filtersOf(withOrigin(list), 'respond')[0];
  const test = answer?.when[0]?.test;
  if (test?.type !== 'matches') throw new Error('every origin is admitted');
  const pattern = compileFinder(test.pattern, { ignoreCase: test.ignoreCase === true });
  if (!pattern.ok) throw new Error(pattern.error);
  return pattern.value.find(origin) !== undefined;
}

const isOptions = { value: [{ of: 'fact', fact: 'method' }], test: { type: 'equals', text: 'OPTIONS' } };

describe('headers', () => {
  it('for everybody, with credentials too', () => {
    const judged = judge({ 'enable-cors': 'true' });
    const [values] = filtersOf(judged, 'response-values').filter(({ set }) =>
      set.some(([name]) => name.includes('Allow')),
    );
    expect(values).toEqual({
      ...{ type: 'response-values', when: [], add: [], remove: [] },
      set: [
        ['Access-Control-Allow-Origin', ['*']],
        ['Access-Control-Allow-Credentials', ['true']],
        ['Access-Control-Allow-Methods', ['GET, PUT, POST, DELETE, PATCH, OPTIONS']],
        [
          'Access-Control-Allow-Headers',
          [
            'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization',
          ],
        ],
        ['Access-Control-Max-Age', ['1728000']],
      ],
    });
    expect(filtersOf(judged, 'respond')).toMatchObject([{ status: 204, when: [isOptions] }]);
  });

  it('as asked for', () => {
    const judged = judge({
      ...{ 'enable-cors': 'true', 'cors-allow-origin': 'https://a.example', 'cors-allow-credentials': 'false' },
      ...{
        'cors-allow-methods': 'GET, PUT',
        'cors-allow-headers': 'X-A, X_B',
        'cors-expose-headers': '*',
        'cors-max-age': '60',
      },
    });
    const [values] = filtersOf(judged, 'response-values').filter(({ set }) => set.length > 1);
    expect(values?.set).toEqual([
      ['Access-Control-Allow-Origin', [{ of: 'header', name: 'origin' }]],
      ['Access-Control-Allow-Methods', ['GET, PUT']],
      ['Access-Control-Allow-Headers', ['X-A, X_B']],
      ['Access-Control-Expose-Headers', ['*']],
      ['Access-Control-Max-Age', ['60']],
    ]);
  });

  it('none unless they are switched on', () => {
    expect(filtersOf(judge({}), 'respond')).toEqual([]);
    expect(judge({ 'cors-allow-origin': '*' }).told).toEqual(['FW5506 cors-allow-origin']);
    expect(filtersOf(judge({ 'enable-cors': 'false', 'cors-max-age': '5' }), 'respond')).toEqual([]);
  });

  it('none for an empty list of origins', () => {
    expect(filtersOf(withOrigin('a.example'), 'respond')).toEqual([]);
  });
});

describe('origins', () => {
  it.each([
    ['https://a.example', 'https://a.example', true],
    ['https://a.example', 'HTTPS://A.example', true],
    ['https://a.example', 'http://a.example', false],
    ['https://a.example', 'https://a.example:8443', false],
    ['https://a.example:8443', 'https://a.example:8443', true],
    ['https://a.example', 'https://axexample', false],
    ['https://*.a.example', 'https://x.a.example', true],
    ['https://*.a.example', 'https://x.y.a.example', false],
    ['https://*.a.example', 'https://a.example', false],
    ['https://a.example, https://b.example', 'https://b.example', true],
    ['https://a.example,nonsense', 'https://nonsense', false],
    ['app://*.a.example:9000', 'app://x.a.example:9000', true],
    ['null', 'null', true],
  ])('%s and %s: %s', (list, origin, admitted) => {
    expect(admits(list, origin)).toBe(admitted);
  });

  it('a star among others is a star', () => {
    expect(filtersOf(withOrigin('https://a.example, *'), 'respond')).toMatchObject([{ when: [isOptions] }]);
  });
});
