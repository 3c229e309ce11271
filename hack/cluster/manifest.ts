import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Reads one of our manifests and puts values in the place of `${NAME}`; a name without a value is an error. */
export function manifest(file: string, values: Readonly<Record<string, string>>): string {
  const text = readFileSync(join(import.meta.dirname, 'manifests', file), 'utf8');
  return text.replace(/\$\{([A-Z_]+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`manifests/${file} asks for ${name}`);
    return value;
  });
}
