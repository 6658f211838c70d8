/** Query parameters as routes compare them: application/x-www-form-urlencoded, the first value of a name counts. */
import { unescape as decodePercent } from 'node:querystring';

export type QueryLookup = ReadonlyMap<string, string>;

const noParameters: QueryLookup = new Map();

/**
 * Parses a raw query without its `?`. `+` is a space; broken percent escapes stay as they are; a name without `=` has
 * the value ''. At most `maxParameters` (default 1000) are read, so that a long query costs a bounded time.
 */
export function parseQuery(query: string, maxParameters = 1000): QueryLookup {
  if (query === '') return noParameters;
  const parameters = new Map<string, string>();
  let from = 0;
  for (let count = 0; count < maxParameters && from <= query.length; count++) {
    const separator = query.indexOf('&', from);
    const end = separator < 0 ? query.length : separator;
    if (end > from) addParameter(parameters, query.slice(from, end));
    from = end + 1;
  }
  return parameters;
}

function addParameter(parameters: Map<string, string>, pair: string): void {
  const equals = pair.indexOf('=');
  const name = decode(equals < 0 ? pair : pair.slice(0, equals));
  if (!parameters.has(name)) parameters.set(name, equals < 0 ? '' : decode(pair.slice(equals + 1)));
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  return spaced.includes('%') ? decodePercent(spaced) : spaced;
}
