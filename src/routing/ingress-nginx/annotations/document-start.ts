/** How docs/ingress-nginx.md begins: whether an estate will run, and what will not be the same. */
import { largeDifferences } from '../differences.ts';
import { nginxPrefix } from './table.ts';

const head = `# Ingresses of ingress-nginx

An Ingress of class \`nginx\`, or of an IngressClass whose controller is \`k8s.io/ingress-nginx\`, goes by the annotations of
that controller, whose prefix is \`${nginxPrefix}\`, and by its ConfigMap. Nothing in the manifests has to be
changed. [test/oracle](../test/oracle/README.md) puts the same requests before nginx, with the configuration that
ingress-nginx writes, and before Fairway: whatever is not the same is on this page.`;

const atAGlance = `## In a minute

| an estate has | and then |
|---|---|
| rewrites, patterns, redirects, canaries, sessions, hashing, CORS, limits, allow and deny lists, basic and external auth, client certificates, TLS and gRPC to backends, copies, error pages, TLS Secrets, TCP and UDP services | it runs unchanged |
| snippets that set headers, redirect, answer, rewrite, or do so under an \`if\` | they run, where the ConfigMap permits snippets, as it must there |
| snippets with anything else: Lua, \`location\`, \`proxy_pass\`, \`deny\`, a \`set\` inside of an \`if\` | their locations answer 503 until they are rewritten |
| \`enable-modsecurity\`, \`auth-type: digest\`, \`backend-protocol: FCGI\` | their locations answer 503: there is none of it here |
| patterns with look-around or back references | their paths are shut: they have to be written without |
| \`ssl-ciphers\` of single hosts, \`stream-snippet\`, patterns in \`server-alias\` | they are left out, the rest is served |
| a load balancer in front that speaks the PROXY protocol | not by the key \`use-proxy-protocol\`: it is [said at the start](data-plane.md), by \`--proxy-protocol-from\` |
| clients or tests that read nginx's pages for 404, 413, 503 and redirects | statuses and headers are the same, the text is one line that says why |

The commands below say which of it an estate has, file by file and line by line.`;

const willItRun = `## Will it run?

Neither command needs a cluster:

\`\`\`
fairway lint examples/ingress-nginx    # what of the manifests is not followed, and what will not be the same
fairway up examples/ingress-nginx      # serves them here; curl the hosts and see
\`\`\`

The folder has the manifests as they are, the ConfigMap of the controller among them (\`ingress-nginx/ingress-nginx-controller\`;
another one by \`--configmap\`), and the Secrets that Ingresses name. \`lint\` ends with a count: how many Ingresses run as they
are, with a stated difference, without some annotation, and how many locations answer 503. What it reports:

| code | is | then |
|---|---|---|
| FW5501 | an annotation that keeps requests out and cannot be honoured | its locations answer 503: mend it before you move |
| FW5517 | the ConfigMap that \`--configmap\` names is not there | all locations of the class answer 503: give \`lint\` its manifest |
| FW5511 | the same of a key of the ConfigMap | all locations of the class answer 503: mend it before you move |
| FW5502, FW5512 | a value that is none | the default holds: mend it |
| FW5503, FW5513 | not followed | use what the message names, or do without |
| FW5505, FW5515 | not known to ingress-nginx either | correct the spelling |
| FW5508 | certificates of clients are not asked for on port 80 | add \`force-ssl-redirect\`, as with ingress-nginx |
| FW5506 | says nothing without another annotation | no more here than there |
| FW5507 | followed, and its value is one of those with a difference | read whether it matters to you |
| FW5504, FW5514 | nothing to change | leave it, or take it out |

Other findings ([diagnostics](diagnostics.md)) are about the objects themselves: hosts and paths that two Ingresses want,
Services and Secrets that are not there. \`fairway explain URL -f FOLDER\` says of one request what becomes of it, and why.

In a cluster, [\`fairway gateway\`](gateway.md) serves the same class beside ingress-nginx, on addresses of its own: try it
there, then move the names over. The flags \`--ingress-class\`, \`--controller-class\`, \`--watch-ingress-without-class\`,
\`--default-backend-service\`, \`--default-ssl-certificate\`, \`--tcp-services-configmap\`, \`--udp-services-configmap\` and
\`--enable-ssl-passthrough\` mean what they mean there.`;

const whatDiffers = `## What will differ

Besides what rows of the tables below say of single annotations and keys, and the [small differences](#small-differences) of
single requests:

${Object.values(largeDifferences)
  .map((text) => `- ${wrapped(text, '  ')}`)
  .join('\n')}`;

/** Lines of at most 120 characters, as in the other documents; `indent` before all but the first. */
export function wrapped(text: string, indent = ''): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line.length + word.length + 1 > 120 - indent.length) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join(`\n${indent}`);
}

export const documentStart: readonly string[] = [head, atAGlance, willItRun, whatDiffers];
