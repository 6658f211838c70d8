/** Cross-origin resource sharing, as the Fetch standard and Gateway API HTTPCORSFilter have it. */
import type { CorsFilter } from '../../../routing/plan/plan.ts';
import { onResponse } from '../../exchange/attachments.ts';
import { isFieldValue, isToken } from '../../http1/characters.ts';
import { addField, type Fields, fieldNames, listMembers, removeField } from '../../http1/fields.ts';
import type { CompiledFilter, Denial, FilterComplaint, ResponseFilter } from '../types.ts';
import { createOriginTest, parseOrigin } from './origins.ts';

/** What backends say of sharing is not theirs to say where the filter is. */
const replaced = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
] as const;

export function compileCors(filter: CorsFilter, complain: FilterComplaint): CompiledFilter {
  for (const origin of filter.allowOrigins) {
    if (origin !== '*' && !parseOrigin(origin))
      complain(`${JSON.stringify(origin)} is not an origin, and matches none`);
  }
  const sound = soundNames(filter, complain);
  const isAllowed = createOriginTest(filter.allowOrigins);
  // The answer is the same for all origins, so caches need not tell them apart.
  const sharedByAll = filter.allowOrigins.includes('*') && !filter.allowCredentials;
  const refuse = createRefusal(sharedByAll);
  const expose = exposeWriter(sound);

  function grant(origin: string): ResponseFilter {
    const allowed = sharedByAll ? '*' : origin;
    return (fields) => {
      const exposed = expose(fields);
      refuse(fields);
      addField(fields, 'Access-Control-Allow-Origin', allowed);
      if (filter.allowCredentials) addField(fields, 'Access-Control-Allow-Credentials', 'true');
      if (exposed !== '') addField(fields, 'Access-Control-Expose-Headers', exposed);
    };
  }

  return {
    gate(exchange, head) {
      const origin = head.headers('origin');
      const method = head.method === 'OPTIONS' ? head.headers('access-control-request-method') : undefined;
      const allowed = origin !== undefined && isAllowed(origin);
      onResponse(exchange, allowed ? grant(origin) : refuse);
      if (origin === undefined || method === undefined) return undefined;
      return preflight(
        sound,
        allowed ? method : undefined,
        head.headers('access-control-request-headers'),
        sharedByAll,
      );
    },
  };
}

/** Takes away what allows sharing, and tells caches what the response depends on. */
function createRefusal(sharedByAll: boolean): (fields: Fields) => void {
  return (fields) => {
    for (const name of replaced) removeField(fields, name);
    if (!sharedByAll) addField(fields, 'Vary', 'Origin');
  };
}

/** The filter without what cannot stand in a header. */
function soundNames(filter: CorsFilter, complain: FilterComplaint): CorsFilter {
  const sound = (names: readonly string[], what: string) =>
    names.filter((name) => {
      if (isToken(name)) return true;
      complain(`${JSON.stringify(name)} is not ${what}, and is left out of the CORS headers`);
      return false;
    });
  return {
    ...filter,
    allowMethods: sound(filter.allowMethods, 'a method'),
    allowHeaders: sound(filter.allowHeaders, 'a header name'),
    exposeHeaders: sound(filter.exposeHeaders, 'a header name'),
  };
}

/** `*` means what it says only without credentials; with them, the names that the response has are listed. */
function exposeWriter({ exposeHeaders, allowCredentials }: CorsFilter): (fields: Fields) => string {
  const constant = exposeHeaders.join(', ');
  if (!allowCredentials || !exposeHeaders.includes('*')) return () => constant;
  return (fields) => [...new Set(fieldNames(fields).map((name) => name.toLowerCase()))].filter(isExposable).join(', ');
}

const isExposable = (name: string) => name !== 'set-cookie' && !name.startsWith('access-control-');

/** `method` is what the client asks for, or undefined when its origin is not allowed: then nothing is granted. */
function preflight(
  filter: CorsFilter,
  method: string | undefined,
  headers: string | undefined,
  sharedByAll: boolean,
): Denial {
  let lines = '';
  if (method !== undefined) {
    const methods = granted(filter.allowMethods, filter.allowCredentials, method, isToken(method));
    const names = granted(filter.allowHeaders, filter.allowCredentials, headers ?? '', isNameList(headers ?? ''));
    if (methods !== '') lines += `Access-Control-Allow-Methods: ${methods}\r\n`;
    if (names !== '') lines += `Access-Control-Allow-Headers: ${names}\r\n`;
    lines += `Access-Control-Max-Age: ${filter.maxAgeSeconds}\r\n`;
  }
  if (!sharedByAll) lines += 'Vary: Access-Control-Request-Method, Access-Control-Request-Headers\r\n';
  return { status: 204, flag: 'cors_preflight', reason: 'a preflight request', lines };
}

/** The list of the filter; for a star with credentials, which may not be sent, what was asked for. */
function granted(list: readonly string[], credentials: boolean, asked: string, isSound: boolean): string {
  if (!credentials || !list.includes('*')) return list.join(', ');
  return isSound ? asked : '';
}

function isNameList(value: string): boolean {
  return isFieldValue(value) && listMembers(value).every(isToken);
}
