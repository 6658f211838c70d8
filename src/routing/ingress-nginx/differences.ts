/**
 * Where this is not what ingress-nginx did, on purpose: for docs/ingress-nginx.md, and for test/oracle, which lets nothing
 * else pass. What concerns one annotation or one key of the ConfigMap alone stands in its row.
 */

/** Markdown: what is done here, and why or what to do about it. */
export type Differences = Readonly<Record<string, string>>;

/** Told first: somebody may have to do something about them. */
export const largeDifferences = {
  'one-fault-one-location': 'A value that cannot be honoured costs its annotation, or shuts its location with 503 where somebody relies on it to keep requests out. ingress-nginx drops the whole Ingress, and serves what is left.', // biome-ignore format: one line
  'snippets-are-read': 'Snippets are read as a [closed set of directives](#what-snippets-may-say), never run: Lua, `proxy_pass`, `location` and the like shut the location. Of an `http-snippet` nothing is followed, and one that may keep requests out shuts all locations; there is no template of nginx to replace.', // biome-ignore format: one line
  'no-waf': 'There is no ModSecurity: locations that ask for it answer 503. Put a web application firewall in front.',
  'patterns-are-re2': 'Patterns of paths, canaries, snippets and CORS are RE2: without back references and look-around, and in linear time. A path that needs these is shut with 503, and `fairway lint` names it; requests that it would not take go on to other paths, as far as that is certain (of `/(?!api)`, those for `/api`).', // biome-ignore format: one line
  'bodies-stream': 'Bodies go through as they come, in both directions, and are never on disk: a backend sees a request before all of it is there. A request with a body is sent again only while at most `relay.maxRepeatBytes` of it have been sent.', // biome-ignore format: one line
  'sessions-begin-anew': 'Cookies of `affinity: cookie` have values of their own: clients with a session of ingress-nginx get a new one, once.', // biome-ignore format: one line
  'limits-per-worker': 'Limits of requests and connections are counted by each worker of each replica (`--workers`), by nginx in each replica.', // biome-ignore format: one line
  'own-words': 'Answers that are made here (404, 413, 503, redirects) are one line of text that says why; those of nginx are pages of HTML.', // biome-ignore format: one line
  'accel-redirect': '`X-Accel-Redirect` of a backend is taken out and not followed: there are no internal locations here. The same goes for `X-Accel-Limit-Rate`; `limit-rate` does it.', // biome-ignore format: one line
  'passwords-of-des': 'Passwords that crypt(3) has hashed by DES open nothing: only their first eight characters count, and any computer finds them. `fairway lint` names the lines.', // biome-ignore format: one line
  'own-logs-and-metrics': 'Metrics have names of their own ([what is told](data-plane.md#what-is-told)): dashboards do not carry over. The access log has its [lines](#lines-of-the-access-log) with `--access-log-format nginx`.', // biome-ignore format: one line
  'dollars-in-redirects': '`permanent-redirect` and `temporal-redirect` may have variables such as `$request_uri`, which ingress-nginx has refused since it validates annotations.', // biome-ignore format: one line
} satisfies Differences;

/** Of single requests, all met and checked by test/oracle. */
export const smallDifferences = {
  'forwarded-header': 'A client that is not trusted cannot say in Forwarded (RFC 7239) whose request it is: the header is removed, as X-Forwarded-For is replaced. nginx lets it through.', // biome-ignore format: one line
  'fragment-in-target': 'A request target with # is refused with 400: no client may send one (RFC 9112 section 3.2), and servers disagree on what it means. nginx ends the path there for its rules and sends all of it to the backend.', // biome-ignore format: one line
  'absolute-form': 'For a request target with a host (http://a.test/x), the backend is told that host, as RFC 9112 section 3.2.2 wants. nginx takes its rules from it and tells the backend what the Host line says.', // biome-ignore format: one line
  'bytes-in-target': 'A request target with bytes beyond ASCII is refused with 400 (RFC 9112 section 3.2 has none); clients escape them. nginx takes them as they are.', // biome-ignore format: one line
  'scheme-in-target': 'A request target with a scheme other than http and https is refused with 400; nginx ignores which one it is.', // biome-ignore format: one line
  'headers-of-copies': 'A mirror is told of the client what the backend is told (X-Forwarded-*, X-Real-IP, X-Scheme, X-Request-ID) and gets no Proxy header. nginx gives it the headers as the client made them up.', // biome-ignore format: one line
  'host-syntax': 'Hosts that no name can have are told apart in other ways: an empty one and empty labels belong to the rules without a host instead of being refused; ports that are no numbers and backslashes are refused with 400 instead of being ignored.', // biome-ignore format: one line
  'method-letters': 'Methods are the tokens of RFC 9110 section 9.1 and go to the backend as they are; nginx refuses those that have other characters than capitals, - and _.', // biome-ignore format: one line
  'hop-by-hop': 'Headers that Connection names, and Proxy-Connection, concern one connection only and are not sent on (RFC 9110 section 7.6.1); nginx sends them on.', // biome-ignore format: one line
  'upgrade-to-http2': 'Upgrade: h2c is not sent on: a backend that took it would be spoken to in a protocol that nothing in between understands. nginx sends it on and breaks the connection when it is taken.', // biome-ignore format: one line
  'rewrite-without-slash': 'A rewrite-target that does not begin with / gets one: nginx would send a request without it, which servers refuse.', // biome-ignore format: one line
  'letters-of-host': 'Where Location repeats the host of the request, it is in small letters: names of hosts have no case.', // biome-ignore format: one line
  'spaces-of-cookies': 'A cookie whose domain or path is changed keeps the white space between its attributes; nginx puts one space after each semicolon.', // biome-ignore format: one line
  'charset-of-passwords': 'Clients that are asked for a password are told to send it in UTF-8 (charset, RFC 7617 section 2.1), in which it is compared; nginx leaves it to them.', // biome-ignore format: one line
  'newline-at-the-end':
    '`$` in the pattern of a path is the end of the path and nothing else (RE2); for nginx it is also what stands before a newline (`%0A`) at the end.',
  'forwarded-to-auth': 'An auth service is not told what a client that is not trusted says in X-Forwarded-Host and the like; ingress-nginx passes it on.', // biome-ignore format: one line
  'bodies-of-the-refused': 'Where a page of errors takes the place of a refusal (403, 401), it is asked for without the body of the request, which is not read; nginx reads all of it for the page.', // biome-ignore format: one line
  'one-request-id': 'The Service of default-backend is sent X-Request-ID once while the backend has no endpoint; ingress-nginx writes the line twice.', // biome-ignore format: one line
  'length-of-nothing': 'An auth service, or one with pages of errors, that is asked by POST, PUT or PATCH is told that the body is empty (Content-Length: 0, RFC 9110 section 8.6); nginx says nothing of it.', // biome-ignore format: one line
} satisfies Differences;
