/** RFC 9110 section 9.2.2: what may be sent twice without being asked. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export const isIdempotent = (method: string): boolean => idempotent.has(method);
