/** Domain and path of cookies that backends set, changed on their way (nginx `proxy_cookie_domain`, `proxy_cookie_path`). */
import type { CookieRewriteFilter } from '../../../routing/plan/plan.ts';
import { isFieldValue, toWire } from '../../http1/characters.ts';
import { addField, type Fields, fieldPairs, removeField } from '../../http1/fields.ts';
import type { CompiledFilter, FilterComplaint } from '../types.ts';

/** The value of an attribute after the change; undefined where it stays. */
type Change = (value: string) => string | undefined;

export function compileCookieRewrite({ domain, path }: CookieRewriteFilter, complain: FilterComplaint): CompiledFilter {
  const strange = [domain?.to, path?.to].find(
    (to) => to !== undefined && (!isFieldValue(toWire(to)) || to.includes(';')),
  );
  if (strange !== undefined) {
    complain(`${JSON.stringify(strange)} cannot stand in a cookie, and cookies stay as they are`);
    return {};
  }
  const changes = new Map<string, Change>();
  if (domain) changes.set('domain', changeDomain(toWire(domain.from), toWire(domain.to)));
  if (path) changes.set('path', changePath(toWire(path.from), toWire(path.to)));
  return {
    response(fields, { madeHere }) {
      if (!madeHere) changeCookies(fields, changes);
    },
  };
}

/** Equal in any case; dots at the beginning do not count, and that of the cookie stays. */
function changeDomain(from: string, to: string): Change {
  const wanted = from.replace(/^\./, '').toLowerCase();
  const put = to.replace(/^\./, '');
  return (value) => {
    const dot = value.startsWith('.') ? '.' : '';
    return value.slice(dot.length).toLowerCase() === wanted ? dot + put : undefined;
  };
}

function changePath(from: string, to: string): Change {
  return (value) => (value.startsWith(from) ? to + value.slice(from.length) : undefined);
}

/** All are written again when one of them changes, so that they stay in their order. */
function changeCookies(fields: Fields, changes: ReadonlyMap<string, Change>): void {
  const given = fieldPairs(fields).flatMap(([name, value]) => (name.toLowerCase() === 'set-cookie' ? [value] : []));
  const changed = given.map((cookie) => changeCookie(cookie, changes));
  if (changed.every((cookie, i) => cookie === given[i])) return;
  removeField(fields, 'set-cookie');
  for (const cookie of changed) addField(fields, 'Set-Cookie', cookie);
}

/** RFC 6265 section 4.1.1: name and value first, then attributes. */
function changeCookie(cookie: string, changes: ReadonlyMap<string, Change>): string {
  return cookie
    .split(';')
    .map((attribute, i) => (i === 0 ? attribute : changeAttribute(attribute, changes)))
    .join(';');
}

function changeAttribute(attribute: string, changes: ReadonlyMap<string, Change>): string {
  const equals = attribute.indexOf('=');
  if (equals < 0) return attribute;
  const value = attribute.slice(equals + 1).trim();
  const changed = changes.get(attribute.slice(0, equals).trim().toLowerCase())?.(value);
  return changed === undefined ? attribute : attribute.slice(0, equals + 1) + changed;
}
