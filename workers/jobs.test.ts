import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { JobQueue } from './jobs.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const after = (ms: number) => () => new Promise<void>((done) => setTimeout(done, ms))

it('is idle once, two seconds after the last job, and not between jobs', async () => {
  const idle = vi.fn()
  const queue = new JobQueue(() => {}, idle)
  void queue.run(1, after(5000))
  void queue.run(2, after(5000))
  await vi.advanceTimersByTimeAsync(10_000)
  void queue.run(3, after(1900))
  await vi.advanceTimersByTimeAsync(1900 + 1999)
  expect(idle).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(idle).toHaveBeenCalledTimes(1)
  // A job that fails leaves the queue as empty as one that does not.
  await expect(queue.run(4, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  await vi.advanceTimersByTimeAsync(2000)
  expect(idle).toHaveBeenCalledTimes(2)
})

it('urgent jobs go before those that wait, in the order in which they came', async () => {
  const queue = new JobQueue(() => {})
  const order: string[] = []
  const job = (name: string, isUrgent: boolean) =>
    queue.run(undefined, async () => void order.push(name), isUrgent)
  void queue.run(undefined, after(10))
  void job('a', false)
  void job('first', true)
  void job('b', false)
  void job('second', true)
  await vi.advanceTimersByTimeAsync(100)
  expect(order).toEqual(['first', 'second', 'a', 'b'])
})
