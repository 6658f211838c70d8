import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Filter } from '../../routing/plan/plan.ts';
import { createFields, type Fields, scanText, writeFields } from '../http1/fields.ts';
import { compileFilters } from './compile.ts';
import type { OutgoingRequest } from './types.ts';

const noTarget = () => 'there are no backends here';
const none = { set: [], add: [], remove: [] } as const;

function fieldsOf(lines: readonly string[]): Fields {
  const fields = createFields(50);
  scanText(fields, `${lines.map((line) => `${line}\r\n`).join('')}\r\n`);
  return fields;
}

const written = (fields: Fields) => writeFields(fields).split('\r\n').slice(0, -1);

/** Filters of constants look at neither. */
const nobody = [undefined as never, undefined as never] as const;

function requestThrough(filters: readonly Filter[], lines: readonly string[] = []) {
  const complaints: string[] = [];
  const request: OutgoingRequest = {
    fields: fieldsOf(lines),
    host: 'a.example',
    path: '/one/two',
    isNormal: false,
    query: 'q=1',
    prefixLength: 4,
    targetChanged: false,
  };
  compileFilters(filters, (message) => complaints.push(message), noTarget).request?.(request, ...nobody);
  return { ...request, lines: written(request.fields), complaints };
}

describe('filters', () => {
  it('that are none cost nothing', () => {
    expect(compileFilters([], () => {}, noTarget)).toEqual({});
  });

  it('apply in order, as one function', () => {
    const result = requestThrough(
      [
        { type: 'request-headers', ...none, set: [['A', '1']], add: [['B', '2']] },
        { type: 'request-headers', ...none, add: [['a', '3']], remove: ['B'] },
        { type: 'rewrite', hostname: 'b.example', path: { type: 'prefix', value: '/x' } },
        { type: 'rewrite', hostname: 'c.example' },
      ],
      ['a: 0', 'C: 9', 'A: 00'],
    );
    expect(result.lines).toEqual(['C: 9', 'A: 1', 'a: 3']);
    expect(result).toMatchObject({
      host: 'c.example',
      path: '/x/two',
      query: 'q=1',
      targetChanged: true,
      complaints: [],
    });
  });

  it('change responses', () => {
    const fields = fieldsOf(['Server: x', 'Set-Cookie: a', 'Set-Cookie: b']);
    const change: Filter = {
      type: 'response-headers',
      set: [['server', 'mine']],
      add: [['Set-Cookie', 'c']],
      remove: [],
    };
    compileFilters([change], () => {}, noTarget).response?.(fields, nobody[0]);
    expect(written(fields)).toEqual(['Set-Cookie: a', 'Set-Cookie: b', 'server: mine', 'Set-Cookie: c']);
  });

  it('write what is not ASCII as UTF-8', () => {
    const { lines } = requestThrough([{ type: 'request-headers', ...none, set: [['X', 'für']] }]);
    expect(Buffer.from(lines[0]!, 'latin1').toString()).toBe('X: für');
    // Its last byte is A0, which is no white space of HTTP.
    const last = requestThrough([{ type: 'request-headers', ...none, set: [['X', ' voilà ']] }]).lines[0]!;
    expect(Buffer.from(last, 'latin1').toString()).toBe('X: voilà');
  });

  it('rewrite the host when told to set Host', () => {
    const change: Filter = { type: 'request-headers', set: [['Host', 'b.example']], add: [], remove: ['host'] };
    expect(requestThrough([change])).toMatchObject({ host: 'b.example', lines: [], complaints: [] });
  });

  it.each([
    ['a value with a line end', [['X', 'a\r\nEvil: 1']], []],
    ['a value with NUL', [['X', 'a\0']], []],
    ['a name that is none', [['X Y', 'a']], []],
    ['an empty name', [['', 'a']], []],
    ['Content-Length', [['Content-Length', '5']], []],
    ['Transfer-Encoding', [], ['transfer-ENCODING']],
    ['Connection', [['connection', 'close']], []],
    ['a host that is none', [['Host', 'a b']], []],
  ] as const)('leave out %s, and say so', (_, set, remove) => {
    const result = requestThrough([{ type: 'request-headers', set, add: [], remove }], ['Transfer-Encoding: chunked']);
    expect(result.lines).toEqual(['Transfer-Encoding: chunked']);
    expect(result.host).toBe('a.example');
    expect(result.complaints).toHaveLength(1);
  });

  it('never let a value break out of its line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, value) => {
        const { lines, host } = requestThrough([
          { type: 'request-headers', set: [[name, value]], add: [[name, value]], remove: [name] },
          { type: 'rewrite', hostname: value },
        ]);
        for (const line of [...lines, host]) expect(line).not.toMatch(/[\r\n\0]/);
      }),
    );
  });
});
