import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where built things are kept between runs and work trees: `SLUICE_CACHE`, or `sluice` in the user's cache folder. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  return env.SLUICE_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sluice');
}

/** The root of this work tree. */
export const repositoryDir = join(import.meta.dirname, '..', '..');
