import type { AddedRule } from './added-rule.ts';
import {
  MAX_FILTERS,
  MAX_HEADERS_PER_MATCH,
  MAX_MATCHES_PER_ROUTE,
  MAX_MATCHES_PER_RULE,
  MAX_RULES,
  matchesOf,
  type RouteRule,
} from './http-route.ts';
import { mayTakeOver, type Placed } from './precedence.ts';
import { type Refusal, refuse } from './refusal.ts';

/** The user's own rules by their index in the route. */
export type OwnRules = ReadonlyMap<number, RouteRule>;

/** Why these rules cannot be appended to a route: too many, or in the way of others. */
export function whyNotAppend(own: OwnRules, added: readonly AddedRule[]): Refusal | undefined {
  return whyTooMany([...own.values()], added) ?? whyInTheWay(own, added);
}

function whyTooMany(own: readonly RouteRule[], added: readonly AddedRule[]): Refusal | undefined {
  const rules = [...own, ...added.map(({ rule }) => rule)];
  const matches = rules.map((rule) => matchesOf(rule).length);
  const total = matches.reduce((sum, count) => sum + count, 0);
  if (rules.length > MAX_RULES) return tooMany(`${rules.length} rules, of ${MAX_RULES}`);
  if (Math.max(...matches) > MAX_MATCHES_PER_RULE) {
    return tooMany(`${Math.max(...matches)} matches in a rule, of ${MAX_MATCHES_PER_RULE}`);
  }
  if (total > MAX_MATCHES_PER_ROUTE) return tooMany(`${total} matches, of ${MAX_MATCHES_PER_ROUTE}`);
  const filters = Math.max(...rules.map((rule) => rule.filters?.length ?? 0));
  if (filters > MAX_FILTERS) return tooMany(`${filters} filters in a rule, of ${MAX_FILTERS}`);
  // One more header while the rule is armed.
  const headers = 1 + Math.max(0, ...added.flatMap(({ rule }) => matchesOf(rule).map((m) => m.headers?.length ?? 0)));
  return headers > MAX_HEADERS_PER_MATCH
    ? tooMany(`${headers} headers in a match, of ${MAX_HEADERS_PER_MATCH}`)
    : undefined;
}

const tooMany = (what: string): Refusal => refuse('SLUICE_ROUTE_LIMIT', `the route would need ${what}`);

function whyInTheWay(own: OwnRules, added: readonly AddedRule[]): Refusal | undefined {
  const appended = added.map((one, i) => ({ one, placed: place(matchesOf(one.rule), own.size + i) }));
  for (const { one, placed } of appended) {
    for (const [index, rule] of own) {
      if (index === one.from) continue;
      const protectors = appended.filter((other) => other.one.from === index).flatMap((other) => other.placed);
      for (const other of place(matchesOf(rule), index)) {
        const taken = placed.some((match, i) => {
          const from = { match: one.narrows[i] ?? match.match, ruleIndex: one.from };
          return mayTakeOver(match, from, other, protectors);
        });
        if (taken) return inTheWay(one.from, index);
      }
    }
  }
  return undefined;
}

const place = (matches: ReturnType<typeof matchesOf>, ruleIndex: number): Placed[] =>
  matches.map((match) => ({ match, ruleIndex }));

const inTheWay = (from: number, other: number): Refusal =>
  refuse(
    'SLUICE_ROUTE_RULE_SHADOWED',
    `a rule that refines rule ${from} would take requests that rule ${other} gets today, as both have the same path`,
  );
