// @vitest-environment happy-dom
// What the Share dialog says of a link whose merge has not all its numbers yet.
import { act, cleanup, render, screen } from '@testing-library/react'
import { afterEach, expect, it } from 'vitest'
import { measurementKey } from '../../share/experimentKey.ts'
import { emptyMeasurement, measurementId } from '../../share/measurement.ts'
import { currentMerge } from '../../state/plan.ts'
import { update } from '../../state/store.ts'
import { resetStudio } from '../../state/testing/freshStudio.ts'
import { placeholderExperiment as experiment } from '../app/placeholderExperiment.ts'
import { LinkTab } from './LinkTabs.tsx'

resetStudio()
afterEach(cleanup)

it('a merge without all its numbers is said so, until they are there', () => {
  const merge = currentMerge(experiment)
  const key = measurementKey(experiment, merge)
  const known = (...complete: ('aqi' | 'behaviour' | 'drift')[]) =>
    act(() =>
      update('runs', {
        measurements: { [measurementId(key, merge)]: { ...emptyMeasurement(key, merge), complete } },
      }),
    )
  act(() => update('recipe', { experiment }))
  render(<LinkTab />)
  const hint = () => screen.queryByText(/still being measured/)
  expect(hint()).not.toBeNull()
  known('aqi', 'behaviour')
  expect(hint()).not.toBeNull()
  known('aqi', 'behaviour', 'drift')
  expect(hint()).toBeNull()
})
