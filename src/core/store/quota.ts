// Room: what a browser gives, said in numbers before and after it runs out.

import { EngineError } from '../errors.ts'
import type { Quota, Storage } from './storage.ts'

export const freeBytes = ({ used, limit }: Quota): number | null =>
  used === null || limit === null ? null : Math.max(0, limit - used)

function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  let size = bytes
  for (; size >= 1000 && unit < units.length - 1; unit++) size /= 1000
  return `${unit === 0 ? size : size.toPrecision(3)} ${units[unit]}`
}

/** Rejects `storage-full` where `needed` bytes are more than the browser has left. */
export async function requireRoom(storage: Storage, name: string, needed: number): Promise<void> {
  const free = freeBytes(await storage.quota())
  if (free !== null && needed > free) throw describe(name, needed, free)
}

/** What a write that ran out of room means. */
export async function fullError(storage: Storage, name: string, needed: number): Promise<EngineError> {
  return describe(name, needed, freeBytes(await storage.quota()))
}

function describe(name: string, needed: number, free: number | null): EngineError {
  const left =
    free === null
      ? 'this browser has less'
      : free < needed
        ? `this browser has ${sizeText(free)} free`
        : `this browser promised ${sizeText(free)} and gave less, as it does when the disk is full`
  return new EngineError(
    'storage-full',
    `${name} needs ${sizeText(needed)}, ${left}; delete kept models, free space on the disk, or use it from its source without keeping it`,
  )
}
