/** `fairway explain URL`. */
import type { Command } from 'commander';
import { explain } from '../insight/explain/explain.ts';
import { renderMermaid, renderText } from '../insight/explain/render.ts';
import { parseRequest } from '../insight/explain/request.ts';
import type { Explanation } from '../insight/explain/types.ts';
import { collect, formatOf } from './flags.ts';
import { CommandError, paint, print } from './output.ts';
import { defineSourceOptions, type SourceFlags, worldOf } from './sources.ts';

interface ExplainFlags extends SourceFlags {
  header?: string[];
  method: string;
  from: string;
  output: 'text' | 'json' | 'mermaid';
}

const formats: Record<ExplainFlags['output'], (explanation: Explanation) => string> = {
  text: (explanation) => renderText(explanation, paint),
  json: (explanation) => JSON.stringify(explanation, null, 2),
  mermaid: renderMermaid,
};

export function defineExplain(command: Command): void {
  defineSourceOptions(command)
    .argument('<url>', 'the request’s URL, as a client would write it')
    .option('-H, --header <header>', 'a request header, "Name: value" (repeatable)', collect)
    .option('-X, --method <method>', 'request method', 'GET')
    .option('--from <who>', 'who asks: internet, or NAMESPACE/POD', 'internet')
    .option('-o, --output <format>', 'text, json or mermaid', 'text')
    .addHelpText(
      'after',
      '\nExamples:\n  fairway explain https://api.example.com/v1/users -f examples/front-door\n  fairway explain http://canary.example.com/ -H "X-Debug: 1" -o json\n\nExit code: 0 when the request arrives, 1 when it does not, 2 for wrong usage.',
    )
    .action(async (url: string, flags: ExplainFlags) => {
      const format = formatOf(formats, flags.output);
      const request = parseRequest({
        url,
        method: flags.method,
        from: flags.from,
        ...(flags.header && { headers: flags.header }),
      });
      if (!request.ok) throw new CommandError(request.error, 2);
      const explanation = await explain(await worldOf(flags), request.value);
      print(format(explanation));
      process.exitCode = explanation.ok ? 0 : 1;
    });
}
