/** FNV-1a, 32 bits: stable numbers from names (addresses, Pod suffixes). Not for anything that an attacker may choose. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}
