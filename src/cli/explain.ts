/** `fairway explain URL`. */
import type { Command } from 'commander';
import { explain } from '../insight/explain/explain.ts';
import { renderMermaid, renderText } from '../insight/explain/render.ts';
import { parseRequest } from '../insight/explain/request.ts';
import { explainStream } from '../insight/explain/streams/explain.ts';
import { renderStreamMermaid, renderStreamText } from '../insight/explain/streams/render.ts';
import { isStreamUrl, parseStreamRequest } from '../insight/explain/streams/request.ts';
import type { StreamExplanation } from '../insight/explain/streams/types.ts';
import type { Explanation } from '../insight/explain/types.ts';
import { collect, formatOf } from './flags.ts';
import { addIngressNginxFlags } from './ingress-nginx-flags.ts';
import { CommandError, paint, print } from './output.ts';
import { defineSourceOptions, type SourceFlags, worldOf } from './sources.ts';

interface ExplainFlags extends SourceFlags {
  header?: string[];
  method: string;
  from: string;
  client?: string;
  output: 'text' | 'json' | 'mermaid';
}

const formats: Record<ExplainFlags['output'], (explanation: Explanation) => string> = {
  text: (explanation) => renderText(explanation, paint),
  json: (explanation) => JSON.stringify(explanation, null, 2),
  mermaid: renderMermaid,
};

const streamFormats: Record<ExplainFlags['output'], (explanation: StreamExplanation) => string> = {
  text: (explanation) => renderStreamText(explanation, paint),
  json: (explanation) => JSON.stringify(explanation, null, 2),
  mermaid: renderStreamMermaid,
};

async function explainAddress(url: string, flags: ExplainFlags): Promise<void> {
  const format = formatOf(streamFormats, flags.output);
  const request = parseStreamRequest(url);
  if (!request.ok) throw new CommandError(request.error, 2);
  const useless = [
    flags.header && '--header',
    flags.method !== 'GET' && '--method',
    flags.from !== 'internet' && '--from',
    flags.client !== undefined && '--client',
  ];
  const named = useless.find((one) => one);
  if (named) throw new CommandError(`${named} says nothing about ${request.value.scheme}://`, 2);
  const explanation = explainStream(await worldOf(flags), request.value);
  print(format(explanation));
  process.exitCode = explanation.ok ? 0 : 1;
}

export function defineExplain(command: Command): void {
  addIngressNginxFlags(defineSourceOptions(command));
  command
    .argument(
      '<url>',
      'the request’s URL, as a client would write it; grpc://NAME/SERVICE/METHOD or grpcs:// for a call; or tcp://, udp://ADDRESS:PORT, tls://NAME:PORT',
    )
    .option('-H, --header <header>', 'a request header, "Name: value" (repeatable)', collect)
    .option('-X, --method <method>', 'request method', 'GET')
    .option('--from <who>', 'who asks: internet, or NAMESPACE/POD', 'internet')
    .option(
      '--client <address>',
      'address that the request comes from, as the front door sees it; default: that of the Pod with --from',
    )
    .option('-o, --output <format>', 'text, json or mermaid', 'text')
    .addHelpText(
      'after',
      '\nExamples:\n  fairway explain https://api.example.com/v1/users -f examples/front-door\n  fairway explain http://canary.example.com/ -H "X-Debug: 1" -o json\n  fairway explain https://checkout.example.com/pay --client 10.1.2.3 -f examples/ingress-nginx\n  fairway explain grpcs://api.example.com/shop.Orders/List -f manifests\n  fairway explain tls://db.example.com:5432 -f manifests\n  fairway explain udp://127.250.1.7:53\n\nExit code: 0 when the request or connection arrives, 1 when it does not, 2 for wrong usage.',
    )
    .action(async (url: string, flags: ExplainFlags) => {
      if (isStreamUrl(url)) return explainAddress(url, flags);
      const format = formatOf(formats, flags.output);
      const request = parseRequest({
        url,
        method: flags.method,
        from: flags.from,
        ...(flags.client !== undefined && { client: flags.client }),
        ...(flags.header && { headers: flags.header }),
      });
      if (!request.ok) throw new CommandError(request.error, 2);
      const explanation = await explain(await worldOf(flags), request.value);
      print(format(explanation));
      process.exitCode = explanation.ok ? 0 : 1;
    });
}
