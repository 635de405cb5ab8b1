// What a process and all its children hold, proportional set size: shared pages are counted once over all of them.

import { readdir, readFile } from 'node:fs/promises'

/** Ids of `root` and everything it started, from /proc. */
export async function processTree(root: number): Promise<number[]> {
  const children = new Map<number, number[]>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined)
    if (stat === undefined) continue
    // The name in parentheses may hold anything; what follows it does not.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree = [root]
  for (let i = 0; i < tree.length; i++) tree.push(...(children.get(tree[i]) ?? []))
  return tree
}

/** Command line of a process, words separated by spaces; empty when it is gone. */
export const commandOf = async (pid: number): Promise<string> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ')

/** Sum of some lines of every process's account, bytes; processes that end meanwhile count nothing. */
async function sumOf(pids: readonly number[], lines: RegExp): Promise<number> {
  const sizes = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
      return [...text.matchAll(lines)].reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1024, 0)
    }),
  )
  return sizes.reduce((a, b) => a + b, 0)
}

/** Bytes, shared pages divided among those that share them. */
export const proportionalBytes = (pids: readonly number[]) => sumOf(pids, /^Pss:\s+(\d+) kB/gm)

/** The same without pages of files: how many others run the same program is no matter of the one looked at. */
export const ownBytes = (pids: readonly number[]) =>
  sumOf(pids, /^(?:Pss_Anon|Pss_Shmem|SwapPss):\s+(\d+) kB/gm)

export interface Watched {
  /** most bytes seen */
  peak: number
  samples: number
  /** mean of all samples, bytes */
  mean: number
}

/** Samples a tree every 100 ms until `stop` is called. */
export function watchMemory(root: number): { stop(): Promise<Watched> } {
  let isOver = false
  const seen = { peak: 0, samples: 0, sum: 0 }
  const loop = (async () => {
    let tree = await processTree(root)
    for (let turn = 0; !isOver; turn++) {
      const begun = performance.now()
      // Finding the tree costs more than measuring it, and processes come seldom.
      if (turn % 10 === 0) tree = await processTree(root)
      const bytes = await proportionalBytes(tree)
      seen.peak = Math.max(seen.peak, bytes)
      seen.sum += bytes
      seen.samples++
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 100 - (performance.now() - begun))))
    }
  })()
  return {
    async stop() {
      isOver = true
      await loop
      return { peak: seen.peak, samples: seen.samples, mean: seen.sum / Math.max(1, seen.samples) }
    },
  }
}
