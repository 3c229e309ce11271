/** Longest text in a manifest that is looked at, with room for 20 guardrails that have long queries. */
export const MAX_OBJECT_BYTES = 262_144;

/**
 * Whether `value` written as JSON takes at most `maxBytes`, give or take escapes and separators. Stops looking as soon
 * as it does not, so cycles and YAML aliases that fan out cost no more than an honest object.
 */
export function isWithinBytes(value: unknown, maxBytes: number): boolean {
  let left = maxBytes;
  const stack: unknown[] = [value];
  while (stack.length > 0 && left >= 0) {
    const next = stack.pop();
    left -= 2;
    if (typeof next === 'string') left -= Buffer.byteLength(next);
    else if (Array.isArray(next)) pushAll(stack, next, left);
    else if (typeof next === 'object' && next !== null) pushAll(stack, Object.entries(next).flat(), left);
    else left -= 4;
  }
  return left >= 0;
}

function pushAll(stack: unknown[], items: readonly unknown[], left: number): void {
  // More entries than bytes left cannot fit: those that say so are enough.
  for (const item of items.slice(0, left + 1)) stack.push(item);
}
