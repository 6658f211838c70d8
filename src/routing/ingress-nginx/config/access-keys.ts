/** Rows of the ConfigMap on who is let in. */
import { compileFinder } from '../../match/pattern.ts';
import { anyText, bool, cidrs, headerNames, lifetimes, option, urlWithVariables } from '../annotations/values.ts';
import { type ConfigRow, field, guarding, ignored, put, texts } from './rows.ts';

/** Texts, and patterns behind a tilde. */
function blocking(key: 'blockUserAgents' | 'blockReferers'): ConfigRow {
  return {
    ...{ verdict: 'differs', expected: texts.expected, protects: true },
    note: 'Patterns are RE2.',
    take({ config }, text) {
      const values = texts.read(text) ?? [];
      const fault = values.map(patternFault).find((each) => each !== undefined);
      if (fault !== undefined) return fault;
      config[key] = values;
      return true;
    },
  };
}

function patternFault(value: string): string | undefined {
  const read = value.startsWith('~') ? compileFinder(value.replace(/^~\*?/, '')) : undefined;
  return read && !read.ok ? `the pattern ${value.slice(0, 200)} cannot be used: ${read.error}` : undefined;
}

export const accessKeys: Readonly<Record<string, ConfigRow>> = {
  'whitelist-source-range': guarding(field(cidrs, 'whitelistSourceRange')),
  'denylist-source-range': guarding(field(cidrs, 'denylistSourceRange')),
  'block-cidrs': guarding(field(cidrs, 'blockCidrs')),
  'block-user-agents': blocking('blockUserAgents'),
  'block-referers': blocking('blockReferers'),
  'no-auth-locations': field(texts, 'noAuthLocations'),
  'global-auth-url': guarding(put(urlWithVariables, ({ auth }, url) => Object.assign(auth, { url }))),
  'global-auth-method': put(option(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE']), ({ auth }, method) => Object.assign(auth, { method })), // biome-ignore format: one row
  'global-auth-signin': put(urlWithVariables, ({ auth }, signIn) => Object.assign(auth, { signIn })),
  'global-auth-signin-redirect-param': put(anyText, ({ auth }, signInRedirectParam) => Object.assign(auth, { signInRedirectParam })), // biome-ignore format: one row
  'global-auth-response-headers': guarding(put(headerNames, ({ auth }, responseHeaders) => Object.assign(auth, { responseHeaders }))), // biome-ignore format: one row
  'global-auth-request-redirect': put(anyText, ({ auth }, requestRedirect) => Object.assign(auth, { requestRedirect })),
  'global-auth-cache-key': put(anyText, ({ auth }, cacheKey) => Object.assign(auth, { cacheKey })),
  'global-auth-cache-duration': guarding(put(lifetimes, ({ auth }, cacheDuration) => Object.assign(auth, { cacheDuration }))), // biome-ignore format: one row
  'global-auth-always-set-cookie': put(bool, ({ auth }, alwaysSetCookie) => Object.assign(auth, { alwaysSetCookie })),
  'global-auth-snippet': put(anyText, ({ auth }, snippet) => Object.assign(auth, { snippet }), 'Of its directives `proxy_set_header` and `set` are read.'), // biome-ignore format: one row
  'enable-modsecurity': {
    ...{ verdict: 'refused', expected: bool.expected, protects: true },
    note: 'There is no WAF here: with `true` all locations answer 503, but those whose annotation says `false`.',
    take({ config }, text) {
      const on = bool.read(text);
      config.enableModsecurity = on === true;
      if (on === undefined) return false;
      return on ? 'there is no web application firewall here; put one in front' : true;
    },
  },
  'enable-owasp-modsecurity-crs': ignored('It is nothing without `enable-modsecurity`.'),
  'modsecurity-snippet': ignored('It is nothing without `enable-modsecurity`.'),
};
