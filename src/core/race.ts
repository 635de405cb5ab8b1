// Work that is raced against an end that seldom comes: a lost device, a worker that died. `Promise.race` with a promise
// that stays pending keeps every race's result for as long as that promise lives, so a long session grows with each call.

const waiting = new WeakMap<Promise<never>, Set<(reason: unknown) => void>>()

/** Settles as `work` does, or rejects as `end` does if that comes first. Nothing is kept of work that has settled. */
export function raceEnd<T>(work: Promise<T>, end: Promise<never>): Promise<T> {
  let races = waiting.get(end)
  if (!races) {
    const all = new Set<(reason: unknown) => void>()
    races = all
    waiting.set(end, all)
    end.catch((reason) => {
      for (const reject of all) reject(reason)
      all.clear()
      waiting.delete(end)
    })
  }
  const all = races
  return new Promise<T>((resolve, reject) => {
    all.add(reject)
    work.then(resolve, reject).finally(() => all.delete(reject))
  })
}
