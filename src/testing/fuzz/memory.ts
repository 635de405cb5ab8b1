// What a piece of work allocates: bytes asked of ArrayBuffer and typed arrays, counted in their constructors and copying
// methods whether or not they are freed again, and the growth of the heap. Node alone; patched for the time of the work.

import { getHeapStatistics } from 'node:v8'

export interface Allocated {
  /** bytes of buffers, all together */
  buffers: number
  /** bytes by which the heap had grown at the end; below 0 when it was collected in between */
  heap: number
}

const NAMES = [
  ...['ArrayBuffer', 'Uint8Array', 'Int8Array', 'Uint8ClampedArray', 'Uint16Array', 'Int16Array'],
  ...['Uint32Array', 'Int32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'],
] as const

type Constructor = new (...args: unknown[]) => ArrayBuffer | ArrayBufferView
type Global = Record<string, unknown>

/** Runs `work` and counts; not for two at once. */
export async function countAllocated(
  work: () => Promise<void>,
): Promise<{ allocated: Allocated; error: unknown }> {
  const global = globalThis as unknown as Global
  const kept = new Map<string, unknown>(NAMES.map((name) => [name, global[name]]))
  let buffers = 0
  for (const name of NAMES)
    global[name] = new Proxy(kept.get(name) as Constructor, {
      construct(original, args, target) {
        // Asked for is enough: a request that the engine refuses is one that a smaller machine could not have met.
        if (typeof args[0] === 'number') {
          const size = (original as unknown as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1
          buffers += args[0] * size
          return Reflect.construct(original, args, target)
        }
        const made = Reflect.construct(original, args, target) as ArrayBuffer | ArrayBufferView
        // Views of what exists cost nothing.
        if (!(args[0] instanceof (kept.get('ArrayBuffer') as Constructor)) && made.byteLength > 0)
          buffers += made.byteLength
        return made
      },
    })
  const typed = Object.getPrototypeOf(Uint8Array.prototype) as Record<string, unknown>
  const copies: [Record<string, unknown>, string][] = [
    [typed, 'slice'],
    [typed, 'map'],
    [typed, 'filter'],
    [(kept.get('ArrayBuffer') as Constructor).prototype as unknown as Record<string, unknown>, 'slice'],
  ]
  const methods = copies.map(([owner, name]) => owner[name] as (...args: unknown[]) => { byteLength: number })
  copies.forEach(([owner, name], i) => {
    owner[name] = function (this: unknown, ...args: unknown[]) {
      const made = methods[i].apply(this, args)
      buffers += made.byteLength
      return made
    }
  })
  const before = getHeapStatistics().used_heap_size
  let error: unknown
  try {
    await work()
  } catch (thrown) {
    error = thrown ?? new Error('nothing was thrown')
  } finally {
    for (const [name, original] of kept) global[name] = original
    copies.forEach(([owner, name], i) => {
      owner[name] = methods[i]
    })
  }
  return { allocated: { buffers, heap: getHeapStatistics().used_heap_size - before }, error }
}
