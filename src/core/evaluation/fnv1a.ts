/** FNV-1a, 32 bits, over UTF-16 units as GrowthBook's JavaScript does (Fowler, Noll, Vo; RFC 9923 over bytes: the same for ASCII). */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
