/** A route's filters as one function per direction. */
import type { Filter } from '../../routing/plan/plan.ts';
import { compileRequestHeaders } from './request-headers/request-headers.ts';
import { compileResponseHeaders } from './response-headers/response-headers.ts';
import { compileRewrite } from './rewrite/rewrite.ts';
import type { CompiledFilter, FilterComplaint } from './types.ts';

type Compilers = {
  readonly [Type in Filter['type']]: (
    filter: Extract<Filter, { type: Type }>,
    complain: FilterComplaint,
  ) => CompiledFilter;
};

const compilers: Compilers = {
  'request-headers': compileRequestHeaders,
  'response-headers': compileResponseHeaders,
  rewrite: compileRewrite,
};

/** Applies the filters in their order; a side without filters stays undefined and costs nothing. */
export function compileFilters(filters: readonly Filter[], complain: FilterComplaint): CompiledFilter {
  const compiled = filters.map((filter) => compileOne(filter, complain));
  const request = inOrder(compiled.flatMap((filter) => filter.request ?? []));
  const response = inOrder(compiled.flatMap((filter) => filter.response ?? []));
  return { ...(request && { request }), ...(response && { response }) };
}

function compileOne<F extends Filter>(filter: F, complain: FilterComplaint): CompiledFilter {
  const compile = compilers[filter.type] as (filter: F, complain: FilterComplaint) => CompiledFilter;
  return compile(filter, complain);
}

function inOrder<T>(steps: readonly ((subject: T) => void)[]): ((subject: T) => void) | undefined {
  if (steps.length <= 1) return steps[0];
  return (subject) => {
    for (const step of steps) step(subject);
  };
}
