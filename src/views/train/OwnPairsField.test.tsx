// @vitest-environment happy-dom
// Pairs that are read while the text of them changes.
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, expect, it, vi } from 'vitest'
import { initialTraining, useTraining } from '../../state/training/store.ts'
import { OwnPairsField } from './OwnPairsField.tsx'

afterEach(cleanup)

it('a text that was emptied or replaced while it was read leaves no pairs', async () => {
  useTraining.setState(initialTraining(), true)
  render(<OwnPairsField isFixed={false} />)
  const field = screen.getByLabelText('Pairs of prompt and answer')
  const type = (value: string) => act(() => void fireEvent.change(field, { target: { value } }))
  type('prompt,answer\na?,b\n')
  type('')
  await act(() => vi.dynamicImportSettled())
  await act(() => new Promise((done) => setTimeout(done, 100)))
  expect(useTraining.getState().own).toBeNull()
})
