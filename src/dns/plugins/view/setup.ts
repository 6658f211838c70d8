import type { Line } from '../../corefile/types.ts';
import { expectArgs, readBlock, refuse, single } from '../../corefile/values.ts';
import { compileExpression, type Expression } from '../../expr/expression.ts';
import { type QuerySubject, queryFunctions } from '../../expr/query-functions.ts';
import type { Setup } from '../setup.ts';
import { createFilter, createView } from './view.ts';

function readExpression(line: Line): Expression<QuerySubject> {
  const source = expectArgs(line, 1, Infinity).join(' ');
  const compiled = compileExpression<QuerySubject>(source, { functions: queryFunctions, variables: new Map() });
  return compiled.ok ? compiled.value : refuse(line, `view: cannot use the expression "${source}": ${compiled.error}`);
}

/** `view NAME { expr EXPRESSION }`; several `expr` lines must all be true. */
export const setupView: Setup = (directives, context) => {
  const directive = single(directives);
  const [name = ''] = expectArgs(directive, 1);
  const expressions: Expression<QuerySubject>[] = [];
  readBlock(directive, { expr: (line) => void expressions.push(readExpression(line)) });
  const { metrics, clock } = context.shared;
  const failures = metrics
    .counter('fairway_view_failures_total', 'Expressions of a view that had no value and counted as false.', ['view'])
    .with(name);
  const accepts = createFilter({ expressions, failures, log: context.log, now: () => clock.now() });
  context.settings.view = {
    name,
    accepts: (query, client, metadata) => accepts({ query, client, metadata }),
  };
  return createView(name);
};
