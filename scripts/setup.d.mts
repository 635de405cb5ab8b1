export interface Browser {
  path: string
  source: 'named' | 'system' | 'playwright' | 'npm'
  env: Record<string, string>
}
export interface Driver {
  name: string
  env: Record<string, string>
}
export const root: string
export const installHint: string
export function tarEntries(archive: Buffer): Generator<{ name: string; mode: number; bytes: Buffer }>
export function findBrowser(): Browser | undefined
export function findDriver(): Driver | undefined
export function gpuEnvironment(): Record<string, string>
