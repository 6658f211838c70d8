/** Rules of HTTPRoute: which rule takes a request, and what becomes of it. */
import { golden, proven, type Rules, refused, unkept } from './rule.ts';

export const hostnameRules: Rules = {
  'HTTPRoute spec.hostnames': [
    { id: 'port-of-the-host-is-ignored', says: 'A port in the Host header is ignored' },
    {
      id: 'host-is-forwarded',
      says: 'The Host header is forwarded unchanged',
      shown: proven('src/proxy/proxy.test.ts', 'is the request byte for byte, without what belongs to the hop'),
    },
    { id: 'wildcard-hostname-is-a-suffix', says: 'A wildcard is one label or more' },
    {
      id: 'hostnames-outside-the-listener-are-ignored',
      says: 'Hostnames outside the listener are ignored; all is False',
    },
    { id: 'hostname-intersection', says: 'Exact and wildcard hostnames of listener and route meet either way' },
    { id: 'hostname-before-match', says: 'The hostname decides before matches and age do' },
    { id: 'longest-hostname-first', says: 'Most characters without wildcard, then most characters' },
    { id: 'matches-decide-between-equal-hostnames', says: 'Ties of hostnames are decided by matches' },
    {
      id: 'wider-hostnames-apply-after-all',
      says: 'Rules of a wider hostname take what no rule of a narrower one does',
      shown: golden('hostname-precedence'),
    },
  ],
};

export const matchRules: Rules = {
  'HTTPRoute spec.rules.matches': [
    { id: 'any-match-of-a-rule-is-enough', says: 'One match of a rule, and all conditions of that match' },
    { id: 'no-matches-is-every-path', says: 'No matches is the prefix /' },
    { id: 'exact-path-before-prefix', says: 'First: an exact path' },
    { id: 'longest-prefix-first', says: 'Second: the longer prefix' },
    { id: 'method-before-headers', says: 'Third: a method' },
    { id: 'more-headers-first', says: 'Fourth: more headers' },
    { id: 'more-query-parameters-first', says: 'Fifth: more query parameters' },
    { id: 'entries-ignored-do-not-count', says: 'Entries that are ignored are no headers or parameters' },
    { id: 'precedence-of-a-match-not-of-its-rule', says: 'The match has the precedence, across all rules' },
    {
      id: 'precedence-of-patterns',
      says: 'Patterns stand where the implementation puts them: after exact paths, before prefixes',
      shown: golden('match-precedence'),
    },
    { id: 'older-route-first', says: 'Ties of routes: the older' },
    { id: 'first-route-by-namespace-and-name', says: 'Ties of age: the first by namespace and name' },
    { id: 'first-rule-first', says: 'Ties within a route: the first rule' },
    { id: 'no-rule-answers-404', says: '404 where no attached rule takes the request' },
    {
      id: 'at-most-128-matches',
      says: 'There are 128 matches in all at most',
      shown: refused('While 16 rules and 64 matches per rule are allowed, the total number of matches'),
    },
  ],
  'HTTPRoute spec.rules.matches.path': [
    { id: 'path-prefix-by-elements', says: 'PathPrefix: by elements, a slash at its end ignored' },
    { id: 'exact-path-to-the-letter', says: 'Exact: to the letter, with case' },
  ],
  'HTTPRoute spec.rules.matches.headers': [
    { id: 'first-entry-of-a-header-counts', says: 'Names have no case; of equal names the first entry counts' },
  ],
  'HTTPRoute spec.rules.matches.queryParams': [
    {
      id: 'first-entry-of-a-query-parameter-counts',
      says: 'Names to the letter; of equal names the first entry counts, and the first value of a request',
    },
  ],
  'HTTPRoute spec.rules.name': [
    {
      id: 'rule-names-are-unique',
      says: 'A name stands once in a route',
      shown: refused('Rule name must be unique within the route'),
    },
  ],
};

export const filterRules: Rules = {
  'HTTPRoute spec.rules.filters': [
    { id: 'filters-in-the-order-given', says: 'Filters apply in their order' },
    {
      id: 'rewrite-and-redirect-exclude-each-other',
      says: 'URLRewrite and RequestRedirect, or one filter twice: IncompatibleFilters',
    },
    {
      id: 'other-filters-are-compatible',
      says: 'All other filters may stand beside each other',
      shown: unkept(
        'RequestMirror beside RequestRedirect is IncompatibleFilters: nothing is forwarded that could be copied',
      ),
    },
    {
      id: 'redirect-beside-backends',
      says: 'No RequestRedirect beside backendRefs',
      shown: refused('RequestRedirect filter must not be used together with backendRefs'),
    },
    {
      id: 'filters-are-not-skipped',
      says: 'A filter that cannot be had is not skipped: its requests get an error',
      shown: golden('unserved-filters'),
    },
    {
      id: 'annotations-beside-filters',
      says: 'What implementations add of their own is beside these filters',
      shown: golden('annotations'),
    },
  ],
  'HTTPRoute spec.rules.filters.requestHeaderModifier': [
    { id: 'one-action-for-a-header', says: 'A filter with two actions for one header is invalid' },
    { id: 'first-entry-of-a-header-filter-counts', says: 'Of entries with equal names in a list the first counts' },
    {
      id: 'set-add-remove',
      says: 'set replaces, add appends, remove removes, whatever the case',
      shown: proven('src/proxy/filters/filters.test.ts', 'apply in order, as one function'),
    },
  ],
  'HTTPRoute spec.rules.filters.responseHeaderModifier': [
    { id: 'header-filters', says: 'The same for responses, in rules and for backends' },
  ],
  'HTTPRoute spec.rules.filters.urlRewrite': [
    { id: 'rewrites', says: 'Hostname, the whole path or the prefix that matched' },
  ],
  'HTTPRoute spec.rules.filters.urlRewrite.path.replacePrefixMatch': [
    { id: 'prefix-replacement-needs-a-prefix', says: 'Beside a match that is no PathPrefix: Accepted False' },
    {
      id: 'prefix-replacement',
      says: 'The table of paths, prefixes and their replacements',
      shown: proven(
        'src/routing/match/rewrite.test.ts',
        'prefix rewrite, the table of HTTPPathModifier.replacePrefixMatch',
      ),
    },
  ],
  'HTTPRoute spec.rules.filters.requestRedirect': [
    { id: 'redirects', says: '302 unless given; what is empty is as in the request' },
  ],
  'HTTPRoute spec.rules.filters.requestRedirect.port': [
    {
      id: 'port-of-a-redirect',
      says: 'The port given, that of the scheme given, or that of the listener; left out where it is the well-known one',
      shown: proven('src/routing/match/rewrite.test.ts', "describe('redirect'"),
    },
  ],
  'HTTPRoute spec.rules.filters.requestMirror': [
    { id: 'mirrors', says: 'Several in a rule; a backend that cannot be had is left out, ResolvedRefs False' },
    {
      id: 'mirrors-are-not-waited-for',
      says: 'Responses of mirrors are ignored',
      shown: proven(
        'src/proxy/filters/mirror/mirror.test.ts',
        'that answers nonsense, closes at once or refuses changes nothing',
      ),
    },
    {
      id: 'mirror-of-a-fraction',
      says: 'percent or fraction, not both; all without either',
      shown: refused('Only one of percent or fraction may be specified in HTTPRequestMirrorFilter'),
    },
  ],
  'HTTPRoute spec.rules.filters.cors': [
    { id: 'cors', says: 'maxAge is 5 unless given; * stands alone' },
    {
      id: 'cors-stars-with-credentials',
      says: 'With credentials no * is sent back, but what was asked for',
      shown: proven(
        'src/proxy/filters/cors/cors.test.ts',
        'says * without credentials, and what was asked for with them',
      ),
    },
    {
      id: 'cors-from-elsewhere',
      says: 'An origin that does not match gets no CORS headers',
      shown: proven('src/proxy/filters/cors/cors.test.ts', 'grants nothing to a preflight request from elsewhere'),
    },
  ],
  'HTTPRoute spec.rules.filters.externalAuth': [
    { id: 'external-auth', says: 'Which headers are sent and copied by default; an invalid backend lets nobody in' },
    {
      id: 'external-auth-fails-closed',
      says: 'Any problem with the service lets nobody in',
      shown: proven(
        'src/proxy/filters/external-auth/check.test.ts',
        'lets nobody in when the service is silent, or not there',
      ),
    },
    {
      id: 'external-auth-headers',
      says: 'Over HTTP the question has the method and the path, below a prefix if there is one, and the headers listed',
      shown: proven(
        'src/proxy/filters/external-auth/external-auth.test.ts',
        'asks with the same method and path below a prefix, and sends only what is listed',
      ),
    },
    {
      id: 'external-auth-body',
      says: 'Bodies are sent along up to maxSize; larger ones are refused',
      shown: proven(
        'test/features/experimental.test.ts',
        'sends and copies what is listed, below the path, with bodies that are not too large',
      ),
    },
    {
      id: 'external-auth-by-200',
      says: 'Over HTTP, 200 lets in and nothing else does',
      shown: proven(
        'src/proxy/filters/external-auth/external-auth.test.ts',
        'never shows a success that was not admitted',
      ),
    },
  ],
};

export const forwardingRules: Rules = {
  'HTTPRoute spec.rules.backendRefs': [
    { id: 'all-backends-invalid', says: '500 for all where all are invalid, for its share where one is' },
    { id: 'weights', says: '500 where no backend has a weight, or there is none and no filter that answers' },
    {
      id: 'invalid-backend-refs',
      says: 'InvalidKind, BackendNotFound, RefNotPermitted, UnsupportedProtocol; the message says which and why',
    },
    {
      id: 'no-ready-endpoints',
      says: '503 for a Service without ready endpoints',
      shown: proven('test/features/bad-input.test.ts', 'a Service without endpoints answers 503'),
    },
    {
      id: 'incompatible-app-protocol',
      says: 'appProtocol is honoured; what HTTP cannot be sent over is UnsupportedProtocol',
      shown: golden('invalid-backend-refs'),
    },
    {
      id: 'backend-with-a-policy-that-cannot-be-met',
      says: 'A backend whose BackendTLSPolicy cannot be followed is invalid',
      shown: golden('backend-tls-policies'),
    },
  ],
  'HTTPRoute spec.rules.backendRefs.filters': [
    { id: 'filters-of-a-backend-are-for-its-share', says: 'They are for requests that go to that backend' },
    { id: 'backend-ref-filters', says: 'All types of rules may stand there, and come after those of the rule' },
  ],
  'HTTPRoute spec.rules.timeouts': [
    { id: 'timeouts-and-unserved-fields', says: '0s switches a timeout off' },
    {
      id: 'request-timeout',
      says: 'An error once the request has taken too long, retries included',
      shown: proven('src/proxy/exchange/retry.test.ts', 'beyond the time that the route gives it'),
    },
    {
      id: 'backend-request-within-request',
      says: 'backendRequest is no longer than request',
      shown: refused('backendRequest timeout cannot be longer than request timeout'),
    },
  ],
  'HTTPRoute spec.rules.retry': [
    {
      id: 'retries-of-connections',
      says: 'Connection errors are tried again wherever retry stands',
      shown: proven(
        'src/proxy/exchange/retry.test.ts',
        'over connections that are refused, but as often as its route says',
      ),
    },
    {
      id: 'retries-of-codes',
      says: 'The codes listed are tried again',
      shown: proven('src/proxy/exchange/retry.test.ts', 'for the statuses that the route lists, to another endpoint'),
    },
    {
      id: 'retries-end',
      says: 'After the attempts given, the client gets the error',
      shown: proven(
        'src/proxy/exchange/retry.test.ts',
        'more often than the route says: the last response is passed on',
      ),
    },
    {
      id: 'backoff-is-the-least',
      says: 'No attempt before the backoff is over; pauses may grow',
      shown: proven('src/proxy/exchange/retry.test.ts', 'after a pause that grows'),
    },
  ],
  'HTTPRoute spec.rules.sessionPersistence': [
    { id: 'session-persistence', says: 'Sessions are of their rule; Cookie by default; Permanent has an end' },
    {
      id: 'permanent-has-a-timeout',
      says: 'Permanent asks for absoluteTimeout',
      shown: refused('AbsoluteTimeout must be specified when cookie lifetimeType is Permanent'),
    },
    {
      id: 'absolute-timeout',
      says: 'A session is over after absoluteTimeout',
      shown: proven('src/proxy/affinity/affinity.test.ts', 'is over when it has come, however often it was used'),
    },
  ],
};
