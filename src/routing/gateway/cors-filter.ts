/** HTTPCORSFilter → the plan's filter. */
import type { CorsFilter } from '../plan/plan.ts';
import { type FilterFault, headerName, unsupported } from './filter-fault.ts';
import type { HttpRule } from './http-match.ts';

type HttpFilter = NonNullable<HttpRule['filters']>[number];
type Lists = Pick<CorsFilter, 'allowOrigins' | 'allowMethods' | 'allowHeaders' | 'exposeHeaders'>;

/** The CRD's own pattern (CORSOrigin). */
const origin = /^(?:\*|https?:\/\/(?:(?:\*\.)?(?:[a-zA-Z0-9-]+\.)*[a-zA-Z0-9-]+|\*)(?::([0-9]{1,5}))?)$/;

const nameHint = 'Write letters, digits and -, or *.';

const lists: {
  readonly [List in keyof Lists]: {
    readonly what: string;
    readonly hint: string;
    readonly isValid: (value: string) => boolean;
  };
} = {
  allowOrigins: { what: 'an origin', hint: 'Write scheme://host[:port] without a path, or *.', isValid: isOrigin },
  allowMethods: {
    what: 'a method',
    hint: 'Write the name of a method, or *.',
    isValid: (value) => headerName.test(value),
  },
  allowHeaders: { what: 'the name of a header', hint: nameHint, isValid: (value) => headerName.test(value) },
  exposeHeaders: { what: 'the name of a header', hint: nameHint, isValid: (value) => headerName.test(value) },
};

function isOrigin(value: string): boolean {
  const [whole, port = '1'] = origin.exec(value) ?? [];
  return whole !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

/** `maxAge` is 5 seconds unless said otherwise. */
export function corsFilter({ cors }: HttpFilter, fieldPath: string): { readonly filter: CorsFilter } | FilterFault {
  const at = `${fieldPath}.cors`;
  for (const list of Object.keys(lists) as (keyof Lists)[]) {
    const fault = faultOf(cors?.[list] ?? [], list, `${at}.${list}`);
    if (fault) return fault;
  }
  const { maxAge = 5 } = cors ?? {};
  if (!Number.isInteger(maxAge) || maxAge < 1)
    return unsupported(`${at}.maxAge`, `${maxAge} is not a number of seconds`, 'Use a whole number, at least 1.');
  return {
    filter: {
      type: 'cors',
      allowOrigins: cors?.allowOrigins ?? [],
      allowMethods: cors?.allowMethods ?? [],
      allowHeaders: cors?.allowHeaders ?? [],
      exposeHeaders: cors?.exposeHeaders ?? [],
      allowCredentials: cors?.allowCredentials ?? false,
      maxAgeSeconds: maxAge,
    },
  };
}

function faultOf(values: readonly string[], list: keyof Lists, fieldPath: string): FilterFault | undefined {
  const { what, hint, isValid } = lists[list];
  const bad = values.find((value) => !isValid(value));
  if (bad !== undefined) return unsupported(fieldPath, `${JSON.stringify(bad)} is not ${what}`, hint);
  // Names beside the star of exposeHeaders are allowed, and say nothing more.
  if (list === 'exposeHeaders' || !values.includes('*') || values.length === 1) return undefined;
  return unsupported(
    fieldPath,
    '* stands for all, and cannot stand beside others',
    'Keep * alone, or name the others alone.',
  );
}
