// Every target of this folder, by its place: a file that exports `target`, or several as `targets`.

import type { FuzzTarget } from './target.ts'

interface TargetModule {
  target?: FuzzTarget
  targets?: readonly FuzzTarget[]
}

const modules = import.meta.glob<TargetModule>([
  './*.ts',
  '!./*.test.ts',
  '!./targets.ts',
  '!./runner.ts',
  '!./memory.ts',
  '!./mutate.ts',
  '!./mutateJson.ts',
])

/** All targets, by name. */
export async function fuzzTargets(): Promise<FuzzTarget[]> {
  const found: FuzzTarget[] = []
  for (const load of Object.values(modules)) {
    const { target, targets = [] } = await load()
    found.push(...(target ? [target] : []), ...targets)
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}
