import type { Flag } from '../../wire/flag.ts';

/** Flags that one evaluation may ask through prerequisites, each as often as it is asked. */
const MAX_ASKED = 256;

/** Key of a flag → key of the prerequisite that it can never meet, and why. */
export type Broken = ReadonlyMap<string, BrokenPrerequisite>;

export interface BrokenPrerequisite {
  readonly prerequisite: string;
  readonly kind: 'Missing' | 'Cycle' | 'TooMany';
  /** Of the flag that has it; for people. */
  readonly why: string;
}

type Flags = Readonly<Record<string, Flag>>;

/**
 * Prerequisites that are unmet for good: of flags that are not there, within a cycle, and of flags that would ask more
 * than 256 others. Whatever is left takes bounded time. Without recursion: chains may be long.
 */
export function brokenPrerequisites(flags: Flags): Broken {
  const broken = new Map<string, BrokenPrerequisite>();
  const order = finishOrder(flags);
  const groups = groupsOf(flags, order);
  const asked = new Map<string, number>();
  for (const key of order) {
    const named = prerequisitesOf(flags, key);
    const absent = named.find((flag) => !Object.hasOwn(flags, flag));
    const cyclic = named.find((flag) => groups.get(flag) === groups.get(key));
    const count = named.reduce((sum, flag) => sum + (asked.get(flag) ?? 0), 1);
    if (absent !== undefined)
      broken.set(key, { prerequisite: absent, kind: 'Missing', why: `there is no flag ${absent}` });
    else if (cyclic !== undefined) {
      const why = `its prerequisites lead in a circle: ${cyclic} has this flag as a prerequisite`;
      broken.set(key, { prerequisite: cyclic, kind: 'Cycle', why });
    } else if (count > MAX_ASKED) {
      const why = `it asks more than ${MAX_ASKED} flags through its prerequisites`;
      broken.set(key, { prerequisite: named[0] as string, kind: 'TooMany', why });
    }
    asked.set(key, broken.has(key) ? 1 : count);
  }
  return broken;
}

function prerequisitesOf(flags: Flags, key: string): readonly string[] {
  const flag = Object.hasOwn(flags, key) ? flags[key] : undefined;
  return flag?.prerequisites?.map((prerequisite) => prerequisite.flag) ?? [];
}

/** Keys so that, cycles apart, prerequisites come before who has them: depth first, by the time of leaving. */
function finishOrder(flags: Flags): string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  for (const root of Object.keys(flags)) {
    const stack = [{ key: root, next: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1) as { key: string; next: number };
      if (top.next === 0 && seen.has(top.key)) {
        stack.pop();
        continue;
      }
      seen.add(top.key);
      const following = prerequisitesOf(flags, top.key)[top.next++];
      if (following === undefined) {
        order.push(top.key);
        stack.pop();
      } else if (Object.hasOwn(flags, following)) stack.push({ key: following, next: 0 });
    }
  }
  return order;
}

/** Key → number of its strongly connected component (Kosaraju, Sharir 1981: flood the reversed edges, last left first). */
function groupsOf(flags: Flags, order: readonly string[]): Map<string, number> {
  const dependents = new Map<string, string[]>();
  for (const key of order) {
    for (const named of prerequisitesOf(flags, key)) {
      const list = dependents.get(named) ?? [];
      dependents.set(named, list);
      list.push(key);
    }
  }
  const groups = new Map<string, number>();
  for (const [group, root] of [...order].reverse().entries()) {
    const stack = [root];
    for (let key = stack.pop(); key !== undefined; key = stack.pop()) {
      if (groups.has(key)) continue;
      groups.set(key, group);
      stack.push(...(dependents.get(key) ?? []));
    }
  }
  return groups;
}
