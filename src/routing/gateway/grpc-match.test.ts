import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileListener } from '../match/matcher.ts';
import { listener, route, virtualHost } from '../match/test-helpers.ts';
import { compileGrpcMatch, type GrpcMatch } from './grpc-match.ts';
import { type CompiledMatch, compareRank } from './match-values.ts';

function compiled(match: GrpcMatch): CompiledMatch {
  const result = compileGrpcMatch(match, 'matches[0]');
  if ('message' in result) throw new Error(result.message);
  return result;
}

const headers = [{ name: 'a', value: '1' }];
const two = [...headers, { name: 'b', value: '1' }];

/** In order of precedence, each of a lower rank than the one before. */
const order: GrpcMatch[] = [
  { method: { service: 'foo.Bar', method: 'List' }, headers },
  { method: { service: 'foo.Bar', method: 'List' } },
  { method: { service: 'foo.Bar', method: 'Get' }, headers: two },
  { method: { type: 'RegularExpression', service: 'foo\\.Bar', method: 'Get' } },
  { method: { type: 'RegularExpression', service: 'foo\\.Bar' }, headers: two },
  { method: { service: 'foo.Bar' }, headers: two },
  { method: { service: 'foo.Bar' }, headers },
  { method: { service: 'foo.Bar' } },
  { method: { type: 'RegularExpression', service: 'foo.+' } },
  { method: { method: 'List' } },
  { method: { method: 'Get' }, headers },
  { method: { method: 'Get' } },
  { headers: two },
  { headers },
  {},
];

/** What a match says of one call, by the words of the API. */
function takes({ method }: GrpcMatch, service: string, name: string): boolean {
  const { type = 'Exact' } = method ?? {};
  const fits = (wanted: string | undefined, got: string) =>
    !wanted || (type === 'Exact' ? wanted === got : new RegExp(`^(?:${wanted})$`).test(got));
  return fits(method?.service, service) && fits(method?.method, name);
}

describe('matches of a GRPCRoute', () => {
  it('rank as the API documents', () => {
    const indices = fc.tuple(fc.nat(order.length - 1), fc.nat(order.length - 1));
    fc.assert(
      fc.property(indices, ([i, j]) => {
        const difference = compareRank(compiled(order[i]!).rank, compiled(order[j]!).rank);
        expect(Math.sign(difference)).toBe(Math.sign(i - j));
      }),
    );
  });

  it('take the calls that they name, and no others', () => {
    const word = fc.constantFrom('a', 'b', 'A', 'ab');
    const service = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('.'));
    const pattern = fc.constantFrom('a.*', '.*b', 'a|b', '[aA]', 'a\\.b', '');
    const exact = fc.record({ service, method: word }, { requiredKeys: [] });
    const matching = fc.record(
      { type: fc.constant('RegularExpression' as const), service: pattern, method: pattern },
      { requiredKeys: ['type'] },
    );
    fc.assert(
      fc.property(fc.oneof(exact, matching), service, word, (method, called, name) => {
        const { match } = compiled({ method });
        const matcher = compileListener(listener([virtualHost('*', [route('r', match)])]));
        const call = { host: 'x', path: `/${called}/${name}`, query: '', method: 'POST', headers: () => undefined };
        expect(matcher.match({ ...call, grpc: true }).route !== undefined).toBe(takes({ method }, called, name));
        expect(matcher.match({ ...call, grpc: false }).route).toBeUndefined();
        expect(matcher.match({ ...call, grpc: true, method: 'GET' }).route).toBeUndefined();
      }),
    );
  });

  it.each<[GrpcMatch['method'], string]>([
    [{ service: 'a/b' }, 'method.service: "a/b" is not the name of a service'],
    [{ service: 'a..b' }, 'method.service: "a..b" is not the name of a service'],
    [{ service: 'a', method: 'b.c' }, 'method.method: "b.c" is not the name of a method'],
    [{ type: 'RegularExpression', service: 'a)(b' }, 'method.service: "a)(b" is not a usable regular expression'],
    [{ type: 'RegularExpression', method: '(?=a)' }, 'method.method: "(?=a)" is not a usable regular expression'],
    [{ type: 'Prefix' as 'Exact', service: 'a' }, 'method.type: Prefix is not a type of method match'],
  ])('refuse %j', (method, message) => {
    const result = compileGrpcMatch({ method: method! }, 'matches[0]');
    expect('message' in result && `${result.fieldPath}: ${result.message}`).toContain(`matches[0].${message}`);
  });
});
