/** Rows on which requests a location takes, what becomes of their paths, and where they are sent. */
import { differs, guarding, ignored, only, refusalsOnly, refused, works } from './entry.ts';
import {
  anyText,
  bool,
  commas,
  count,
  destination,
  matching,
  pathWithGroups,
  serverName,
  urlWithVariables,
  variableText,
  whole,
} from './values.ts';

const wholeHost = { scope: 'server' } as const;

const path = matching(/^\/[\x21\x23-\x3a\x3c-\x7e]*$/, 'a path that begins with /');

/** A redirect to `https://…`, or to a path as nginx has it behind `return`. */
const redirectTo = matching(
  /^(?:https?:\/\/|\/)[\x21\x23-\x26\x28-\x3a\x3c-\x5b\x5d-\x7e]*$/i,
  'a URL that begins with http:// or https://, or a path',
);

const serviceName = matching(/^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/, 'the name of a Service in the same namespace');

const errorStatus = (item: string) => (/^[45][0-9]{2}$/.test(item) ? Number(item) : undefined);

export const rewriteRows = {
  'rewrite-target': works(pathWithGroups, 'the path as it came'),
  'use-regex': works(bool, 'false', wholeHost),
  'app-root': works(path, 'none', wholeHost),
  'preserve-trailing-slash': works(bool, 'false'),
  'x-forwarded-prefix': works(pathWithGroups, 'not sent', { of: ['rewrite-target'] }),
  'upstream-vhost': works(serverName, 'the Host of the request'),
  'server-alias': differs(
    commas((item) => serverName.read(item), 'host names with commas between them'),
    'Patterns such as `~^www\\d+\\.shop\\.example$` and names that end in a wildcard are left out with a finding; the other names are served.',
    'none',
    { ...wholeHost, ...refusalsOnly },
  ),
  'default-backend': differs(
    serviceName,
    'Which endpoints there are is seen per request, so it takes over at once; a Service without ports is left out with a finding.',
    'none',
  ),
  'custom-http-errors': differs(
    commas(errorStatus, 'statuses from 400 to 599 with commas between them'),
    'Without `default-backend`, and without `--default-backend-service`, responses stay as they are: there is no page of the controller that says 404. The page is asked for with the body of the request if that has at most `relay.maxRepeatBytes`.',
    'none',
  ),
  'disable-proxy-intercept-errors': differs(
    bool,
    'Responses are left alone then, also those that are made here.',
    'false',
  ),
  'service-upstream': ignored(
    bool,
    'Requests are shared out among the endpoints of the Service, of which there is always the latest list; the ClusterIP is not used.',
  ),
} as const;

export const redirectRows = {
  'ssl-redirect': works(bool, 'true'),
  'force-ssl-redirect': works(bool, 'false'),
  'permanent-redirect': works(redirectTo, 'none'),
  'permanent-redirect-code': works(whole(300, 308), '301', { of: ['permanent-redirect'] }),
  'temporal-redirect': works(redirectTo, 'none'),
  'temporal-redirect-code': works(whole(300, 307), '302', { of: ['temporal-redirect'] }),
  'from-to-www-redirect': works(bool, 'false', wholeHost),
  'relative-redirects': works(bool, 'false'),
  'use-port-in-redirects': works(bool, 'false'),
  'proxy-redirect-from': differs(
    matching(/^[^~\s"';{}\\][^\s"';{}\\]{0,511}$/, 'off, default, or what Location begins with'),
    '`default` is the same as `off`: backends are not told a name of the data plane that they could send back.',
    'off',
    only('default'),
  ),
  'proxy-redirect-to': works(destination, 'off'),
} as const;

const token = matching(/^[-._~A-Za-z0-9/: ]+$/, 'letters, digits and - . _ ~ / :');

const wholeIngress = { scope: 'ingress' } as const;
const ofCanary = { ...wholeIngress, of: ['canary'] };

export const canaryRows = {
  canary: works(bool, 'false', wholeIngress),
  'canary-weight': works(count, '0', ofCanary),
  'canary-weight-total': works(whole(1, 1_000_000_000), '100', ofCanary),
  'canary-by-header': works(token, 'none', ofCanary),
  'canary-by-header-value': works(token, '`always` and `never`', { ...wholeIngress, of: ['canary-by-header'] }),
  'canary-by-header-pattern': differs(
    matching(/^[^\r\n]{1,1024}$/, 'a pattern'),
    'Patterns are RE2: no lookaround and no back-references.',
    'none',
    { ...wholeIngress, ...refusalsOnly, of: ['canary-by-header'] },
  ),
  'canary-by-cookie': works(token, 'none', ofCanary),
} as const;

export const mirrorRows = {
  'mirror-target': differs(
    urlWithVariables,
    'Copies have the headers that the backend gets; a slow target does not hold up the request. A URL without a path means the one that the backend is asked for.',
    'none',
  ),
  'mirror-host': works(serverName, 'the host of `mirror-target`', { of: ['mirror-target'] }),
  'mirror-request-body': works(matching(/^(?:on|off)$/, 'on or off'), 'on', { of: ['mirror-target'] }),
} as const;

export const snippetRows = {
  'configuration-snippet': differs(
    anyText,
    'The directives that people use most are followed; with any other the location answers 503. See [What snippets may say](#what-snippets-may-say).',
    'none',
    { ...guarding, ...refusalsOnly },
  ),
  'server-snippet': differs(
    anyText,
    'As `configuration-snippet`, for all locations of the host. Of several on a host, that of the oldest Ingress counts.',
    'none',
    { ...wholeHost, ...guarding, ...refusalsOnly },
  ),
  'stream-snippet': refused(
    anyText,
    'There is no nginx that could take it. Use a TCPRoute, UDPRoute or TLSRoute.',
    wholeIngress,
  ),
} as const;

const noFirewall = 'There is no web application firewall here: put one in front.';

export const firewallRows = {
  'enable-modsecurity': refused(bool, noFirewall, { protects: true }),
  'enable-owasp-core-rules': refused(bool, noFirewall, { of: ['enable-modsecurity'] }),
  'modsecurity-snippet': refused(anyText, noFirewall, { of: ['enable-modsecurity'] }),
  'modsecurity-transaction-id': refused(variableText, noFirewall, { of: ['enable-modsecurity'] }),
} as const;
