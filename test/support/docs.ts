import { globSync, readFileSync } from 'node:fs';

export interface Page {
  readonly path: string;
  readonly text: string;
}

/** Every page that people read: all Markdown outside node_modules and build output. */
export function pages(): Page[] {
  const paths = globSync('**/*.md', { exclude: (path) => /(^|\/)(node_modules|dist|\.git)$/.test(path) });
  return paths.sort().map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

/** The fenced blocks of one language. */
export const blocks = ({ text }: Page, language: string): string[] =>
  [...text.matchAll(/^```(\S*)\n([\s\S]*?)^```/gm)].flatMap(([, found, body]) => (found === language ? [body!] : []));

/** The page without code, where a bracket means a link. */
export const prose = ({ text }: Page): string => text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
