/** Why filters cannot be applied. */

/** The path of the field is relative to the rule. */
export interface FilterFault {
  readonly code: 'FW3301' | 'FW3302' | 'FW3303';
  readonly reason: 'UnsupportedValue' | 'IncompatibleFilters';
  readonly fieldPath: string;
  readonly message: string;
  /** What would mend it, where the rule of the code does not say. */
  readonly hint?: string | undefined;
}

export function incompatible(fieldPath: string, message: string, hint?: string): FilterFault {
  return { code: 'FW3303', reason: 'IncompatibleFilters', fieldPath, message, ...(hint !== undefined && { hint }) };
}

export function unsupported(fieldPath: string, message: string, hint?: string): FilterFault {
  return { code: 'FW3301', reason: 'UnsupportedValue', fieldPath, message, ...(hint !== undefined && { hint }) };
}

/** What a header name may be (RFC 9110 section 5.6.2), as long as the Gateway API lets it be. */
export const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;
