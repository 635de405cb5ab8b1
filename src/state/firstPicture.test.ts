import { expect, it, vi } from 'vitest'

it('waits for the picture, no longer than it may, and not again', async () => {
  vi.useFakeTimers()
  try {
    vi.resetModules()
    const { firstPicture, pictureDrawn } = await import('./firstPicture.ts')
    const order: string[] = []
    void firstPicture(100).then(() => order.push('late'))
    await vi.advanceTimersByTimeAsync(99)
    expect(order).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(order).toEqual(['late'])
    void firstPicture(100).then(() => order.push('drawn'))
    pictureDrawn()
    await vi.advanceTimersByTimeAsync(0)
    expect(order).toEqual(['late', 'drawn'])
    await firstPicture(100)
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})
