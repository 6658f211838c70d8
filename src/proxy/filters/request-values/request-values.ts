/** Headers for the backend that are made of the request (nginx `proxy_set_header`). */
import type { RequestValuesFilter } from '../../../routing/plan/plan.ts';
import { isAuthority } from '../../http1/authority.ts';
import { isToken, tokenBytes } from '../../http1/characters.ts';
import { areNamesOf, type Fields, fieldNames, keepNames, removeField, setField } from '../../http1/fields.ts';
import { compileConditions } from '../../values/condition.ts';
import { type CompiledTemplate, compileTemplate, headerText } from '../../values/template.ts';
import { variableName } from '../facts.ts';
import { ownFields } from '../header-change.ts';
import { refuseAll } from '../refuse-all.ts';
import type { CompiledFilter, FilterComplaint, RequestFilter } from '../types.ts';

/** A header that cannot be set is left out; where it is not known which requests are meant, all are refused. */
export function compileRequestValues(filter: RequestValuesFilter, complain: FilterComplaint): CompiledFilter {
  const when = compileConditions(filter.when);
  if (!when.ok) return refuseAll(when.error, complain);
  const { holds, charge } = when.value;
  const setters = filter.set.flatMap(([name, template]): RequestFilter[] => {
    const value = compileTemplate(template);
    const fault = value.ok ? nameFault(name) : value.error;
    if (value.ok && fault === undefined) return [createSetter(name, value.value)];
    complain(`the request header ${name} cannot be set: ${fault}`);
    return [];
  });
  const isTwin = createSameVariable(filter.set.map(([name]) => name.toLowerCase()));
  const wanted = wantedCharacters(filter);
  return {
    ...((wanted ?? charge) && {
      gate(exchange, head) {
        const denial = charge?.(exchange, head);
        if (denial) return denial;
        if (wanted && (!holds || holds(exchange, head))) keepNames(head.fields, wanted);
        return undefined;
      },
    }),
    request(request, exchange, head) {
      if (holds && !holds(exchange, head)) return;
      if (!filter.dropUnderscored) dropTwins(request.fields, isTwin);
      for (let i = 0; i < setters.length; i++) setters[i]!(request, exchange, head);
    },
  };
}

function nameFault(name: string): string | undefined {
  if (!isToken(name)) return `${JSON.stringify(name)} is not a header name`;
  return ownFields.has(name.toLowerCase()) ? 'it belongs to the connection' : undefined;
}

/** A host that comes out empty or is none leaves Host as it is: a request must have one. */
function createSetter(name: string, { constant, text }: CompiledTemplate): RequestFilter {
  const lowerName = name.toLowerCase();
  if (lowerName === 'host') {
    return (request, exchange, head) => {
      const host = text(exchange, head);
      if (host !== '' && isAuthority(host)) request.host = host;
    };
  }
  const same = constant === undefined ? undefined : headerText(constant);
  return ({ fields }, exchange, head) => {
    const value = same ?? headerText(text(exchange, head));
    if (value === '') removeField(fields, lowerName);
    else setField(fields, name, value, lowerName);
  };
}

/** Names that many backends could not tell from those that are set: `x_user` where `x-user` is. */
function createSameVariable(lowerNames: readonly string[]): (lowerName: string) => boolean {
  const variables = new Set(lowerNames.map(variableName));
  const set = new Set(lowerNames);
  return (lowerName) => variables.has(variableName(lowerName)) && !set.has(lowerName);
}

function dropTwins(fields: Fields, isTwin: (lowerName: string) => boolean): void {
  if (areNamesOf(fields, withoutUnderscore)) return;
  for (const name of fieldNames(fields)) {
    if (name.includes('_') && isTwin(name.toLowerCase())) removeField(fields, name.toLowerCase());
  }
}

/** Names of other characters are as if they were not there: neither gates nor backends see them. */
function wantedCharacters({ dropUnderscored, dropStrange }: RequestValuesFilter): Uint8Array | undefined {
  if (dropStrange) return dropUnderscored ? wordsOnly : wordsAndUnderscores;
  return dropUnderscored ? withoutUnderscore : undefined;
}

const charactersLike = (pattern: RegExp): Uint8Array =>
  tokenBytes.map((isToken, code) => (isToken === 1 && pattern.test(String.fromCharCode(code)) ? 1 : 0));

const wordsOnly = charactersLike(/[A-Za-z0-9-]/);
const wordsAndUnderscores = charactersLike(/[A-Za-z0-9_-]/);
const withoutUnderscore = charactersLike(/[^_]/);
