import { realpathSync } from 'node:fs';
import { posix } from 'node:path';
import { output } from '../cluster/command.ts';
import type { Entry } from './archive.ts';

/** What nearly every program expects to find: who it is, how names are looked up, a place for temporary files. */
export const baseEntries: readonly Entry[] = [
  text('etc/passwd', 'root:x:0:0:root:/:/bin/false\nnonroot:x:65532:65532:nonroot:/:/bin/false\n'),
  text('etc/group', 'root:x:0:\nnonroot:x:65532:\n'),
  text('etc/nsswitch.conf', 'hosts: files dns\n'),
  { kind: 'dir', path: 'tmp', mode: 0o1777 },
];

/** The user that our images run as. */
export const nonrootUser = '65532:65532';

/** A program at `path`, with the shared libraries of this machine that it asks for. */
export async function programEntries(source: string, path: string, signal: AbortSignal): Promise<Entry[]> {
  const libraries = await sharedLibraries(source, signal);
  return [
    { kind: 'file', path, mode: 0o755, source: realpathSync(source) },
    ...libraries.map(
      (library): Entry => ({
        kind: 'file',
        path: posix.relative('/', library),
        mode: 0o755,
        source: realpathSync(library),
      }),
    ),
  ];
}

function text(path: string, content: string): Entry {
  return { kind: 'file', path, mode: 0o644, source: Buffer.from(content) };
}

/** Paths as the loader looks them up; none for a static binary. */
async function sharedLibraries(program: string, signal: AbortSignal): Promise<string[]> {
  // ldd fails on static binaries and says so in words: asked through the shell, both answers are text.
  const said = await output('sh', ['-c', 'ldd "$1" 2>&1 || true', 'sh', program], { signal });
  const missing = /^\s*(\S+) => not found/m.exec(said)?.[1];
  if (missing !== undefined) throw new Error(`${program} needs ${missing}, which this machine has not got`);
  return [...said.matchAll(/(\/\S+\.so\S*)/g)].map(([, path = '']) => path);
}
