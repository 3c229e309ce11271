/** How often each name was met. */
export type Counts<Name extends string | number = string | number> = Partial<Record<Name, number>>;

export function countUp<Name extends string | number>(counts: Counts<Name>, name: Name): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
