import { z } from 'zod';

const MAX_NAME_CHARS = 128;
// \x and not \u: the API server's patterns are RE2.
// biome-ignore lint/suspicious/noControlCharactersInRegex: keeping them out of logs and tables is the point
const NO_CONTROLS = /^[^\x00-\x1f\x7f]+$/;
const TEXT_RULE = 'must have no control characters';

/** Text of one line, in any script. */
export const lineOf = (maxChars: number, description: string) =>
  z.string().regex(NO_CONTROLS, TEXT_RULE).min(1).max(maxChars).describe(description);

/** A name that users make up: of a variant, a segment, a rule. */
export const givenName = (description: string) => lineOf(MAX_NAME_CHARS, description);

/** Values by names that users make up. The API server counts them; their names it does not look at. */
export function namedMap<Values extends z.ZodType>(
  values: Values,
  { least, most }: { readonly least: number; readonly most: number },
  description: string,
) {
  return z
    .record(z.string(), values)
    .superRefine((map, context) => {
      const names = Object.keys(map);
      if (names.length < least) context.addIssue({ code: 'custom', message: `must have at least ${least} entries` });
      if (names.length > most) context.addIssue({ code: 'custom', message: `must have at most ${most} entries` });
      for (const name of names) {
        // What every object has, such as `constructor`, would be found where nobody put it.
        const fits = name.length <= MAX_NAME_CHARS && NO_CONTROLS.test(name) && !(name in {});
        if (fits) continue;
        const message = `must be a name of at most ${MAX_NAME_CHARS} characters that means nothing to JavaScript`;
        context.addIssue({ code: 'custom', message, path: [name] });
      }
    })
    .meta({ description, minProperties: least, maxProperties: most });
}
