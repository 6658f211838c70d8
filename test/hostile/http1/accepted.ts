/** What this proxy forwards or relays although nginx and HAProxy both refuse it, by section and name, and why. */

export const acceptedRequests: Readonly<Record<string, string>> = {};

export const acceptedResponses: Readonly<Record<string, string>> = {
  '9112 5.1 space before another colon is taken out':
    'RFC 9112 section 5.1 asks proxies to remove it from responses; where the field bears on framing it is refused here too',
};
