// @vitest-environment happy-dom
import { afterEach, expect, it, vi } from 'vitest'
import { firstPicture } from './firstPicture.ts'

afterEach(() => {
  vi.useRealTimers()
  document.body.innerHTML = ''
})

it('is a line with values: its empty path is waited for, a chart that does not come for so long', async () => {
  vi.useFakeTimers()
  document.body.innerHTML = '<svg><path class="plot-path" d=""></path></svg>'
  const seen = vi.fn()
  void firstPicture(3000).then(seen)
  await vi.advanceTimersByTimeAsync(1000)
  expect(seen).not.toHaveBeenCalled()
  document.querySelector('path')!.setAttribute('d', 'M0,0L1,1')
  await vi.advanceTimersByTimeAsync(100)
  expect(seen).toHaveBeenCalled()

  document.body.innerHTML = ''
  const late = vi.fn()
  void firstPicture(3000).then(late)
  await vi.advanceTimersByTimeAsync(2900)
  expect(late).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(200)
  expect(late).toHaveBeenCalled()
})
